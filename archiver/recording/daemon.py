"""Wires sources, spool, ingest and archive together, and runs them until told to stop."""

from __future__ import annotations

import logging
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread

from archiver.codec.prometheus import Family, Sample
from archiver.codec.secrets import blanked_text
from archiver.errors import ArchiverError, SpoolDamaged, SpoolError
from archiver.model import Closed, Condition, Item, Opened
from archiver.platforms.protocol import Source
from archiver.platforms.wire.backoff import Backoff
from archiver.recording.clocks import Clock, split_at_steps
from archiver.recording.handover import Handover
from archiver.recording.ingest import Ingest, IngestPace
from archiver.recording.spool.queue import Spool
from archiver.recording.systemd import Notifier

log = logging.getLogger(__name__)

_CLOSING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class DaemonPace:
    """How often the daemon looks around, and how long it waits for its parts, in seconds."""

    tick: float = 1.0
    """Between two looks: at what has arrived, and at the threads for the supervisor."""
    sources: float = 3.0
    """At the end: how long the sources may take to close their streams."""
    spool: float = 2.0
    """Then, what they gave to be made durable."""
    drain: float = 3.0
    """Then, what is spooled to be archived."""
    last: float = 0.5
    """Then, what has not ended to end all the same: 8.5 s in all, and systemd and people are promised 10."""
    first_delay: float = 0.125
    """Before a spool that refused is asked again; each next time twice as long."""
    last_delay: float = 0.5
    """Less than half of `spool`, so that there is time for a last try at the end."""
    spool_stuck: float = 30.0
    """How long one write of the spool may take before the supervisor is told nothing any more."""
    ingest: IngestPace = field(default_factory=IngestPace)


class Daemon:
    """Records some streams into one archive.

    One thread a stream receives; one spools whatever has arrived, with one commit; one archives. A receiver waits for
    the spool only, never for the archive.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        spool: Spool,
        url: str,
        *,
        limit: int | None = None,
        notifier: Notifier | None = None,
        pace: DaemonPace | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._pace = pace or DaemonPace()
        self._clock = clock or Clock()
        self._sources = sources
        self._spool = spool
        self._limit = limit
        self._notifier = notifier or Notifier(None)
        self._handover = Handover()
        self._stop = threading.Event()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._failure: BaseException | None = None
        self._running = len(sources)
        self._counting = threading.Lock()
        self._spooled_at = time.monotonic()
        self._last_try_at = float("inf")
        self._connected = {source.stream: False for source in sources}
        self.troubles: dict[str, str] = {}
        """The streams that cannot be reached at present, and why."""
        self.troubles_beside: Callable[[], Iterable[str]] = tuple
        """What is the matter with those who run beside it, in words."""
        self.late: Sequence[str] = ()
        """What did not end in time: what holds it holds up the end of the process, too, unless that does not wait."""
        askers = [asker for source in sources if (asker := getattr(source, "asker", None)) is not None]
        self.ingest = Ingest(spool, url, on_archived=self._archived, pace=self._pace.ingest, askers=lambda: askers)

    def stop(self) -> None:
        """Asks `run` to end; may be called from any thread, and from a signal handler since it takes no lock."""
        with suppress(OSError):  # the pipe is full of such wishes, or it has ended already
            os.write(self._wake_write, b"x")

    def run(self) -> None:
        """Records until `stop`, or until `limit` events are archived, or every source has ended.

        Then closes the streams, spools what was received and archives what was spooled, each within seconds; what the
        database does not take by then stays in the spool. A source that gives up ends its own stream only; of the first
        one its error is raised at the end, CredentialsRefused for one. Raises SpoolError when what was received could
        not be made safe. To be called once.
        """
        try:
            self._run()
        finally:
            descriptors, self._wake_write = (self._wake_read, self._wake_write), -1
            for descriptor in descriptors:
                os.close(descriptor)
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        receivers = [self._thread("receive", self._receive, source) for source in self._sources]
        spooler = self._thread("spool", self._spool_all)
        archiver = self._thread("archive", self.ingest.run)
        self._notifier.ready()
        while not self._woken():
            stuck = time.monotonic() - self._spooled_at > self._pace.spool_stuck
            if spooler.is_alive() and archiver.is_alive() and not stuck:
                self._notifier.alive(self._status())
        if self._running == 0:
            self._drain(spooler, archiver)
        self._stop.set()
        self._handover.make_room()  # or who waits for a full disk could not say good-bye
        self._notifier.stopping()
        self._end(receivers, spooler, archiver)

    def _woken(self) -> bool:
        """Waits a moment; True when somebody has called `stop`."""
        self.ingest.watch()
        if not select.select([self._wake_read], [], [], self._pace.tick)[0]:
            return False
        os.read(self._wake_read, 1)
        return True

    def _drain(self, spooler: Thread, archiver: Thread) -> None:
        """Every stream has come to its end: archives all they said, however long it takes, unless told to stop."""
        self._handover.close()
        spooler.join(self._pace.spool)
        self.ingest.finish()
        while archiver.is_alive() and not self._woken():
            self._notifier.alive(self._status())

    def _end(self, receivers: Sequence[Thread], spooler: Thread, archiver: Thread) -> None:
        deadline = time.monotonic() + self._pace.sources
        for receiver in receivers:
            receiver.join(max(0, deadline - time.monotonic()))
        self._last_try_at = time.monotonic() + self._pace.spool / 2
        self._handover.close()
        spooler.join(self._pace.spool)
        self.ingest.finish()
        archiver.join(self._pace.drain)
        if archiver.is_alive():
            log.warning("the archive does not answer; what is not yet archived stays in the spool for the next start")
            self.ingest.abandon()
            archiver.join(self._pace.last)
        log.info("stopped; archived %d events, %d rejects", self.ingest.archived, self.ingest.rejected)
        self.late = [thread.name for thread in (*receivers, spooler) if thread.is_alive()]
        if spooler.is_alive():
            reason = "its disk does not answer; what was received last is lost"
            self._failure = self._failure or SpoolError(path=self._spool.path, reason=reason)
        if self.late:
            log.warning("did not end in time: %s", ", ".join(self.late))

    def _thread(self, name: str, target: Callable[..., None], *args: object) -> threading.Thread:
        def guarded() -> None:
            try:
                target(*args)
            except BaseException as error:
                if not isinstance(error, ArchiverError):
                    log.exception("the thread %r failed", name)
                self._failure = self._failure or error
                self.stop()

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        thread.start()
        return thread

    def _receive(self, source: Source) -> None:
        try:
            self._hand_over(source)
        except ArchiverError as error:  # it gives up; the others go on
            log.error("%s; nothing more is received from %s", error, source.stream)  # noqa: TRY400 - it says all
            self.troubles[source.stream] = str(error)
            self._failure = self._failure or error
        with self._counting:
            self._running -= 1
            last = self._running == 0
        if last:
            self.stop()

    def _hand_over(self, source: Source) -> None:
        for item in split_at_steps(source.items(self._stop), self._clock, self._spool):
            self._handover.put(item)
            if type(item) is Opened:
                self.troubles.pop(source.stream, None)
                self._connected[source.stream] = True
                log.info("connected to %s", source.stream)
            elif type(item) is Condition and item.of == "trouble" and item.value:
                self.troubles[source.stream] = item.value
            elif type(item) is Closed:
                self._connected[source.stream] = False
                log.info("disconnected from %s: %s", source.stream, item.reason)

    def _spool_all(self) -> None:
        """Makes durable whatever has arrived, again and again, until the handover is closed and empty."""
        while (items := self._handover.take_all(self._pace.tick)) is not None:
            if items:
                self._append(items)
            self._spooled_at = time.monotonic()

    def _append(self, items: list[Item]) -> None:
        """Waits until the spool takes the items: meanwhile nothing is read from the streams, and nothing is lost.

        At the end the limit counts no more, for nothing follows. Raises SpoolError when they cannot be made safe.
        """
        trouble: str | None = None
        backoff = Backoff(self._pace.first_delay, self._pace.last_delay, low=1.0)
        while True:
            last_try = time.monotonic() >= self._last_try_at
            try:
                self._spool.append(items, beyond_limit=self._stop.is_set())
            except SpoolError as error:
                if last_try or isinstance(error, SpoolDamaged):
                    log.warning("%d received messages are lost", len(items))
                    raise
                if str(error) != trouble:
                    log.warning("%s; %s (reading waits)", error, error.next_step)
                trouble = str(error)
                self._spooled_at = time.monotonic()
                if self._stop.is_set():
                    time.sleep(backoff.next())
                else:
                    self._stop.wait(backoff.next())  # then the limit counts no more
            else:
                if trouble is not None:
                    log.info("the spool takes messages again")
                return

    def metrics(self) -> Iterator[Family]:
        """How this process does, in numbers; waits for nothing."""
        streams = tuple(Sample(float(up), {"stream": stream}) for stream, up in list(self._connected.items()))
        yield Family("archiver_connected", "gauge", "Whether the daemon has a connection to a stream.", streams)
        ingest = self.ingest
        for name, about, count in (
            ("archiver_events_archived_total", "Events archived since the daemon started.", ingest.archived),
            ("archiver_rejects_archived_total", "Messages kept that could not become events.", ingest.rejected),
            ("archiver_duplicates_total", "Events that the archive had already.", ingest.duplicates),
            ("archiver_archive_read_through_total", "How often its file was read through.", ingest.scrub.rounds),
        ):
            yield Family(name, "counter", about, (Sample(count),))
        for name, about, value in (
            ("archiver_spool_items", "Items that are received and not yet archived.", self._waiting),
            ("archiver_spool_bytes", "Bytes that wait in the spool.", self._spool.size),
            ("archiver_archive_answers", "Whether the archive takes what is received.", ingest.trouble is None),
            ("archiver_archive_damaged", "Whether damage was found in its file.", ingest.scrub.damage is not None),
        ):
            yield Family(name, "gauge", about, (Sample(float(value)),))

    def progress(self) -> tuple[int, int]:
        """The number of what was spooled last, and of what was archived last."""
        return self._spool.last, self.ingest.position

    @property
    def _waiting(self) -> int:
        return max(0, self._spool.last - self.ingest.position)

    def _archived(self, events: int) -> None:
        if self._limit is not None and events >= self._limit:
            self.stop()

    def _status(self) -> str:
        waiting = self._waiting
        text = f"{self.ingest.archived} events archived, {waiting} waiting"
        damage = self.ingest.scrub.damage
        damaged = None if damage is None else f"the archive is damaged, in {damage}"
        troubles = [self.ingest.trouble, damaged, *list(self.troubles.values()), *self.troubles_beside()]
        return blanked_text("; ".join(filter(None, [text, *troubles])))


def closed_in_time(spool: Spool) -> bool:
    """Closes the spool; False when its disk does not let it."""
    closing = Thread(target=spool.close, name="close", daemon=True)
    closing.start()
    closing.join(_CLOSING_SECONDS)
    return not closing.is_alive()


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and SIGINT ask for an orderly end; afterwards they are ignored, for the process is about to end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop())
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
