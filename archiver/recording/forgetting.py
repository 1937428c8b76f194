"""Takes a text out of spool and archive, as a job, and out of what their files have left of it."""

from __future__ import annotations

import time
from collections import Counter

from archiver.codec.forgetting import Pattern
from archiver.codec.notes import Note, note_event
from archiver.model import Batch, now_micros
from archiver.recording.spool.queue import Spool
from archiver.recording.steps import Steps
from archiver.storage.forgetting import Place
from archiver.storage.recorder import Recorder, Whose

_TRIES = 10
_READERS_SECONDS = 0.2


def forget(recorder: Recorder, spool: Spool | None, pattern: Pattern, note: Note) -> Steps:
    """Takes what fits out of spool and archive, notes that it did, and writes their files anew."""
    touched: Counter[str] = Counter()
    # What was taken from the spool before may be archived meanwhile, so the archive is looked through once more.
    for _ in range(2):
        if spool is not None:
            touched["spool"] += spool.forget(pattern)
            yield None
        place: Place | None = Place()
        while place is not None:
            place, found = recorder.forget(pattern, place)
            touched += found
            yield None
    rows = {name: number for name, number in sorted(touched.items()) if number}
    said = ", ".join(f"{number:,} in {name}" for name, number in rows.items()) or "nothing fitted"
    event = note_event(note._replace(text=f"forgot what fits a pattern: {said}"), now_micros())
    recorder.record(Batch([event]), whose=Whose(None))
    yield None
    is_clean = spool is None or spool.write_anew()
    yield None
    recorder.write_anew()
    for _ in range(_TRIES):
        if recorder.empty_log() and is_clean:
            return {"touched": rows, "uuid": note.uuid, "clean": True, "spool": spool is not None}
        yield None
        time.sleep(_READERS_SECONDS)  # a reader that is in the way does not stay long
        is_clean = is_clean or (spool is not None and spool.write_anew())
    return {"touched": rows, "uuid": note.uuid, "clean": False, "spool": spool is not None}
