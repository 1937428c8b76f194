"""Archives on the move: the format of an export, who writes it and who reads it."""
