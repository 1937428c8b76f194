"""What platforms share on the way to them: connections, back-off, limits, text for logs."""
