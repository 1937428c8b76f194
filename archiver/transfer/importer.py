"""Adds recorded events to an archive: JSON Lines as they came on the wire, or as `export` wrote them."""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from archiver.codec.events import decode_object
from archiver.codec.observation import observe
from archiver.codec.text import MAX_URI, dump, fits, is_clean, parse
from archiver.model import (
    Alive,
    Batch,
    Closed,
    Dialect,
    Message,
    Micros,
    Observed,
    Opened,
    Record,
    Reject,
    now_micros,
    to_micros,
)
from archiver.platforms.decoders import Decoder
from archiver.platforms.docker.decoder import speaks_docker
from archiver.storage.recorder import Recorder
from archiver.transfer.decode_process import decoding

BATCH = 5000
BATCH_BYTES = 16 << 20
_MARK = b'{"archiver":'
_KIND_AND_PART = attrgetter("kind", "part")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of the lines of a file."""

    events: int = 0
    duplicates: int = 0
    """Events that the archive had already: by their uuid, or because this very export was imported before."""
    rejects: int = 0


def import_lines(
    url: str,
    lines: Iterable[bytes],
    progress: Callable[[int], None] | None = None,
    dialect: Dialect = "tutum",
    *,
    batch_lines: int = BATCH,
) -> ImportResult:
    """Archives lines, a batch and a transaction at a time; blank lines count as nothing.

    Events without a uuid are never recognised again: the same file imported twice stands there twice. An export is
    recognised by the identity of the archive that wrote it.
    Raises what `Recorder.record` raises; keeps what it cannot read as rejects.
    """
    # The reader first: a process made later would share the archive's lock and connection, and could outlive this one.
    with decoding(_Reader(dialect, batch_lines).batches(lines)) as batches, Recorder(url) as recorder:
        work = _Import(recorder)
        for batch in batches:
            work.record(batch)
            if progress is not None:
                progress(work.lines)
        return ImportResult(work.events, work.duplicates, work.rejects)


class _Line(NamedTuple):
    """A line read: what kind of line it is, its number in the export it comes from, and what it says."""

    kind: str
    number: int
    records: list[Record]
    part: int = 0
    """Which of several exports, one after the other in the same file."""
    archive: str | None = None


class _Lines(NamedTuple):
    """Some lines of one kind, from the same archive's export."""

    kind: str
    archive: str | None
    lines: int
    records: Batch
    numbers: list[int]
    """For lines of an export: the number of each record there."""


class _Reader:
    """Turns lines into batches of records."""

    def __init__(self, dialect: Dialect, batch_lines: int) -> None:
        self._dialect = dialect
        self._batch_lines = batch_lines
        self._decoder = Decoder()
        self._archive: str | None = None
        self._part = 0
        self._last: dict[str, int] = {}

    def batches(self, lines: Iterable[bytes]) -> Iterator[_Lines]:
        """Everything that the lines say, some thousand lines at a time."""
        for some in _some(lines, self._batch_lines):
            # One instant for them all: when a recorded event was first received, nobody knows any more.
            now = now_micros()
            read = (self._read(line, now) for line in some)
            for (kind, _), group in groupby((line for line in read if line is not None), _KIND_AND_PART):
                found = list(group)
                records = Batch([record for line in found for record in line.records])
                yield _Lines(kind, found[0].archive, len(found), records, [line.number for line in found])

    def _read(self, line: bytes, now: Micros) -> _Line | None:
        line = line.strip()
        if not line:
            return None
        try:
            value = parse(line.decode()) if line.startswith(_MARK) else None
            if value is None or value["archiver"] not in _KINDS:
                message = Message("", None, _dialect(line, self._dialect), now, line)
                return _Line("wire", 0, [self._decoder.decode(message)])
            return self._read_exported(value, clean=b"\\u" not in line and line.isascii())
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            reason = f"a line of an export that is not readable ({type(error).__name__}: {error})"[:1000]
            return _Line("wire", 0, [Reject(line, reason, now)])

    def _read_exported(self, value: dict[str, Any], *, clean: bool) -> _Line | None:
        kind = value["archiver"]
        if kind == "export":
            self._archive = _text(value["archive"])
            self._part += 1
            self._last.clear()
            return None
        if kind == "session":
            return _Line(kind, 0, list(_session(value)), self._part, self._archive)
        record = _READERS[kind](value, clean)
        return _Line(kind, self._number(kind, value["id"]), [record], self._part, self._archive)

    def _number(self, kind: str, found: Any) -> int:
        """The number of a line: what is archived is told by the highest number, so they have to ascend."""
        if type(found) is not int or not self._last.get(kind, 0) < found < 1 << 62:
            raise ValueError(f"its number {found!r} does not follow {self._last.get(kind, 0)}")
        self._last[kind] = found
        return found


def _some(lines: Iterable[bytes], most: int) -> Iterator[list[bytes]]:
    """The lines in lists of bounded size, however long they are."""
    some: list[bytes] = []
    size = 0
    for line in lines:
        some.append(line)
        size += len(line)
        if len(some) >= most or size >= BATCH_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


class _Import:
    """One file on its way into the archive."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._own = recorder.identity()
        self.lines = self.events = self.duplicates = self.rejects = 0

    def record(self, lines: _Lines) -> None:
        """Archives some lines; of an export only what was not archived from it before."""
        self.lines += lines.lines
        if lines.archive is not None and lines.archive == self._own:
            self.duplicates += lines.lines if lines.kind == "event" else 0
            return
        records, upto = lines.records, None
        self._recorder.receiver = None
        if lines.kind in _NUMBERED and lines.archive is not None:
            self._recorder.receiver = f"export:{lines.archive}:{lines.kind}"
            position, upto = self._recorder.position(), lines.numbers[-1]
            known = bisect_right(lines.numbers, position)
            if known:
                records = records[known:]
            self.duplicates += known if lines.kind == "event" else 0
        done = self._recorder.record(records, upto)
        self.events += done.events
        self.duplicates += done.duplicates
        self.rejects += done.rejects


def _dialect(line: bytes, given: Dialect) -> Dialect:
    """A Docker Engine's messages are told by their look: `docker events --format json` needs no option."""
    return "docker" if speaks_docker(line) else given


def _session(value: dict[str, Any]) -> Iterator[Record]:
    stream, session, dialect = _known(value["stream"]), _known(value["session"]), value["dialect"]
    if dialect not in ("tutum", "docker"):
        raise ValueError(f"no dialect {dialect!r}")
    yield Opened(stream, session, dialect, _micros(value["opened_at"]), _micros(value["covered_from"]))
    yield Alive(stream, session, _micros(value["last_seen_at"]))
    if value["closed_at"] is not None:
        yield Closed(stream, session, _micros(value["closed_at"]), _said(value["reason"]), "imported")


def _event(value: dict[str, Any], clean: bool) -> Record:
    message = Message("", _text(value["session"]), "tutum", _micros(value["received_at"]), b"")
    event = decode_object(value["event"], message, clean=clean)
    if isinstance(event, Reject):
        raise ValueError(event.reason)
    name = _text(value.get("name"))
    return event if name is None else event._replace(name=name)


def _observation(value: dict[str, Any], _clean: bool) -> Record:
    facts = {key: value[key] for key in ("uri", "state", "name", "parents", "extra")}
    session = _text(value["session"])  # none of what an imported message told
    found = observe(Observed("", session or "", "tutum", _micros(value["observed_at"]), dump(facts).encode()))
    if isinstance(found, Reject):
        raise ValueError(found.reason)
    return found._replace(session=session)


def _reject(value: dict[str, Any], _clean: bool) -> Record:
    payload = base64.b64decode(value["payload"], validate=True)
    return Reject(payload, _said(value["reason"]), _micros(value["received_at"]), _text(value["session"]))


def _text(value: Any) -> str | None:
    return None if value is None else _known(value)


def _known(value: Any) -> str:
    """A text that identifies something; raises ValueError for anything else."""
    if type(value) is not str or not fits(value, MAX_URI):
        raise ValueError("one of its texts is none, or one that no column takes")
    return value


def _said(value: Any) -> str:
    """A reason, in whatever words; raises ValueError for anything else."""
    if type(value) is not str or not is_clean(value):
        raise ValueError("its reason is no text, or one that no column takes")
    return value


_READERS: dict[str, Callable[[dict[str, Any], bool], Record]] = {
    "event": _event,
    "observation": _observation,
    "reject": _reject,
}
_NUMBERED = frozenset(_READERS)
_KINDS = _NUMBERED | {"export", "session"}


def _micros(text: str) -> Micros:
    return to_micros(datetime.fromisoformat(text))
