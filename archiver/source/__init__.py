"""Where events come from: each source knows its protocol and nothing of SQL, and yields `Item` values."""
