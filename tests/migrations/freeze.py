"""Writes down the tables and views of this program for the migration that makes them.

    python -m tests.migrations.freeze

Until version 0.2.0 is released; from then on a new revision says what changes.
"""

from __future__ import annotations

from itertools import chain, groupby
from pathlib import Path
from typing import Any

from sqlalchemy import create_mock_engine

from archiver.platforms.facts import KINDS
from archiver.storage.indexes import metadata
from archiver.storage.kinds import rows_of
from archiver.storage.numbers import first_rows
from archiver.storage.views import VIEWS
from archiver.storage.views.days import first_days

FOLDER = Path(__file__).parents[2] / "migrations" / "sql"
NAME = "0002_{what}_{dialect}.sql"
DIALECTS = ("sqlite", "postgresql")


def tables(dialect: str) -> list[str]:
    """The statements that make the tables, and the rows without which nothing can be written."""
    statements: list[str] = []

    def keep(element: Any, *_arguments: object, **_more: object) -> None:
        lines = str(element.compile(dialect=engine.dialect)).strip().splitlines()
        statements.append("\n".join(line.replace("\t", "  ").rstrip() for line in lines if line.strip()))

    engine = create_mock_engine(f"{dialect}+psycopg://" if dialect == "postgresql" else "sqlite://", keep)
    metadata.create_all(engine, checkfirst=False)
    rows = [f"INSERT INTO numbers (name, last) VALUES ('{row['name']}', {row['last']})" for row in first_rows()]
    rows.append(first_days(dialect))
    rows += [
        f"INSERT INTO state_kinds (state, kind) VALUES ('{row['state']}', '{row['kind']}')" for row in rows_of(KINDS)
    ]
    # A table's indexes come in no order of their own.
    runs = (sorted(run) if are_indexes else run for are_indexes, run in groupby(statements, _is_index))
    return [*chain.from_iterable(runs), *rows]


def _is_index(statement: str) -> bool:
    return statement.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX"))


def views(dialect: str) -> list[str]:
    """The statements that make the views."""
    return [statement for view in VIEWS for statement in view.create(dialect)]


def text(what: str, statements: list[str]) -> str:
    """The content of a file."""
    return (
        f"-- {what} as of revision 0002; frozen, never edited after the release.\n\n" + ";\n\n".join(statements) + ";\n"
    )


def main() -> None:
    """Writes all files."""
    for dialect in DIALECTS:
        for what, said, statements in (
            ("tables", "The base tables", tables(dialect)),
            ("views", "The published views", views(dialect)),
        ):
            (FOLDER / NAME.format(what=what, dialect=dialect)).write_text(text(said, statements))


if __name__ == "__main__":
    main()
