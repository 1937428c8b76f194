"""Carries what users made in a SQLite archive, tables, indexes, views and triggers, over into a rebuilt one."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from archiver.storage.upgrade.first_edition import INDEXES, TABLES, VIEWS

OLD = "first_edition"
"""Under which name the old archive is attached to the connection of the new one."""
_OURS = {*TABLES, *VIEWS, *INDEXES}
_WHEN = re.compile(r"\b(INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


class _Thing(NamedTuple):
    kind: str
    name: str
    table: str
    """Of an index or trigger: what it is on."""
    sql: str

    @property
    def quoted(self) -> str:
        return _quoted(self.name)


def carry_over(new: sqlite3.Connection) -> list[str]:
    """Makes in the new archive what is not ours in the old one, and says what it could not make, and why.

    For a connection of the new archive with the old one attached, within a transaction, when all rows are there.
    """
    left = [f"column {column} of table {table}" for table in TABLES for column in _added_columns(new, table)]
    things = list(_things(new))
    virtual = [thing for thing in things if re.match(r"\s*CREATE\s+VIRTUAL", thing.sql, re.IGNORECASE)]
    left += [f"table {thing.name}: a virtual table is to be made anew" for thing in virtual]
    shadows = tuple(f"{thing.name}_" for thing in virtual)
    for kind, make in (("table", _make_table), ("index", _make), ("view", _make), ("trigger", _make_trigger)):
        for thing in things:
            if thing.kind == kind and thing not in virtual and not (shadows and thing.name.startswith(shadows)):
                left += _tried(new, thing, make)
        if kind == "view":
            left += _without_what_fails(new, [thing for thing in things if thing.kind == kind])
    return left


def _things(new: sqlite3.Connection) -> Iterator[_Thing]:
    query = f"SELECT type, name, tbl_name, sql FROM {OLD}.sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    for row in new.execute(query).fetchall():
        thing = _Thing(*row)
        if thing.name not in _OURS and not thing.name.startswith("sqlite_"):
            yield thing


def _added_columns(new: sqlite3.Connection, table: str) -> Iterator[str]:
    return (column for column in _columns(new, OLD, table) if column not in TABLES[table])


def _columns(new: sqlite3.Connection, place: str, table: str) -> list[str]:
    """The columns of a table that can be written."""
    rows = new.execute(f"PRAGMA {place}.table_xinfo({_quoted(table)})").fetchall()
    return [row[1] for row in rows if not row[6]]


def _tried(new: sqlite3.Connection, thing: _Thing, make: object) -> Iterator[str]:
    assert callable(make)
    new.execute("SAVEPOINT thing")
    try:
        make(new, thing)
    except sqlite3.Error as error:
        new.execute("ROLLBACK TO thing")
        yield f"{thing.kind} {thing.name}: {error}"
    new.execute("RELEASE thing")


def _make(new: sqlite3.Connection, thing: _Thing) -> None:
    new.execute(thing.sql)


def _make_table(new: sqlite3.Connection, thing: _Thing) -> None:
    new.execute(thing.sql)
    columns = ", ".join(map(_quoted, _columns(new, OLD, thing.name)))
    copied = f"INSERT INTO main.{thing.quoted} ({{0}}) SELECT {{0}} FROM {OLD}.{thing.quoted}"
    try:
        new.execute(copied.format(f"rowid, {columns}"))
    except sqlite3.OperationalError:  # it has none
        new.execute(copied.format(columns))
    if new.execute(f"SELECT 1 FROM {OLD}.sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
        last = f"SELECT seq FROM {OLD}.sqlite_sequence WHERE name = ?1"
        if new.execute("SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
            new.execute(f"UPDATE main.sqlite_sequence SET seq = ({last}) WHERE name = ?1", (thing.name,))


def _make_trigger(new: sqlite3.Connection, thing: _Thing) -> None:
    """One that names what is no more would let nothing be written: so what fires it is compiled, and not run."""
    new.execute(thing.sql)
    found = _WHEN.search(thing.sql)
    table = _quoted(thing.table)
    assignments = ", ".join(f"{_quoted(name)} = {_quoted(name)}" for name in _columns(new, "main", thing.table))
    fired_by = {"INSERT": f"INSERT INTO {table} DEFAULT VALUES", "DELETE": f"DELETE FROM {table}"}
    verb = found[1].upper() if found else "UPDATE"
    new.execute("EXPLAIN " + fired_by.get(verb, f"UPDATE {table} SET {assignments}")).fetchall()


def _without_what_fails(new: sqlite3.Connection, views: list[_Thing]) -> Iterator[str]:
    """Takes away the views that name what is no more, and those on top of them."""
    there = {row[0] for row in new.execute("SELECT name FROM main.sqlite_master WHERE type = 'view'")}
    standing = [view for view in views if view.name in there]
    failing = True
    while failing:
        failing = False
        for view in list(standing):
            try:
                new.execute(f"SELECT * FROM main.{view.quoted} LIMIT 0").fetchall()
            except sqlite3.Error as error:
                new.execute(f"DROP VIEW main.{view.quoted}")
                standing.remove(view)
                failing = True
                yield f"view {view.name}: {error}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
