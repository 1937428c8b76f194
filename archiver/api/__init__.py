"""What `import archiver` gives: an archive to ask, and a stream to hear."""
