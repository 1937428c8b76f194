"""What a fault is done to: a platform under load, a spool, an archive, and the real daemon between them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import archiver
from archiver.simulator.service.server import STILL, Listening, Simulator
from archiver.storage import migrate
from tests.acceptance.recording import Load, position, spooled, wait_for

from .fault import Size
from .promises import Sent, Tally, broken
from .server import Server

PATIENCE = 60.0
"""Seconds: how long anything may take on a busy machine before it counts as broken."""


class Broken(Exception):
    """A promise does not hold."""


class Bench:
    """One archive of either database, empty at first, and what it takes to fill it."""

    def __init__(self, url: str, folder: Path, dice: random.Random, size: Size) -> None:
        self.url = url
        self.folder = folder
        self.dice = dice
        self.size = size
        self.spool = folder / "spool.db"
        self.log_file = folder / "log"
        self.tally = Tally(url)
        self.expected: set[int] = set()
        self.by_time = True
        """Whether the daemon's clock is the platform's."""
        self.most = 1
        """How often one event may be archived."""
        self.server: Server | None = None
        """Of a PostgreSQL archive, whoever may stop it."""
        self.platform = Simulator(pacing=STILL, listening=Listening(record_sent=True, queue_bytes=64 << 20))
        self.sender = Load(self.platform, size.rate)
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def is_postgres(self) -> bool:
        """Which database it is."""
        return not self.url.startswith("sqlite")

    @property
    def archive(self) -> Path:
        """The file of a SQLite archive."""
        return Path(self.url.removeprefix("sqlite:///"))

    @contextmanager
    def alive(self) -> Iterator[None]:
        """The platform lives, and speaks all the time; at the end nothing that was started is left."""
        with self.platform:
            self.sender.start()
            try:
                yield
            finally:
                self.sender.stop()
                for process in self._processes:
                    process.kill()
                    process.wait()

    # --- the daemon -------------------------------------------------------------------------------------------------

    def spawn(
        self, *arguments: str, env: Mapping[str, str] | None = None, under: tuple[str, ...] = ()
    ) -> subprocess.Popen[bytes]:
        """The program, in the environment of somebody who has configured nothing but the archive."""
        environment = {
            "HOME": str(self.folder),
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONPATH": str(Path(archiver.__file__).parents[1]),
            "ARCHIVER_DATABASE_URL": self.url,
            **(env or {}),
        }
        with self.log_file.open("ab") as log:
            process = subprocess.Popen(
                [*under, sys.executable, "-m", "archiver", *arguments],
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        self._processes.append(process)
        return process

    def start(
        self, *options: str, env: Mapping[str, str] | None = None, under: tuple[str, ...] = ()
    ) -> subprocess.Popen[bytes]:
        """A daemon; it may take a moment until it listens."""
        stream = ("--stream", self.platform.stream_url, "--spool", str(self.spool))
        return self.spawn("run", *stream, *options, env=env, under=under)

    def listening(self, clients: int = 1) -> None:
        """Waits until the platform is heard."""
        if not self.platform.wait_for_clients(clients, PATIENCE):
            raise Broken(f"nobody listens after {PATIENCE:.0f} s: {self.log()[-500:]}")

    def hears(self, events: int) -> None:
        """Waits until so many more events were sent to somebody."""
        if not self.platform.wait_sent(self.platform.sent + events, PATIENCE):
            raise Broken(f"after {PATIENCE:.0f} s nobody had listened to {events} events")

    def archives(self, events: int) -> None:
        """Waits until so many more events are archived."""
        before = len(self.tally.read())
        self.until(lambda: len(self.tally.read()) >= before + events, f"{events} more events archived")

    def until(self, what: Callable[[], object], called: str) -> None:
        """Waits for something; Broken when it does not come."""
        try:
            wait_for(what, PATIENCE)
        except AssertionError:
            raise Broken(f"in vain for {PATIENCE:.0f} s: {called}; {self.log()[-500:]}") from None

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL."""
        process.send_signal(signal.SIGKILL)
        process.wait()

    def end(self, process: subprocess.Popen[bytes], code: int = 0, seconds: float = 10) -> None:
        """SIGTERM: it ends within ten seconds, and says that all is well."""
        process.terminate()
        try:
            found = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Broken(f"it had not ended {seconds:.0f} s after SIGTERM") from None
        if found != code:
            raise Broken(f"it ended with {found} and not with {code}: {self.log()[-500:]}")

    def log(self) -> str:
        """All that was logged."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def waits_for_log(self, text: str, times: int = 1) -> None:
        """Waits until something was logged."""
        self.until(lambda: self.log().count(text) >= times, f"the log says {text!r}")

    # --- the promises -----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """While no daemon runs: all that is in spool or archive now has to be in the archive in the end."""
        if not self.spool.exists():
            return
        waiting = spooled(self.spool)
        while True:
            reached = self._reached(waiting.identity)
            self.expected.update(told.number for told in self.tally.read())
            if reached == self._reached(waiting.identity):  # a backend may still finish what a dead client asked for
                break
        self.expected.update(number for seq, number in waiting.messages.items() if seq > reached)

    def _reached(self, identity: str) -> int:
        return 0 if migrate.is_missing(self.url) else position(self.url, identity)

    def forget(self) -> int:
        """What was archived is thrown away, or put back to an older state; what still waits counts on.

        How many events were known before.
        """
        before = len(self.expected)
        self.tally.forget()
        self.expected = set(spooled(self.spool).messages.values()) if self.spool.exists() else set()
        return before

    def prove(self) -> int:
        """A fresh event passes, and the promises hold; how many events that were. Raises Broken."""
        running = [process for process in self._processes if process.poll() is None]
        if not running:
            running = [self.start()]
        self.listening(len(running))
        self.hears(1)
        self.sender.stop()
        sent = self.sender.sent()
        self.until(lambda: sent[-1] in {told.number for told in self.tally.read()[-200:]}, "a fresh event is archived")
        for process in running:
            self.end(process)
        self.look()
        problems = broken(
            self.url,
            self.tally,
            self.expected,
            Sent(set(sent), self.sender.moments),
            most=self.most,
            by_time=self.by_time,
        )
        if left := spooled(self.spool).messages:
            problems.append(f"{len(left)} messages are left in the spool")
        if "Traceback" in self.log():
            problems.append(f"a traceback in the log: {self.log()[-800:]}")
        if problems:
            raise Broken("; ".join(problems))
        return len(self.tally.found)


def pause(bench: Bench, most: float) -> None:
    """Some time, by the dice."""
    time.sleep(bench.dice.uniform(0, most))
