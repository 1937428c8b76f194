"""Counts what questions cost in a short and in a long archive whose present is the same, beside reading raw rows.

An answer ought to cost what it holds: as much in the long archive, and a few times what as many rows of `event_log` do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from archiver.api.archive import Archive
from archiver.storage.database.engine import reading_engine
from tests.integration.growth import SLACK, cost_of, cost_of_sql

GROWTH, VIEWS, LIBRARY = 1.15, 5, 12
FEW = 10
"""An answer of less rows is held against so many: every question has to find out first what it is about."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the library, which tells how many rows its answer has, or to a view."""

    what: str
    ask: Callable[[Archive], int] | str
    at_most: float | None = None
    """How many times as much as raw rows it may take, where that is not as for all questions of its kind."""
    reckoned: Callable[[Archive], int] | None = None
    """Of how many rows an answer is the sum, where it is one; not counted."""

    @property
    def bar(self) -> float:
        """How many times as much as raw rows it may take."""
        return self.at_most or (VIEWS if isinstance(self.ask, str) else LIBRARY)

    def answered(self, url: str) -> Answered:
        """Put to an archive."""
        if isinstance(self.ask, str):
            return Answered(_rows_of(url, self.ask), cost_of_sql(url, self.ask))
        ask, rows = self.ask, 0

        def counted(archive: Archive) -> None:
            nonlocal rows
            rows = ask(archive)

        cost = cost_of(url, counted)
        if self.reckoned is not None:
            with Archive.open(url) as archive:
                rows = max(rows, self.reckoned(archive))
        return Answered(rows, cost)


def _rows_of(url: str, statement: str) -> int:
    engine = reading_engine(url)
    try:
        with engine.connect() as connection:
            return len(connection.exec_driver_sql(statement).all())
    finally:
        engine.dispose()


class Answered(NamedTuple):
    """How many rows an answer has, and what it cost: SQLite's instructions, or the rows that PostgreSQL visited."""

    rows: int
    cost: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A question's row of the table."""

    question: Question
    database: str
    short: Answered
    long: Answered
    raw: int
    """What reading as many rows of `event_log` costs."""

    HEADINGS: ClassVar = ("question", "rows", "short", "long", "growth", "× raw rows", "bars", "")

    @property
    def what(self) -> str:
        """The question, and to which database."""
        return f"{self.question.what}, {self.database}"

    @property
    def verdict(self) -> str:
        """The results beside their bars, in words."""
        return f"growth {self.growth:.2f}, × raw rows {self.times:.1f}, wanted {self._wanted}"

    @property
    def _wanted(self) -> str:
        return f"≤ {GROWTH}, ≤ {self.question.bar:g}"

    @property
    def growth(self) -> float:
        """How many times as much a row costs in the long archive; of fewer rows, the whole answer."""
        rows = max(self.long.rows, 1) / max(self.short.rows, 1)
        return (self.long.cost + 1) / (self.short.cost + 1) / max(rows, 1.0)

    @property
    def times(self) -> float:
        """How many times as much as raw rows it costs in the long archive."""
        return self.long.cost / self.raw

    @property
    def kept(self) -> bool:
        """Whether both bars are kept; what is less than the count can tell does not matter."""
        slack = SLACK[self.database] / max(self.short.cost, 1)
        return self.growth <= GROWTH + slack and self.times <= self.question.bar

    def cells(self) -> tuple[str, ...]:
        """The row as it is printed."""
        return (
            self.question.what,
            f"{self.long.rows:,}",
            f"{self.short.cost:,}",
            f"{self.long.cost:,}",
            f"{self.growth:.2f}",
            f"{self.times:.1f}",
            self._wanted,
            "ok" if self.kept else "MISSED",
        )


def counted(questions: Iterable[Question], short: str, long: str) -> Iterator[Counted]:
    """Every question, put to both archives, which are in the same kind of database."""
    database = "sqlite" if long.startswith("sqlite") else "postgresql"
    for question in questions:
        few, many = question.answered(short), question.answered(long)
        raw = cost_of_sql(long, f"SELECT * FROM event_log LIMIT {max(many.rows, FEW)}")
        yield Counted(question, database, few, many, max(raw, SLACK[database]))
