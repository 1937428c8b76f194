"""The archive: the SQL database, and the only place that writes to it."""
