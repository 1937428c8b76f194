"""A small platform that lives, for the demo, for newcomers and for the project's own tests.

`world` is its life, pure and deterministic by seed; `service` puts it on a port, as the old services spoke.
"""
