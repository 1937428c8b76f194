"""What the archive answers; instants are `datetime` with zone UTC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from archiver.model.causes import Cause
from archiver.model.empty import Empty
from archiver.model.ends import EndKind
from archiver.model.ids import Number


class TimeRange(NamedTuple):
    """From `since` (inclusive) to `until` (exclusive), UTC; None is open."""

    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def ending_at(cls, moment: datetime, since: datetime | None = None) -> TimeRange:
        """The range whose last instant it is (without `since`, whose only one): names mean who bore them then."""
        end = None if moment.replace(tzinfo=None) == datetime.max else moment + timedelta(microseconds=1)
        return cls(moment if since is None else min(since, moment), end)


class Namesakes(NamedTuple):
    """Others that bore the name of a resource within the time that was asked about, and no more as that ended."""

    others: int
    """How many; 1,001 stands for any number beyond."""
    until: datetime
    """Until when the last of them bore it."""
    uris: tuple[str, ...]
    """Those that bore it last, a few of them, the last first."""


class Resource(NamedTuple):
    """An object of the platform as the archive knows it."""

    id: Number
    uri: str
    type: str
    key: str
    name: str | None
    parents: tuple[str, ...] = ()
    namesakes: Namesakes | None = None
    """Who else bore the name by which it was asked for; None: nobody, or it was asked for otherwise."""
    image: str | None = None
    """The last image known, as the platform writes it."""
    slot: str | None = None
    """The slot that it fills, or filled last: what lives on when a container is replaced."""
    platform: str | None = None
    """The name of its platform, where the archive has several."""

    @property
    def title(self) -> str:
        """What to call it in a sentence: its type and name, and behind that its URI; without a name its URI."""
        return f"{self.type} {self.name} ({self.uri})" if self.name else self.uri


class Gap(NamedTuple):
    """When nobody was watching a stream, and why; `until` None: still so."""

    stream: str | None
    since: datetime | None
    until: datetime | None
    reason: str
    """Why, for people."""
    kind: EndKind | None = None
    """Why, for programs; None: nobody wrote it down."""
    proven: bool = False
    """True: of the resource that an answer is about it is proven that it did not change in it; nothing is doubtful."""


class Coverage(NamedTuple):
    """Whether somebody was watching throughout a range, and when not."""

    gaps: tuple[Gap, ...]
    seen_to: datetime | None = None
    """The last sign of life within the range of any of the streams that speak for the answer; None: there was none."""
    since: datetime | None = None
    """Where the range begins; None: at the first session."""

    @property
    def complete(self) -> bool:
        """True when every stream was watched over the whole range, up to `seen_to`, or nothing can have changed."""
        gaps = self.doubtful
        if not gaps:
            return True
        if self.seen_to is None or (self.since is not None and self.since >= self.seen_to):
            return False
        return all(gap.since is not None and gap.since >= self.seen_to for gap in gaps)

    @property
    def doubtful(self) -> tuple[Gap, ...]:
        """The gaps that may hide something of what the answer is about."""
        return tuple([gap for gap in self.gaps if not gap.proven])


class Span(NamedTuple):
    """One state of one resource from one instant to another; `until` None: still so."""

    state: str
    since: datetime
    until: datetime | None
    events: int
    observed: bool = False
    """True when it was learnt by asking that it began, not from an event."""
    note: str = ""
    """What explains that it began, where the platform said so apart: "out of memory"."""
    seen: tuple[datetime, ...] = ()
    """When it was told or found to be so again, behind each gap in which nobody was watching: that ends the doubt."""
    certain: bool | None = None
    """True: somebody watched from its beginning to its end, or to the last sign of life; False: it is known from before
    a gap, or from behind one; None: nobody wrote down whether anybody was watching."""
    cause: Cause | None = None
    """Why it stopped; None: it is no end, or nothing is known of it."""
    kind: str | None = None
    """What kind of state it is, up, down, starting or gone; None: not known, or it was not asked for."""
    assumed: bool = False
    """True: it was so when the range began only as far as was known from before a gap."""

    @property
    def source(self) -> str:
        """What told of it first: an event, or an observation."""
        return "observation" if self.observed else "event"

    @property
    def seen_at(self) -> datetime | None:
        """When it was last seen again behind a gap; None: there was no gap in it, or it was not seen since."""
        return self.seen[-1] if self.seen else None


class History(NamedTuple):
    """The state timeline of one resource."""

    resource: Resource
    range: TimeRange
    coverage: Coverage
    spans: tuple[Span, ...]
    empty: Empty | None = None
    """Why there are no spans; None: there are some."""
    notes: tuple[Action, ...] = ()
    """The last hundred that were noted of it, of what it was under, or of everything."""

    @property
    def first(self) -> Span | None:
        """The first span."""
        return self.spans[0] if self.spans else None

    @property
    def last(self) -> Span | None:
        """The last span."""
        return self.spans[-1] if self.spans else None


class Timeline(NamedTuple):
    """A history of any length: its spans are read as they are asked for, once."""

    resource: Resource
    range: TimeRange
    coverage: Coverage
    first: Span | None
    last: Span | None
    spans: Iterator[Span]
    empty: Empty | None = None
    """Why there are no spans; None: there are some."""
    notes: tuple[Action, ...] = ()
    """The last hundred that were noted of it, of what it was under, or of everything."""


class Action(NamedTuple):
    """One action that ran on the platform."""

    uri: str | None
    """None: it was told as an event of its object alone, as what `docker run` and `docker rm` do."""
    target: str | None
    state: str | None
    started_at: datetime
    finished_at: datetime | None
    events: int
    name: str | None = None
    target_name: str | None = None
    """What its target was called when it began."""
    by: str | None = None
    """Who did it, where a source says so; `engine` and `swarm` do some things by themselves."""


class ArchivedEvent(NamedTuple):
    """An event as the archive keeps it."""

    id: Number
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
    """A resource with everything that is under it; of the root it says of when that is, and how well it was watched.

    The root of all that an archive knows has no URI, and the type "platform".
    """

    uri: str | None
    type: str
    name: str | None
    state: str | None
    since: datetime | None
    children: tuple[TreeNode, ...]
    gone_at: datetime | None = None
    """Since when it is no more; None: it lives."""
    image: str | None = None
    slot: str | None = None
    certain: bool | None = None
    """Whether somebody was watching since the state was told last; False: it is from before a gap; None: no state is
    known."""
    at: datetime | None = None
    """Of when the tree is; of that of now, the last sign of life, up to which it is known (None: there was none)."""
    coverage: Coverage | None = None
    empty: Empty | None = None
    """Why a platform has nothing in it; None: it has, or it is another root."""
    tags: tuple[str, ...] = ()
    """The tags that it bears, as far as is known."""
    platform: str | None = None
    """The name of its platform, where the archive has several."""
