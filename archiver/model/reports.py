"""What reports answer: how available things were, what restarted, how well streams were watched."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from archiver.model.answers import Coverage, Resource, TimeRange
from archiver.model.causes import Cause
from archiver.model.empty import Empty
from archiver.model.moments import duration

Per = Literal["day", "slot", "service", "node", "image", "container"]
"""By what a report is sliced."""


class Subject(NamedTuple):
    """What a row is about."""

    uri: str | None
    """None: it is no resource, as an image or a slot."""
    type: str
    name: str | None
    platform: str | None = None
    """The name of its platform, where the archive has several."""


Sentence = tuple["str | Subject | datetime | timedelta", ...]
"""A sentence for people, in parts: words, and what each medium shows in its own way."""


class Remark(str):
    """A sentence as text: instants in UTC, and behind a name that others have as well its URI."""

    parts: Sentence

    def __new__(cls, parts: Sentence, alike: Collection[str] = ()) -> Remark:
        """The sentence of these parts; `alike`: names that several things have."""
        made = super().__new__(cls, "".join(_shown(part, alike) for part in parts))
        made.parts = parts
        return made


def _shown(part: str | Subject | datetime | timedelta, alike: Collection[str]) -> str:
    if isinstance(part, Subject):
        named = part.name or part.uri or ""
        return f"{named} ({part.uri})" if part.uri and part.name in alike else named
    if isinstance(part, datetime):
        return f"{part.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return duration(part) if isinstance(part, timedelta) else part


class Available(NamedTuple):
    """How long something was up, in four parts that make up its life within the range."""

    day: str | None
    subject: Subject | None
    """None: all together."""
    up_seconds: float
    down_seconds: float
    """Down or starting, and nobody wanted it so; a loop of crashes too."""
    planned_seconds: float
    """Down or starting since somebody told it to stop."""
    unknown_seconds: float
    """Nobody was watching, or the state is of no known kind."""

    @property
    def availability(self) -> float | None:
        """up / (up + down); None: nothing of both is known."""
        return _part(self.up_seconds, self.up_seconds + self.down_seconds)

    @property
    def worst(self) -> float | None:
        """Had it been down whenever nobody knows."""
        return _part(self.up_seconds, self.up_seconds + self.down_seconds + self.unknown_seconds)

    @property
    def best(self) -> float | None:
        """Had it been up whenever nobody knows."""
        known = self.up_seconds + self.unknown_seconds
        return _part(known, known + self.down_seconds)


def _part(of: float, whole: float) -> float | None:
    return of / whole if whole else None


class Restart(NamedTuple):
    """A stop, and the start that followed it, if one did, of the same container or of what took its slot."""

    subject: Subject
    slot: str | None
    stopped_at: datetime
    started_at: datetime | None
    """None: it never came back."""
    down_seconds: float | None
    cause: Cause
    certain: bool | None


class Restarts(NamedTuple):
    """How often something stopped, and why; and how often it came back, or did not."""

    day: str | None
    subject: Subject | None
    restarts: int
    """How often it came back."""
    told: int
    forced: int
    crash: int
    oom: int
    unknown: int
    down_seconds: float
    """Until it came back."""
    not_back: int = 0
    """How often it never came back."""


class Deploy(NamedTuple):
    """An update or redeploy of a service or a stack, until it was settled again; of Compose what it recreated."""

    subject: Subject
    action: str | None
    """URI of the action that began it."""
    started_at: datetime
    finished_at: datetime | None
    seconds: float | None
    result: Literal["ok", "failed", "rolled back", "open"]
    image_before: str | None
    image_after: str | None
    recovered_seconds: float | None
    by: str | None
    certain: bool | None
    why: str | None = None
    """What was different, as far as is known: image, configuration, image and configuration, neither."""
    containers: int | None = None
    """How many containers Compose recreated; None: the platform does not say it so."""
    not_up: tuple[str, ...] = ()
    """Which of these crashed, or never ran."""


class Flap(NamedTuple):
    """A stretch of time in which something changed its state again and again."""

    subject: Subject
    since: datetime
    until: datetime
    seconds: float
    changes: int
    certain: bool | None


class Watched(NamedTuple):
    """How long a stream was watched."""

    day: str | None
    stream: str
    watched_seconds: float
    unwatched_seconds: float
    gaps: int
    longest_seconds: float


class Report(NamedTuple):
    """The answer of a report."""

    report: str
    resource: Resource | None
    """None: everything."""
    range: TimeRange
    per: Per | None
    zone: str
    """Of which zone its days are."""
    coverage: Coverage
    rows: tuple[Any, ...]
    notes: tuple[Remark, ...]
    """What it does not know, and what should not be overlooked."""
    total: Available | None = None
    """Of availability: all rows together."""
    empty: Empty | None = None
    """Why there are no rows; None: there are some."""
    inherited: bool = False
    """Of availability: some of what stood when the range began was last told before a gap; until it is told again
    nobody knows how it was, also where the range itself was watched."""
