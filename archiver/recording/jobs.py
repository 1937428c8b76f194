"""What a daemon does when it is asked to, between two batches; without a daemon whoever asks does it himself."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from archiver.codec.forgetting import Pattern
from archiver.codec.notes import Note, note_event, note_of
from archiver.codec.streams import meant
from archiver.codec.text import MAX_URI, fits
from archiver.errors import ArchiverError, DaemonElsewhere, DatabaseBusy, JobRefused, RowRefused, SpoolInUse
from archiver.model import Batch, Event, Message, Observation, Together, now_micros
from archiver.platforms.decoders import Decoder, decode
from archiver.platforms.protocol import Asker
from archiver.recording.control.client import PATIENCE, HungUp, ask
from archiver.recording.control.place import socket_beside
from archiver.recording.control.words import NotUnderstood
from archiver.recording.reconcile import IDLE, Askers, Steps, Wanted, reconcile
from archiver.recording.spool.queue import Spool
from archiver.storage.database.address import is_postgres
from archiver.storage.database.named import database_name, sqlite_path
from archiver.storage.forgetting import Place
from archiver.storage.inventory import Inventory
from archiver.storage.recorder import Recorder, Whose
from archiver.storage.retrying import PAGE, Kept, Retried, Which

log = logging.getLogger(__name__)

Job = Callable[[Recorder, Spool | None], Steps]
"""What is done to an archive, and to the spool whose items come into it, where there is one here."""

_BUSY_SECONDS, _LOOK_SECONDS, _IDLE_SECONDS = 3.0, 0.1, 0.05
MOST_NUMBERS = 1000
"""Rejects that are named in one request."""
_MOST_NAMED = 5
"""Streams that are named in a refusal."""


# --- who does it ----------------------------------------------------------------------------------------------------


def nobody() -> Sequence[Asker]:
    """No stream can be asked."""
    return ()


def done(
    url: str, spool: Path, wanted: dict[str, Any], patience: float = PATIENCE, askers: Askers = nobody
) -> dict[str, Any]:
    """Does a job to an archive: by its daemon where one runs, else here; returns what came of it.

    `askers` are those who ask platforms when it is done here.

    A PostgreSQL archive takes several writers, so there no daemon is needed. One that ends meanwhile leaves it to us: a
    job that is done twice is done once, for a note has its uuid. Raises as `control.client.ask` and
    `Recorder.record` do, and DaemonElsewhere when somebody has the archive and no daemon answers beside the spool.
    """
    deadline = time.monotonic() + _BUSY_SECONDS
    job: Job | None = None
    hung_up = False
    while True:
        if not is_postgres(url) or wanted["do"] in _OF_DAEMON:
            try:
                answer = ask(spool, {**wanted, "archive": _named(url)}, patience)
            except HungUp:
                if hung_up:
                    raise JobRefused(reason="it hung up without an answer", step="see its log", code=4) from None
                answer, hung_up, deadline = None, True, time.monotonic() + _BUSY_SECONDS
            if answer is not None:
                return answer
        job = job or job_of(wanted, askers)
        try:
            with ExitStack() as held:
                is_here = wanted["do"] in _OF_SPOOL and os.path.exists(spool)
                here = held.enter_context(Spool(spool)) if is_here else None
                return finished(job(held.enter_context(Recorder(url)), here))
        except (DatabaseBusy, SpoolInUse) as busy:
            if is_postgres(url) and isinstance(busy, DatabaseBusy):
                raise
            if time.monotonic() >= deadline:
                facts = {"database": database_name(url), "reason": busy.facts["reason"], "socket": socket_beside(spool)}
                raise DaemonElsewhere(**facts) from busy
        time.sleep(_LOOK_SECONDS)  # a daemon that is about to begin or to end, or somebody else who notes something


def finished(steps: Steps) -> dict[str, Any]:
    """All steps of a job one after the other, and its answer."""
    while True:
        try:
            if next(steps) is IDLE:
                time.sleep(_IDLE_SECONDS)
        except StopIteration as end:
            found: dict[str, Any] = end.value
            return found


def require_archive(url: str, wanted: dict[str, Any]) -> None:
    """Raises NotUnderstood when a request means another archive than the daemon's."""
    named = wanted.get("archive")
    if type(named) is not str or not (named == _named(url) if is_postgres(url) else _is_same(named, sqlite_path(url))):
        raise NotUnderstood(f"this daemon records into {database_name(url)}")


def _named(url: str) -> str:
    """What a request calls the archive that it means."""
    return database_name(url) if is_postgres(url) else os.fspath(sqlite_path(url))


def _is_same(named: str, path: Path) -> bool:
    try:
        return named == os.fspath(path) or os.path.samefile(named, path)
    except (OSError, ValueError):
        return False


# --- what is done ---------------------------------------------------------------------------------------------------


def job_of(wanted: dict[str, Any], askers: Askers = nobody) -> Job:
    """The job that a request means; `askers` are those who can ask a platform. Raises NotUnderstood."""
    made = _JOBS.get(wanted["do"]) if type(wanted.get("do")) is str else None
    if made is None:
        raise NotUnderstood(f"a request says in 'do' what is to be done: {', '.join(_JOBS)}")
    return made(wanted, askers)


def _reconcile(wanted: dict[str, Any], askers: Askers) -> Job:
    stream, api, since = (wanted.get(name) for name in ("stream", "api", "since"))
    if not all(text is None or (type(text) is str and fits(text, MAX_URI)) for text in (stream, api)):
        raise NotUnderstood("a stream, and an API, is named by its URL")
    if not (since is None or (type(since) is int and 0 <= since < 1 << 62)):
        raise NotUnderstood("'since' is a number of microseconds")
    there = {asker.stream: asker for asker in askers()}
    found = list(there.values()) if stream is None else [there[url] for url in meant(stream, there)]
    if not found:
        raise NotUnderstood(_not_asked(stream, list(there)))
    if elsewhere := next((asker.api for asker in found if api is not None and asker.api != api), None):
        raise NotUnderstood(f"this daemon asks {elsewhere}; another is named where it is started")
    return lambda recorder, _: reconcile(recorder, Wanted(found, since))


def _not_asked(stream: str | None, there: list[str]) -> str:
    """Why nobody asks the platform of a stream, or of any; `there` are those that are asked."""
    if not there:
        return "it records no stream whose REST API it knows (engines of Docker are asked all the time)"
    known = ", ".join(there[:_MOST_NAMED])
    return f"it does not record {stream}, or knows no REST API of it; it can ask that of {known}"


def _note(wanted: dict[str, Any], _askers: Askers) -> Job:
    note, platform = _understood_note(wanted), wanted.get("platform")
    if not (platform is None or (type(platform) is str and fits(platform, MAX_URI))):
        raise NotUnderstood("a platform is named by its key")
    event = note_event(note, now_micros())

    def steps(recorder: Recorder, _spool: Spool | None = None) -> Steps:
        recorded = recorder.record(Batch([event]), whose=Whose(platform))
        if recorded.rejects:
            raise RowRefused(database="this archive", reason="a note of this uuid says something else")
        yield None
        return {"uuid": note.uuid, "at": note.at, "known": bool(recorded.duplicates)}

    return steps


def _understood_note(wanted: dict[str, Any]) -> Note:
    try:
        return note_of(wanted)
    except ValueError as error:
        raise NotUnderstood(str(error)) from None


def _retry(wanted: dict[str, Any], _askers: Askers) -> Job:
    numbers = wanted.get("numbers")
    if numbers is not None and not _are_numbers(numbers):
        raise NotUnderstood(f"'numbers' is a list of at most {MOST_NUMBERS} numbers of rejects")

    def steps(recorder: Recorder, _spool: Spool | None = None) -> Steps:
        return retry(recorder, numbers)

    return steps


def _are_numbers(value: Any) -> bool:
    return (
        type(value) is list
        and 0 < len(value) <= MOST_NUMBERS
        and all(type(number) is int and 0 < number < 1 << 62 for number in value)
    )


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


# --- forgetting -----------------------------------------------------------------------------------------------------

_TRIES = 10
_READERS_SECONDS = 0.2


def _forget(wanted: dict[str, Any], _askers: Askers) -> Job:
    text = wanted.get("pattern")
    if type(text) is not str:
        raise NotUnderstood("a pattern is a text")
    try:
        pattern = Pattern(text)
    except ValueError as error:
        raise NotUnderstood(str(error)) from None
    note = _understood_note({**wanted, "text": "forgotten"})
    return lambda recorder, spool: forget(recorder, spool, pattern, note)


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


_OF_SPOOL = frozenset({"forget"})
"""Jobs that are done to the spool as well."""
_OF_DAEMON = frozenset({"forget", "reconcile"})
"""Jobs for which the daemon is asked whatever the archive is: the spool is its own, and so are the credentials."""
_JOBS: dict[str, Callable[[dict[str, Any], Askers], Job]] = {
    "note": _note,
    "retry": _retry,
    "reconcile": _reconcile,
    "forget": _forget,
}
