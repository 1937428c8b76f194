"""The archive's own grammar: what text a column takes, JSON, URIs, an event and an observation as JSON and back."""
