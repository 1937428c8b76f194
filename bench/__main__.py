"""Measures every figure in one run, prints the tables and writes them down: `python -m bench --events N`."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from archiver.recording.ingest import IngestPace
from bench import (
    beside,
    importing,
    journald,
    latency,
    peers,
    picture,
    postgres,
    questions,
    reports,
    results,
    spans,
    startup,
    streaming,
)
from bench.costs import Clock, Cost, spent_with_children
from bench.counting import Question, counted
from bench.figures import Row, say
from bench.subjects import Subjects
from bench.workshop import Filled, Lines, Workshop, workshop

RATE_EVENTS = 1_000_000
"""Rates of imports and memory are measured with a third of the events, and no more than this; what is measured into a
server or through a socket, with a third of those; what grows, with all of them."""
LEAST = 10_000
"""A fleet is deployed after so many events, and what a start of a process costs does not hide what so many take."""


@dataclass
class Run:
    """What the groups of figures share; whatever is needed is made once, when it is first asked for."""

    shop: Workshop
    events: int
    rounds: int
    batch: int
    clock: Clock

    @cached_property
    def lines(self) -> Lines:
        """All events."""
        return self.shop.fleet(self.events)

    @cached_property
    def rate_lines(self) -> Lines:
        """The events that rates are measured with."""
        return self.lines.head(min(max(self.events // 3, LEAST), RATE_EVENTS))

    @cached_property
    def third_lines(self) -> Lines:
        """What is measured several times over, or into a server."""
        return self.rate_lines.head(max(self.rate_lines.events // 3, LEAST))

    @cached_property
    def bare_lines(self) -> Lines:
        """A third as many, without date and uuid."""
        return self.shop.fleet(self.third_lines.events, bare=True)

    @cached_property
    def short_lines(self) -> Lines:
        """The past of the short archive: a tenth, or a hundredth of very many."""
        return self.lines.head(max(self.events // 100, min(self.events // 10, 100_000), LEAST))

    @cached_property
    def archive(self) -> Filled:
        """All events, archived."""
        return self.shop.filled(peers.archiver, self.lines)

    @cached_property
    def about(self) -> Subjects:
        """What is asked about."""
        return Subjects.of(self.short_lines)

    # --- the groups ------------------------------------------------------------------------------------------------

    def importing(self) -> Iterable[Row]:
        """Import, and the size of what it leaves."""
        for lines in (self.rate_lines, self.bare_lines):
            yield from importing.figures(self.shop, self._few(lines), lines, self.rounds, self.clock)
        yield importing.growth(self.shop, self._few(self.rate_lines), self.lines)

    def websocket(self) -> Iterable[Row]:
        """Websocket to archived row, SQLite."""
        return streaming.figures(self.shop, self.third_lines, self.rounds, self.batch, self.clock)

    def beside(self) -> Iterable[Row]:
        """What runs beside the recording, and a backlog."""
        return beside.figures(self.shop, self.third_lines, self.rounds, self.clock)

    def postgres(self) -> Iterable[Row]:
        """Import, and websocket to archived row, PostgreSQL."""
        return postgres.figures(
            self.shop, self.third_lines, self.bare_lines, max(self.rounds - 1, 1), self.batch, self.clock
        )

    def memory(self) -> Iterable[Row]:
        """Memory of the daemon."""
        return streaming.memory_figures(self.shop, self.shop.steady(self.rate_lines.events))

    def startup(self) -> Iterable[Row]:
        """Commands as processes."""
        about, runs = self.about.container, 4 * self.rounds + 1
        return startup.figures(self.shop, self.archive.path, about, self.events, runs, self.clock)

    def spans(self) -> Iterable[Row]:
        """A report as plain SQL asks it."""
        archive, table = (self.shop.filled(way, self.rate_lines).path for way in (peers.archiver, peers.sqlite_utils))
        return spans.figures(archive, table, Subjects.of(self.rate_lines).day, self.rate_lines.events, self.rounds)

    def questions(self) -> Iterable[Row]:
        """Answers from a short and from a long archive, counted."""
        short, long = self.shop.filled(peers.archiver, self.short_lines), self.archive
        return counted(questions.asked(self.about), f"sqlite:///{short.path}", f"sqlite:///{long.path}")

    def questions_to_postgres(self) -> Iterable[Row]:
        """The same on PostgreSQL, of fewer events."""
        return self._of_postgres(questions.asked)

    def reports(self) -> Iterable[Row]:
        """Moments, causes and reports, in the same archives as the questions."""
        short, long = self.shop.filled(peers.archiver, self.short_lines), self.archive
        return counted(reports.asked(self.about), f"sqlite:///{short.path}", f"sqlite:///{long.path}")

    def reports_to_postgres(self) -> Iterable[Row]:
        """The same on PostgreSQL, of fewer events."""
        return self._of_postgres(reports.asked)

    def _of_postgres(self, asked: Callable[[Subjects], Iterator[Question]]) -> Iterable[Row]:
        long = self.lines.head(min(max(self.events // 3, 2 * LEAST), RATE_EVENTS))
        return postgres.questions(self.shop, self._few(long), long, asked)

    def picture(self) -> Iterable[Row]:
        """The page in a browser."""
        archive, about = self.shop.filled(peers.archiver, self.rate_lines).path, Subjects.of(self.rate_lines)
        return picture.figures(archive, about, self.shop.folder / "picture", self.rounds)

    def latency(self) -> Iterable[Row]:
        """Received to queryable."""
        return latency.figures(self.shop, self.lines.head(500))

    def journald(self) -> Iterable[Row]:
        """What the journal takes for the same events."""
        return journald.figures(self.shop, self.third_lines)

    @staticmethod
    def _few(lines: Lines) -> Lines:
        return lines.head(max(lines.events // 10, LEAST))


GROUPS: dict[str, Callable[[Run], Iterable[Row]]] = {
    "import": Run.importing,
    "websocket": Run.websocket,
    "beside": Run.beside,
    "postgresql": Run.postgres,
    "memory": Run.memory,
    "startup": Run.startup,
    "questions": Run.questions,
    "questions-postgresql": Run.questions_to_postgres,
    "reports": Run.reports,
    "reports-postgresql": Run.reports_to_postgres,
    "spans": Run.spans,
    "picture": Run.picture,
    "latency": Run.latency,
    "journald": Run.journald,
}


def measure(run: Run, groups: list[str]) -> list[Row]:
    """The rows of the groups, one after the other."""
    rows: list[Row] = []
    for name in groups:
        began = Cost(time.monotonic(), spent_with_children())
        say(f"measuring {name} ...")
        rows += GROUPS[name](run)
        took = Cost(time.monotonic(), spent_with_children()) - began
        say(f"  took {took.wall:.0f} s, {took.cpu:.0f} of CPU")
    return rows


def main() -> int:
    """Print the tables; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--events", type=int, default=300_000, help="how many events in all")
    parser.add_argument("--rounds", type=int, default=2, help="how often each pair is measured; medians are shown")
    parser.add_argument(
        "--batch", type=int, default=IngestPace().batch, help="events a transaction of the websocket floors"
    )
    parser.add_argument("--only", action="append", choices=GROUPS, help="one group of figures; may be repeated")
    parser.add_argument("--shared", action="store_true", help="others use this machine: CPU time instead of the wall's")
    parser.add_argument("--folder", type=Path, default=Path(".bench"), help="where to work; emptied at the end")
    parser.add_argument("--write", type=Path, metavar="FILE", help="where to write the results of all groups down")
    options = parser.parse_args()
    if options.events < 2 * LEAST:
        parser.error(f"--events takes {2 * LEAST} or more")
    with workshop(options.folder) as shop:
        run = Run(shop, options.events, options.rounds, options.batch, "cpu" if options.shared else "wall")
        rows = measure(run, options.only or list(GROUPS))
    command = f"python -m bench {shlex.join(sys.argv[1:])}"
    section = results.section(rows, options.events, command, options.rounds, shared=options.shared)
    print(section)
    if options.write and not options.only:
        results.write(options.write, section)
    missed = [row for row in rows if not row.kept]
    for row in missed:
        say(f"missed: {row.what}: {row.verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
