"""Adds recorded events to an archive: JSON Lines as they came on the wire, or as `export` wrote them."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, NamedTuple

from archiver.ahead import ahead
from archiver.decoder import decode
from archiver.decoder.observation import observe
from archiver.decoder.text import dump, parse
from archiver.decoder.tutum import decode_object
from archiver.model import (
    Alive,
    Closed,
    Dialect,
    Event,
    EventColumns,
    Message,
    Micros,
    Observed,
    Opened,
    Reject,
    now_micros,
    to_micros,
)
from archiver.storage.recorder import Record, Recorder, Records

BATCH = 5000
_MARK = b'{"archiver":'


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
    source: str = "-",
    dialect: Dialect = "tutum",
) -> ImportResult:
    """Archives lines, a batch and a transaction at a time; blank lines count as nothing.

    Events without a uuid are never recognised again: the same file imported twice stands there twice. An export is
    recognised by the identity of the archive that wrote it.
    Raises what `Recorder.record` raises; keeps what it cannot read as rejects.
    """
    with Recorder(url) as recorder:
        work = _Import(recorder)
        with closing(ahead(_Reader(dialect).batches(lines))) as batches:
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


class _Batch(NamedTuple):
    """Some lines of one kind, from the same archive's export."""

    kind: str
    archive: str | None
    lines: int
    records: Records
    numbers: list[int]
    """For lines of an export: the number of each record there."""


class _Reader:
    """Turns lines into batches of records."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._archive: str | None = None

    def batches(self, lines: Iterable[bytes]) -> Iterator[_Batch]:
        """Everything that the lines say, some thousand lines at a time."""
        numbered = iter(lines)
        while some := list(islice(numbered, BATCH)):
            # One instant for them all: when a recorded event was first received, nobody knows any more.
            now = now_micros()
            read = (self._read(line, now) for line in some)
            for kind, group in groupby((line for line in read if line is not None), _kind):
                found = list(group)
                records: Records = [record for line in found for record in line.records]
                if set(map(type, records)) == {Event}:
                    records = EventColumns.of(records)  # type: ignore[arg-type]
                yield _Batch(kind, self._archive, len(found), records, [line.number for line in found])

    def _read(self, line: bytes, now: Micros) -> _Line | None:
        if not line.startswith(_MARK):
            line = line.strip()
            return _Line("wire", 0, [decode(Message("", None, self._dialect, now, line))]) if line else None
        try:
            return self._read_exported(parse(line.decode().strip()), clean=b"\\u" not in line)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
            reason = f"a line of an export that is not readable ({error})"
            return _Line("wire", 0, [Reject(line.strip(), reason, now)])

    def _read_exported(self, value: dict[str, Any], *, clean: bool) -> _Line | None:
        kind = value["archiver"]
        if kind == "export":
            self._archive = value["archive"]
            return None
        if kind == "session":
            return _Line(kind, 0, list(_session(value)))
        return _Line(kind, value["id"], [_READERS[kind](value, clean)])


_kind = attrgetter("kind")


class _Import:
    """One file on its way into the archive."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.lines = self.events = self.duplicates = self.rejects = 0

    def record(self, batch: _Batch) -> None:
        """Archives a batch; of an export only what was not archived from it before."""
        self.lines += batch.lines
        records, upto = batch.records, None
        self._recorder.receiver = None
        if batch.kind in _NUMBERED and batch.archive is not None:
            self._recorder.receiver = f"export:{batch.archive}:{batch.kind}"
            position, upto = self._recorder.position(), batch.numbers[-1]
            known = bisect_right(batch.numbers, position)
            if known:
                records = (records.events() if isinstance(records, EventColumns) else records)[known:]
            self.duplicates += known if batch.kind == "event" else 0
        done = self._recorder.record(records, upto)
        self.events += done.events
        self.duplicates += done.duplicates
        self.rejects += done.rejects


def _session(value: dict[str, Any]) -> Iterator[Record]:
    stream, session = value["stream"], value["session"]
    yield Opened(stream, session, value["dialect"], _micros(value["opened_at"]), _micros(value["covered_from"]))
    yield Alive(stream, session, _micros(value["last_seen_at"]))
    if value["closed_at"] is not None:
        yield Closed(stream, session, _micros(value["closed_at"]), value["reason"])


def _event(value: dict[str, Any], clean: bool) -> Record:
    message = Message("", value["session"], "tutum", _micros(value["received_at"]), b"")
    name = value.get("name")
    event = decode_object(value["event"], message, clean=clean)
    return event._replace(name=name) if isinstance(event, Event) else event


def _observation(value: dict[str, Any], _clean: bool) -> Record:
    facts = {key: value[key] for key in ("uri", "state", "name", "parents", "extra")}
    observed = Observed("", value["session"], "tutum", _micros(value["observed_at"]), dump(facts).encode())
    return observe(observed)


def _reject(value: dict[str, Any], _clean: bool) -> Record:
    payload = base64.b64decode(value["payload"], validate=True)
    return Reject(payload, value["reason"], _micros(value["received_at"]), value["session"])


_READERS: dict[str, Callable[[dict[str, Any], bool], Record]] = {
    "event": _event,
    "observation": _observation,
    "reject": _reject,
}
_NUMBERED = frozenset(_READERS)


def _micros(text: str) -> Micros:
    return to_micros(datetime.fromisoformat(text))
