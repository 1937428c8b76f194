"""Which moments, causes and reports an archive is asked for, and each view that they stand for, by its filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from archiver.api.archive import Archive
from archiver.model import TimeRange, TreeNode, iso, to_micros
from bench.counting import Question
from bench.subjects import Subjects

REPORTS = ("availability", "restarts", "deploys", "flaps", "changes", "coverage")
TIMES = 5
"""How many times as much as reading as many rows of `event_log` each of them may take."""

# By which columns each view is asked for a range of time: as text and as a number, or as either alone.
_VIEWS = {
    "watched_spans": ("state_since", "state_since_us"),
    "restarts": ("stopped_at", "stopped_us"),
    "deploys": ("started_at", "started_us"),
    "flaps": ("since", "since_us"),
    "changes": ("at", "at_us"),
    "availability_daily": ("day", "day_us"),
    "inventory": ("first_seen_at", "first_seen_us"),
    "grafana_annotations": ("started_at", "started_us"),
    "grafana_state_timeline": ("state_since",),
    "coverage_daily": ("day", "day_us"),
}


def asked(about: Subjects) -> Iterator[Question]:
    """Every one of them."""
    yield from _moments(about)
    yield from _reports(about)
    for view, columns in _VIEWS.items():
        yield from _of_view(view, columns, about)


def _moments(about: Subjects) -> Iterator[Question]:
    since, until = _ends(about.hour)
    yield Question("everything at a time", _counting(Archive.at, since), TIMES)
    yield Question("everything: difference of an hour", _counting(Archive.diff, since, until), TIMES)
    for what, ref in (("the cluster", about.cluster), ("a stack with many dead containers", about.busy)):
        yield Question(f"{what} at a time", _counting(Archive.at, since, ref), TIMES)
        yield Question(f"{what}: difference of an hour", _counting(Archive.diff, since, until, ref), TIMES)
    yield Question("why a container stopped", _counting(Archive.why, about.container), TIMES)


def _reports(about: Subjects) -> Iterator[Question]:
    for name in REPORTS:
        for what, ref in (("a quiet stack", about.quiet), ("a stack with many dead containers", about.busy)):
            ask = _counting(Archive.report, name, ref, about.day)
            yield Question(f"report {name} of {what} for a day", ask, TIMES, _reckoned(ref, about.day))
    since, until = _ends(about.hour)
    ask = _counting(Archive.incident, TimeRange(since, until), about.busy)
    yield Question("report incident of a stack for an hour", ask, TIMES, _reckoned(about.busy, about.hour))


def _of_view(view: str, columns: tuple[str, ...], about: Subjects) -> Iterator[Question]:
    since, until = (to_micros(end) for end in _ends(about.hour))
    text, *number = columns
    by_day = text == "day"
    if by_day:
        # A whole one: of its last day the short archive knows but the first hours.
        when, within = "a day", f"v.day = '{(_ends(about.hour)[0] - timedelta(days=1)).date()}'"
    else:
        when, within = "an hour", f"v.{text} >= '{iso(since)}' AND v.{text} < '{iso(until)}'"
    yield Question(f"{view} of {when}", f"SELECT * FROM {view} v WHERE {within}", TIMES)
    if number and not by_day:
        by_number = f"v.{number[0]} >= {since} AND v.{number[0]} < {until}"
        yield Question(f"{view} of an hour in microseconds", f"SELECT * FROM {view} v WHERE {by_number}", TIMES)
    if view == "coverage_daily":
        return
    subject = about.quiet if view == "deploys" else about.container
    yield Question(f"{view} of one object", f"SELECT * FROM {view} WHERE uri = '{subject}'", TIMES)
    below = f"JOIN subtree u ON u.ancestor_uri = '{about.quiet}' AND u.descendant_uri = v.uri"
    of_stack = f"SELECT v.* FROM {view} v {below}"
    if by_day:
        yield Question(f"{view} of a stack in a day", f"{of_stack} WHERE {within}", TIMES)
    else:
        yield Question(f"{view} of a stack", of_stack, TIMES)


def _ends(range: TimeRange) -> tuple[datetime, datetime]:
    assert range.since is not None
    assert range.until is not None
    return range.since, range.until - timedelta(seconds=1)


def _counting(method: Callable[..., Any], *given: Any) -> Callable[[Archive], int]:
    """Asks, and says how many rows the answer has."""
    return lambda archive: _rows(method(archive, *given))


def _reckoned(ref: str, range: TimeRange) -> Callable[[Archive], int]:
    """How many events a report reckons from; its rows may be few."""
    return lambda archive: sum(1 for _ in archive.events(under=ref, range=range, limit=0))


def _rows(answer: Any) -> int:
    if isinstance(answer, TreeNode):
        return 1 + sum(map(_rows, answer.children))
    rows = getattr(answer, "changes", None)
    return len(answer.rows if rows is None else rows)
