"""A platform that sends numbered events all the time, and what a spool and an archive hold of them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import text

from archiver.api.archive import Archive
from archiver.simulator.service.server import STILL, Listening, Simulator
from archiver.storage.database.engine import reading_engine, writing_engine

BATCH = 50


def wait_for(what: Callable[[], object], seconds: float = 60, pause: float = 0.02) -> None:
    """`pause`: seconds between two looks; what costs a look at the archive has longer ones."""
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit, f"in vain: {what}"
        time.sleep(pause)


def numbered(number: int) -> str:
    """The text of an event that carries its number; every second one has a uuid, as Docker Cloud's have."""
    event: dict[str, Any] = {
        "type": "container",
        "action": "update",
        "state": "Running" if number % 3 else "Stopped",
        "resource_uri": f"/api/v1/container/{number % 50:08x}-0000-4000-8000-000000000000/",
        "parents": [f"/api/v1/service/{number % 7:08x}-0000-4000-8000-000000000000/"],
        "n": number,
    }
    if number % 2:
        event["uuid"] = f"{number:032x}"
    return json.dumps(event)


class Load:
    """Sends numbered events through a simulator at a steady rate, whether or not somebody listens."""

    def __init__(self, platform: Simulator, rate: float) -> None:
        self._platform = platform
        self._pause = BATCH / rate
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self.made = 0
        self.moments: list[tuple[float, float]] = []
        """When each batch began to be sent, and when it was, in seconds since 1970."""

    def _send(self) -> None:
        began = time.monotonic()
        for turn in range(1, 1_000_000):
            if self._over.is_set():
                return
            at = time.time()
            self._platform.send_all(numbered(self.made + number) for number in range(1, BATCH + 1))
            self.moments.append((at, time.time()))
            self.made += BATCH
            self._over.wait(max(0.0, began + turn * self._pause - time.monotonic()))

    def stop(self) -> None:
        self._over.set()
        self._thread.join(10)

    def sent(self) -> list[int]:
        """The numbers of all events that went to a client, in order."""
        return [json.loads(line)["n"] for line in self._platform.sent_texts]

    def start(self) -> None:
        self._thread.start()


@contextmanager
def load(rate: float = 2500) -> Iterator[tuple[Simulator, Load]]:
    """A platform under load."""
    with Simulator(pacing=STILL, listening=Listening(record_sent=True, queue_bytes=64 << 20)) as platform:
        sender = Load(platform, rate)
        sender.start()
        try:
            yield platform, sender
        finally:
            sender.stop()


def rows(url: str, query: str) -> list[Any]:
    """What a query answers on an archive; nothing while there is no such archive yet."""
    engine = reading_engine(url)
    try:
        with engine.connect() as connection:
            return list(connection.execute(text(query)))
    finally:
        engine.dispose()


def archived(url: str) -> list[int]:
    """The numbers of the archived events, in the order of archiving."""
    return [json.loads(extra)["n"] for (extra,) in rows(url, "SELECT extra FROM event_log ORDER BY id") if extra]


class Spooled(NamedTuple):
    """What a spool holds."""

    identity: str
    messages: dict[int, int]
    """Numbers of events by their numbers in the spool."""


def spooled(path: Path) -> Spooled:
    """Read from a copy, so that the reading changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        for tail in ("", "-wal"):
            if Path(f"{path}{tail}").exists():
                shutil.copyfile(f"{path}{tail}", f"{folder}/spool.db{tail}")
        with closing(sqlite3.connect(f"{folder}/spool.db")) as copy:
            identity = copy.execute("SELECT value FROM spool_facts WHERE key = 'identity'").fetchone()[0]
            found = copy.execute("SELECT seq, payload FROM spool WHERE kind = 'message' ORDER BY seq").fetchall()
    numbers = {seq: _number_of(payload) for seq, payload in found}
    return Spooled(identity, {seq: number for seq, number in numbers.items() if number is not None})


def _number_of(payload: bytes) -> int | None:
    """The number that an event carries; None: it is none of ours."""
    try:
        value = json.loads(payload)
    except ValueError:
        return None
    return value.get("n") if isinstance(value, dict) else None


@contextmanager
def held(url: str) -> Iterator[None]:
    """Nobody can write to the archive meanwhile; whoever tries waits."""
    engine = writing_engine(url)
    with engine.connect() as connection, connection.begin() as transaction:
        if connection.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE events IN EXCLUSIVE MODE"))
        yield
        transaction.rollback()
    engine.dispose()


def position(url: str, identity: str) -> int:
    """How far the archive has what a spool took."""
    return next((at for key, at in rows(url, "SELECT key, position FROM receivers") if key == identity), 0)


def known(url: str, spool: Path) -> list[int]:
    """All events that must be archived in the end, in order: what is archived, then what waits in the spool."""
    waiting = spooled(spool)
    while True:
        reached, found = position(url, waiting.identity), archived(url)
        if reached == position(url, waiting.identity):  # a backend may still finish what a dead client asked for
            break
    return found + [number for seq, number in waiting.messages.items() if seq > reached]


def sessions(url: str) -> list[str | None]:
    """Why each session was closed, in the order of their opening; None: it is open."""
    with Archive.open(url) as archive:
        lines = map(json.loads, archive.export())
        return [line["reason"] for line in lines if line["archiver"] == "session"]


def contiguous(numbers: list[int]) -> bool:
    """Whether nothing between the first and the last is missing, and nothing comes twice."""
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


class Recorder:
    """The real daemon on one archive, one spool and one log file."""

    def __init__(self, spawn: Callable[..., subprocess.Popen[str]], url: str, folder: Path) -> None:
        self.url = url
        self.spool = folder / "spool.db"
        self.log_file = folder / "log"
        self._spawn = spawn
        self._nothing = folder / "nothing.jsonl"

    def start(self, *streams: str, options: tuple[str, ...] = (), env: Mapping[str, str] | None = None) -> Any:
        """A new daemon; what it logs is added to the file."""
        streams_as_options = [part for stream in streams for part in ("--stream", stream)]
        with self.log_file.open("a") as log:
            return self._spawn(
                "run", *streams_as_options, "--spool", str(self.spool), *options,
                env={"ARCHIVER_DATABASE_URL": self.url, **(env or {})},
                stdout=subprocess.DEVNULL,
                stderr=log,
            )  # fmt: skip

    def drain(self) -> None:
        """Archives what a former daemon left in the spool."""
        self._nothing.touch()
        process = self.start(f"file:{self._nothing}")
        assert process.wait(30) == 0, self.log()

    def log(self) -> str:
        return self.log_file.read_text(errors="surrogateescape")

    def lines(self, *levels: str) -> list[str]:
        """The log's lines of some levels."""
        return [line for line in self.log().splitlines() if line.split()[1:2] and line.split()[1] in levels]
