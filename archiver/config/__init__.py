"""The settings: flag, else environment, else file, else default, and each knows which of them it was."""
