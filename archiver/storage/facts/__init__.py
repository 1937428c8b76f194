"""What was true of resources from when until when, made out of their words; `keeping` is the way in."""
