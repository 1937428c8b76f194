"""Prepares SQL text that is written once for both databases, as each of their drivers takes it.

In the text a parameter is `:name`, and a list of them is what stands behind `IN` or `NOT IN`. Behind `IN EACH` stands
a list of numbers of which each is to be looked up by itself: of a list in one, PostgreSQL reckons how many rows it will
find, and may rather go through a whole index.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from archiver.model import Number, iso, numbers_of, to_micros

Values = Mapping[str, Any]
_CHUNK = 500
"""So many values one statement names."""


class Asked(NamedTuple):
    """A statement and its values as a driver takes them."""

    text: str
    values: Any


class Statement:
    """SQL text for both databases."""

    __slots__ = ("_for", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._for: dict[str, Callable[[Values], Asked]] = {}

    def asked(self, database: str, values: Values) -> Asked:
        """As the driver of a database, "sqlite" or "postgresql", takes it."""
        prepared = self._for.get(database)
        if prepared is None:
            prepared = self._for[database] = (_Sqlite if database == "sqlite" else _Postgres)(self.text)
        return prepared(values)


@lru_cache(maxsize=256)
def statement(text: str) -> Statement:
    """The statement of a text, prepared once for each driver."""
    return Statement(text)


_Value = TypeVar("_Value", int, str)


def chunks(values: Iterable[_Value]) -> Iterator[Sequence[_Value]]:
    """Numbers or texts, so many as one question may name."""
    everything = list(values)
    for start in range(0, len(everything), _CHUNK):
        yield everything[start : start + _CHUNK]


class Among(NamedTuple):
    """Numbers of one platform, so many as one question may name: its values `:platform` and `:numbers`."""

    platform: int
    numbers: Sequence[int]

    def values(self, **more: Any) -> Values:
        """The values of a question, and others that it has as well."""
        return {"platform": self.platform, "numbers": self.numbers, **more}

    @property
    def of(self) -> type[Number]:
        """What makes numbers of this platform out of those in a row of the answer."""
        return numbers_of(self.platform)


def by_platform(numbers: Iterable[Number]) -> Iterator[Among]:
    """Numbers of rows, those of each platform apart, as every look-up in a table that grows names it."""
    apart: defaultdict[int, list[int]] = defaultdict(list)
    for number in numbers:
        apart[number.platform].append(int(number))
    for platform, some in apart.items():
        for part in chunks(some):
            yield Among(platform, part)


# A text in quotes is one as it stands, whatever is in it.
_PARTS = re.compile(
    r"'(?:[^']|'')*'|\b(?P<not>NOT )?IN (?P<each>EACH )?:(?P<list>[a-z_]\w*)|(?<![:\w]):(?P<one>[a-z_]\w*)|%"
)


class _Sqlite:
    """Question marks in the order of the values, one for each value of a list; instants are texts."""

    def __init__(self, text: str) -> None:
        self._names: list[tuple[str, bool]] = []
        """Each parameter in its order, and whether it is a list."""
        pieces, end = [], 0
        for found in _PARTS.finditer(text):
            name = found["list"] or found["one"]
            if name is not None:
                self._names.append((name, found["list"] is not None))
                pieces.append(text[end : found.start()] + (f"{found['not'] or ''}IN (" if found["list"] else "?"))
                end = found.end()
        self._pieces = pieces
        self._rest = text[end:]
        self._text = None if any(is_list for _, is_list in self._names) else "".join(pieces) + self._rest

    def __call__(self, values: Values) -> Asked:
        if self._text is not None:
            return Asked(self._text, [_in_sqlite(values[name]) for name, _ in self._names])
        given: list[Any] = []
        text: list[str] = []
        for piece, (name, is_list) in zip(self._pieces, self._names, strict=True):
            text.append(piece)
            if is_list:
                several = list(map(_in_sqlite, values[name]))
                given += several
                text.append(f"{','.join('?' * len(several))})")
            else:
                given.append(_in_sqlite(values[name]))
        return Asked("".join(text) + self._rest, given)


def _in_sqlite(value: Any) -> Any:
    return iso(to_micros(value)) if isinstance(value, datetime) else value


class _Postgres:
    """The names as psycopg writes them; a list is one value."""

    def __init__(self, text: str) -> None:
        self._lists: set[str] = set()
        self._text = _PARTS.sub(self._written, text)

    def _written(self, found: re.Match[str]) -> str:
        if found["one"]:
            return f"%({found['one']})s"
        if found["list"]:
            self._lists.add(found["list"])
            if found["each"]:
                return f"IN (SELECT unnest(%({found['list']})s::bigint[]))"
            return f"{'<> ALL' if found['not'] else '= ANY'}(%({found['list']})s)"
        return found[0].replace("%", "%%")

    def __call__(self, values: Values) -> Asked:
        lists = {name: list(map(_plain, values[name])) for name in self._lists}
        return Asked(self._text, {**values, **lists} if lists else values)


def _plain(value: Any) -> Any:
    """A value of a list: of numbers that know their platforms psycopg takes no two for the same type."""
    return int(value) if isinstance(value, Number) else value
