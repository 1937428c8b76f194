"""What goes wrong around a daemon, done to the real one, and the four promises that must hold after each.

python -m tests.faults [--seed N] [--only NAME] [--full]
"""
