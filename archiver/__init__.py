"""Records what happens on a container platform and answers for it later."""

__version__ = "0.1.0"
