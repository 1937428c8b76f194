"""The living platform: its objects, what happens to them, how its events are spelled; it knows no service."""
