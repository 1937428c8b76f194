"""Figures of what runs beside the recording: hooks, metrics and the control socket, and a backlog after an outage."""

from __future__ import annotations

import signal
import socket
import sqlite3
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from pathlib import Path

from archiver.recording.control.client import ask
from archiver.storage import migrate
from archiver.storage.database.engine import writer_lock
from bench import costs
from bench.blaster import blaster
from bench.costs import Clock, Cost
from bench.figures import Figure, alternating, rate
from bench.streaming import PATIENCE, counter, watched
from bench.workshop import Lines, Workshop

EVERY = 5.0
"""Seconds between two questions of a monitor, and two jobs: three times as often as monitors ask by habit."""
POLL = 0.02


def figures(shop: Workshop, lines: Lines, rounds: int, clock: Clock) -> list[Figure]:
    """The rate of a daemon with all of it, and that of a backlog, each against a daemon with nothing beside it."""
    alone, beside, backlog = alternating(
        rounds,
        lambda: _rate(shop, lines),
        lambda: _rate(shop, lines, everything=True),
        lambda: _backlog(shop, lines),
    )
    floor = f"nothing beside it: {rate(alone.by(clock), lines.events)}"
    return [
        Figure(
            f"websocket to SQLite with a hook, metrics, jobs, {lines.events:,}, {clock}",
            rate(beside.by(clock), lines.events),
            floor,
            alone.by(clock) / beside.by(clock),
            0.97,
        ),
        Figure(
            f"backlog after an outage, in order, {lines.events:,}, {clock}",
            rate(backlog.by(clock), lines.events),
            floor,
            alone.by(clock) / backlog.by(clock),
            0.8,
        ),
    ]


def _rate(shop: Workshop, lines: Lines, *, everything: bool = False) -> Cost:
    """What `archiver run` costs from its connection to the last row; with `everything`, it is asked all the time."""
    target = shop.path(".db")
    database = f"sqlite:///{target}"
    migrate.create(database)
    port = _free_port()
    options = ["--metrics", f"127.0.0.1:{port}", "--on", "oom|crash-loop|gap", "--exec", "true"] if everything else []
    with blaster(shop, lines) as server, open(shop.path(".log"), "w") as log, counter(database) as count:
        command = [*shop.daemon(database, server.url), *options]
        spool = Path(command[command.index("--spool") + 1])
        with shop.process(command, stdout=log, stderr=log) as daemon:
            began = Cost(server.connected_at(), costs.cpu(daemon.pid))
            with _asked(port, spool, target) if everything else nullcontext():
                watched(daemon, count, lines.events)
                cost = Cost(time.monotonic(), costs.cpu(daemon.pid)) - began
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(30)
    _discard(target)
    return cost


def _backlog(shop: Workshop, lines: Lines) -> Cost:
    """What it costs to archive all events that came in while somebody else had the archive, for as many events.

    Raises RuntimeError when they are not archived in the order in which they came.
    """
    target = shop.path(".db")
    database = f"sqlite:///{target}"
    migrate.create(database)
    with blaster(shop, lines) as server, open(shop.path(".log"), "w") as log, counter(database) as count:
        command = shop.daemon(database, server.url)
        spool = Path(command[command.index("--spool") + 1])
        with ExitStack() as outage:
            outage.enter_context(writer_lock(database))
            with shop.process(command, stdout=log, stderr=log) as daemon:
                server.connected_at()
                _until_spooled(spool, lines.events)
                outage.close()
                while not (first := count("SELECT coalesce(max(id), 0) FROM events")) and daemon.poll() is None:
                    time.sleep(POLL)  # it tries again at its own pace
                began = Cost(time.monotonic(), costs.cpu(daemon.pid))
                watched(daemon, count, lines.events)
                cost = Cost(time.monotonic(), costs.cpu(daemon.pid)) - began
        if count(_OUT_OF_ORDER):
            raise RuntimeError("what waited is archived in another order")
    _discard(target)
    share = lines.events / max(1, lines.events - first)
    return Cost(cost.wall * share, cost.cpu * share)


_OUT_OF_ORDER = """
    SELECT count(*) FROM (SELECT received_at < lag(received_at) OVER (ORDER BY id) AS is_back FROM events) WHERE is_back
"""


def _until_spooled(spool: Path, events: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True)) as connection:
            if (
                connection.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence").fetchone()[0] > events
            ):  # and the opening
                return
        time.sleep(POLL)
    raise RuntimeError(f"not all of {events} events were spooled")


@contextmanager
def _asked(port: int, spool: Path, archive: Path) -> Iterator[None]:
    """Meanwhile somebody reads the daemon's numbers, and has it try its rejects again."""
    over, failures = threading.Event(), list[str]()

    def go_on() -> None:
        while not over.wait(EVERY):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
                    answer.read()
                ask(spool, {"do": "retry", "archive": str(archive)})
            except Exception as error:  # noqa: BLE001 - it is raised where the daemon is measured
                failures.append(repr(error))

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failures:
        raise RuntimeError(f"the daemon did not answer: {failures[0]}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _discard(target: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-lock"):
        Path(f"{target}{suffix}").unlink(missing_ok=True)
