"""What a fault is done to: a platform under load, a spool, an archive, and the real daemon between them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

import archiver
from archiver.simulator.service.server import STILL, Admission, Listening, Simulator
from archiver.storage import migrate
from tests.acceptance.recording import Load, position, spooled, wait_for

from .canary import Canary
from .fault import Size
from .overheard import overheard
from .promises import Sent, Tally, broken
from .server import Server

Process = subprocess.Popen[bytes]
SELDOM = 0.1
"""Seconds between two looks at the archive: each costs ten milliseconds, which are those of the daemon, too."""


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
        self.proven: int | None = None
        """How many events the promises were seen to hold for; None: nobody has looked yet."""
        self.canary = Canary(folder, dice)
        self.platform, self.sender = self._platform("127.0.0.1")
        self._processes: list[Process] = []
        self._mark = 0
        """How long the log was when all was well last."""

    @property
    def patience(self) -> float:
        """Seconds: how long anything may take on a busy machine before it counts as broken."""
        return self.size.patience

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
        self.platform.start()
        self.sender.start()
        try:
            yield
        finally:
            self.sender.stop()
            for process in self._processes:
                process.kill()
                process.wait()
            self.platform.stop()

    # --- the daemon -------------------------------------------------------------------------------------------------

    def spawn(
        self,
        *arguments: str,
        stream: str | None = None,
        carrier: str | None = None,
        env: Mapping[str, str] | None = None,
        under: tuple[str, ...] = (),
        program: tuple[str, ...] = ("-m", "archiver"),
    ) -> Process:
        """The program, in the environment of somebody who has configured the archive, the stream and his login.

        `carrier`: how that is carried (None: as the dice say). What it says stands in the folder.
        """
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONPATH": str(Path(archiver.__file__).parents[1]),
            "ARCHIVER_DATABASE_URL": self._url_with_password(),
            **self.canary.environment(stream or self.platform.stream_url, carrier),
            **(env or {}),
        }
        with self.log_file.open("ab") as log, (self.folder / "said").open("ab") as said:
            process = subprocess.Popen(
                [*under, sys.executable, *program, *arguments],
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=log,
            )
        self._processes.append(process)
        return process

    def start(self, *options: str, spool: Path | None = None, **how: Any) -> Process:
        """A daemon; it may take a moment until it listens. `how` is `spawn`'s."""
        return self.spawn("run", "--spool", str(spool or self.spool), *options, **how)

    def _url_with_password(self) -> str:
        if not self.is_postgres:
            return self.url
        return make_url(self.url).set(password=self.canary.password).render_as_string(hide_password=False)

    def move_archive(self, folder: Path) -> None:
        """A SQLite archive will be made there."""
        self.move_to(f"sqlite:///{folder / 'archive.db'}")

    def move_to(self, url: str) -> None:
        """The archive is another one."""
        self.url = url
        self.tally = Tally(url)

    def listen_at(self, host: str) -> None:
        """The platform listens at another address of this machine."""
        self.sender.stop()
        self.platform.stop()
        self.platform, self.sender = self._platform(host)
        self.platform.start()
        self.sender.start()

    def _platform(self, host: str) -> tuple[Simulator, Load]:
        listening = Listening(host=host, record_sent=True, queue_bytes=64 << 20)
        admission = Admission(credentials=self.canary.credentials)
        platform = Simulator(pacing=STILL, listening=listening, admission=admission)
        return platform, Load(platform, self.size.rate)

    def listening(self, clients: int = 1) -> None:
        """Waits until the platform is heard."""
        if not self.platform.wait_for_clients(clients, self.patience):
            raise Broken(f"nobody listens after {self.patience:.0f} s: {self.log()[-500:]}")

    def hears(self, events: int) -> None:
        """Waits until so many more events were sent to somebody."""
        if not self.platform.wait_sent(self.platform.sent + events, self.patience):
            raise Broken(f"after {self.patience:.0f} s nobody had listened to {events} events")

    def archives(self, events: int, patience: float | None = None) -> None:
        """Waits until so many more events are archived."""
        before = len(self.tally.read())
        called = f"{events} more events archived"
        self.until(lambda: len(self.tally.read()) >= before + events, called, patience, SELDOM)
        self._mark = len(self.log())

    def trouble(self, text: str) -> bool:
        """Whether the log says something since `archives`."""
        return text in self.log()[self._mark :]

    def until(
        self, what: Callable[[], object], called: str, patience: float | None = None, pause: float = 0.02
    ) -> None:
        """Waits for something; Broken when it does not come."""
        patience = self.patience if patience is None else patience
        try:
            wait_for(what, patience, pause)
        except AssertionError:
            raise Broken(f"in vain for {patience:.0f} s: {called}; {self.log()[-500:]}") from None

    def kill(self, process: Process) -> None:
        """SIGKILL."""
        process.send_signal(signal.SIGKILL)
        process.wait()

    def end(self, process: Process, expected: Callable[[], int] = int, seconds: float = 10) -> None:
        """SIGTERM: it ends within ten seconds, and says that all is well, or what was `expected` by its log."""
        process.terminate()
        try:
            found = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Broken(f"it had not ended {seconds:.0f} s after SIGTERM") from None
        if found != (code := expected()):
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

    def look_at_spool(self) -> None:
        """While no daemon runs, and the archive is lost: what waits has to be in the next one."""
        self.expected.update(spooled(self.spool).messages.values())

    def forget(self) -> int:
        """What was archived is thrown away, or put back to an older state: then the ledger has to cover it.

        How many events were there.
        """
        before = len(self.tally.found)
        self.tally.forget()
        self.expected = set()
        return before

    def prove(self) -> int:
        """A fresh event passes, and the promises hold; how many events that were. Raises Broken."""
        running = [process for process in self._processes if process.poll() is None]
        if not running:
            running = [self.start()]
        self.listening(len(running))
        # What was on its way when a connection ended is lost, and covered by the ledger; what is sent now is not.
        made = self.sender.made
        read = self.tally.read
        self.until(lambda: any(told.number > made for told in read()[-200:]), "a fresh event is archived", pause=SELDOM)
        self.sender.stop()
        sent = self.sender.sent()
        self.until(
            lambda: sent[-1] in {told.number for told in read()[-200:]}, "the last event is archived", pause=SELDOM
        )
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
        before, traceback, rest = self.log().partition("Traceback")
        if traceback:
            problems.append(f"a traceback in the log: {before[-300:]}{traceback}{rest[:1500]}")
        if not problems:
            problems += overheard(self, thoroughly=self.size.thoroughly)
        if problems:
            raise Broken("; ".join(problems))
        self.proven = len(self.tally.found)
        return self.proven
