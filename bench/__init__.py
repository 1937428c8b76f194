"""Measures what the archiver takes and gives, each figure as a ratio to a floor or a peer that ran beside it."""
