"""How an archive of 0.1.0 becomes one of today."""
