"""What other programs keep in the same database: no drift of ours, never written into, and no archive in its place."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import inspect

from archiver.errors import DatabaseUnfit, DatabaseUnreachable, SchemaNotAtHead, SpoolError
from archiver.recording.spool.queue import Spool
from archiver.storage import migrate
from archiver.storage.backup import restore
from archiver.storage.database.engine import writing_engine
from archiver.storage.recorder import Recorder

from .archives import event, record, rows


def run(url: str, *statements: str) -> None:
    engine = writing_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def tables(url: str) -> set[str]:
    engine = writing_engine(url)
    with engine.connect() as connection:
        found = inspect(connection)
        names = {*found.get_table_names(), *found.get_view_names()}
    engine.dispose()
    return names


OF_BOTH = [
    "CREATE TABLE notes (uri text PRIMARY KEY, note text)",
    "CREATE INDEX notes_by_note ON notes (note)",
    "CREATE TABLE pins (stream_id bigint REFERENCES streams (id))",
    "CREATE INDEX my_events ON events (received_at)",
    "CREATE INDEX my_running ON events (occurred_at) WHERE state_id = 1",
    "CREATE INDEX my_upper_names ON texts (upper(text))",
    "CREATE VIEW busy AS SELECT uri FROM event_log",
]
OF_ONE = {
    "sqlite": ["CREATE VIRTUAL TABLE found USING fts5(uri, note)", "CREATE TABLE odd (a WHATEVER, b)"],
    "postgresql": [
        "CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM events",
        "CREATE TABLE odd (a tsvector, b point, c int4range) PARTITION BY LIST (a)",
        "CREATE SCHEMA other",
        "CREATE TABLE other.events (id int)",
    ],
}


def test_tables_views_and_indexes_of_others_are_no_drift(database_url: str) -> None:
    for statement in OF_BOTH + OF_ONE[database_url.partition(":")[0].partition("+")[0]]:
        run(database_url, statement)
        assert migrate.check(database_url) == [], statement

    record(database_url, event("container/1"))
    assert rows(database_url, "SELECT count(*) FROM event_log") == [(1,)]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE UNIQUE INDEX mine ON events (received_at)",
        "ALTER TABLE events ADD COLUMN note text",
        "DROP INDEX ix_resources_uri",
        "DROP VIEW subtree",
    ],
)
def test_what_changes_our_tables_and_views_is_drift(database_url: str, statement: str) -> None:
    run(database_url, statement)

    assert len(migrate.check(database_url)) == 1


@pytest.mark.parametrize("revision", ["0a1b2c3d4e5f", "ffb9b8e1a2c3", "head-of-crm"])
def test_the_version_table_of_another_program_is_called_that(empty_database_url: str, revision: str) -> None:
    run(
        empty_database_url,
        "CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)",
        f"INSERT INTO alembic_version VALUES ('{revision}')",
    )

    with pytest.raises((SchemaNotAtHead, DatabaseUnfit)) as upgraded:
        migrate.upgrade(empty_database_url)
    with pytest.raises((SchemaNotAtHead, DatabaseUnfit)) as recorded, Recorder(empty_database_url) as recorder:
        recorder.record([event("container/1")])

    for error in (upgraded.value, recorded.value):
        assert "another program" in f"{error} {error.next_step}"
        assert "a database of its own" in error.next_step
    assert tables(empty_database_url) == {"alembic_version"}


@pytest.mark.parametrize("make", [migrate.upgrade, migrate.create])
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE events (id int)",
        "CREATE VIEW subtree AS SELECT 1",
        "CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)",
    ],
)
def test_no_archive_is_made_where_another_program_has_tables_of_its_names(
    empty_database_url: str, make: object, statement: str
) -> None:
    run(empty_database_url, statement)
    before = tables(empty_database_url)

    with pytest.raises(DatabaseUnfit, match=f"it has {statement.split()[2]} of another program"):
        make(empty_database_url)  # type: ignore[operator]

    assert tables(empty_database_url) == before


FOREIGN = {
    "an application's": ["CREATE TABLE bookmarks (url text)", "PRAGMA application_id=7"],
    "with its own Alembic": [
        "CREATE TABLE alembic_version (version_num text)",
        "INSERT INTO alembic_version VALUES ('0001')",
    ],
    "with tables of our names": [f"CREATE TABLE {name} (id int)" for name in ("events", "resources", "sessions")],
}


@pytest.fixture(params=[*FOREIGN, "no database at all"])
def foreign(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file of another program."""
    path = tmp_path / "theirs" / "data.db"
    path.parent.mkdir()
    if request.param not in FOREIGN:
        path.write_text("Dear diary,\n")
        return path
    with closing(sqlite3.connect(path)) as connection:
        for statement in FOREIGN[request.param]:
            connection.execute(statement)
        connection.commit()
    return path


def into_archive(path: Path) -> None:
    migrate.upgrade(str(path))


def into_new_archive(path: Path) -> None:
    migrate.create(str(path))


def into_recorder(path: Path) -> None:
    record(str(path), event("container/1"))


def into_restored(path: Path) -> None:
    migrate.upgrade(str(path.parent.with_name("other.db")))
    restore(str(path), path.parent.with_name("other.db"))


@pytest.mark.parametrize("write", [into_archive, into_new_archive, into_recorder, into_restored])
def test_a_file_of_another_program_is_not_touched(foreign: Path, write: Callable[[Path], None]) -> None:
    before = foreign.read_bytes(), foreign.stat().st_mtime_ns

    with pytest.raises((DatabaseUnfit, DatabaseUnreachable), match=r"of another program|not a database"):
        write(foreign)

    assert (foreign.read_bytes(), foreign.stat().st_mtime_ns) == before
    assert list(foreign.parent.iterdir()) == [foreign]


def test_a_spool_is_not_put_into_a_file_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url text)")
    before = path.read_bytes()

    with pytest.raises(SpoolError, match="it has bookmarks, and is no spool"):
        Spool(path, 1 << 20)

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_empty_file_becomes_an_archive(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()

    assert migrate.upgrade(str(tmp_path / "empty.db")) == (None, migrate.HEAD, None, ())
