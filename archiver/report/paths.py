"""The questions as paths under `/api/`: what each takes, and the JSON it gives, which is that of the command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from archiver.api.archive import Archive
from archiver.codec.text import dump
from archiver.errors import UsageError
from archiver.model import Resource, TimeRange
from archiver.model.values import Value
from archiver.queries.values import Vocabulary
from archiver.report import documents, reports

MOST_EVENTS = 1_000_000_000
_TRUE, _FALSE = ("1", "true", "yes", ""), ("0", "false", "no")

ParseRange = Callable[[str | None, str | None], TimeRange]
Pieces = Iterator[str]


class Parameters:
    """What was asked for in a query; each may be given once, but those that choose among several."""

    def __init__(self, given: Iterable[tuple[str, str]], takes: Sequence[str], parse_range: ParseRange) -> None:
        """Raises UsageError for a parameter that there is not."""
        self._given: dict[str, list[str]] = {}
        self._parse_range = parse_range
        for name, value in given:
            if name not in takes:
                hint = f"it takes {', '.join(takes)}" if takes else "it takes none"
                raise UsageError(reason=f"there is no parameter {name[:100]!r} here", hint=hint)
            self._given.setdefault(name, []).append(value)

    def one(self, name: str) -> str | None:
        """A parameter that is there once, or not at all."""
        values = self._given.get(name, [])
        if len(values) > 1:
            raise UsageError(reason=f"{name} is given {len(values)} times", hint="give it once")
        return values[0] if values else None

    def ref(self) -> str:
        """The reference, without which there is no question."""
        self.one("ref")
        return self.refs()[0]

    def refs(self) -> tuple[str, ...]:
        """The references, of which there must be one."""
        refs = self.several("ref")
        if not all(refs) or not refs:
            raise UsageError(reason="ref is missing", hint="name a resource: ?ref=container/0fc9f01d")
        return refs

    def several(self, name: str) -> tuple[str, ...]:
        """A parameter that may be given several times."""
        return tuple(self._given.get(name, ()))

    def flag(self, name: str) -> bool:
        """A parameter that is true or false."""
        value = (self.one(name) or "1").lower() if name in self._given else "0"
        if value not in _TRUE + _FALSE:
            raise UsageError(reason=f"{name} is {value[:100]!r}", hint="it is 1 or 0")
        return value in _TRUE

    def number(self, name: str, default: int) -> int:
        """A parameter that counts."""
        value = self.one(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 11 and int(value) <= MOST_EVENTS):
            raise UsageError(reason=f"{name} is {value[:100]!r}", hint="it is a whole number, 0 or more")
        return int(value)

    def moment(self, name: str) -> datetime | None:
        """A parameter that is a time. Raises TimeNotUnderstood."""
        return self._parse_range(None, self.one(name)).until

    @cached_property
    def range(self) -> TimeRange:
        """From `since` to `until`. Raises TimeNotUnderstood and UsageError."""
        return self._parse_range(self.one("since"), self.one("until"))


# --- the questions --------------------------------------------------------------------------------------------------


def _history(archive: Archive, asked: Parameters) -> Pieces:
    answer = archive.timeline(asked.ref(), asked.range)
    return _object(documents.head(answer), "spans", map(documents.span, answer.spans))


def _actions(archive: Archive, asked: Parameters) -> Pieces:
    about = archive.resolve_all(asked.refs(), range=asked.range) if asked.several("ref") else None
    found = archive.actions(about, asked.range, healthchecks=asked.flag("all"))
    return _listed(archive, asked, about, "actions", (documents.record(documents.ACTION, each) for each in found))


def _events(archive: Archive, asked: Parameters) -> Pieces:
    under = archive.resolve_all(asked.several("under"), range=asked.range) if asked.several("under") else None
    found = archive.events(
        types=asked.several("type"),
        states=asked.several("state"),
        actions=asked.several("action"),
        under=under,
        range=asked.range,
        limit=asked.number("n", 100),
        healthchecks=asked.flag("all"),
    )
    return _listed(archive, asked, under, "events", (documents.record(documents.EVENT, each) for each in found))


def _tree(archive: Archive, asked: Parameters) -> Pieces:
    if not asked.several("ref"):
        if asked.flag("all"):
            raise UsageError(reason="all is of what was under a resource when it went", hint="name one: ?ref=my-stack")
        return documents.tree(archive.tree(), dump)
    return documents.tree(archive.tree(asked.ref(), gone=asked.flag("all")), dump)


def _at(archive: Archive, asked: Parameters) -> Pieces:
    moment = asked.moment("time")
    if moment is None:
        raise UsageError(reason="time is missing", hint="say when: ?time=14:00, or 2026-11-20T14:00Z")
    return documents.tree(archive.at(moment, asked.one("ref") or None), dump)


def _diff(archive: Archive, asked: Parameters) -> Pieces:
    first, second = asked.range
    if first is None or second is None:
        raise UsageError(reason="since or until is missing", hint="say between which two times: ?since=2h&until=1h")
    found = archive.diff(first, second, asked.one("ref") or None, causes=True)
    rows = (documents.record(documents.DIFFERENCE, change) for change in found.changes)
    return _object(documents.diff_head(found), "changes", rows)


def _timeline(archive: Archive, asked: Parameters) -> Pieces:
    return documents.lanes(archive.lanes(asked.one("ref"), asked.range), dump)


def _report(archive: Archive, asked: Parameters) -> Pieces:
    name, per = asked.one("name") or "", asked.one("per")
    found = reports.asked(archive, name, asked.one("ref"), asked.range, per)
    return _object(reports.head(found), "rows", (documents.record(reports.fields(found), row) for row in found.rows))


def _why(archive: Archive, asked: Parameters) -> Pieces:
    found = archive.why(asked.ref(), asked.moment("at"), asked.range.since)
    rows = (documents.record(documents.NEARBY, change) for change in found.changes)
    return _object(documents.before_head(found), "changes", rows)


def _gaps(archive: Archive, asked: Parameters) -> Pieces:
    ref = asked.one("ref")
    about = None if ref is None else archive.resolve(ref, range=asked.range)
    watched = archive.coverage(asked.range, about, of_states=True)
    rows = (documents.record(documents.GAP, gap) for gap in watched.gaps)
    return _object(documents.gaps_head(about, asked.range, watched), "gaps", rows)


def _values(archive: Archive, asked: Parameters) -> Pieces:
    word = asked.one("of")
    if word not in _WORDS:
        raise UsageError(
            reason="of is missing" if word is None else f"of is {word[:100]!r}", hint="it is state, type or action"
        )
    rows = (documents.record(_VALUE, each) for each in archive.values(_WORDS[word], asked.range))
    return _listed(archive, asked, None, "values", rows)


def _resources(archive: Archive, asked: Parameters) -> Pieces:
    return _list(map(documents.resource, archive.resolve_all(asked.refs())))


def _status(archive: Archive, asked: Parameters) -> Pieces:
    return iter([dump(documents.status(archive.status()))])


_WORDS: dict[str | None, Vocabulary] = {"state": "state", "type": "type", "action": "action"}
_VALUE: list[documents.Field[Value]] = [
    documents.Field("value", lambda each: each.value),
    documents.Field("count", lambda each: each.events),
    documents.Field("first_at", lambda each: each.first_at),
    documents.Field("last_at", lambda each: each.last_at),
]


class Path(NamedTuple):
    """One question: the parameters it takes, how it is answered, and a line on what it is."""

    takes: tuple[str, ...]
    answer: Callable[[Archive, Parameters], Pieces]
    about: str


_RANGE = ("since", "until")
PATHS = {
    "history": Path(("ref", *_RANGE), _history, "Which states a resource went through, and when nobody was watching."),
    "actions": Path(
        ("ref", *_RANGE, "all", "coverage"), _actions, "What was done, or done to it and to all that was under it."
    ),
    "events": Path(
        ("type", "state", "action", "under", *_RANGE, "n", "all", "coverage"), _events, "The last events as they came."
    ),
    "tree": Path(("ref", "all"), _tree, "A resource and what is under it, or all there is, with the present states."),
    "at": Path(("time", "ref"), _at, "The tree as it stood at a time, of a resource or of everything."),
    "diff": Path((*_RANGE, "ref"), _diff, "What was otherwise at the second time than at the first."),
    "timeline": Path(("ref", *_RANGE), _timeline, "All that was under it in one picture, a lane for each."),
    "why": Path(("ref", "at", "since"), _why, "What changed before it stopped, to it and around it."),
    "report": Path(
        ("name", "ref", *_RANGE, "per"),
        _report,
        "A report: availability, restarts, deploys, flaps, changes or coverage.",
    ),
    "gaps": Path(("ref", *_RANGE), _gaps, "When nobody was watching, and why."),
    "values": Path(("of", *_RANGE, "coverage"), _values, "Which states, types or actions there were, and how often."),
    "resources": Path(("ref",), _resources, "What a name, a URI, a key, the beginning of one or a pattern means."),
    "status": Path((), _status, "How things stand with the archive and its streams."),
}
"""By their names; under `/api/`."""


# --- JSON, piece by piece -------------------------------------------------------------------------------------------


def _listed(
    archive: Archive, asked: Parameters, about: list[Resource] | None, name: str, records: Iterator[dict[str, Any]]
) -> Pieces:
    """A list, or with `coverage` an object that says how well its range was watched."""
    if not asked.flag("coverage"):
        return _list(records)
    first = next(records, None)
    watched = archive.coverage(asked.range, about)
    empty = archive.why_empty(asked.range, about) if first is None else None
    head = documents.list_head(about or [], asked.range, watched, empty)
    return _object(head, name, records if first is None else chain([first], records))


def _object(head: dict[str, Any], name: str, records: Iterable[dict[str, Any]]) -> Pieces:
    yield f"{dump(head)[:-1]},{dump(name)}:"
    yield from _list(records)
    yield "}"


def _list(records: Iterable[dict[str, Any]]) -> Pieces:
    between = "["
    for record in records:
        yield between + dump(record)
        between = ",\n"
    yield "[]" if between == "[" else "]"
