"""How a listing is written: its columns and cells, as a table for a person or for a program; `output` is the way in."""
