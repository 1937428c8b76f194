"""The table of faults, as people read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .fault import FAULTS


class Outcome(NamedTuple):
    """What became of one fault on one database."""

    name: str
    database: str
    verdict: str
    """holds, BROKEN or not tried."""
    said: str
    """How often it was done, or what went wrong."""
    events: int
    seconds: float
    portion: int = 0
    """Which portion of it."""
    portions: int = 1
    """Of how many; 1: it was done at once."""


def together(portions: Sequence[Outcome]) -> Outcome:
    """The outcome of what was done in portions: as good as the worst of them."""
    worst = next((each for each in portions if each.verdict != "holds"), portions[0])
    said = worst.said
    if worst.verdict == "holds" and len(portions) > 1:
        counts = Counter(each.said for each in portions)
        said = " + ".join(f"{count} x {each}" for each, count in counts.items())
    events, seconds = sum(each.events for each in portions), sum(each.seconds for each in portions)
    return Outcome(worst.name, worst.database, worst.verdict, said, events, seconds)


HEAD = """# Faults

What goes wrong around such a daemon, done to the real one under load, again and again. This page is written by

    {command}

of {version}, on {machine}.
Another seed gives other moments; `--only NAME` does one, `--full` does everything as often as a release deserves,
`--jobs 4` four at once. With `--results FILE` a run that was cut off goes on where it was, and what was broken is done
again.

After each fault one checker (`tests/faults/promises.py`), which knows every event that the platform ever sent, looks
after four promises:

1. **Everything spooled is archived, once**, in its order: whatever was seen in the spool or the archive at any moment
   is there in the end.
2. **Nothing is invented**: what is there was sent, and says what it said.
3. **The ledger covers the rest**: what was sent and is not there lies between two sessions, in a gap of `gap_log`.
4. **A fresh event passes**: the daemon, started again where it had ended, archives what is sent now.

Beside them: `archiver db check` finds nothing, the spool is empty, no traceback is in the log, and SIGTERM ends the
daemon within ten seconds with code 0. The platform asks for a login, which each daemon is given in another form; after
each fault it stands in no log, traceback, title of a process, archive, spool, export, page and numbers, and in nothing
that is handed to another program, whatever of it the platform repeats (`tests/faults/canary.py`).

"""


def page(outcomes: Sequence[Outcome], command: str, version: str, machine: str) -> Iterator[str]:
    """The lines of docs/faults.md."""
    yield HEAD.format(command=command, version=version, machine=machine)
    yield "| fault | what is done | what else holds | database | outcome | events |\n"
    yield "|---|---|---|---|---|---|\n"
    for outcome in outcomes:
        cells = (
            outcome.name,
            FAULTS[outcome.name].done,
            FAULTS[outcome.name].holds,
            {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[outcome.database],
            f"{outcome.verdict}: {outcome.said}" if outcome.verdict != "holds" else f"holds, {outcome.said}",
            f"{outcome.events:,}",
        )
        yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"
    yield f"\n{_sum(outcomes)}\n"


def _sum(outcomes: Iterable[Outcome]) -> str:
    outcomes = list(outcomes)
    counts = {verdict: sum(o.verdict == verdict for o in outcomes) for verdict in ("holds", "BROKEN", "not tried")}
    return f"{len(outcomes)} rows: {counts['holds']} hold, {counts['BROKEN']} broken, {counts['not tried']} not tried."
