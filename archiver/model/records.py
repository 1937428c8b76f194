"""What the decoder makes of what a source said: the records that are archived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, TypeVar

from archiver.model.items import Alive, Closed, Condition, Dialect, Message, Opened
from archiver.model.moments import Micros, to_datetime

R = TypeVar("R")

TimeSource = Literal["datetime", "date", "received", "told", "engine"]
"""Where an event's time is from: a key of its own, when it was received or told, or the clock of an engine.

told: the platform dates it anew whenever it tells of it. engine: the engine's own time, put right by what its clock is
found to be ahead of ours, and by the order of what it told; whoever hears it finds another. Of both, the time is no
part of what makes the event the one it is.
"""


class Event(NamedTuple):
    """A decoded message.

    Texts are clean (no NUL, no lone surrogate) and of bounded length; whatever is not stands in `extra` instead, so
    that the original JSON value can always be rebuilt (`codec.events.rebuild`).
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
    image: str | None = None
    """The image that it says its resource is made of, as the platform writes it."""
    slot: str | None = None
    """The place in its service that it says its resource fills: what lives on when a container is replaced."""
    platform: int | None = None
    """The number of the platform that it happened in; the recorder finds it."""

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
    image: tuple[str | None, ...]
    slot: tuple[str | None, ...]
    platform: tuple[int | None, ...]

    @classmethod
    def of(cls, events: Sequence[Event]) -> EventColumns:
        """The columns of some events."""
        return cls(*zip(*events, strict=True)) if events else cls(*[()] * len(cls._fields))

    def events(self) -> list[Event]:
        """The events again, one by one."""
        return list(map(Event._make, zip(*self, strict=True)))


class Reject(NamedTuple):
    """A message that could not become an event, kept byte for byte with the reason."""

    payload: bytes
    reason: str
    received_at: Micros
    session: str | None = None

    @classmethod
    def of(cls, message: Message, reason: str) -> Reject:
        """What is kept of a message when it cannot become an event."""
        return cls(message.payload, reason, message.received_at, message.session)


class Observation(NamedTuple):
    """A state learnt by asking the platform rather than from an event: what is archived of an `Observed`."""

    uri: str
    state: str | None
    name: str | None
    parents: tuple[str, ...]
    observed_at: Micros
    extra: str | None
    session: str | None = None
    inferred: bool = False
    """Whether name and parents are those that the object had in the end, since the answer's own were not kept."""
    image: str | None = None
    slot: str | None = None
    platform: int | None = None
    """The number of the platform that it was found in; the recorder finds it."""


class Answers(NamedTuple):
    """What a platform answered about several objects; archived as far as it says what the archive does not know."""

    observations: tuple[Observation, ...]
    asked: Micros
    """When it was asked, by our clock; what was received since then is newer."""
    known_from: Micros
    """A state that was told before this instant of the platform's clock is archived once more: nobody watched."""


class Listed(NamedTuple):
    """Everything that a platform has, by type: what the archive believes to live, and is not in it, is gone."""

    keys: Mapping[str, frozenset[str]]
    """The keys of all objects of each type; of a type that is not named, nobody knows."""
    at: Micros
    """When they were asked for, by the clock that dates the platform's events."""
    asked: Micros
    """The same by our clock; what was received since then may not be in it yet."""
    session: str | None = None


class Telling(NamedTuple):
    """That another session told of an archived event, too: out of an export, whose events came before."""

    occurred_at: Micros
    uuid: str
    """Time and uuid of the event."""
    session: str
    received_at: Micros
    platform: str | None = None
    """The key of the event's platform; None: that of which the session's stream tells."""


class Platform(NamedTuple):
    """What objects live in, an account, a swarm, an engine, as an export tells of it."""

    key: str
    """What tells it from all others."""
    name: str
    dialect: Dialect | None
    identities: tuple[str, ...]
    """All by which it has ever identified itself."""
    streams: tuple[tuple[str, Dialect], ...]
    """The streams that tell of it, and how their messages are decoded."""


class Together(NamedTuple):
    """What one message tells of several objects; one record, so that a message stays one step of a receiver."""

    records: tuple[Event | Observation, ...]


Record = (
    Event
    | Reject
    | Observation
    | Answers
    | Listed
    | Telling
    | Together
    | Opened
    | Alive
    | Closed
    | Condition
    | Platform
)
"""What is archived: what a source said, decoded."""


class Batch:
    """Records on their way into the archive, in the order in which they came.

    A batch of nothing but events, which nearly all are, may be made of columns and then costs nothing an event.
    """

    def __init__(self, records: Sequence[Record] | EventColumns) -> None:
        self._columns: EventColumns | None = None
        self._records: Sequence[Record] = ()
        if isinstance(records, EventColumns):
            self._columns = records
        elif set(map(type, records)) == {Event}:
            self._columns = EventColumns.of(records)  # type: ignore[arg-type]
        else:
            self._records = records

    @classmethod
    def of(cls, records: Batch | Sequence[Record]) -> Batch:
        """The records as a batch; a batch is one already."""
        return records if isinstance(records, Batch) else cls(records)

    def __len__(self) -> int:
        return len(self._records if self._columns is None else self._columns.type)

    def __getitem__(self, part: slice) -> Batch:
        if self._columns is None:
            return Batch(self._records[part])
        return Batch(EventColumns._make([column[part] for column in self._columns]))

    def part(self, start: int, most: int, most_parents: int) -> Batch:
        """At most so many records from a place on, which name no more than so many parents; one at least."""
        part = self[start : start + most]
        while len(part) > 1 and part.parents > most_parents:
            part = part[: len(part) // 2]
        return part

    @property
    def parents(self) -> int:
        """How many parents are named; a list that several records repeat counts once."""
        columns = self._columns
        if columns is not None:
            return sum(map(len, set(columns.parents)))
        return sum(map(len, {one.parents for one in self._flat() if isinstance(one, (Event, Observation))}))

    @property
    def only_events(self) -> EventColumns | None:
        """The columns of a batch that is nothing but events; None for any other."""
        return self._columns

    @property
    def events(self) -> EventColumns:
        """The events among the records, by column."""
        return self._columns if self._columns is not None else EventColumns.of(self.of_kind(Event))

    def of_kind(self, kind: type[R]) -> list[R]:
        """The records of one kind, in their order; of events rather `events`."""
        return [record for record in self._flat() if type(record) is kind]

    def asked(self) -> list[Answers | Listed]:
        """What a platform answered that was asked about everything, in the order of the answers."""
        if self._columns is not None:
            return []
        return [record for record in self._records if isinstance(record, (Answers, Listed))]

    def _flat(self) -> Iterator[Record]:
        for record in self._records:
            if isinstance(record, Together):
                yield from record.records
            else:
                yield record

    def __iter__(self) -> Iterator[Record]:
        """All records, one by one."""
        return iter(self._records if self._columns is None else self._columns.events())
