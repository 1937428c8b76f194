"""The page of results: what was measured, on which machine, by which command, when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.counting import Counted
from bench.figures import Figure, Row, machine, markdown

HEAD = """\
# Results

Each figure stands beside a floor or a peer of the same run. CPU is that of all processes together, and of the server
where there is one; what it costs to start a process is taken off all rates. The events are those of one cluster of 200
stacks, 1,000 services and 2,000 living containers, whose past grows (`bench/fleet.py`): "dated" ones have a date and a
uuid, "bare" ones neither.
"""

QUESTIONS = {
    "sqlite": """\
What questions cost, counted in SQLite's instructions: about the same objects and times, in a short archive and in a
long one with the same present. Raw rows: as many rows of `event_log` as the answer has, and no less than ten.""",
    "postgresql": "The same on PostgreSQL, counted in the rows that it visits (fewer events in both archives).",
}

SHARED = "Others used the machine at the same time: what is called wall elsewhere is CPU time here."


def section(rows: Sequence[Row], events: int, command: str, rounds: int, *, shared: bool) -> str:
    """The part of the page that a run fills, in Markdown."""
    figures = [row for row in rows if isinstance(row, Figure)]
    parts = [
        f"## {events:,} events",
        f"`{command}` on {datetime.now(UTC):%Y-%m-%d}: {machine()}; medians of {rounds} alternating rounds.",
        *([SHARED] if shared else []),
        *([_table(figures)] if figures else []),
        *(part for database in QUESTIONS for part in _questions(database, rows)),
        _verdict(rows),
    ]
    return "\n\n".join(parts) + "\n"


def write(path: Path, new: str) -> None:
    """Put the part of a run into the page, in the place of an older one of as many events."""
    kept = path.read_text().split("\n## ")[1:] if path.exists() else []
    heading = new.removeprefix("## ").partition("\n")[0]
    older = [f"## {part.rstrip()}\n" for part in kept if part.partition("\n")[0] != heading]
    path.write_text("\n".join([HEAD, *sorted([new, *older], key=_events)]))


def _events(part: str) -> int:
    return int(part.split()[1].replace(",", ""))


def _questions(database: str, rows: Sequence[Row]) -> list[str]:
    counted = [row for row in rows if isinstance(row, Counted) and row.database == database]
    return [QUESTIONS[database], _table(counted)] if counted else []


def _table(rows: Sequence[Figure] | Sequence[Counted]) -> str:
    return markdown(rows[0].HEADINGS, [row.cells() for row in rows])


def _verdict(rows: Sequence[Row]) -> str:
    missed = [f"- {row.what}: {row.verdict}" for row in rows if not row.kept]
    return "\n".join(["Missed:", "", *missed]) if missed else "No bar is missed."
