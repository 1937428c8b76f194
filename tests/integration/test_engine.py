"""The database's address, and the archive's errors for the database's."""

from __future__ import annotations

import os
import pickle
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, exc, make_url

from archiver.errors import (
    AmbiguousReference,
    ArchiverError,
    ConfigurationWrong,
    DatabaseBusy,
    DatabaseFull,
    DatabaseReadOnly,
    DatabaseUnreachable,
    RowRefused,
)
from archiver.storage.database.engine import (
    reading_engine,
    translated,
    writer_lock,
    writing_engine,
)
from archiver.storage.database.named import sqlite_name

from ..conftest import RunArchiver
from .archives import event, record, rows


def test_a_plain_path_is_a_sqlite_file() -> None:
    assert sqlite_name("/var/lib/archive.db") == sqlite_name("sqlite:////var/lib/archive.db") == "/var/lib/archive.db"


@pytest.mark.parametrize("url", ["mysql://host/archive", "://", "sqlite://", "sqlite:///:memory:"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationWrong):
        reading_engine(url)


@pytest.mark.parametrize("name", ["a?b.db", "a%20b.db", "a#b.db", "\u00e4 b.db", "a&mode=rw.db", "%41", "\udcff"])
def test_any_name_of_a_file_will_do(tmp_path: Path, name: str) -> None:
    from archiver.storage import migrate

    url = str(tmp_path / name)
    migrate.upgrade(url)

    record(url, event("container/1"))

    assert rows(url, "SELECT count(*) FROM event_log") == [(1,)]
    assert (tmp_path / name).exists()


@pytest.mark.parametrize(
    "error",
    [DatabaseUnreachable(database="here", reason="why"), AmbiguousReference(ref="a", candidates=["b", "c"], more=True)],
)
def test_an_error_can_be_carried_to_another_process(error: DatabaseUnreachable | AmbiguousReference) -> None:
    carried = pickle.loads(pickle.dumps(error))

    assert (type(carried), str(carried), carried.next_step) == (type(error), str(error), error.next_step)


@contextmanager
def connected(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def test_a_commit_is_on_the_disk_when_it_is_done(sqlite_url: str) -> None:
    """WAL with synchronous=NORMAL may lose the last commits when the power goes (https://sqlite.org/pragma.html)."""
    with connected(writing_engine(sqlite_url)) as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL


# --- errors are judged by their code ---------------------------------------------------------------------------------


def refusal(url: str, connection: Connection, statement: str) -> ArchiverError:
    """What the archiver says of a statement that the database refuses."""
    with pytest.raises(ArchiverError) as caught, translated(url):
        connection.exec_driver_sql(statement)
    return caught.value


def test_a_locked_file_is_busy(sqlite_url: str) -> None:
    with closing(sqlite3.connect(sqlite_name(sqlite_url))) as other:
        other.execute("BEGIN IMMEDIATE")
        engine = create_engine(sqlite_url, connect_args={"timeout": 0})
        with connected(engine) as connection:
            assert type(refusal(sqlite_url, connection, "DELETE FROM alembic_version")) is DatabaseBusy


def test_a_file_opened_to_read_is_read_only(sqlite_url: str) -> None:
    with connected(reading_engine(sqlite_url)) as connection:
        assert type(refusal(sqlite_url, connection, "DELETE FROM alembic_version")) is DatabaseReadOnly


def test_a_file_that_may_not_grow_is_neither_busy_nor_read_only(sqlite_url: str) -> None:
    with connected(writing_engine(sqlite_url)) as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # the pages that there are already, in fact
        blob = "CREATE TABLE too_much AS SELECT zeroblob(1000000)"
        assert type(refusal(sqlite_url, connection, blob)) is DatabaseFull


HOSTILE = "the file is locked, busy, readonly and read-only: permission denied"


ASKED = ["status", "events", "db check", "db current", "db upgrade", "import -", "db backup copy.db"]


@pytest.mark.parametrize("command", ASKED)
def test_a_folder_is_said_to_be_one(tmp_path: Path, run_archiver: RunArchiver, command: str) -> None:
    done = run_archiver(*command.split(), "--database", str(tmp_path), input="")

    assert done.returncode == 78
    assert f"there can be no archive at {tmp_path}: it is a folder\n  hint: name a file in it" in done.stderr


def test_a_damaged_file_is_said_to_be_one_and_what_to_do(sqlite_url: str, run_archiver: RunArchiver) -> None:
    path = Path(make_url(sqlite_url).database or "")
    os.truncate(path, path.stat().st_size // 2)

    done = run_archiver("tree", "--database", sqlite_url)

    assert done.returncode == 4
    assert "is damaged: " in done.stderr
    assert "archiver db restore FILE" in done.stderr


def test_a_path_that_lacks_its_fourth_slash_is_shown_with_it(tmp_path: Path, run_archiver: RunArchiver) -> None:
    (there := tmp_path / "archive.db").touch()

    done = run_archiver("tree", "--database", f"sqlite://{there}")

    assert done.returncode == 4
    assert f"did you mean sqlite:///{there}?" in done.stderr


@pytest.mark.parametrize("command", ASKED)
def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path, run_archiver: RunArchiver, command: str) -> None:
    (other := tmp_path / "notes.txt").write_text("milk, bread, and whatever else is not a database\n")

    done = run_archiver(*command.split(), "--database", str(other), input="")

    assert done.returncode == 4
    assert f"there is no archive at {other}: " in done.stderr
    assert "not a database" in done.stderr
    assert "is running" not in done.stderr
    assert other.read_text().startswith("milk")


def test_words_in_a_message_decide_nothing(sqlite_url: str) -> None:
    with connected(reading_engine(sqlite_url)) as connection:
        assert type(refusal(sqlite_url, connection, f'SELECT "{HOSTILE}" FROM nowhere')) is DatabaseUnreachable
        assert type(refusal(sqlite_url, connection, f'SELECT * FROM "{HOSTILE}"')) is DatabaseUnreachable


@pytest.fixture
def reader_role(postgres_url: str) -> Iterator[str]:
    """A role that may do nothing here; roles belong to the server, so it is dropped at the end."""
    name = f"reader_{secrets.token_hex(6)}"
    with connected(create_engine(postgres_url, isolation_level="AUTOCOMMIT")) as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name}")
        yield name
        connection.exec_driver_sql(f"DROP ROLE {name}")


def in_german(connection: Connection) -> None:
    """Has this session answered in German; skips the test where the server has no translations."""
    connection.exec_driver_sql("SET lc_messages = 'C.UTF-8'")
    with pytest.raises(exc.DataError) as caught, connection.begin_nested():
        connection.exec_driver_sql("SELECT 1 / 0")
    if "Division durch Null" not in str(caught.value.orig):
        pytest.skip("this PostgreSQL speaks English only")


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SET ROLE {reader}; SELECT pg_read_file('secret')", DatabaseReadOnly),
        ("SET TRANSACTION READ ONLY; CREATE TABLE new (n int)", DatabaseReadOnly),
        ("SET LOCAL lock_timeout = '10ms'; LOCK TABLE alembic_version", DatabaseBusy),
        ("LOCK TABLE alembic_version NOWAIT", DatabaseBusy),
        ("SELECT 1 / 0", RowRefused),
        (f'SELECT * FROM "{HOSTILE[:60]}"', DatabaseUnreachable),
        (f"DO $$ BEGIN RAISE EXCEPTION '{HOSTILE}'; END $$", DatabaseUnreachable),
    ],
)
@pytest.mark.parametrize("language", ["C", "german"])
def test_postgresql_is_understood_in_any_language(
    postgres_url: str, reader_role: str, statement: str, kind: type[ArchiverError], language: str
) -> None:
    with connected(writing_engine(postgres_url)) as other, connected(writing_engine(postgres_url)) as connection:
        other.exec_driver_sql("LOCK TABLE alembic_version")
        if language == "german":
            in_german(connection)
        refused = refusal(postgres_url, connection, statement.format(reader=reader_role))

    assert type(refused) is kind


def test_a_lock_that_somebody_replaced_by_a_link_is_reported(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "archive.db-lock").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(DatabaseReadOnly, match="not an ordinary file"), writer_lock(sqlite_url):
        pass
