"""Measures every figure in one run and prints one table: `python -m bench --events N`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from archiver.recording.ingest import IngestPace
from bench import importing, latency, questions, startup, streaming
from bench.figures import Figure, machine, markdown, say
from bench.workshop import STEADY, Lines, Workshop, workshop

RATE_EVENTS = 1_000_000
"""Rates and memory need no more than this; only what depends on the archive's size takes every event."""


@dataclass
class Run:
    """What the groups of figures share; whatever is needed is made once, when it is first asked for."""

    shop: Workshop
    events: int
    rounds: int
    batch: int

    @cached_property
    def lines(self) -> Lines:
        """All events."""
        return self.shop.lines("events", self.events)

    @cached_property
    def rate_lines(self) -> Lines:
        """The events that rates are measured with."""
        return self.lines.head(min(self.events, RATE_EVENTS))

    @cached_property
    def stream_lines(self) -> Lines:
        """Fewer of them where several databases are filled in turn."""
        return self.lines.head(max(self.rate_lines.events // 3, 1_000))

    @cached_property
    def archive(self) -> Path:
        """All events, archived."""
        return self._imported(self.lines)

    @cached_property
    def rate_archive(self) -> Path:
        """The archive of `rate_lines`."""
        return self.archive if self.rate_lines is self.lines else self._imported(self.rate_lines)

    @cached_property
    def stream_archive(self) -> Path:
        """The archive of `stream_lines`."""
        return self._imported(self.stream_lines)

    @cached_property
    def small_archive(self) -> Path:
        """A hundredth of all events, archived."""
        return self._imported(self.lines.head(max(self.events // 100, 10_000)))

    def _imported(self, lines: Lines) -> Path:
        archive = self.shop.archive()
        self.shop.import_into(archive, lines)
        return archive

    # --- the groups ------------------------------------------------------------------------------------------------

    def importing(self) -> list[Figure]:
        """Import, and the size of what it leaves."""
        rates = importing.figures(self.shop, self.rate_lines, self.rate_archive, self.rounds)
        return [*rates, importing.size(self.lines, self.archive)]

    def websocket(self) -> list[Figure]:
        """Websocket to archived row, SQLite."""
        return streaming.sqlite_figures(self.shop, self.stream_lines, self.stream_archive, self.rounds, self.batch)

    def postgres(self) -> list[Figure]:
        """Websocket to archived row, PostgreSQL."""
        return streaming.postgres_figures(self.shop, self.stream_lines, self.stream_archive, self.rounds, self.batch)

    def memory(self) -> list[Figure]:
        """Memory of the daemon."""
        return streaming.memory_figures(self.shop, self.shop.lines("steady", self.rate_lines.events, **STEADY))

    def startup(self) -> list[Figure]:
        """Commands as processes."""
        uri = questions.popular(self.rate_archive)
        return startup.figures(self.shop, self.rate_archive, uri, self.rate_lines.events, runs=4 * self.rounds + 1)

    def questions(self) -> list[Figure]:
        """Answers from a small and from a large archive."""
        return questions.figures(self.small_archive, self.archive)

    def latency(self) -> list[Figure]:
        """Received to queryable."""
        return latency.figures(self.shop, self.lines.head(1_000))


GROUPS: dict[str, Callable[[Run], list[Figure]]] = {
    "import": Run.importing,
    "websocket": Run.websocket,
    "postgresql": Run.postgres,
    "memory": Run.memory,
    "startup": Run.startup,
    "questions": Run.questions,
    "latency": Run.latency,
}


def measure(run: Run, groups: list[str]) -> Iterator[Figure]:
    """The figures of the groups, one after the other."""
    for name in groups:
        began = time.monotonic()
        say(f"measuring {name} ...")
        yield from GROUPS[name](run)
        say(f"  took {time.monotonic() - began:.0f} s")


def main() -> int:
    """Print the table; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--events", type=int, default=300_000, help="how many events in all (documented: 10000000)")
    parser.add_argument("--rounds", type=int, default=2, help="how often each pair is measured; medians are shown")
    parser.add_argument(
        "--batch", type=int, default=IngestPace().batch, help="events a transaction of the websocket floors"
    )
    parser.add_argument("--only", action="append", choices=GROUPS, help="one group of figures; may be repeated")
    parser.add_argument("--folder", type=Path, default=Path(".bench"), help="where to work; emptied at the end")
    options = parser.parse_args()
    with workshop(options.folder) as shop:
        run = Run(shop, options.events, options.rounds, options.batch)
        figures = list(measure(run, options.only or list(GROUPS)))
    print(f"{machine()}; {options.events:,} events, medians of {options.rounds} alternating rounds\n")
    print(markdown(figures))
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
