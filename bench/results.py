"""The page that a run leaves: what was measured, on which machine, by which command, when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bench.figures import Figure, Row, machine, markdown
from bench.questions import Counted

FIGURES = """\
Each figure stands beside a floor or a peer of the same run. CPU is that of all processes together, and of the server
where there is one; what it costs to start a process is taken off all rates. The events are those of one cluster of 200
stacks, 1,000 services and 2,000 living containers, whose past grows (`bench/fleet.py`): "dated" ones have a date and a
uuid, "bare" ones neither."""

QUESTIONS = """\
What questions cost, counted in SQLite's instructions: about the same objects and times, in a short archive and in a
long one with the same present. Raw rows: as many rows of `event_log` as the answer has, and no less than ten."""

SHARED = "Others used the machine at the same time: what is called wall elsewhere is CPU time here."


def page(rows: Sequence[Row], command: str, rounds: int, *, shared: bool) -> str:
    """The whole page, in Markdown."""
    figures = [row for row in rows if isinstance(row, Figure)]
    counted = [row for row in rows if isinstance(row, Counted)]
    parts = [
        "# Results",
        f"`{command}` on {datetime.now(UTC):%Y-%m-%d}, medians of {rounds} alternating rounds  \n{machine()}",
        *([SHARED] if shared else []),
        *([FIGURES, _table(figures)] if figures else []),
        *([QUESTIONS, _table(counted)] if counted else []),
        _verdict(rows),
    ]
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[Figure] | Sequence[Counted]) -> str:
    return markdown(rows[0].HEADINGS, [row.cells() for row in rows])


def _verdict(rows: Sequence[Row]) -> str:
    missed = [f"- {row.what}: {row.verdict}" for row in rows if not row.kept]
    return "\n".join(["Missed:", "", *missed]) if missed else "No bar is missed."
