"""From a stream to a row: receives, makes durable, decodes and archives, until told to stop."""
