"""How a command comes to its question: what is asked of which archive, about what; `question` is the way in."""
