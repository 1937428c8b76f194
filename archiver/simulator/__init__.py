"""A small platform that lives, for the demo, for newcomers and for the project's own tests.

`platform` makes its life (pure, deterministic by seed), `rest` answers questions about it, `server` puts both on a
port.
"""
