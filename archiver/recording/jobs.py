"""What a daemon does when it is asked to, between two batches; without a daemon whoever asks does it himself."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from archiver.codec.forgetting import Pattern
from archiver.codec.notes import Note, note_event, note_of
from archiver.codec.streams import meant
from archiver.codec.text import MAX_URI, fits
from archiver.errors import DaemonElsewhere, DatabaseBusy, JobRefused, RowRefused, SpoolInUse
from archiver.model import Batch, now_micros
from archiver.platforms.protocol import Asker
from archiver.recording.control.client import PATIENCE, HungUp, ask
from archiver.recording.control.place import socket_beside
from archiver.recording.control.words import NotUnderstood
from archiver.recording.forgetting import forget
from archiver.recording.reconcile import Askers, Wanted, reconcile
from archiver.recording.retrying import retry
from archiver.recording.spool.queue import Spool
from archiver.recording.steps import Steps, finished
from archiver.storage.database.address import is_postgres
from archiver.storage.database.named import database_name, sqlite_path
from archiver.storage.recorder import Recorder, Whose

Job = Callable[[Recorder, Spool | None], Steps]
"""What is done to an archive, and to the spool whose items come into it, where there is one here."""

_BUSY_SECONDS, _LOOK_SECONDS = 3.0, 0.1
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
    return lambda recorder, _: retry(recorder, numbers)


def _are_numbers(value: Any) -> bool:
    return (
        type(value) is list
        and 0 < len(value) <= MOST_NUMBERS
        and all(type(number) is int and 0 < number < 1 << 62 for number in value)
    )


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
