"""A thread that reads the archive behind a durable cursor and tells somebody, at least once."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from archiver.api.archive import Archive
from archiver.errors import ArchiverError
from archiver.model import now_micros
from archiver.platforms.wire.backoff import Backoff
from archiver.queries.waking import Place
from archiver.recording.outward.cursors import Cursors
from archiver.recording.outward.pace import OutwardPace
from archiver.recording.outward.post import NotTaken
from archiver.recording.outward.settled import Progress, Settled

log = logging.getLogger(__name__)

_AFTER_FAULT = 30.0


class Over(Exception):
    """The daemon ends."""


class Sender(ABC):
    """Tells one receiver. What it has to tell waits in the archive itself, so that nothing waits for the receiver.

    `state` is what is kept: how far the archive is told. It moves only past what was taken, or given up.
    """

    gives_up = True
    """Whether what nobody takes for long enough is left out; else it waits in the archive, and all else with it."""

    def __init__(self, name: str, key: str, url: str, cursors: Cursors, progress: Progress, pace: OutwardPace) -> None:
        self.name = name
        """As it may stand in a log."""
        self.key = key
        self.delivered = self.failed = self.dropped = 0
        self.trouble: str | None = None
        """Why nothing is taken at present."""
        self.pace = pace
        self.settled = Settled(progress)
        self.state: dict[str, Any] = {}
        self.last: dict[str, Any] = {}
        """How it went of late, for `archiver status`."""
        self.mark = ""
        """Which archive it is, as cursors say it."""
        self._url = url
        self._cursors = cursors
        self._over = threading.Event()
        self._kept_at = time.monotonic()
        self.began = self._looked = datetime.now(UTC)
        self._thread = threading.Thread(target=self._run, name=f"outward-{key}", daemon=True)

    def start(self) -> None:
        """Begins to tell."""
        self._thread.start()

    def stop(self) -> None:
        """Asks it to end, from any thread; what is being told then is told again at the next start."""
        self._over.set()

    def join(self, seconds: float) -> None:
        """Waits for it."""
        self._thread.join(seconds)

    @property
    def waiting(self) -> int:
        """How much is known to wait."""
        return int(self.trouble is not None)

    @abstractmethod
    def begun(self, end: Place) -> dict[str, Any]:
        """The state of who begins at a place."""

    @abstractmethod
    def look(self, archive: Archive, end: Place) -> None:
        """Reads what is new and tells it. Raises Over, and as the archive does."""

    # --- for those that look --------------------------------------------------------------------------------------

    def is_over(self) -> bool:
        """Whether the daemon ends."""
        return self._over.is_set()

    def rest(self, began: float) -> None:
        """Leaves the processor to others for as long as its share says, of what was used since then. Raises Over."""
        self.wait(self.pace.share * (time.thread_time() - began))

    def wait(self, seconds: float) -> None:
        """Raises Over when the daemon ends meanwhile."""
        if self._over.wait(max(0.0, seconds)):
            raise Over

    def keep(self, *, now: bool = True) -> None:
        """Writes the state down; not `now`: where that was long ago."""
        if now or time.monotonic() - self._kept_at >= self.pace.keep:
            self._kept_at = time.monotonic()
            self._cursors.keep(self.key, {**self.state, "mark": self.mark, **self._last()})

    def _last(self) -> dict[str, Any]:
        return {"name": self.name, "last": self.last}

    def deliver(self, attempt: Callable[[], None]) -> None:
        """Tries until it is taken, or for so long that it is given up. Raises Over."""
        backoff = Backoff(self.pace.first_delay, self.pace.last_delay, low=0.5)
        began = time.monotonic()
        while True:
            try:
                attempt()
            except NotTaken as error:
                self.failed += 1
                if self.is_over():
                    raise Over from error
                self.last = {**self.last, "failed_at": now_micros(), "trouble": str(error)}
                if str(error) != self.trouble:
                    log.warning("%s: %s; it is told again", self.name, error)
                    # The state is past what is being told: what was kept of it stays.
                    self._cursors.keep(self.key, {**(self._cursors.of(self.key) or {}), **self._last()})
                self.trouble = str(error)
                if self.gives_up and time.monotonic() - began >= self.pace.give_up:
                    self._give_up(time.monotonic() - began)
                    return
                self.wait(max(backoff.next(), error.wait))
            else:
                if self.trouble is not None:
                    log.info("%s: taken again", self.name)
                self.delivered += 1
                self.trouble = None
                self.last = {"delivered_at": now_micros()}
                return

    def _give_up(self, seconds: float) -> None:
        self.dropped += 1
        log.error("%s: given up after %.0f s: %s", self.name, seconds, self.trouble)

    # --- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self.is_over():
            began = time.thread_time()
            delay = self.pace.look
            try:
                with closing(Archive.open(self._url)) as archive:
                    while True:
                        began = time.thread_time()
                        self._look(archive)
                        self.wait(max(self.pace.look, self.pace.share * (time.thread_time() - began)))
            except Over:
                return
            except ArchiverError as error:  # the daemon says itself what is the matter with the archive
                log.debug("%s: %s", self.name, error)
            except Exception:
                log.exception("%s: what happened could not be read", self.name)
                delay = _AFTER_FAULT
            self._over.wait(max(delay, self.pace.share * (time.thread_time() - began)))

    def _look(self, archive: Archive) -> None:
        position = archive.position()
        if not getattr(position.archive, "known", None):
            return  # nobody has written into it yet, so it has no name
        now, mark, end = datetime.now(UTC), position.cursor.partition("-")[0], archive.end()
        if mark != self.mark or any(last > there for last, there in zip(self.reached(), end, strict=True)):
            self._begin(archive, mark, end)
        self._looked = now
        self.look(archive, end)

    def _begin(self, archive: Archive, mark: str, end: Place) -> None:
        """Goes on where it was, or with what was received since it began: what came before is news to nobody.

        Where another archive takes the place of the one before, with what came since that was looked into.
        """
        kept = self._cursors.of(self.key)
        self.settled.forget()
        if not self.mark and kept is not None and kept.get("mark") == mark:
            self.last = kept["last"] if isinstance(kept.get("last"), dict) else {}
            self.mark, self.state = mark, self.understood(kept)
            if self.state and all(last <= now for last, now in zip(self.reached(), end, strict=True)):
                return
        if self.mark or kept is not None:
            log.warning("%s: the archive is another one, or an older copy; told is what comes from now on", self.name)
        self.mark, self.state = mark, self.begun(archive.end(heard_before=self._looked))
        self.keep()

    @abstractmethod
    def reached(self) -> Place:
        """The farthest place in the state."""

    @abstractmethod
    def understood(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        """The state that was kept; empty when it cannot be understood."""
