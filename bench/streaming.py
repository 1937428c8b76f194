"""Figures of `archiver run` on SQLite: from the websocket to the archived row, and the memory it takes."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from archiver.storage import migrate
from archiver.storage.database.address import libpq_url
from bench import costs, plain
from bench.blaster import blaster
from bench.costs import Clock, Cost
from bench.figures import Figure, alternating, micros, rate
from bench.workshop import PYTHON, Lines, Workshop

POLL = 0.02
PATIENCE = 120.0
"""Seconds without any new row after which a run has failed."""

OLD_CLIENT_EVENTS = 1_000

Count = Callable[[str], int]


@dataclass
class Streamed:
    """One run: what it cost from the connection on, and the memory in MiB after so many archived events."""

    cost: Cost = field(default_factory=Cost)
    memory: list[tuple[int, float]] = field(default_factory=list)

    @property
    def peak(self) -> float:
        """The most memory that was seen, MiB."""
        return max(taken for _, taken in self.memory)

    @property
    def growth(self) -> float:
        """The most memory in the last third of the events against that in the middle third."""
        last = self.memory[-1][0]
        middle = [taken for events, taken in self.memory if last / 3 <= events <= last * 2 / 3]
        late = [taken for events, taken in self.memory if events > last * 2 / 3]
        return max(late) / max(middle) if middle and late else 1.0


def stream(shop: Workshop, lines: Lines, database: str, *, weighed: bool = False) -> Streamed:
    """Send the lines to the real program as fast as it takes them, and wait until the last is archived.

    `weighed`: look at its memory all the time, which would slow a rate down.
    """
    migrate.create(database)
    log = shop.path(".log")
    with blaster(shop, lines) as server, open(log, "w") as output, counter(database) as count:
        with shop.process(shop.daemon(database, server.url), stdout=output, stderr=output) as daemon:
            began = Cost(server.connected_at(), costs.cpu(daemon.pid))
            streamed = watched(daemon, count, lines.events, weighed)
            streamed.cost = Cost(time.monotonic(), costs.cpu(daemon.pid)) - began
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(30)
        archived = count("SELECT count(*) FROM events")
    if archived != lines.events:
        raise RuntimeError(f"{archived} of {lines.events} events were archived:\n{log.read_text()[-2000:]}")
    return streamed


def watched(daemon: subprocess.Popen[str], count: Count, events: int, weighed: bool = False) -> Streamed:
    """Waits until so many events are archived. Raises RuntimeError when that comes to nothing."""
    streamed, done, moved = Streamed(), 0, time.monotonic()
    while done < events:
        time.sleep(POLL)
        before, done = done, count("SELECT coalesce(max(id), 0) FROM events")
        if weighed and (done > before or not streamed.memory):
            streamed.memory.append((done, costs.memory(daemon.pid)))
        moved = time.monotonic() if done > before else moved
        if daemon.poll() is not None or time.monotonic() - moved > PATIENCE:
            raise RuntimeError(f"the daemon stopped at {done} of {events} events; it returned {daemon.returncode}")
    return streamed


@contextmanager
def counter(database: str) -> Iterator[Count]:
    """Asks the archive for one number, over a connection of its own."""
    opened: AbstractContextManager[Any]
    if database.startswith("sqlite"):
        path = database.removeprefix("sqlite:///")
        opened = closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None))
    else:
        opened = closing(psycopg.connect(libpq_url(database), autocommit=True))
    with opened as connection:
        yield lambda question: connection.execute(question).fetchone()[0]


def figures(shop: Workshop, lines: Lines, rounds: int, batch: int, clock: Clock) -> list[Figure]:
    """The rate against plain rows in batches of the same size, and against the old client's way."""
    old_lines = lines.head(OLD_CLIENT_EVENTS)
    floor, taken, old = alternating(
        rounds,
        lambda: _discarded(shop, lambda _, lines, target: plain.sqlite_cost(lines, target, batch), lines),
        lambda: _discarded(shop, to_sqlite, lines),
        lambda: _discarded(shop, _old_client, old_lines),
    )
    what, own = f"websocket to SQLite, {lines.events:,} {lines.shape}", rate(taken.by(clock), lines.events)
    plain_rate, old_rate = rate(floor.by(clock), lines.events), rate(old.by(clock), old_lines.events)
    times = old.by(clock) / old_lines.events * lines.events / taken.by(clock)
    return [
        Figure(f"{what}, {clock}", own, f"plain rows, raw: {plain_rate}", floor.by(clock) / taken.by(clock), 0.6),
        Figure(f"{what}, {clock}", own, f"callback and ORM commit per event: {old_rate}", times, 40),
        Figure(
            f"{what}, CPU an event",
            micros(taken.cpu, lines.events),
            f"plain rows, raw: {micros(floor.cpu, lines.events)}",
            floor.cpu / taken.cpu,
            None,
        ),
    ]


def _discarded(shop: Workshop, way: Callable[[Workshop, Lines, Path], Cost], lines: Lines) -> Cost:
    filled = shop.fill(way, lines)
    filled.discard()
    return filled.cost


def to_sqlite(shop: Workshop, lines: Lines, target: Path) -> Cost:
    """`archiver run`, from the moment at which it is connected."""
    return stream(shop, lines, f"sqlite:///{target}").cost


def _old_client(shop: Workshop, lines: Lines, target: Path) -> Cost:
    with blaster(shop, lines) as server:
        command = [PYTHON, "-m", "bench.old_client", server.url, f"sqlite:///{target}", str(lines.events)]
        with shop.process(command) as client:
            began = Cost(server.connected_at(), costs.cpu(client.pid))
            _, status, usage = os.wait4(client.pid, 0)
            ended = Cost(time.monotonic(), usage.ru_utime + usage.ru_stime)
            client.returncode = os.waitstatus_to_exitcode(status)
    if client.returncode:
        raise RuntimeError(f"the old client ended with {client.returncode}")
    return ended - began


def memory_figures(shop: Workshop, lines: Lines) -> list[Figure]:
    """Memory of the daemon while 10,000 resources live on, and whether it grows."""
    target = shop.path(".db")
    streamed = stream(shop, lines, f"sqlite:///{target}", weighed=True)
    target.unlink()
    what = f"memory of run's processes (PSS), {lines.events:,} events, 10k resources"
    growth = f"{streamed.growth:.2f} of that after two thirds"
    return [
        Figure(what, f"{streamed.peak:.0f} MiB", "", streamed.peak, 96, at_most=True, unit=" MiB"),
        Figure(f"{what}, flat", growth, "the middle third's peak", streamed.growth, 1.05, at_most=True),
    ]
