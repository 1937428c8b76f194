"""Turns the text of a recording or of an export into batches of records."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from archiver.codec.events import NO_PARENTS
from archiver.codec.framing import JsonObjects
from archiver.codec.secrets import blanked
from archiver.errors import BadInput
from archiver.model import Batch, Dialect, Event, Message, Micros, Record, Reject, Together, now_micros
from archiver.platforms.decoders import Decoder
from archiver.platforms.docker.decoder import speaks_docker
from archiver.platforms.docker.recorded import in_envelope
from archiver.transfer.format import FORMAT, MARK
from archiver.transfer.lines import Export, LaterFormat
from archiver.transfer.recordings import understand

BATCH = 20_000
"""So many lines a transaction: what is born and gone within one is written once, an index's page once for many."""
BATCH_BYTES = 16 << 20
LONGEST = 16 << 20
"""Bytes of an object that are taken; what is longer can only become a reject, and must not fill the memory."""
_DOCKER_TIME = re.compile(rb'"time(?:Nano)?":\s*\d').search
_NOTHING_MORE = (None, NO_PARENTS)
"""What is beside the columns of an event that says nothing but what they hold."""
NO_TIME = "it has no time of its own; --dated-by says how to date it"


class How(NamedTuple):
    """How a recording is to be read."""

    source: str = "-"
    """What it is called."""
    dialect: Dialect = "tutum"
    """What is spoken in it, where the messages do not show it themselves."""
    dated_by: Micros | None = None
    """When events happened that have no time; None: there must be none."""
    engine: Mapping[str, str] = {}
    """Which Docker Engine its messages are from: `engine`, `node`, `swarm`, each where it is known."""
    platform: str | None = None
    """Of which platform it tells, by key or name; None: of the only one, or nobody knows."""


class Part(NamedTuple):
    """Some lines of one kind, from the same archive's export."""

    kind: str
    export: int
    """Which of the exports in the text it is from; 0 where none has begun."""
    name: str | None
    """What tells that export from all others; None where that is not certain."""
    lines: int
    records: Batch
    numbers: list[int]
    """For lines of an export: the number of each record there."""
    lacks: str | None = None
    """With the last lines: what of an export is not there, in words."""
    platform: str | None = None
    """For lines of an export: the key of the platform that these are of, where they say so themselves."""


class _Group:
    """Lines of one kind that follow one another."""

    def __init__(self, kind: str, export: int, name: str | None, platform: str | None = None) -> None:
        self.kind, self.export, self.name, self.platform = kind, export, name, platform
        self.lines = 0
        self.records: list[Record] = []
        self.numbers: list[int] = []
        self.undated: list[tuple[int, bytes]] = []
        """Events without a time of their own: their places among the records, and what they were read from."""

    def done(self) -> Part:
        whose = self.platform
        return Part(self.kind, self.export, self.name, self.lines, Batch(self.records), self.numbers, platform=whose)


class Reader:
    """Reads one recording, or exports, or both in turn."""

    def __init__(self, how: How, *, only_counts: bool = False, batch_lines: int = BATCH) -> None:
        """`only_counts`: events without a time are counted, and neither refused nor rejected."""
        self._how = how
        self._only_counts = only_counts
        self._batch_lines = batch_lines
        self._first = True
        self._decoder = Decoder()
        self._export = Export()
        self.events = self.undated = 0
        """How many events of recordings were read, and how many of them have no time."""

    def batches(self, pieces: Iterable[bytes]) -> Iterator[Part]:
        """Everything that the text says, some thousand lines at a time; an empty piece brings what is there.

        Raises BadInput when the first batch has events without a time and nobody has said how to date them; such events
        that come later are rejects.
        """
        for some in _some(_framed(pieces), self._batch_lines):
            groups = self._read(some)
            for group in groups:
                if group.kind == "wire":
                    self._date(group)
            if self.undated and self._first and not self._only_counts and self._how.dated_by is None:
                raise undated(self._how.source, self.undated, self.events, "of what came first")
            self._first = False
            yield from (group.done() for group in groups)
        if lacks := self._export.lacks():
            yield Part("end", self._export.part, None, 0, Batch(()), [], lacks)

    def _read(self, some: list[tuple[bytes, str | None]]) -> list[_Group]:
        # One instant for them all: when a recorded event was first received, nobody knows any more.
        now = now_micros() if self._how.dated_by is None else self._how.dated_by
        groups: list[_Group] = []
        wire: _Group | None = None
        for payload, refused in some:
            if payload.startswith(MARK) and refused is None and self._read_exported(payload, groups, now):
                wire = None
                continue
            if wire is None:
                wire = _Group("wire", 0, None)
                groups.append(wire)
            wire.lines += 1
            if refused is not None:
                wire.records.append(_rejected(payload, refused, now))
                continue
            docker = speaks_docker(payload)
            # What a message of Docker means depends on those before it: it is decoded once, when its time is plain.
            record = None if docker and not _DOCKER_TIME(payload) else self._decode(payload, now, docker)
            event = _event_of(record)
            if event is not None and event.time_source != "received":  # as on the wire: nearly all are
                wire.records.append(record)  # type: ignore[arg-type]
            elif type(record) is Event and record.extra in _NOTHING_MORE and not docker:  # nor is a time beside it
                wire.undated.append((len(wire.records), payload))
                wire.records.append(record)
            else:
                self._understand(wire, payload, now)
        return groups

    def _understand(self, group: _Group, payload: bytes, now: Micros) -> None:
        """Reads what is not plainly an event with a time."""
        found = understand(payload)
        for said in found:
            # What stands alone is kept as it stood there, with all that is around it.
            whole = payload if len(found) == 1 else said.payload
            if said.reason is not None:
                group.records.append(_rejected(whole, said.reason, now))
                continue
            at = now if said.at is None else said.at
            docker = speaks_docker(said.payload)
            record = self._decode(said.dated if docker and said.dated else said.payload, at, docker)
            event = _event_of(record)
            if event is not None and event.time_source == "received" and said.dated is not None and not docker:
                record = self._decode(said.dated, at, docker)
                event = _event_of(record)
            if event is None:
                reason = record.reason if isinstance(record, Reject) else "not an event"
                group.records.append(_rejected(whole, reason, now))
                continue
            if event.time_source == "received" and said.unreadable is not None:
                group.records.append(_rejected(whole, said.unreadable, now))
                continue
            if said.name is not None and type(record) is Event:
                record = record._replace(name=said.name)
            if said.time_source is not None and type(record) is Event:
                record = record._replace(time_source=said.time_source)
            if event.time_source == "received" and said.at is None:
                group.undated.append((len(group.records), whole))
            group.records.append(record)

    def _decode(self, payload: bytes, at: Micros, docker: bool) -> Record:
        if docker and self._how.engine:
            payload = in_envelope(payload, self._how.engine)
        return self._decoder.decode(Message("", None, "docker" if docker else self._how.dialect, at, payload))

    def _date(self, group: _Group) -> None:
        """Counts the events without a time, and rejects them where nobody has said how to date them."""
        self.events += sum(type(record) in (Event, Together) for record in group.records)
        places = {place for place, _ in group.undated}
        dated = (
            [n for n, record in enumerate(group.records) if type(record) is Event and n not in places] if places else []
        )
        for place, payload in group.undated:
            record = group.records[place]
            if dated and isinstance(record, Event) and _is_greeting(record):  # it came just before what follows it
                near = group.records[dated[min(bisect(dated, place), len(dated) - 1)]]
                assert isinstance(near, Event)
                group.records[place] = record._replace(occurred_at=near.occurred_at, received_at=near.occurred_at)
                continue
            self.undated += 1
            if self._how.dated_by is None and not self._first and not self._only_counts:
                group.records[place] = _rejected(payload, NO_TIME, now_micros())

    def _read_exported(self, payload: bytes, groups: list[_Group], now: Micros) -> bool:
        """Reads a line of an export; False for one that only looks like it."""
        try:
            line = self._export.read(payload)
        except LaterFormat as error:
            reason = f"its export is of format {error}, and this archiver reads up to {FORMAT}"
            raise BadInput(source=self._how.source, reason=reason, hint="upgrade the archiver") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            reason = f"a line of an export that is not readable ({type(error).__name__}: {error})"[:1000]
            group = _Group("wire", 0, None)
            group.records.append(_rejected(payload, reason, now))
            group.lines = 1
            groups.append(group)
            return True
        if line is None:
            return False
        if line.kind in ("export", "end"):
            return True
        of = (line.kind, self._export.part, self._export.name, line.platform)
        last = groups[-1] if groups else None
        if last is None or (last.kind, last.export, last.name, last.platform) != of:
            last = _Group(*of)
            groups.append(last)
        last.lines += 1
        last.records += line.records
        last.numbers.append(line.number)
        return True


def undated(source: str, count: int, events: int, which: str) -> BadInput:
    """The refusal of a recording with events that have no time."""
    reason = f"{count:,} of {events:,} events {which} have no time of their own; nothing was archived"
    return BadInput(
        source=source,
        reason=reason,
        hint="say when they happened: --dated-by TIME, or --dated-by import for the time of this import",
    )


def _event_of(record: Record | None) -> Event | None:
    """The event that a message tells first; None for a reject."""
    if type(record) is Together:
        record = next((part for part in record.records if type(part) is Event), None)
    return record if type(record) is Event else None


def _is_greeting(event: Event) -> bool:
    """Whether it is what the old streams sent first: it names no object, and has no time."""
    return event.type.lower() == "auth" and event.resource_uri is None


def _rejected(payload: bytes, reason: str, now: Micros) -> Reject:
    return Reject(blanked(payload), blanked(reason.encode(errors="backslashreplace")).decode(), now)


def _framed(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, str | None] | None]:
    """The lines; None where an empty piece says that nothing more comes for a while."""
    objects = JsonObjects(LONGEST)
    for piece in pieces:
        yield from objects.feed(piece)
        if not piece:
            yield None
    yield from objects.end()


def _some(framed: Iterable[tuple[bytes, str | None] | None], most: int) -> Iterator[list[tuple[bytes, str | None]]]:
    """The lines in lists of bounded size, however long they are; what is there when nothing more comes, too.

    A greeting waits for what follows it, which says when it came.
    """
    some: list[tuple[bytes, str | None]] = []
    size = 0
    for line in framed:
        if line is not None:
            some.append(line)
            size += len(line[0])
            ready = len(some) if len(some) >= most or size >= BATCH_BYTES else 0
        else:
            ready = next((n for n in range(len(some), 0, -1) if not _looks_like_greeting(some[n - 1][0])), 0)
        if ready:
            yield some[:ready]
            some = some[ready:]
            size = sum(len(payload) for payload, _ in some)
    if some:
        yield some


def _looks_like_greeting(line: bytes) -> bool:
    return b'"auth"' in line.lower() and not _looks_dated(line)


def plainly_dated(pieces: Iterable[bytes]) -> bool:
    """Whether every line looks like an event with a time; a quick look, before anything is archived."""
    rest = b""
    dated = True
    for piece in pieces:
        if dated:
            *lines, rest = (rest + piece).split(b"\n")
            dated = len(rest) <= LONGEST and all(map(_looks_dated, lines))
    return dated and _looks_dated(rest)


def _looks_dated(line: bytes) -> bool:
    return b'"date' in line or b'"timeNano"' in line or line.startswith(MARK) or not line.strip()
