"""What is said to a person in few words, wherever an answer says it."""
