"""Tries rejects again, as a job: what a message could not tell then it may tell by now."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from archiver.errors import ArchiverError, RowRefused
from archiver.model import Event, Message, Observation, Together, now_micros
from archiver.platforms.decoders import Decoder, decode
from archiver.recording.steps import Steps
from archiver.storage.inventory import Inventory
from archiver.storage.recorder import Recorder
from archiver.storage.retrying import PAGE, Kept, Retried, Which

log = logging.getLogger(__name__)


def retry(recorder: Recorder, numbers: Sequence[int] | None = None) -> Steps:
    """Tries rejects (None: all) again, oldest first, on the way on which messages come; dated as they were received."""
    decoder = Decoder()
    tried = events = duplicates = left = last = 0
    most = PAGE
    end = recorder.last_reject()  # what comes meanwhile was tried just now
    held, _ = recorder.take_stock(None)

    def decoded(kept: Kept) -> Sequence[Event | Observation]:
        return _decoded(kept, decoder)

    while True:
        page = _tried(recorder, Which(last, end, numbers, most), decoded, held)
        if page is None:  # one of them is not taken, whatever the others are: it is looked for
            most = most // 2
            yield None
            continue
        if not page.last:
            return {"tried": tried, "events": events, "duplicates": duplicates, "rejects": left}
        last = page.last
        most = min(PAGE, most * 2)
        tried, events, duplicates = tried + page.tried, events + page.events, duplicates + page.duplicates
        left += page.left
        yield None


def _tried(
    recorder: Recorder, which: Which, decoded: Callable[[Kept], Sequence[Event | Observation]], held: Inventory
) -> Retried | None:
    """What came of the next rejects; None where they are several, of which the archive does not take one."""
    try:
        return recorder.retry_rejects(which, decoded, now_micros(), held)
    except RowRefused:
        pass
    except ArchiverError:
        raise
    except Exception:
        log.debug("a reject could not be archived", exc_info=True)
    return None if which.most > 1 else recorder.retry_rejects(which, lambda _: (), now_micros(), held)


def _decoded(kept: Kept, decoder: Decoder) -> Sequence[Event | Observation]:
    """What a kept message tells. Of one that came in no session nobody knows the platform, nor when it was said."""
    if kept.dialect is None:
        found = [
            event
            for dialect in ("tutum", "docker")
            for event in [decode(Message("", None, dialect, kept.received_at, kept.payload))]
            if isinstance(event, Event) and event.time_source != "received"
        ]
        return found[:1]
    item = Message(kept.stream or "", kept.session, kept.dialect, kept.received_at, kept.payload)
    try:
        record = decoder.decode(item)
    except Exception:  # noqa: BLE001 - it stays what it is; whatever one does to us, the others get their turn
        return ()
    if isinstance(record, Together):
        return record.records
    return (record,) if isinstance(record, (Event, Observation)) else ()
