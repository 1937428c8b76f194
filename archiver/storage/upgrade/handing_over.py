"""Hands over what hangs on tables of PostgreSQL to new ones of the same names, and lets the old ones go.

Rights, indexes, triggers, and the views and foreign keys of users: each is made anew as it was said, and where that
fails the old table stays, under its other name, with what hangs on it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, exc, inspect, text

from archiver.storage.database.judging import said
from archiver.storage.database.turns import is_in_the_way


class Standing(NamedTuple):
    """Tables that stand aside, each after those it points at, with what stands before their names."""

    tables: Sequence[str]
    prefix: str
    new_names: Collection[str]
    """Tables and views of which there were none before."""

    def new_name(self, statement: str) -> str:
        """A statement about old tables, said of the new ones."""
        names = "|".join(map(re.escape, self.tables))
        return re.sub(rf"\b{re.escape(self.prefix)}({names})\b", r"\1", statement)


def hand_over(connection: Connection, old: Standing) -> list[str]:
    """Makes anew what hangs on the old tables, and drops those on which nothing hangs any more.

    Within the transaction of the connection, which fails where somebody else is in the way. Says what could not be
    made, and why, and which tables stay for it.
    """
    _copy_rights(connection, old)
    made = _Anew(connection, old)
    left = [
        *made.all_of("view", _VIEWS, "CREATE OR REPLACE VIEW {place} AS {said}", "DROP VIEW {place}"),
        *made.all_of(
            "foreign key",
            _FOREIGN_KEYS,
            "ALTER TABLE {place} ADD CONSTRAINT {name} {said}",
            "ALTER TABLE {place} DROP CONSTRAINT {name}",
        ),
        *made.all_of("trigger", _TRIGGERS, "{said}", "DROP TRIGGER {name} ON {place}"),
        *made.all_of("index", _INDEXES, "{said}", "DROP INDEX {place}"),
    ]
    _drop_foreign_keys(connection, old)
    return left + [found for table in reversed(old.tables) for found in _drop(connection, old, table)]


# What others made on the old tables. Ours hang on the new ones by now, but for indexes and keys, which bear the prefix.
_VIEWS = """
SELECT DISTINCT v.oid::regclass::text AS place, v.relname AS name, pg_get_viewdef(v.oid) AS said
FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid JOIN pg_class v ON v.oid = w.ev_class
WHERE d.classid = 'pg_rewrite'::regclass AND d.refobjid = ANY(:tables) AND v.relkind = 'v' ORDER BY 1
"""
_FOREIGN_KEYS = """
SELECT conrelid::regclass::text AS place, conname AS name, pg_get_constraintdef(oid) AS said FROM pg_constraint
WHERE contype = 'f' AND confrelid = ANY(:tables) AND NOT conrelid = ANY(:tables) ORDER BY 1, 2
"""
_TRIGGERS = """
SELECT tgrelid::regclass::text AS place, tgname AS name, pg_get_triggerdef(oid) AS said FROM pg_trigger
WHERE tgrelid = ANY(:tables) AND NOT tgisinternal ORDER BY 1, 2
"""
_INDEXES = """
SELECT x.indexrelid::regclass::text AS place, i.relname AS name, pg_get_indexdef(x.indexrelid) AS said
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
WHERE x.indrelid = ANY(:tables) AND NOT starts_with(i.relname, :prefix) ORDER BY 1
"""
_OWN_KEYS = """
SELECT conrelid::regclass::text AS place, quote_ident(conname) AS name FROM pg_constraint
WHERE contype = 'f' AND conrelid = ANY(:tables)
"""
_RIGHTS = """
SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END AS who, g.privilege_type AS what,
       CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS how
FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) g
WHERE c.oid = to_regclass(:name) AND g.grantee <> c.relowner
"""
_RIGHTS_TO_COLUMNS = """
SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END AS who, g.privilege_type AS what,
       CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS how, a.attname AS column_name
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid CROSS JOIN LATERAL aclexplode(a.attacl) g
WHERE c.oid = to_regclass(:name) AND g.grantee <> c.relowner AND NOT a.attisdropped
"""


class _Right(NamedTuple):
    who: str
    what: str
    how: str


class _Anew:
    """Makes things anew, each for itself."""

    def __init__(self, connection: Connection, old: Standing) -> None:
        self._connection = connection
        self._old = old
        number = text("SELECT CAST(to_regclass(:name) AS oid)")
        tables = [connection.scalar(number, {"name": old.prefix + table}) for table in old.tables]
        self.values = {"tables": tables, "prefix": old.prefix}

    def all_of(self, kind: str, query: str, make: str, drop: str) -> Iterator[str]:
        """Says which things of a kind could not be made of the new tables; those are as they were."""
        for row in self._connection.execute(text(query), self.values).all():
            told = {"place": row.place, "name": _quoted(row.name), "said": self._old.new_name(row.said)}
            told["new_place"] = self._old.new_name(row.place)
            try:
                with self._connection.begin_nested():
                    if kind != "view":  # what stands on a view stays with it
                        _run(self._connection, drop.format(**told))
                    _run(self._connection, make.format(**told))
            except exc.DBAPIError as error:
                if is_in_the_way(error):
                    raise
                yield f"{kind} {row.name}: {said(error.orig)}"


def _copy_rights(connection: Connection, old: Standing) -> None:
    """Who may do what with a table may do it with the new one of its name, and with all new ones where with all old."""
    of_all: set[_Right] | None = None
    for table in old.tables:
        rights = _rights(connection, old.prefix + table)
        of_all = set(rights) if of_all is None else of_all & set(rights)
        if connection.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": table}):
            _grant(connection, table, rights)
            _copy_rights_to_columns(connection, old, table)
    for name in old.new_names:
        _grant(connection, name, of_all or ())


def _rights(connection: Connection, name: str) -> list[_Right]:
    return [_Right(*row) for row in connection.execute(text(_RIGHTS), {"name": name})]


def _grant(connection: Connection, table: str, rights: Iterable[_Right]) -> None:
    for right in sorted(rights):
        _run(connection, f"GRANT {right.what} ON {table} TO {right.who}{right.how}")


def _copy_rights_to_columns(connection: Connection, old: Standing, table: str) -> None:
    there = {column["name"] for column in inspect(connection).get_columns(table)}
    for row in connection.execute(text(_RIGHTS_TO_COLUMNS), {"name": old.prefix + table}):
        if row.column_name in there:
            _run(connection, f"GRANT {row.what} ({_quoted(row.column_name)}) ON {table} TO {row.who}{row.how}")


def _drop_foreign_keys(connection: Connection, old: Standing) -> None:
    values = {"tables": _Anew(connection, old).values["tables"]}
    for row in connection.execute(text(_OWN_KEYS), values).all():
        _run(connection, f"ALTER TABLE {row.place} DROP CONSTRAINT {row.name}")


def _drop(connection: Connection, old: Standing, table: str) -> Iterator[str]:
    name = old.prefix + table
    try:
        with connection.begin_nested():
            _run(connection, f"DROP TABLE {name}")
    except exc.DBAPIError as error:
        if is_in_the_way(error):
            raise
        yield f"table {table} stays as {name}: {said(error.orig)}"


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
