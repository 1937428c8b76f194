"""The way to a running daemon: a socket beside its spool, over which jobs are asked for."""
