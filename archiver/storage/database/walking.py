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
from typing import Any, NamedTuple

from archiver.storage.database.judging import is_damage, said

_LOOK = 32
"""Rows between two looks at the clock."""
_ALL = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE rootpage > 0 ORDER BY name"
# An index's own columns and those that find the row; a table's key, where it has no row numbers.
_COLUMNS = (
    "SELECT m.name, CASE x.cid WHEN -1 THEN 'rowid' ELSE x.name END FROM sqlite_schema m"
    " JOIN pragma_index_xinfo(m.name) x WHERE m.type = 'index'"
    " UNION ALL SELECT * FROM (SELECT m.name, x.name FROM sqlite_schema m JOIN pragma_table_info(m.name) x"
    " WHERE m.type = 'table' AND m.sql LIKE '%WITHOUT ROWID%' AND x.pk > 0 ORDER BY m.name, x.pk)"
)


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
    """Reads the archive of a connection, between two of its transactions.

    It is the connection of whoever writes: one of its own would take two megabytes for the text of the views.
    """

    def __init__(self, driver: sqlite3.Connection) -> None:
        self.driver = driver
        self._known: list[_Tree] = []

    def step(self, place: Place, most: int, seconds: float) -> Step:
        """Reads on, until so many rows are read or so much time is over. Raises sqlite3.Error, but for damage."""
        of, deadline, rows = place.of, time.monotonic() + seconds, 0
        try:
            self.driver.execute("PRAGMA shrink_memory").close()  # what is in memory is not read from the file
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
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            return Step(Place(of) if of else None, rows, f"{of or 'its tables'}: {said(error)}")
        return Step(None, rows)

    def _trees(self) -> list[_Tree]:
        """As they were when this was asked first: whoever makes others does it before anybody connects."""
        if not self._known:
            columns: dict[str, list[str | None]] = {}
            for name, column in self.driver.execute(_COLUMNS).fetchall():
                columns.setdefault(name, []).append(column)
            found = self.driver.execute(_ALL).fetchall()
            self._known = [_tree(kind, name, of, sql, columns.get(name, ())) for kind, name, of, sql in found]
        return self._known

    def _keys(self, tree: _Tree, after: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """The keys after one, each once its row is read; of an empty one from the first on."""
        for condition, values in _after(tree.keys, after):
            conditions = " AND ".join(filter(None, (tree.where, condition))) or "1"
            # In its own order, without being told: SQLite would sort where it does not see that it need not.
            asked = f"{tree.reads} WHERE {conditions}"
            with closing(self.driver.execute(asked, values)) as cursor:
                for row in cursor:
                    yield tuple(row[: len(tree.keys)])


def _tree(kind: str, name: str, table: str, sql: str | None, columns: Sequence[str | None]) -> _Tree:
    """`columns`: by which an index, or a table without row numbers, is sorted; None: an expression."""
    keys = [column or _expression(sql or "") for column in columns] or ["rowid"]
    if kind == "index":
        reads, where = f'"{table}" INDEXED BY "{name}"', (sql or "").partition(") WHERE ")[2]
    else:
        reads, where = f'"{table}" NOT INDEXED', ""
    select = ", ".join(keys) + (", *" if kind == "table" else "")
    return _Tree(name, f"SELECT {select} FROM {reads}", tuple(keys), where)


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
