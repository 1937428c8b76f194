"""Reads a SQLite archive through, a bounded step at a time, so that damage is found before a question comes upon it.

SQLite notices a page that was spoilt, or that the disk does not give any more, when it reads it, and a page of the past
may be read by nobody for years. Its own checks are not bounded: `quick_check(N)` ends after N faults, not N pages.
Here every table and every index is read in the order of its keys, from where the last step ended. What is inside a
value that still looks like one (a letter that is another one) shows nobody, this neither.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, NamedTuple, Self

from archiver.storage.judging import is_damage, said, translated_driver
from archiver.storage.reading import BUSY_SECONDS, file_to_read

_LOOK = 32
"""Rows between two looks at the clock."""
_CACHE_PAGES = 16
"""What is cached would be read nowhere."""


class Place(NamedTuple):
    """How far an archive is read through: up to a key of a table or an index, in the order of their names."""

    of: str = ""
    after: tuple[Any, ...] | None = None
    """None: all of it is read."""


class Step(NamedTuple):
    """What came of a step."""

    next: Place | None
    """Where to go on; None: that was all."""
    rows: int
    damage: str | None = None
    """What SQLite says of what it could not read; the rest of that table or index is passed over."""


class _Tree(NamedTuple):
    """A table or an index, and how its rows are read in their order."""

    name: str
    reads: str
    keys: tuple[str, ...]
    """The expressions by which it is sorted, which the rows begin with."""
    where: str


class Walk:
    """Reads one archive, with a connection of its own. Raises as a question does, but for damage."""

    def __init__(self, url: str) -> None:
        self._url = url
        with translated_driver(url):
            self._driver = sqlite3.connect(
                file_to_read(url), uri=True, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._driver.close()

    def step(self, place: Place, most: int, seconds: float) -> Step:
        """Reads on, until so many rows are read or so much time is over."""
        of, deadline, rows = place.of, time.monotonic() + seconds, 0
        try:
            with translated_driver(self._url):
                self._driver.execute(f"PRAGMA cache_size={_CACHE_PAGES}").close()
                for tree in self._trees():
                    if tree.name < place.of or (tree.name == place.of and place.after is None):
                        continue
                    of = tree.name
                    after = (place.after or ()) if of == place.of else ()
                    for key in self._keys(tree, after):
                        rows += 1
                        if rows >= most or (rows % _LOOK == 0 and time.monotonic() >= deadline):
                            return Step(Place(of, key), rows)
                    place = Place(of)
        except Exception as error:
            cause = error.__cause__
            if not is_damage(cause):
                raise
            return Step(Place(of) if of else None, rows, f"{of or 'its tables'}: {said(cause)}")
        return Step(None, rows)

    def _trees(self) -> list[_Tree]:
        asked = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE rootpage > 0 ORDER BY name"
        return [self._tree(*row) for row in self._driver.execute(asked).fetchall()]

    def _tree(self, kind: str, name: str, table: str, sql: str | None) -> _Tree:
        if kind == "index":
            columns = self._driver.execute(f'PRAGMA index_xinfo("{name}")').fetchall()
            # Of an expression SQLite does not say what it is.
            keys = ["rowid" if cid == -1 else column or _expression(sql or "") for _, cid, column, *_ in columns]
            reads, where = f'"{table}" INDEXED BY "{name}"', (sql or "").partition(") WHERE ")[2]
        else:
            keys, reads, where = ["rowid"], f'"{table}" NOT INDEXED', ""
            if sql is not None and sql.rstrip().upper().endswith("WITHOUT ROWID"):
                found = self._driver.execute(f'PRAGMA table_info("{table}")').fetchall()
                keys = [column[1] for column in sorted(found, key=lambda column: column[5]) if column[5]]
        select = ", ".join(keys) + (", *" if kind == "table" else "")
        return _Tree(name, f"SELECT {select} FROM {reads}", tuple(keys), where)

    def _keys(self, tree: _Tree, after: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """The keys after one, each once its row is read; of an empty one from the first on."""
        for condition, values in _after(tree.keys, after):
            conditions = " AND ".join(filter(None, (tree.where, condition))) or "1"
            # In its own order, without being told: SQLite would sort where it does not see that it need not.
            asked = f"{tree.reads} WHERE {conditions}"
            with closing(self._driver.execute(asked, values)) as cursor:
                for row in cursor:
                    yield tuple(row[: len(tree.keys)])


def _after(keys: Sequence[str], values: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """What follows a key, in parts that are each one range of the index: what has its beginning first."""
    if not values:
        yield "", []
        return
    for depth in range(len(keys) - 1, -1, -1):
        same = " AND ".join(f"{key} IS ?" for key in keys[:depth])
        # NULL comes first, and nothing is greater than it.
        more = f"{keys[depth]} IS NOT NULL" if values[depth] is None else f"{keys[depth]} > ?"
        own = [] if values[depth] is None else [values[depth]]
        yield " AND ".join(filter(None, (same, more))), [*values[:depth], *own]


def _expression(sql: str) -> str:
    """What an index of one expression is of."""
    return sql[sql.index("(") + 1 :].partition(") WHERE ")[0].rstrip().removesuffix(")")
