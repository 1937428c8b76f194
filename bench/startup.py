"""Figures of commands as processes: what a user waits for at the shell."""

from __future__ import annotations

from pathlib import Path

from bench.costs import Clock
from bench.figures import Figure, alternating
from bench.workshop import ARCHIVER, PYTHON, Workshop

HISTORY = """
import json, sqlite3, sys
archive = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
spans = archive.execute("SELECT state, since, until FROM state_spans WHERE uri = ? ORDER BY since", sys.argv[2:])
print(json.dumps(spans.fetchall()))
"""


def figures(shop: Workshop, archive: Path, uri: str, events: int, runs: int, clock: Clock) -> list[Figure]:
    """`history`, completion and `--help` against bare interpreters, all of them in turn."""
    environment = shop.environment()
    database = f"sqlite:///{archive}"
    completing = {
        **environment,
        "ARCHIVER_DATABASE_URL": database,
        "_ARCHIVER_COMPLETE": "complete_bash",
        "COMP_WORDS": f"archiver history {uri[:-4]}",
        "COMP_CWORD": "2",
    }
    commands = (
        ([*ARCHIVER, "--database", database, "history", uri], environment),
        ([PYTHON, "-c", HISTORY, archive, uri], environment),
        (ARCHIVER, completing),
        ([PYTHON, "-c", "import typer"], environment),
        ([*ARCHIVER, "--help"], environment),
        ([PYTHON, "-c", "pass"], environment),
    )
    history, asked, completion, typer, help_, bare = (
        cost.by(clock) * 1000 for cost in alternating(runs, *(lambda one=one: shop.spent(*one) for one in commands))
    )
    return [
        _figure(f"archiver history, {clock}, {events:,} events", history, "Python and sqlite3 asking", asked, 2.5),
        _figure(f"completion of a key, {clock}, {events:,} events", completion, "import typer", typer, 1.6),
        _figure(f"archiver --help, {clock}", help_, "python -c pass", bare, 6),
    ]


def _figure(what: str, own: float, peer: str, other: float, bar: float) -> Figure:
    return Figure(what, f"{own:.0f} ms", f"{peer}: {other:.0f} ms", own / other, bar, at_most=True)
