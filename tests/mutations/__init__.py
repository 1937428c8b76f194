"""Faults put into the code one at a time, to see whether the model and the tests notice."""
