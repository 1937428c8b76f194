"""Reads a SQLite archive through while the daemon runs, a little at a time, and says what it finds damaged."""

from __future__ import annotations

import json
import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from archiver.errors import ArchiverError
from archiver.platforms.protocol import Notes
from archiver.storage.database.address import is_postgres
from archiver.storage.database.named import database_name
from archiver.storage.database.walking import Place
from archiver.storage.recorder import Recorder

log = logging.getLogger(__name__)

_NOTE = "scrub"
_MOST_NAMED = 3
_PATIENCE = 1.0
"""Seconds: a disk that does not answer holds up no end."""
WHAT_TO_DO = "archiver db check names all of it; put a backup in its place: archiver db restore FILE"


@dataclass(frozen=True, slots=True)
class ScrubPace:
    """How much of the archive is read how often."""

    every: float = 1.0
    """Seconds between two steps."""
    rows: int = 1_000
    """Most rows, of tables and indexes, that a step reads."""
    seconds: float = 0.005
    """After so long it ends earlier: whoever records waits for it."""
    noted: float = 60.0
    """Seconds between two notes of how far it has come."""
    round: float = 86_400.0
    """Seconds from one beginning to the next."""


class Scrub:
    """A thread that reads by way of the recorder, between two batches, and so shortly that nobody notices.

    `notes` keep how far it has come from one run of the daemon to the next. PostgreSQL looks after itself.
    """

    def __init__(self, url: str, recorder: Recorder, notes: Notes, pace: ScrubPace) -> None:
        self._url, self._recorder, self._notes, self._pace = url, recorder, notes, pace
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scrub", daemon=True)
        self._place: Place | None = Place()
        self._begun = 0.0
        self._noted_at = float("-inf")
        self._found: list[str] = []
        """What of this round was damaged."""
        self.damage: str | None = None
        """What was found damaged in this round, or the one before, in words; None: nothing."""
        self._is_kept = True
        """Whether the archive knows that."""
        self.rounds = 0
        """How often the archive was read through."""

    def begin(self) -> None:
        """To be called once the archive answers."""
        if not is_postgres(self._url):
            self._thread.start()

    def end(self) -> None:
        """Reads no more."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        with suppress(ArchiverError):
            self.damage = self._recorder.damage()
        self._recall()
        while not self._over.wait(self._pace.every):
            if self._place is None and 0 <= time.time() - self._begun < self._pace.round:
                continue
            try:
                self._read_on()
            except ArchiverError:  # who writes says what is the matter
                self._over.wait(self._pace.noted)
            except Exception:
                log.exception("the archive is not read through any more")
                return

    def _read_on(self) -> None:
        place = self._place or Place()
        if place == Place():
            self._begun, self._found = time.time(), []
        step = self._recorder.look_through(place, self._pace.rows, self._pace.seconds)
        if step.damage is not None:
            self._tell(step.damage)
        self._place = step.next
        if self._place is None:
            self.rounds += 1
            self._keep("; ".join(self._found[:_MOST_NAMED]) or None)
        if self._place is None or time.monotonic() - self._noted_at >= self._pace.noted:
            self._noted_at = time.monotonic()
            self._keep(self.damage)  # where the archive did not take it before
            self._note()

    def _tell(self, damage: str) -> None:
        if damage not in self._found:
            self._found.append(damage)
            if damage not in (self.damage or ""):
                log.error("the archive %s is damaged, in %s; %s", database_name(self._url), damage, WHAT_TO_DO)
            self._keep("; ".join(self._found[:_MOST_NAMED]))

    def _keep(self, damage: str | None) -> None:
        """Has everybody know who asks how things stand; what is too damaged for that says it himself."""
        if damage != self.damage:
            if damage is None:
                log.info("the archive %s is read through, and sound again", database_name(self._url))
            self.damage, self._is_kept = damage, False
        if not self._is_kept:
            with suppress(ArchiverError):
                self._recorder.keep_damage(damage)
                self._is_kept = True

    # Of a key that is a text only the table is noted: it may be what somebody wants forgotten.

    def _note(self) -> None:
        place = self._place
        after = None if place is None else place.after
        plain = after if after is None or all(type(value) is int for value in after) else ()
        text = json.dumps([self._begun, None if place is None else [place.of, plain], self._found])
        with suppress(ArchiverError):
            self._notes.note(_NOTE, text)

    def _recall(self) -> None:
        with suppress(ArchiverError, ValueError, TypeError):
            begun, place, found = json.loads(self._notes.noted(_NOTE) or "")
            self._place = None if place is None else Place(place[0], None if place[1] is None else tuple(place[1]))
            self._begun, self._found = float(begun), [str(each) for each in found]
