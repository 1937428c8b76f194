"""The values that travel through the archiver, all frozen.

Instants on the way in (socket to row) are whole microseconds since 1970-01-01 UTC, type `Micros`;
instants in answers are `datetime` with zone UTC. All are named tuples: a dataclass costs every start of a command a
millisecond more.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Micros = int
"""An instant: microseconds since 1970-01-01T00:00:00 UTC."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def now_micros() -> Micros:
    """The wall clock, in microseconds UTC."""
    return time.time_ns() // 1000


def to_micros(moment: datetime) -> Micros:
    """An aware datetime as microseconds UTC, exactly."""
    return (moment - EPOCH) // MICROSECOND


def to_datetime(moment: Micros) -> datetime:
    """Microseconds UTC as an aware datetime, exactly."""
    return EPOCH + timedelta(microseconds=moment)


@lru_cache(maxsize=4096)
def _second(moment: int) -> str:
    whole = EPOCH + timedelta(seconds=moment)
    return f"{whole.year:04d}{whole:-%m-%dT%H:%M:%S}"


@lru_cache(maxsize=4096)
def iso(moment: Micros) -> str:
    """Microseconds UTC as fixed-width ISO 8601, ``2026-11-23T18:35:17.000000Z``: sorts as text, and SQL reads it.

    Remembers its last answers, since messages come in bursts and most platforms date them by the second.
    """
    second, micros = divmod(moment, 1_000_000)
    return f"{_second(second)}.{micros:06d}Z"


# --- what a source yields, and what the spool keeps -------------------------------------------------------------

Dialect = Literal["tutum", "docker"]
"""How a message is to be decoded. Tutum and Docker Cloud speak the same JSON."""


class Opened(NamedTuple):
    """A connection to a stream was opened."""

    stream: str
    """The stream's URL without credentials."""
    session: str
    """The session's own identity, a random hex text."""
    dialect: Dialect
    at: Micros
    covered_from: Micros
    """From when on the stream delivers everything: `at`, or earlier when the platform replays its past."""


class Message(NamedTuple):
    """What a stream delivered: raw bytes and receive time; the unit of the spool."""

    stream: str
    session: str | None
    """None only for what is imported: nobody was connected then."""
    dialect: Dialect
    received_at: Micros
    payload: bytes
    resume: str | None = None
    """Where to read on after this message, in the source's own words; None where a stream cannot replay."""
    refused: str | None = None
    """Why the source itself could not take the message whole; `payload` is then a prefix of it."""

    def reject(self, reason: str) -> Reject:
        """What is kept of it when it cannot become an event."""
        return Reject(self.payload, reason, self.received_at, self.session)


class Observed(NamedTuple):
    """A source asked the platform about one object and got this answer (JSON, see `Observation`)."""

    stream: str
    session: str
    dialect: Dialect
    at: Micros
    payload: bytes


class Alive(NamedTuple):
    """A stream that has nothing to say has shown that it is there."""

    stream: str
    session: str
    at: Micros


class Closed(NamedTuple):
    """A connection to a stream ended."""

    stream: str
    session: str
    at: Micros
    """The last instant at which the stream is known to have been alive."""
    reason: str


Item = Opened | Message | Observed | Alive | Closed
"""Whatever a source yields, in the order it happened."""


# --- what the decoder makes of a message --------------------------------------------------------------------------

TimeSource = Literal["datetime", "date", "received"]


class Event(NamedTuple):
    """A decoded message.

    Texts are clean (no NUL, no lone surrogate) and of bounded length; whatever is not stands in `extra` instead, so
    that the original JSON value can always be rebuilt (`decoder.rebuild`).
    """

    type: str
    action: str | None
    state: str | None
    resource_uri: str | None
    parents: tuple[str, ...]
    occurred_at: Micros
    time_source: TimeSource
    received_at: Micros
    uuid: str | None
    extra: str | None
    """JSON text (ASCII) of an object holding what the other fields do not; None when they hold everything."""
    session: str | None = None
    name: str | None = None
    """A name the event gives its resource (Docker does, Tutum does not)."""

    @property
    def time(self) -> datetime:
        """When it happened, as an aware datetime in UTC."""
        return to_datetime(self.occurred_at)


class EventColumns(NamedTuple):
    """Many events, field by field: what is done once for a column is not done by the interpreter once an event."""

    type: tuple[str, ...]
    action: tuple[str | None, ...]
    state: tuple[str | None, ...]
    resource_uri: tuple[str | None, ...]
    parents: tuple[tuple[str, ...], ...]
    occurred_at: tuple[Micros, ...]
    time_source: tuple[TimeSource, ...]
    received_at: tuple[Micros, ...]
    uuid: tuple[str | None, ...]
    extra: tuple[str | None, ...]
    session: tuple[str | None, ...]
    name: tuple[str | None, ...]

    @classmethod
    def of(cls, events: Sequence[Event]) -> EventColumns:
        """The columns of some events."""
        return cls(*zip(*events, strict=True)) if events else cls(*[()] * len(cls._fields))

    def events(self) -> list[Event]:
        """The events again."""
        return list(map(Event._make, zip(*self, strict=True)))


class Reject(NamedTuple):
    """A message that could not become an event, kept byte for byte with the reason."""

    payload: bytes
    reason: str
    received_at: Micros
    session: str | None = None


class Observation(NamedTuple):
    """A state learnt by asking the platform rather than from an event."""

    uri: str
    state: str | None
    name: str | None
    parents: tuple[str, ...]
    observed_at: Micros
    extra: str | None
    session: str | None = None


class ResourceRef(NamedTuple):
    """What identifies a resource: its type, and its key within the type."""

    type: str
    key: str


# --- answers --------------------------------------------------------------------------------------------------------


class TimeRange(NamedTuple):
    """From `since` (inclusive) to `until` (exclusive), UTC; None is open."""

    since: datetime | None = None
    until: datetime | None = None


class Resource(NamedTuple):
    """An object of the platform as the archive knows it."""

    id: int
    uri: str
    type: str
    key: str
    name: str | None
    parents: tuple[str, ...] = ()


class Gap(NamedTuple):
    """When nobody was watching a stream, and why; `until` None: still so."""

    stream: str | None
    since: datetime | None
    until: datetime | None
    reason: str


class Coverage(NamedTuple):
    """Whether somebody was watching throughout a range, and when not."""

    gaps: tuple[Gap, ...]

    @property
    def complete(self) -> bool:
        """True when every stream was watched over the whole range."""
        return not self.gaps


class Span(NamedTuple):
    """One state of one resource from one instant to another; `until` None: still so."""

    state: str
    since: datetime
    until: datetime | None
    events: int
    observed: bool = False
    """True when the state was learnt by asking, not from an event."""


class History(NamedTuple):
    """The state timeline of one resource."""

    resource: Resource
    range: TimeRange
    coverage: Coverage
    spans: tuple[Span, ...]


class Action(NamedTuple):
    """One action that ran on the platform."""

    uri: str
    target: str | None
    state: str | None
    started_at: datetime
    finished_at: datetime | None
    events: int
    name: str | None = None


class ArchivedEvent(NamedTuple):
    """An event as the archive keeps it."""

    id: int
    type: str
    action: str | None
    state: str | None
    resource_uri: str | None
    parents: tuple[str, ...]
    occurred_at: datetime
    received_at: datetime
    uuid: str | None
    name: str | None = None
    extra: Mapping[str, Any] = MappingProxyType({})


class TreeNode(NamedTuple):
    """A resource with everything that is under it."""

    uri: str
    type: str
    name: str | None
    state: str | None
    since: datetime | None
    children: tuple[TreeNode, ...]


class StreamStatus(NamedTuple):
    """How things stand with one stream: its last session, and how often nobody was watching."""

    url: str
    connected: bool
    opened_at: datetime | None
    last_seen_at: datetime | None
    closed_at: datetime | None
    reason: str | None
    gaps: int


class Status(NamedTuple):
    """How things stand with an archive; `size_bytes` is None where it cannot be told."""

    database: str
    revision: str
    events: int
    rejects: int
    resources: int
    first_event_at: datetime | None
    last_event_at: datetime | None
    size_bytes: int | None
    streams: tuple[StreamStatus, ...]
