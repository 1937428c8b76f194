"""Figures of commands as processes: what a user waits for at the shell."""

from __future__ import annotations

from pathlib import Path

from bench.figures import Figure, alternating
from bench.workshop import ARCHIVER, PYTHON, Workshop


def figures(shop: Workshop, archive: Path, uri: str, events: int, runs: int) -> list[Figure]:
    """`history` and `--help` against bare interpreters, all of them in turn."""
    environment = shop.environment()
    commands = (
        [PYTHON, "-c", "pass"],
        [*ARCHIVER, "--help"],
        [PYTHON, "-c", "import typer, sqlalchemy"],
        [*ARCHIVER, "--database", f"sqlite:///{archive}", "history", uri],
    )
    bare, help_, libraries, history = alternating(
        runs, *(lambda command=command: shop.seconds(command, environment) for command in commands)
    )
    return [
        Figure(
            f"archiver history, {events:,} events",
            f"{history * 1000:.0f} ms",
            f"python -c 'import typer, sqlalchemy': {libraries * 1000:.0f} ms",
            history / libraries,
            1.2,
            at_most=True,
        ),
        Figure(
            "archiver --help",
            f"{help_ * 1000:.0f} ms",
            f"python -c pass: {bare * 1000:.0f} ms",
            help_ / bare,
            7,
            at_most=True,
        ),
    ]
