"""What questions cost, counted: SQLite's steps in a short and in a long archive, whose present is the same.

An answer ought to cost what it holds: as much in the long archive, and a few times what as many rows of `event_log` do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from archiver.api.archive import Archive
from archiver.model import TreeNode, iso, to_micros
from bench.subjects import Subjects
from tests.integration.growth import SLACK, STEP, cost_of, cost_of_sql

GROWTH, VIEWS, LIBRARY = 1.15, 5, 12
FEW = 10
"""An answer of less rows is held against so many: every question has to find out first what it is about."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the library, which tells how many rows its answer has, or to a view."""

    what: str
    ask: Callable[[Archive], int] | str

    @property
    def bar(self) -> float:
        """How many times as much as raw rows it may take."""
        return VIEWS if isinstance(self.ask, str) else LIBRARY

    def answered(self, url: str) -> Answered:
        """Put to an archive."""
        if isinstance(self.ask, str):
            return Answered(_rows_of(url, self.ask), cost_of_sql(url, self.ask))
        ask, rows = self.ask, 0

        def counted(archive: Archive) -> None:
            nonlocal rows
            rows = ask(archive)

        steps = cost_of(url, counted)
        return Answered(rows, steps)


class Answered(NamedTuple):
    """How many rows an answer has, and how many steps it took."""

    rows: int
    steps: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A question's row of the table."""

    question: Question
    short: Answered
    long: Answered
    raw: int
    """Steps of reading as many rows of `event_log`."""

    HEADINGS: ClassVar = ("question", "rows", "steps", "in ten times the past", "growth", "× raw rows", "bar", "")

    @property
    def what(self) -> str:
        """The question."""
        return self.question.what

    @property
    def verdict(self) -> str:
        """The results beside their bars, in words."""
        return f"growth {self.growth:.2f}, wanted ≤ {GROWTH}; × raw {self.times:.1f}, wanted ≤ {self.question.bar:g}"

    @property
    def growth(self) -> float:
        """How many times as much a row costs in the long archive."""
        rows = max(self.long.rows, 1) / max(self.short.rows, 1)
        return (self.long.steps + 1) / (self.short.steps + 1) / max(rows, 1.0)

    @property
    def times(self) -> float:
        """How many times as much as raw rows it costs."""
        return self.long.steps / self.raw

    @property
    def kept(self) -> bool:
        """Whether both bars are kept; what takes no more than the step of the count is as good as nothing."""
        slack = SLACK["sqlite"] / max(self.short.steps, 1)
        return self.growth <= GROWTH + slack and self.times <= self.question.bar

    def cells(self) -> tuple[str, ...]:
        """The row as it is printed."""
        return (
            self.question.what,
            f"{self.long.rows:,}",
            f"{self.short.steps:,}",
            f"{self.long.steps:,}",
            f"{self.growth:.2f}",
            f"{self.times:.1f}",
            f"≤ {GROWTH}, ≤ {self.question.bar:g}",
            "ok" if self.kept else "MISSED",
        )


def counted(short: Path, long: Path, about: Subjects) -> Iterator[Counted]:
    """Every question, put to both archives."""
    small, large = f"sqlite:///{short}", f"sqlite:///{long}"
    for question in asked(about):
        few, many = question.answered(small), question.answered(large)
        raw = cost_of_sql(large, f"SELECT * FROM event_log LIMIT {max(many.rows, FEW)}")
        yield Counted(question, few, many, max(raw, STEP))


def _rows_of(url: str, statement: str) -> int:
    path = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return sum(1 for _ in connection.execute(statement))


def asked(about: Subjects) -> Iterator[Question]:
    """Every question, to the library and to the views."""
    yield from _of_library(about)
    yield from _of_views(about)


def _of_library(about: Subjects) -> Iterator[Question]:
    def tree(ref: str) -> Callable[[Archive], int]:
        return lambda archive: _nodes(archive.tree(ref))

    def actions(ref: str) -> Callable[[Archive], int]:
        return lambda archive: _length(archive.actions(ref, about.hour))

    def last(**which: Any) -> Callable[[Archive], int]:
        return lambda archive: _length(archive.events(**which))

    yield Question("tree of the cluster", tree(about.cluster))
    yield Question("tree of a stack with many dead containers", tree(about.busy))
    yield Question("history of a container", lambda archive: len(archive.history(about.container).spans))
    yield Question("actions of an hour, under the cluster", actions(about.cluster))
    yield Question("actions of an hour, under a busy stack", actions(about.busy))
    yield Question("events -n 100", last())
    yield Question("events -n 100 --under the cluster", last(under=about.cluster))
    yield Question("events -n 100 --under a quiet stack", last(under=about.quiet))
    yield Question("events -n 100 --type of which is none", last(types=["nodecluster"]))


def _of_views(about: Subjects) -> Iterator[Question]:
    assert about.hour.since is not None
    assert about.hour.until is not None
    since, until = to_micros(about.hour.since), to_micros(about.hour.until)
    below = f"JOIN subtree u ON u.ancestor_uri = '{about.quiet}' AND u.descendant_uri ="
    for view, uri, text, number in (
        ("event_log", "uri", "occurred_at", "occurred_us"),
        ("state_spans", "uri", "since", "since_us"),
        ("action_log", "action", "started_at", "started_us"),
    ):
        of_hour = f"v.{text} >= '{iso(since)}' AND v.{text} < '{iso(until)}'"
        of_hour_number = f"v.{number} >= {since} AND v.{number} < {until}"
        yield Question(f"{view} of an hour", f"SELECT * FROM {view} v WHERE {of_hour}")
        yield Question(f"{view} of an hour in microseconds", f"SELECT * FROM {view} v WHERE {of_hour_number}")
        yield Question(f"{view} of a stack in an hour", f"SELECT v.* FROM {view} v {below} v.{uri} WHERE {of_hour}")
    for view in ("event_log", "state_spans", "current_states"):
        yield Question(f"{view} of a container", f"SELECT * FROM {view} WHERE uri = '{about.container}'")
    yield Question("action_log of a target", f"SELECT * FROM action_log WHERE target = '{about.container}'")
    now = "WHERE u.holds = 1"
    yield Question("current_states of a stack, now", f"SELECT v.* FROM current_states v {below} v.uri {now}")
    yield Question("subtree of the cluster, now", f"SELECT * FROM subtree u {now} AND ancestor_uri = '{about.cluster}'")
    yield Question("subtree above a container", f"SELECT * FROM subtree WHERE descendant_uri = '{about.container}'")


def _nodes(node: TreeNode) -> int:
    return 1 + sum(map(_nodes, node.children))


def _length(answer: Iterable[object]) -> int:
    return sum(1 for _ in answer)
