"""The schema that the migrations make is the one the program describes, on both databases."""

from __future__ import annotations

import dataclasses
import sqlite3
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from archiver.errors import DatabaseBusy, SchemaNotAtHead
from archiver.storage import migrate
from archiver.storage.database.engine import reading_engine, writer_lock, writing_engine
from archiver.storage.database.foreign import APPLICATION_ID
from archiver.storage.indexes import EXPRESSIONS
from archiver.storage.schema import metadata
from archiver.storage.views import VIEWS

from . import freeze

SQLITE_VIEWS = "SELECT name, sql FROM sqlite_master WHERE type = 'view' ORDER BY name"
POSTGRES_VIEWS = "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY viewname"


@contextmanager
def connected(url: str, *, to_write: bool = False) -> Iterator[Connection]:
    engine = (writing_engine if to_write else reading_engine)(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def views(connection: Connection) -> list[Any]:
    query = SQLITE_VIEWS if connection.dialect.name == "sqlite" else POSTGRES_VIEWS
    return [tuple(row) for row in connection.execute(text(query))]


_NAMED = f"IN {tuple(sorted(EXPRESSIONS))}"
TEXTS = {
    "sqlite": f"SELECT sql FROM sqlite_schema WHERE type = 'index' AND name {_NAMED}",
    "postgresql": f"SELECT indexdef FROM pg_indexes WHERE indexname {_NAMED} AND schemaname = current_schema()",
}


def schema(url: str) -> dict[str, Any]:
    """Tables, columns, keys, indexes and views, as the database tells; of indexes of expressions, the text."""
    with connected(url) as connection, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index")
        found = inspect(connection)
        return {
            "of expressions": sorted(connection.execute(text(TEXTS[connection.dialect.name])).scalars()),
            "views": views(connection),
            "tables": {
                name: [
                    [(column["name"], str(column["type"]), column["nullable"]) for column in found.get_columns(name)],
                    found.get_pk_constraint(name),
                    sorted(
                        (key["name"], key["constrained_columns"], key["referred_table"])
                        for key in found.get_foreign_keys(name)
                    ),
                    sorted(map(str, found.get_unique_constraints(name))),
                    sorted(
                        (index["name"] or "", index["column_names"], index["unique"], _only_where(index))
                        for index in found.get_indexes(name)
                        if index["name"] not in EXPRESSIONS
                    ),
                ]
                for name in sorted(found.get_table_names())
            },
        }


def _only_where(index: Any) -> list[str]:
    return [str(part) for name, part in index.get("dialect_options", {}).items() if name.endswith("_where")]


def test_models_and_migrations_agree(database_url: str) -> None:
    assert migrate.check(database_url) == []


def test_the_views_are_those_of_the_program(database_url: str) -> None:
    with connected(database_url) as connection:
        migrated = views(connection)
    with connected(database_url, to_write=True) as connection:
        for view in reversed(VIEWS):
            for name in view.names(connection.dialect.name):
                connection.execute(text(f"DROP VIEW {name}"))
        for view in VIEWS:
            for statement in view.create(connection.dialect.name):
                connection.exec_driver_sql(statement)

    with connected(database_url) as connection:
        assert views(connection) == migrated


@pytest.mark.parametrize("dialect", freeze.DIALECTS)
@pytest.mark.parametrize("what", ["tables", "views"])
def test_what_is_frozen_of_the_second_edition_is_its_code(dialect: str, what: str) -> None:
    """Until it is released: `python -m tests.migrations.freeze` writes it anew."""
    frozen = migrate.migrations() / "sql" / f"0002_{what}_{dialect}.sql"
    comment, _, statements = frozen.read_text().partition("\n\n")

    assert comment.startswith("-- ")
    assert statements == ";\n\n".join({"tables": freeze.tables, "views": freeze.views}[what](dialect)) + ";\n"


def test_every_table_and_column_is_described() -> None:
    for table in metadata.sorted_tables:
        assert table.comment, table.name
        assert all(column.comment for column in table.columns), table.name


def test_every_column_of_a_view_is_described(database_url: str) -> None:
    with connected(database_url) as connection:
        for view in VIEWS:
            there = [column["name"] for column in inspect(connection).get_columns(view.name)]
            assert there == list(view.columns)
            assert view.comment
            assert all(view.columns.values())


def test_comments_are_in_the_database(postgres_url: str) -> None:
    missing = """
    SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0
      AND c.relname <> 'alembic_version' AND col_description(c.oid, a.attnum) IS NULL
    """
    with connected(postgres_url) as connection:
        assert connection.execute(text(missing)).all() == []


def test_every_foreign_key_is_of_the_same_name_on_both(database_url: str) -> None:
    """A constraint without a name is lost when SQLite's tables are rebuilt."""
    with connected(database_url) as connection:
        for table in metadata.sorted_tables:
            there = {key["name"] for key in inspect(connection).get_foreign_keys(table.name)}
            assert there == {f"fk_{table.name}_{key.parent.name}" for key in table.foreign_keys}


def test_the_constant_is_the_head_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.migrations()))

    assert ScriptDirectory.from_config(config).get_current_head() == migrate.HEAD


def test_an_upgrade_tells_the_revisions_and_a_second_one_changes_nothing(empty_database_url: str) -> None:
    assert migrate.upgrade(empty_database_url) == (None, migrate.HEAD, None, ())
    before = schema(empty_database_url)

    assert migrate.upgrade(empty_database_url) == (migrate.HEAD, migrate.HEAD, None, ())
    assert schema(empty_database_url) == before


def by_hand(url: str, to: str = "head") -> None:
    """As `alembic upgrade` in a checkout."""
    config = Config()
    config.set_main_option("script_location", str(migrate.migrations()))
    with connected(url, to_write=True) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)


@pytest.fixture
def created_url(empty_database_url: str, request: pytest.FixtureRequest) -> str:
    """An archive as the daemon creates it, of the same database as the empty one."""
    fixture = "sqlite_url" if empty_database_url.startswith("sqlite") else "postgres_url"
    return str(request.getfixturevalue(fixture))


def test_what_the_daemon_creates_is_what_the_migrations_make(empty_database_url: str, created_url: str) -> None:
    by_hand(empty_database_url)

    assert schema(empty_database_url) == schema(created_url)
    assert migrate.current(empty_database_url) == migrate.HEAD
    assert migrate.check(empty_database_url) == []


def test_an_upgrade_makes_what_is_created(empty_database_url: str, created_url: str) -> None:
    migrate.upgrade(empty_database_url)

    assert schema(empty_database_url) == schema(created_url)


def test_by_hand_nothing_is_done_to_an_archive_with_rows(empty_database_url: str) -> None:
    by_hand(empty_database_url, "0001")
    with connected(empty_database_url, to_write=True) as connection:
        connection.execute(text("INSERT INTO event_types VALUES (1, 'container')"))

    with pytest.raises(RuntimeError, match="archiver db upgrade"):
        by_hand(empty_database_url)

    assert migrate.current(empty_database_url) == "0001"


@pytest.mark.parametrize("make", [migrate.create, migrate.upgrade, by_hand])
def test_a_new_file_says_whose_it_is_and_gives_room_back(make: Any, tmp_path: Path) -> None:
    make(f"sqlite:///{tmp_path}/new.db")

    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)


def test_what_is_there_is_not_created_again(database_url: str) -> None:
    before = schema(database_url)

    migrate.create(database_url)

    assert schema(database_url) == before


def test_two_upgrades_at_once(empty_postgres_url: str) -> None:
    done: list[object] = []

    def upgrade() -> None:
        try:
            done.append(migrate.upgrade(empty_postgres_url)[1])
        except Exception as error:  # noqa: BLE001 - it is looked at below
            done.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert done == [migrate.HEAD, migrate.HEAD]


def test_the_sql_for_people_makes_the_same_schema(
    database_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if database_url.startswith("sqlite"):
        applied = f"sqlite:///{tmp_path}/applied.db"
        with closing(sqlite3.connect(tmp_path / "applied.db")) as connection:
            connection.executescript("\n".join(migrate.sql("sqlite")))
            assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
            assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    else:
        import psycopg  # only here: the other tests run without the driver

        applied = request.getfixturevalue("empty_postgres_url")
        with psycopg.connect(applied.replace("+psycopg", ""), autocommit=True) as server:
            server.execute("\n".join(migrate.sql("postgresql")).encode())

    assert schema(applied) == schema(database_url)
    assert migrate.current(applied) == migrate.HEAD


def test_a_newer_archive_is_not_touched(database_url: str) -> None:
    with connected(database_url, to_write=True) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaNotAtHead, match="9999"):
        migrate.upgrade(database_url)


def test_an_archive_in_use_is_not_upgraded(sqlite_url: str) -> None:
    holder = "import sys\nfrom archiver.storage.database.engine import writer_lock\n"
    holder += "with writer_lock(sys.argv[1]): print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", holder, sqlite_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(DatabaseBusy, match=str(process.pid)), writer_lock(sqlite_url):
            pass
        with pytest.raises(DatabaseBusy):
            migrate.upgrade(sqlite_url)
        process.communicate(b"\n")


@pytest.mark.parametrize("make", [migrate.create, migrate.upgrade])
def test_what_fails_while_it_is_made_leaves_nothing(
    make: Any, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = dataclasses.replace(VIEWS[0], name="broken", select=lambda _say: "SELECT * FROM nowhere; nonsense")
    monkeypatch.setattr("archiver.storage.views.VIEWS", (*VIEWS, broken))

    with pytest.raises(Exception, match=r"nowhere|one statement|nonsense"):
        make(empty_database_url)

    with connected(empty_database_url) as connection:
        assert inspect(connection).get_table_names() == []


def test_check_tells_that_rows_are_missing(database_url: str) -> None:
    with connected(database_url, to_write=True) as connection:
        connection.execute(text("UPDATE numbers SET last = 2 WHERE name = 'resources'"))
        connection.execute(text("UPDATE numbers SET last = 1 WHERE name = 'event_types'"))
        connection.execute(text("INSERT INTO event_types VALUES (1, 'container')"))
        connection.execute(text("INSERT INTO platforms VALUES (1, 'p', 'p', NULL)"))
        connection.execute(text("UPDATE numbers SET last = 1 WHERE name = 'platforms'"))
        connection.execute(text("INSERT INTO resources VALUES (2, 1, 1, 'k', '/api/v1/container/k/')"))

    assert migrate.check(database_url) == ["1 of 2 rows of resources are missing"]


def test_check_tells_what_is_wrong(database_url: str) -> None:
    with connected(database_url, to_write=True) as connection:
        connection.execute(text("DROP VIEW gap_log"))
        connection.execute(text("DROP INDEX ix_resources_uri"))
        connection.execute(text("DROP INDEX ix_events_occurred_us"))

    found = migrate.check(database_url)

    assert len(found) == 3
    assert "index ix_events_occurred_us is missing" in found
    assert any("gap_log" in problem for problem in found)
    assert any("ix_resources_uri" in problem for problem in found)
