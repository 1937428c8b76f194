"""Asks platforms what there is, as a job: what the archive does not know of it is archived, between two batches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

from archiver.model import Answers, Batch, Listed, Micros, Record, now_micros
from archiver.platforms.asked import Asked
from archiver.platforms.decoders import Decoder
from archiver.platforms.protocol import FARTHEST_BACK, SETTLE, Asker, Missed
from archiver.recording.steps import IDLE, Idle, Steps
from archiver.storage.recorder import Recorder, Whose

_MOST_NAMED = 20
"""Failures that an answer names."""


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
    asked, outcome = Asked(wanted.settle if session is not None else 0.0), _Outcome()
    asking = (asker, asked, since, known.last_gap, outcome)
    threading.Thread(target=_ask, args=asking, name="reconcile-job", daemon=True).start()
    try:
        while not outcome.is_over.is_set():
            if (item := asked.next()) is None:
                yield IDLE
                continue
            done = recorder.record(Batch([_of_nobody(decoder.decode(item))]), whose=whose)
            observed, gone, acted = observed + done.observed, gone + done.gone, acted + done.actions
            yield None
    finally:
        asked.over.set()
    failed = [{"path": each.path, "reason": each.reason} for each in outcome.failed]
    return {
        "url": asker.stream,
        "complete": not failed,
        "asked": outcome.questions,
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


class _Outcome:
    """What came of a round of questions, once it is over."""

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self.failed: Sequence[Missed] = ()
        self.questions = 0


def _ask(asker: Asker, asked: Asked, since: Micros, known_from: Micros, outcome: _Outcome) -> None:
    try:
        while not asker.asking.acquire(timeout=0.2):  # a stream is asked by one at a time
            if asked.over.is_set():
                return
        try:
            before = asker.questions
            asked.ask(asker, since, known_from)
            outcome.failed, outcome.questions = asker.failed, asker.questions - before
        finally:
            asker.asking.release()
    except Exception as error:  # noqa: BLE001 - it ends the asking, and is told; never the daemon
        outcome.failed = [Missed("", f"unexpected {type(error).__name__}")]
    finally:
        outcome.is_over.set()


Askers = Callable[[], Sequence[Asker]]
"""Who can ask, found when somebody wants to: a daemon knows its own, a command opens them."""
