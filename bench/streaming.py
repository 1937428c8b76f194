"""Figures of `archiver run`: from the websocket to the archived row on both databases, and the memory it takes."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from archiver.storage import migrate
from archiver.storage.address import libpq_url
from bench.blaster import blaster
from bench.figures import Figure, alternating
from bench.floors import postgres_seconds, sqlite_seconds
from bench.workshop import PYTHON, Lines, Workshop, discard
from tests.pgcluster import find_binaries, running_cluster

POLL = 0.02
PATIENCE = 120.0
"""Seconds without any new row after which a run has failed."""

OLD_CLIENT_EVENTS = 2_000

# A server as it is delivered, with every commit on the disk; only its place is ours.
DURABLE = {"listen_addresses": "", "timezone": "UTC"}


@dataclass
class Streamed:
    """One run: how long it took, and the resident memory in MiB after so many archived events."""

    seconds: float = 0.0
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


def stream(shop: Workshop, lines: Lines, database: str, log: Path | None = None) -> Streamed:
    """Send the lines to the real program as fast as it takes them, and wait until the last is archived."""
    migrate.upgrade(database)
    log = log or shop.path(".log")
    with blaster(shop, lines) as server, open(log, "w") as output, _counter(database) as count:
        with shop.process(shop.daemon(database, server.url), stdout=output, stderr=output) as daemon:
            began = server.connected_at()
            streamed = _watch(daemon, count, lines.events)
            streamed.seconds = time.monotonic() - began
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(30)
        archived = count("SELECT count(*) FROM events")
    if archived != lines.events:
        raise RuntimeError(f"{archived} of {lines.events} events were archived:\n{log.read_text()[-2000:]}")
    return streamed


def _watch(daemon: subprocess.Popen[str], count: Any, events: int) -> Streamed:
    streamed, done, moved = Streamed(), 0, time.monotonic()
    while done < events:
        time.sleep(POLL)
        before, done = done, count("SELECT coalesce(max(id), 0) FROM events")
        streamed.memory.append((done, resident(daemon.pid)))
        moved = time.monotonic() if done > before else moved
        if daemon.poll() is not None or time.monotonic() - moved > PATIENCE:
            raise RuntimeError(f"the daemon stopped at {done} of {events} events; it returned {daemon.returncode}")
    return streamed


def resident(process: int) -> float:
    """The resident memory of a process, MiB; 0 when it has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")), 0.0)


@contextmanager
def _counter(database: str) -> Iterator[Any]:
    """Asks the archive for one number, over a connection of its own."""
    opened: AbstractContextManager[Any]
    if database.startswith("sqlite"):
        path = database.removeprefix("sqlite:///")
        opened = closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None))
    else:
        opened = closing(psycopg.connect(libpq_url(database), autocommit=True))
    with opened as connection:
        yield lambda question: connection.execute(question).fetchone()[0]


# --- SQLite -----------------------------------------------------------------------------------------------------------


def sqlite_figures(shop: Workshop, lines: Lines, finished: Path, rounds: int, batch: int) -> list[Figure]:
    """The rate against the raw floor and against the old client's way."""
    old_lines = lines.head(OLD_CLIENT_EVENTS)
    floor, taken, old = alternating(
        rounds,
        lambda: _sqlite_floor(shop, finished, batch),
        lambda: _to_sqlite(shop, lines).seconds,
        lambda: _old_client(shop, old_lines),
    )
    rate, old_rate = lines.events / taken, OLD_CLIENT_EVENTS / old
    measured = f"{rate:,.0f}/s"
    against = f"raw executemany, same rows: {lines.events / floor:,.0f}/s"
    return [
        Figure(f"websocket to SQLite, {lines.events:,} events", measured, against, floor / taken, 0.5),
        Figure("the same", measured, f"callback and ORM commit per event: {old_rate:,.0f}/s", rate / old_rate, 40),
    ]


def _sqlite_floor(shop: Workshop, finished: Path, batch: int) -> float:
    target = shop.archive()
    try:
        return sqlite_seconds(finished, target, batch)
    finally:
        discard(target)


def _to_sqlite(shop: Workshop, lines: Lines) -> Streamed:
    target = shop.path(".db")
    try:
        return stream(shop, lines, f"sqlite:///{target}")
    finally:
        discard(target)


def _old_client(shop: Workshop, lines: Lines) -> float:
    target = shop.path(".db")
    with blaster(shop, lines) as server:
        command = [PYTHON, "-m", "bench.old_client", server.url, f"sqlite:///{target}", str(lines.events)]
        with shop.process(command) as client:
            began = server.connected_at()
            if client.wait(600):
                raise RuntimeError(f"the old client ended with {client.returncode}")
            return time.monotonic() - began


# --- memory -----------------------------------------------------------------------------------------------------------


def memory_figures(shop: Workshop, lines: Lines) -> list[Figure]:
    """Resident memory of the daemon while 10,000 resources live on, and whether it grows."""
    streamed = _to_sqlite(shop, lines)
    what = f"memory of run, {lines.events:,} events, 10k resources"
    growth = f"{streamed.growth:.2f} of that after two thirds"
    return [
        Figure(what, f"{streamed.peak:.0f} MiB", "", streamed.peak, 96, at_most=True, unit=" MiB"),
        Figure("the same, flat", growth, "the middle third's peak", streamed.growth, 1.05, at_most=True),
    ]


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def postgres_figures(shop: Workshop, lines: Lines, finished: Path, rounds: int, batch: int) -> list[Figure]:
    """The rate against raw COPY; nothing where there is no PostgreSQL."""
    binaries = find_binaries()
    if binaries is None:
        return []
    with running_cluster(binaries, DURABLE) as url:
        floor, taken = alternating(
            rounds,
            lambda: _copy_floor(shop, url, finished, batch),
            lambda: _to_postgres(shop, url, lines),
        )
    against = f"raw COPY, same rows: {lines.events / floor:,.0f}/s"
    measured = f"{lines.events / taken:,.0f}/s"
    return [Figure(f"websocket to PostgreSQL, {lines.events:,} events", measured, against, floor / taken, 0.5)]


def _copy_floor(shop: Workshop, url: str, finished: Path, batch: int) -> float:
    with _database(shop, url) as database:
        migrate.upgrade(database)
        return postgres_seconds(finished, database, batch)


def _to_postgres(shop: Workshop, url: str, lines: Lines) -> float:
    with _database(shop, url) as database:
        return stream(shop, lines, database).seconds


@contextmanager
def _database(shop: Workshop, url: str) -> Iterator[str]:
    name = f"bench{shop.path('').name}"
    with psycopg.connect(libpq_url(url), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield make_url(url).set(database=name).render_as_string(hide_password=False)
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
