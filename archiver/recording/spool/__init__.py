"""The durable queue between receiving and archiving."""
