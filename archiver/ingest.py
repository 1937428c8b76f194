"""Moves what the spool holds into the archive, for ever: takes a group, decodes it, has it recorded, tries again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial

from archiver.ahead import Ahead
from archiver.decoder import decode
from archiver.decoder.observation import observe
from archiver.errors import ArchiverError, RowRefused, SchemaNotAtHead
from archiver.model import Item, Message, Observation, Observed, Reject, now_micros
from archiver.spool import Spool
from archiver.storage import migrate
from archiver.storage.recorder import Record, Recorder

log = logging.getLogger(__name__)

BATCH = 5000
"""Most records of one transaction."""
BATCH_BYTES = 4 << 20
STUCK_SECONDS = 60
"""How long one transaction may take before its connection is given up."""
_FIRST_DELAY, _LAST_DELAY = 0.25, 15.0
_TIDY_SECONDS = 1.0


class Ingest:
    """The one reader of a spool and its writer into an archive.

    Whatever the database does, nothing is taken out of the spool before the archive has committed it.
    """

    def __init__(self, spool: Spool, url: str, on_archived: Callable[[int], None] | None = None) -> None:
        self._spool = spool
        self._url = url
        self._recorder = Recorder(url, spool.identity)
        self._on_archived = on_archived
        self._busy_since: float | None = None
        self._stop = threading.Event()
        self._give_up = threading.Event()
        self.position = 0
        """How far the spool is archived, as far as known."""
        self.archived = 0
        """Events written by this object."""
        self.rejected = 0
        self.duplicates = 0
        self.trouble: str | None = None
        """Why nothing can be archived at present, in words; None when all is well."""

    def run(self) -> None:
        """Archives until `finish`, then what is still spooled until `abandon`."""
        try:
            position = self._persist(self._recorder.position)
            if position is None:
                return
            self._advance(position)
            # The next batch is decoded while the database works on this one.
            with closing(Ahead(self._batches(position))) as batches:
                for first, records in batches:
                    reached = self._persist(partial(self._archive, records, first))
                    if reached is None:
                        return
                    self._advance(reached)
        finally:
            self.abandon()
            self._recorder.close()

    def finish(self) -> None:
        """Asks `run` to end as soon as everything spooled is archived."""
        self._stop.set()

    def abandon(self) -> None:
        """Asks `run` to end now; the rest stays in the spool for the next start."""
        self._stop.set()
        self._give_up.set()
        self._recorder.interrupt()

    def watch(self) -> None:
        """Ends a transaction that has made no progress for a minute; to be called every few seconds."""
        since = self._busy_since
        if since is not None and time.monotonic() - since > STUCK_SECONDS:
            log.error("the archive has not answered for %d s; its connection is given up", STUCK_SECONDS)
            self._busy_since = time.monotonic()
            self._recorder.interrupt()

    def _batches(self, position: int) -> Iterator[tuple[int, list[Record]]]:
        """What the spool holds after a position, decoded, each batch with the number of its first record."""
        while not self._give_up.is_set():
            group = self._spool.take(position, BATCH, BATCH_BYTES, 0 if self._stop.is_set() else _TIDY_SECONDS)
            if group is not None:
                position = group.last
                yield group.first, [read(item) for item in group.items]
            elif self._stop.is_set():
                return
            elif self.position == position:
                self._spool.tidy()

    def _advance(self, position: int) -> None:
        self.position = position
        self._spool.discard(position)

    def _archive(self, records: Sequence[Record], first: int) -> int:
        self._record(records, first)
        return first + len(records) - 1

    def _record(self, records: Sequence[Record], first: int) -> None:
        """Has a batch recorded; one that cannot be is halved until the one record is found that is to blame."""
        try:
            self._recorded(records, first)
        except ArchiverError as error:
            if not isinstance(error, RowRefused):
                raise
            self._halve(records, first, str(error))
        except Exception as error:
            # Whatever a single record does to us, the others must get through.
            log.exception("a batch could not be recorded")
            self._halve(records, first, f"{type(error).__name__} while recording")

    def _halve(self, records: Sequence[Record], first: int, reason: str) -> None:
        if len(records) == 1:
            self._recorded([_refused(records[0], reason)], first)
            return
        middle = len(records) // 2
        self._record(records[:middle], first)
        self._record(records[middle:], first + middle)

    def _recorded(self, records: Sequence[Record], first: int) -> None:
        self._busy_since = time.monotonic()
        try:
            done = self._recorder.record(records, first + len(records) - 1)
        finally:
            self._busy_since = None
        self.archived += done.events
        self.rejected += done.rejects
        self.duplicates += done.duplicates
        if self._on_archived is not None:
            self._on_archived(self.archived)

    def _persist(self, attempt: Callable[[], int]) -> int | None:
        """Tries until it works; None when told to give up meanwhile."""
        delay = _FIRST_DELAY
        while not self._give_up.is_set():
            try:
                result = attempt()
            except ArchiverError as error:
                if isinstance(error, SchemaNotAtHead) and self._create():
                    continue
                self._complain(error)
                self._give_up.wait(delay)
                delay = min(delay * 2, _LAST_DELAY)
            else:
                self._relieve()
                return result
        return None

    def _create(self) -> bool:
        """Makes the tables where there are none at all; an older archive is upgraded by its owner only."""
        try:
            if not migrate.is_missing(self._url):
                return False
            migrate.upgrade(self._url)
        except ArchiverError as error:
            self._complain(error)
            return False
        log.info("created the archive at %s", migrate.database_name(self._url))
        return True

    def _complain(self, error: ArchiverError) -> None:
        text = f"{error}; {error.next_step}" if error.next_step else str(error)
        if text != self.trouble:
            log.error("%s (received events wait in the spool)", text)
        self.trouble = text

    def _relieve(self) -> None:
        if self.trouble is not None:
            log.info("the archive answers again")
        self.trouble = None


def read(item: Item) -> Record:
    """What of a spooled item is recorded."""
    if type(item) is Message:
        return decode(item)
    if type(item) is Observed:
        return observe(item)
    assert not isinstance(item, (Message, Observed))
    return item


def _refused(record: Record, reason: str) -> Reject:
    """A record that the database cannot take, as far as it can be kept."""
    if isinstance(record, Reject):
        return record._replace(reason=f"{record.reason}; {reason}"[:1000])
    at = record.observed_at if isinstance(record, Observation) else getattr(record, "received_at", None)
    return Reject(repr(record).encode(), reason[:1000], at or now_micros(), None)
