"""Moves what the spool holds into the archive, for ever: takes a group, decodes it, has it recorded, tries again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from archiver.errors import ArchiveBehind, ArchiverError, RowRefused, SchemaNotAtHead, SpoolError, SpoolNotAlone
from archiver.model import (
    Batch,
    Closed,
    Opened,
    Reject,
)
from archiver.platforms.decoders import Decoder
from archiver.platforms.wire.backoff import Backoff
from archiver.recording.arrivals import Arrivals
from archiver.recording.control.server import Control
from archiver.recording.errands import Errands
from archiver.recording.failures import Failures
from archiver.recording.jobs import job_of, nobody, require_archive
from archiver.recording.prefetch import Prefetch
from archiver.recording.reconcile import Askers
from archiver.recording.scrub import Scrub, ScrubPace
from archiver.recording.spool.queue import Spool
from archiver.recording.spool.recent import Group
from archiver.recording.spooled import Originals, decode_item, rejected
from archiver.storage import migrate
from archiver.storage.database.named import database_name
from archiver.storage.recorder import Recorded, Recorder

log = logging.getLogger(__name__)

_MANY = 200
"""Items that wait, for which the next batch is decoded ahead."""
_FEW = 8
"""After so many transactions of a batch they may be larger."""


@dataclass(frozen=True, slots=True)
class IngestPace:
    """How much is archived at once, and how long things may take, in seconds; the defaults are those of the daemon."""

    batch: int = 2500
    """Most records of one transaction."""
    batch_bytes: int = 1 << 20
    batch_parents: int = 5000
    """Most parents that the records of one transaction name: each may be an object that nobody knew."""
    first_delay: float = 0.25
    """Between the first two tries; each next one waits twice as long."""
    last_delay: float = 15.0
    stuck: float = 60.0
    """How long one transaction may take before its connection is given up."""
    tidy: float = 1.0
    """How often the spool is tidied, and the archive looked at, while nothing comes."""
    scrub: ScrubPace = field(default_factory=ScrubPace)


class Ingest:
    """The one reader of a spool and its writer into an archive.

    Whatever the database does, nothing is taken out of the spool before the archive has committed it.
    """

    def __init__(
        self,
        spool: Spool,
        url: str,
        on_archived: Callable[[int], None] | None = None,
        pace: IngestPace | None = None,
        askers: Askers = nobody,
    ) -> None:
        self._spool = spool
        self._url = url
        self._recorder = Recorder(url, spool.identity)
        self._askers = askers
        self._errands = Errands(self._recorder, Control(spool.path, self._understood, spool.wake), spool, askers)
        self._pace = pace or IngestPace()
        self.scrub = Scrub(url, self._recorder, spool, self._pace.scrub)
        self._failures = Failures()
        self._decoder = Decoder()
        self._arrivals = Arrivals()
        self._on_archived = on_archived
        self._most = self._pace.batch
        """Records of a transaction: half as many after one that failed, twice as many after a few, or after a batch."""
        self._open: dict[str, Opened] = {}
        """The session of each stream, as far as it is archived."""
        self._busy_since: float | None = None
        self._stop = threading.Event()
        self._give_up = threading.Event()
        self._taken = 0
        """How far the spool was read."""
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
            position = self._until_done(self._begin)
            if position is None:
                return
            self._advance(position)
            self._errands.begin()
            self.scrub.begin()
            # The next batch is decoded while the database works on this one, where many items wait; few are quickly
            # decoded, and more of them come meanwhile.
            with closing(Prefetch(self._batches(position), self._is_behind)) as batches:
                self._archive_all(batches)
        finally:
            self._errands.end()
            self.scrub.end()
            self._recorder.close()

    def _begin(self) -> int:
        self._recorder.position()  # nothing is written beside the spool before the archive answers
        self._claim()
        position = self._recorder.position()
        if skipped := self._spool.number_above(position):
            text = "the archive has %d more items of the spool %s than this ever held (restored from a backup?); %s"
            log.warning(text, skipped, self._spool.path, "what came since is numbered anew")
        if position < (given_up := self._spool.given_up):
            self._go_on_after(given_up)
        return max(position, given_up)

    def _claim(self) -> None:
        """Tells the archive who holds the spool; one that another holder has a copy of becomes a spool of its own.

        Both would count on from the same number, and of two items with one number the archive would keep the first.
        """
        generation = self._spool.holder.generation()
        if self._recorder.claim(self._spool.holder.generations, generation):
            return
        log.warning(
            "another archiver goes on from a copy of the spool %s (a machine cloned, or put back to a snapshot?)."
            " This one is a new spool from now on; all that waits in it is archived, though the other may have had it",
            self._spool.path,
        )
        self._recorder.receiver = self._spool.renew_identity()
        self._recorder.claim((), generation)

    def _go_on_after(self, upto: int) -> None:
        """Has the archive know what it lacks of the items up to a number, and which sessions go on after that."""
        since, begun = self._spool.begun_before(upto)
        live = {opened.session: opened for opened in begun}
        live |= {opened.session: opened._replace(at=since, covered_from=since) for opened in self._open.values()}
        if missing := self._recorder.go_on_after(upto, list(live.values())):
            text = "the archive lacks %d items of the spool %s that it had (restored from a backup?); %s"
            log.warning(text, missing, self._spool.path, "the time they came in is a gap")

    def _archive_all(self, batches: Prefetch[tuple[int, Batch]]) -> None:
        try:
            for first, records in batches:
                reached = self._until_done(partial(self._archive, records, first))
                if reached is None:
                    return
                self._advance(reached)
                self._run_errand()
            with suppress(SpoolError):
                self._spool.tidy()
        finally:
            self._give_up.set()  # or the one that decodes ahead would wait for more

    def _understood(self, wanted: dict[str, Any]) -> None:
        require_archive(self._url, wanted)
        job_of(wanted, self._askers)

    def _run_errand(self) -> None:
        """Does a step of what somebody has asked for, if anybody has; there is always another batch soon."""
        if self._errands.are_waiting():
            self._busy_since = time.monotonic()
            try:
                if self._errands.step():
                    self._spool.wake()
            finally:
                self._busy_since = None

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
        if since is not None and time.monotonic() - since > self._pace.stuck:
            log.error("the archive has not answered for %d s; its connection is given up", self._pace.stuck)
            self._busy_since = time.monotonic()
            self._recorder.interrupt()

    def _batches(self, position: int) -> Iterator[tuple[int, Batch]]:
        """What the spool holds after a position, decoded, each batch with the number of its first record.

        An empty batch every second in which nothing comes.
        """
        pace, self._taken = self._pace, position
        while not self._give_up.is_set():
            timeout = 0 if self._stop.is_set() else pace.tidy
            group = self._spool.take(position, pace.batch, pace.batch_bytes, timeout)
            if group is not None:
                position = self._taken = group.last
                first, batch = group.first, self._decoded(group)
                del group  # or all its messages would be held as long as what was made of them
                yield first, batch
            elif self._stop.is_set():
                return
            elif self.position == position:
                # What cannot be deleted from a full disk now can be later; whoever appends complains about it.
                with suppress(SpoolError):
                    self._spool.tidy()
                yield position + 1, Batch(())  # nothing to archive, but is the archive still there?

    def _decoded(self, group: Group) -> Batch:
        records = [decode_item(item, self._decoder, self._failures) for item in group.items]
        return Batch(self._arrivals.ordered(group.items, records))

    def _is_behind(self) -> bool:
        return self._spool.last - self._taken >= _MANY

    def _advance(self, position: int) -> None:
        self.position = position
        self._spool.release(position)

    def _archive(self, records: Batch, first: int) -> int:
        if not records:
            self._recorder.check()
        done = worked = 0
        while done < len(records):
            part = records.part(done, self._most, self._pace.batch_parents)
            try:
                self._record_by_halves(part, first + done)
            except ArchiverError:
                # It may be too much at once: for the time that a transaction has, for the database's memory or locks.
                self._most = max(1, len(part) // 2)
                raise
            done += len(part)
            worked += 1
            if worked % _FEW == 0:  # it was an outage, of which size is no cause, that made them small
                self._most = min(self._pace.batch, 2 * self._most)
        self._most = min(self._pace.batch, 2 * self._most)
        return first + len(records) - 1

    def _record_by_halves(self, records: Batch, first: int) -> None:
        """Has a batch recorded; one that cannot be is halved until the one record is found that is to blame."""
        if self._refusal(records, first) is None:
            return
        if len(records) > 1:
            middle = len(records) // 2
            self._record_by_halves(records[:middle], first)
            self._record_by_halves(records[middle:], first + middle)
            return
        self._recorder.prove()  # what spoils every record is no fault of this one
        refusal = self._refusal(records, first)  # it may have passed since
        if refusal is not None:
            reasons = [known.reason for known in records.of_kind(Reject)]
            self._write(Batch([self._reject(first, "; ".join([*reasons, self._told(refusal)]))]), first)

    def _refusal(self, records: Batch, first: int) -> Exception | None:
        """Has records recorded; gives the error that is about themselves, if there is one, and raises any other."""
        try:
            self._write(records, first)
        except RowRefused as error:
            return error
        except ArchiverError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a single record does to us, the others must get through
            return error
        return None

    def _told(self, refusal: Exception) -> str:
        if isinstance(refusal, RowRefused):
            return str(refusal)
        self._failures.tell("a record could not be archived, and is kept as a reject", refusal)
        return f"{type(refusal).__name__} while recording"

    def _reject(self, number: int, reason: str) -> Reject:
        """What the archive keeps of an item that it cannot take as it is: its bytes, with the reason."""
        group = self._spool.take(number - 1, 1, 1)
        assert group is not None, "nothing is released before it is archived"
        return rejected(group.items[0], reason)

    def _write(self, records: Batch, first: int) -> None:
        self._busy_since = time.monotonic()
        try:
            done = self._record(records, first)
        finally:
            self._busy_since = None
        self._keep_open(records)
        self.archived += done.events
        self.rejected += done.rejects
        self.duplicates += done.duplicates
        if self._on_archived is not None:
            self._on_archived(self.archived)

    def _keep_open(self, records: Batch) -> None:
        self._open.update((opened.stream, opened) for opened in records.of_kind(Opened))
        for closed in records.of_kind(Closed):
            if (there := self._open.get(closed.stream)) is not None and there.session == closed.session:
                del self._open[closed.stream]

    def _record(self, records: Batch, first: int) -> Recorded:
        upto, original = first + len(records) - 1, Originals(self._spool, records, first)
        try:
            return self._recorder.record(records, upto, original=original)
        except (SpoolNotAlone, ArchiveBehind):  # or the archive is a new one, or an older copy of itself
            self._claim()
            self._go_on_after(first - 1)
            return self._recorder.record(records, upto, original=original)

    def _until_done(self, attempt: Callable[[], int]) -> int | None:
        """Tries until it works; None when told to give up meanwhile."""
        backoff = Backoff(self._pace.first_delay, self._pace.last_delay, low=1.0)
        while not self._give_up.is_set():
            self._busy_since = time.monotonic()
            try:
                result = self._create_and(attempt)
            except ArchiverError as error:
                self._complain(f"{error}; {error.next_step}" if error.next_step else str(error))
            except Exception as error:  # noqa: BLE001 - nothing the archive does may end the recording
                self._complain(f"the archive cannot be written: {type(error).__name__}", error)
            else:
                self._relieve()
                return result
            finally:
                self._busy_since = None
            self._give_up.wait(backoff.next())
        return None

    def _create_and(self, attempt: Callable[[], int]) -> int:
        """Makes the tables where there are none at all; an older archive is upgraded by its owner only."""
        try:
            return attempt()
        except SchemaNotAtHead:
            if not migrate.is_missing(self._url):
                raise
        migrate.create(self._url)
        log.info("created the archive at %s", database_name(self._url))
        return attempt()

    def _complain(self, text: str, unexpected: Exception | None = None) -> None:
        if text != self.trouble and not self._give_up.is_set():
            log.error("%s (received events wait in the spool)", text, exc_info=unexpected)
        self.trouble = text

    def _relieve(self) -> None:
        if self.trouble is not None:
            log.info("the archive answers again")
        self.trouble = None
