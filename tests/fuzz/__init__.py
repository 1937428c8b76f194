"""Inputs that nobody thought of, for what reads the bytes of a stream; those that taught something are kept."""
