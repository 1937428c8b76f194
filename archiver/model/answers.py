"""What the archive answers; instants are `datetime` with zone UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple


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
    note: str = ""
    """What explains that it began, where the platform said so apart: "out of memory"."""


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
    time_source: str | None = None
    """Where `occurred_at` is from: the event's own `datetime` or `date`, or, as it had none, when it was `received`."""


class WholeEvent(NamedTuple):
    """One event with all that it said, which may be command lines, labels and other secrets."""

    event: ArchivedEvent
    session: str | None
    """The session it came in, and of which stream; None: imported without."""
    stream: str | None
    said: Mapping[str, Any]
    """The JSON value that the platform sent; of Docker the engine's own message."""
    noted: Mapping[str, Any]
    """What was noted beside the message when it came: which engine, node and swarm it was."""


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
    trouble: str | None = None
    """Why it cannot be reached at present, or what of it was not understood; None: no trouble."""
    trouble_since: datetime | None = None
    """When that was last found."""
    clock_offset_seconds: float | None = None
    """How far the platform's clock is ahead of ours; None: not known."""


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
