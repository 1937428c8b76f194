"""Asks platforms what there is, as a job: what the archive does not know of it is archived, between two batches."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from archiver.model import Answers, Batch, Listed, Micros, Observed, Record, now_micros
from archiver.platforms.decoders import Decoder
from archiver.platforms.protocol import FARTHEST_BACK, SETTLE, Asker
from archiver.storage.recorder import Recorder, Whose

_MOST_WAITING = 8
_MOST_NAMED = 20
"""Failures that an answer names."""

Idle = str
IDLE: Idle = "idle"
"""What a job yields that waits for somebody else: there is no need to go on at once."""
Steps = Generator[Idle | None, None, dict[str, Any]]
"""A job step by step, each a transaction of bounded size, or `IDLE`; in the end its answer."""


class Wanted(NamedTuple):
    """What is to be asked."""

    askers: Sequence[Asker]
    since: Micros | None = None
    """Actions that ran since then are read back; None: since the oldest time that nobody watched, of the last week."""
    settle: float = SETTLE


def reconcile(recorder: Recorder, wanted: Wanted) -> Steps:
    """Asks one stream after the other; the answer says what came of each. Raises as `Recorder.record` does."""
    streams: list[dict[str, Any]] = []
    for asker in wanted.askers:
        found = yield from _of_stream(recorder, asker, wanted)
        streams.append(found)
    return {"streams": streams}


def _of_stream(recorder: Recorder, asker: Asker, wanted: Wanted) -> Generator[Idle | None, None, dict[str, Any]]:
    began = time.monotonic()
    now, session = now_micros(), asker.session
    known = recorder.watched(asker.stream, session, now - FARTHEST_BACK)
    since = wanted.since if wanted.since is not None else known.unwatched_since
    whose = Whose(asker.stream if known.is_known else asker.whose)
    decoder, observed, gone, acted = Decoder(), 0, 0, 0
    asking = _Asking(asker, since, known.last_gap, wanted.settle if session is not None else 0.0)
    try:
        while (item := asking.next()) is not None:
            if isinstance(item, Observed):
                done = recorder.record(Batch([_of_nobody(decoder.decode(item))]), whose=whose)
                observed, gone, acted = observed + done.observed, gone + done.gone, acted + done.actions
                yield None
            else:
                yield IDLE
    finally:
        asking.over.set()
    failed = [{"path": path, "reason": reason} for path, reason in asking.failed]
    return {
        "url": asker.stream,
        "complete": not failed,
        "asked": asking.questions,
        "observed": observed,
        "gone": gone,
        "actions": acted,
        "seconds": round(time.monotonic() - began, 1),
        "failed": failed[:_MOST_NAMED],
    }


def _of_nobody(record: Record) -> Record:
    """An answer that came while nobody listened is of no session."""
    if isinstance(record, Answers):
        own = (item._replace(session=item.session or None) for item in record.observations)
        return record._replace(observations=tuple(own))
    return record._replace(session=record.session or None) if isinstance(record, Listed) else record


class _Asking:
    """Asks in a thread of its own, so that neither the archive nor an event waits for an answer."""

    def __init__(self, asker: Asker, since: Micros, known_from: Micros, settle: float) -> None:
        self.over = threading.Event()
        self.failed: Sequence[tuple[str, str]] = ()
        self.questions = 0
        self._asker, self._settle = asker, settle
        self._answers: queue.Queue[Observed | None] = queue.Queue(_MOST_WAITING)
        threading.Thread(target=self._ask, args=(since, known_from), name="reconcile-job", daemon=True).start()

    def next(self) -> Observed | Idle | None:
        """The next answer; `IDLE` while there is none yet, None after the last."""
        try:
            return self._answers.get_nowait()
        except queue.Empty:
            return IDLE

    def _ask(self, since: Micros, known_from: Micros) -> None:
        waiting: deque[tuple[float, Observed]] = deque()
        try:
            while not self._asker.asking.acquire(timeout=0.2):  # a stream is asked by one at a time
                if self.over.is_set():
                    return
            try:
                before = self._asker.questions
                for observed in self._asker.ask(since, known_from, self.over):
                    waiting.append((time.monotonic() + self._settle, observed))
                    self._give(waiting, most=_MOST_WAITING)
                self.failed, self.questions = self._asker.failed, self._asker.questions - before
            finally:
                self._asker.asking.release()
            self._give(waiting, most=0)
        except Exception as error:  # noqa: BLE001 - it ends the asking, and is told; never the daemon
            self.failed = [("", f"unexpected {type(error).__name__}")]
        finally:
            self._put(None)

    def _give(self, waiting: deque[tuple[float, Observed]], most: int) -> None:
        """Gives what has waited long enough, and until no more than so many wait."""
        while waiting and not self.over.is_set():
            left = waiting[0][0] - time.monotonic()
            if left > 0 and len(waiting) <= most:
                return
            self.over.wait(max(0.0, left))
            self._put(waiting.popleft()[1])

    def _put(self, item: Observed | None) -> None:
        while not self.over.is_set():
            with suppress(queue.Full):
                self._answers.put(item, timeout=0.2)
                return


Askers = Callable[[], Sequence[Asker]]
"""Who can ask, found when somebody wants to: a daemon knows its own, a command opens them."""
