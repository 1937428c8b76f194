"""Questions to the archive: one module per kind of question; each returns model values and prints nothing."""
