"""What leaves the daemon: it reads the archive, after the fact, and nothing that is recorded waits for it."""
