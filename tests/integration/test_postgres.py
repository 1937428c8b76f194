"""PostgreSQL as its owner has set it up: the archiver keeps to that, and takes with it only what it needs."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError

from archiver.api.archive import Archive
from archiver.errors import ConfigurationWrong, DatabaseUnfit, DatabaseUnreachable
from archiver.model import Event, Message
from archiver.queries.reader import Reader
from archiver.recording.ingest import Ingest
from archiver.recording.spool.queue import Spool
from archiver.storage import migrate
from archiver.storage.database.address import libpq_url
from archiver.storage.database.engine import reading_engine, writing_engine
from archiver.storage.database.postgres_driver import BY_INDEX
from archiver.storage.recorder import Recorder
from tests.conftest import PostgresServer, RunArchiver

from .archives import closed, event, export, opened, record, rows, seen


def execute(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Has the owner of a database say something; gives the rows of the last statement."""
    with psycopg.connect(libpq_url(url), autocommit=True) as owner:
        answers = [owner.execute(statement.encode()) for statement in statements]
        return answers[-1].fetchall() if answers[-1].description else []


def told() -> list[Event]:
    return [
        event("container/1", "Starting", 1, ["service/1"], uuid="a"),
        event("container/1", "L\u00e4uft \U0001f433", 2, ["service/1"], uuid="b"),
        event("container/1", None, 2.5, ["service/1"], uuid="526d474c-45cf-4e5b-9768-5c21a9850848", datetime=None),
        event("container/1", "Stopped", 3, ["service/1"], name="web \u03a9"),
    ]


def answers(url: str) -> list[Any]:
    with Archive.open(url) as archive:
        return [archive.history("container/1"), archive.tree("service/1"), list(archive.events()), export(url)[1:]]


def fill(url: str) -> None:
    record(url, opened("s1", 0), *told(), seen("container/1", "Gone", 4), closed("s1", 5))


# --- the URL is libpq's -----------------------------------------------------------------------------------------------


@pytest.fixture
def schema_url(empty_postgres_url: str) -> str:
    """A database with a schema `arch`, in which no archive is yet."""
    execute(empty_postgres_url, "CREATE SCHEMA arch")
    return empty_postgres_url


def by_url(url: str, _folder: Path, _monkeypatch: pytest.MonkeyPatch) -> str:
    return f"{url}&options=-csearch_path%3Darch"


def by_environment(url: str, _folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PGOPTIONS", "-c search_path=arch")
    return url


def by_service(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    known = psycopg.conninfo.conninfo_to_dict(libpq_url(url))
    lines = [f"{key}={value}" for key, value in known.items()]
    (folder / "services").write_text("\n".join(["[archive]", *lines, "options=-c search_path=arch"]))
    monkeypatch.setenv("PGSERVICEFILE", str(folder / "services"))
    return "postgresql:///?service=archive"


def by_database(url: str, _folder: Path, _monkeypatch: pytest.MonkeyPatch) -> str:
    execute(url, f'ALTER DATABASE "{make_url(url).database}" SET search_path = arch')
    return url


@pytest.mark.parametrize("way", [by_url, by_environment, by_service, by_database])
def test_the_search_path_is_kept(
    way: Callable[..., str], schema_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = way(schema_url, tmp_path, monkeypatch)

    migrate.upgrade(url)
    fill(url)

    assert [span.state for span in answers(url)[0].spans] == ["Starting", "L\u00e4uft \U0001f433", "Stopped", "Gone"]
    assert migrate.check(url) == []
    places = "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename IN ('events', 'alembic_version')"
    assert execute(schema_url, places) == [("arch",)]


def by_socket_in_the_host(folder: str, name: str) -> str:
    return f"postgresql://postgres@{folder.replace('/', '%2F')}/{name}"


def by_the_second_host(folder: str, name: str) -> str:
    return f"postgresql://postgres@%2Fnowhere,{folder.replace('/', '%2F')}/{name}"


def by_parameters(folder: str, name: str) -> str:
    return f"postgresql://?host={folder}&dbname={name}&user=postgres"


def by_old_ways(folder: str, name: str) -> str:
    return f"postgres://postgres@/{name}?host={folder}"


@pytest.mark.parametrize("way", [by_socket_in_the_host, by_the_second_host, by_parameters, by_old_ways])
def test_an_address_is_read_as_libpq_reads_it(way: Callable[..., str], postgres_url: str) -> None:
    host = psycopg.conninfo.conninfo_to_dict(libpq_url(postgres_url)).get("host", "")
    if not str(host).startswith("/"):
        pytest.skip("the server has no socket here")

    fill(way(host, make_url(postgres_url).database))

    assert rows(postgres_url, "SELECT count(*) FROM events") == [(4,)]


def test_without_a_host_the_environment_says_where(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in psycopg.conninfo.conninfo_to_dict(libpq_url(postgres_url)).items():
        variable = {"dbname": "PGDATABASE", "password": "PGPASSWORD"}.get(key, f"PG{key.upper()}")
        monkeypatch.setenv(variable, str(value))

    fill("postgresql://")

    assert rows(postgres_url, "SELECT count(*) FROM events") == [(4,)]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:pa%zzhunter2@h/d",
        "postgresql://h/d?password=hunter2&hunter2",
        "postgresql://h/d?password=a=hunter2",
        "postgresql://h/d?hunter2=x",
        "postgresql://u:x@[hunter2/d",
        "postgresql://hunter2@u@h/d",
    ],
)
def test_a_url_that_cannot_be_read_is_a_wrong_setting_and_not_quoted(url: str) -> None:
    with pytest.raises(ConfigurationWrong) as caught:
        reading_engine(url)

    assert "hunter2" not in f"{caught.value} {caught.value.next_step}"


@pytest.mark.parametrize("password", ["pa@hunter2", "pa/hunter2", "hunter2#x", "12/hunter2@x", "hunter2"])
def test_a_password_is_in_no_message_when_the_server_is_away(password: str) -> None:
    with pytest.raises(DatabaseUnreachable) as caught:
        record(f"postgresql://archiver:{password}@127.0.0.1:1/archive", event("container/1"))

    assert "hunter2" not in f"{caught.value} {caught.value.next_step} {caught.value.__cause__}"
    assert "postgresql://archiver:***@127.0.0.1:1/archive" in str(caught.value)


# --- the settings are the owner's -------------------------------------------------------------------------------------

SETTINGS = {
    "datestyle": "'German'",
    "DateStyle": "'SQL, MDY'",
    "timezone": "'America/St_Johns'",
    "intervalstyle": "'iso_8601'",
    "client_encoding": "'LATIN1'",
    "default_transaction_isolation": "'serializable'",
    "standard_conforming_strings": "off",
    "bytea_output": "'escape'",
    "extra_float_digits": "-10",
    "transform_null_equals": "on",
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_whatever_the_database_is_set_to_the_answers_are_the_same(
    setting: str, postgres_url: str, sqlite_url: str
) -> None:
    execute(postgres_url, f'ALTER DATABASE "{make_url(postgres_url).database}" SET {setting} = {SETTINGS[setting]}')
    fill(postgres_url)
    fill(sqlite_url)

    again = record(postgres_url, *told()[:3])

    assert (again.events, again.rejects, again.duplicates) == (0, 0, 3)
    assert answers(postgres_url) == answers(sqlite_url)


def test_whatever_the_database_is_set_to_an_archive_is_made_in_it(empty_postgres_url: str, sqlite_url: str) -> None:
    name = make_url(empty_postgres_url).database
    for setting, value in SETTINGS.items():
        execute(empty_postgres_url, f'ALTER DATABASE "{name}" SET {setting} = {value}')

    migrate.create(empty_postgres_url)

    fill(empty_postgres_url)
    fill(sqlite_url)
    assert answers(empty_postgres_url) == answers(sqlite_url)
    assert rows(empty_postgres_url, "SELECT 0.1::double precision + 0.2") == [(0.30000000000000004,)]


def test_two_writers_take_turns_whatever_isolation_is_the_default(postgres_url: str) -> None:
    """With a snapshot from before its turn, the second would give the numbers of the first again."""
    name = make_url(postgres_url).database
    execute(postgres_url, f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = 'repeatable read'")
    with Recorder(postgres_url, "one") as one, Recorder(postgres_url, "two") as two:
        for number in range(1, 4):
            one.record([event("container/1", "a", number)], number)
            two.record([event("container/1", "b", number)], number)

    assert rows(postgres_url, "SELECT count(*), max(id) FROM events") == [(6, 6)]


@pytest.mark.parametrize("engine_of", [reading_engine, writing_engine])
def test_our_settings_cost_no_message_of_their_own(engine_of: Callable[..., Any], postgres_url: str) -> None:
    engine = engine_of(postgres_url)
    with engine.connect() as connection, tempfile.TemporaryFile("w+") as told:
        driver = connection.connection.driver_connection
        driver.pgconn.trace(told.fileno())
        with connection.begin():
            connection.execute(text("SELECT 1"))
        driver.pgconn.untrace()
        told.seek(0)
        sent = [line.split("\t")[3] for line in told if line.split("\t")[1] == "F"]
    engine.dispose()

    assert sent == ["Query"] * 3  # BEGIN with them, SELECT, COMMIT


def test_a_connection_that_is_ended_while_it_hands_out_rows_leaves_no_traceback_in_the_log(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = reading_engine(postgres_url)
    with suppress(SQLAlchemyError), engine.connect() as connection:
        backend = connection.scalar(text("SELECT pg_backend_pid()"))
        many = text("SELECT generate_series(1, 100000)")
        found = connection.execution_options(stream_results=True).execute(many)
        cursor = found.cursor
        execute(postgres_url, f"SELECT pg_terminate_backend({backend}, 5000)")
        found.close()
    cursor.close()  # the driver's own, which could not be

    assert caplog.records == []


def test_a_reader_cannot_write(postgres_url: str) -> None:
    engine = reading_engine(postgres_url)
    with engine.connect() as connection, pytest.raises(Exception, match="read-only transaction"):
        connection.execute(text("DELETE FROM streams"))
    engine.dispose()


# --- encodings --------------------------------------------------------------------------------------------------------


@pytest.fixture
def encoded_url(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.database("template0", f"ENCODING '{request.param}' LOCALE 'C'") as url:
        yield url


@pytest.mark.parametrize("encoded_url", ["LATIN1", "WIN1252", "EUC_JP"], indirect=True)
@pytest.mark.parametrize("make", [migrate.upgrade, migrate.create])
def test_an_encoding_that_lacks_characters_is_refused(make: Callable[[str], Any], encoded_url: str) -> None:
    with pytest.raises(DatabaseUnfit, match="its encoding is") as caught:
        make(encoded_url)

    assert caught.value.exit_code == 78
    assert "ENCODING 'UTF8'" in caught.value.next_step
    assert migrate.current(encoded_url) is None


@pytest.mark.parametrize("encoded_url", ["SQL_ASCII"], indirect=True)
def test_a_database_without_an_encoding_gives_back_what_it_was_given(encoded_url: str, sqlite_url: str) -> None:
    migrate.upgrade(encoded_url)
    fill(encoded_url)
    fill(sqlite_url)

    assert answers(encoded_url) == answers(sqlite_url)
    assert migrate.check(encoded_url) == []


@pytest.mark.parametrize("encoded_url", ["LATIN1"], indirect=True)
def test_an_old_archive_that_lacks_characters_goes_on_and_is_told_of(encoded_url: str, tmp_path: Path) -> None:
    """The first release made them; what is in there may be exported into another one."""
    execute(encoded_url, (SNAPSHOTS / "0001_postgresql.sql").read_text())
    assert migrate.upgrade(encoded_url).before == "0001"
    with Spool(tmp_path / "spool.db") as spool:
        for state in ("L\u00e4uft", "\u03a9", "Running"):
            payload = json.dumps({"type": "container", "state": state}, ensure_ascii=False).encode()
            spool.append([Message("ws://s", "s1", "tutum", 1, payload)])
        ingest = Ingest(spool, encoded_url)
        ingest.finish()
        ingest.run()

    assert (ingest.archived, ingest.rejected, ingest.trouble) == (2, 1, None)
    assert [problem.partition(":")[0] for problem in migrate.check(encoded_url)] == ["the encoding is LATIN1, not UTF8"]


SNAPSHOTS = Path(__file__).parents[1] / "migrations" / "snapshots"


# --- behind PgBouncer -------------------------------------------------------------------------------------------------


def test_behind_pgbouncer_a_daemon_and_its_readers_share_one_connection(pooled_url: str, sqlite_url: str) -> None:
    with Recorder(pooled_url, "daemon") as daemon, Recorder(sqlite_url, "daemon") as other:
        for number in range(1, 13):  # more often than after what a driver prepares its statements
            batch = [event(f"container/{number}", "Running", number, ["service/1"], uuid=f"u{number}")]
            daemon.record(batch, number)
            other.record(batch, number)
            with Archive.open(pooled_url) as archive:
                assert len(archive.tree("service/1").children) == number
                assert len(list(archive.events(limit=0))) == number
                assert len(list(archive.actions("service/1"))) == 0
        daemon.record([event("container/1", "Running", 1, ["service/1"], uuid="u1")], 13)

    with Archive.open(pooled_url) as archive, Archive.open(sqlite_url) as expected:
        assert list(archive.events()) == list(expected.events())
    assert migrate.check(pooled_url) == []


def test_an_archive_is_made_through_pgbouncer(pgbouncer: str, empty_postgres_url: str) -> None:
    parts = make_url(empty_postgres_url)
    url = f"postgresql://{parts.username}@/{parts.database}?host={pgbouncer}&port=6432"
    migrate.upgrade(url)
    fill(url)
    assert rows(empty_postgres_url, "SELECT count(*) FROM events") == [(4,)]


def test_nothing_of_ours_is_left_to_the_next_client_of_pgbouncer(pooled_url: str, postgres_url: str) -> None:
    name = make_url(postgres_url).database
    execute(postgres_url, f"ALTER DATABASE \"{name}\" SET datestyle = 'SQL, DMY'")
    fill(pooled_url)
    answers(pooled_url)

    with psycopg.connect(libpq_url(pooled_url), autocommit=True, prepare_threshold=None) as stranger:
        found = {setting: stranger.execute(f"SHOW {setting}").fetchone() for setting in SHOWN}

    assert found == SHOWN


def test_what_is_asked_is_not_compiled(postgres_url: str) -> None:
    """For that takes seconds for each of the larger views, whatever is in them."""
    assert rows(postgres_url, "SHOW jit") == [("off",)]


def test_the_planner_looks_up_what_the_library_asks_and_does_as_it_likes_with_any_other_question(
    postgres_url: str,
) -> None:
    ways = ", ".join(f"current_setting('{way}')" for way in BY_INDEX)
    reader = Reader(postgres_url)
    with reader.question() as connection:
        asked = connection.execute(f"SELECT {ways}").one()
    reader.close()
    with Archive.open(postgres_url) as archive, archive.sql(f"SELECT {ways}") as answer:
        own = list(answer)

    assert set(asked) == {"off"}
    assert [set(row) for row in own] == [{"on"}]


SHOWN = {
    "DateStyle": ("SQL, DMY",),
    "default_transaction_read_only": ("off",),
    "transaction_read_only": ("off",),
    "IntervalStyle": ("postgres",),
    "enable_hashjoin": ("on",),
}


UNREACHABLE = [
    "postgresql://archiver:pa@hunter2@127.0.0.1:1/x",
    "postgresql://archiver:12/hunter2@127.0.0.1:1/x",
    "postgresql://archiver@server:hunter2@127.0.0.1:1/x?sslmode=disable",
    "postgresql://127.0.0.1:1/x?user=archiver&password=pa@hunter2",
    "postgresql://127.0.0.1:1/x?password=pa&hunter2",
    "postgresql://archiver:%zhunter2@127.0.0.1:1/x",
    "postgresql:/archiver:hunter2@127.0.0.1:1/x",
    "archiver:hunter2@127.0.0.1:1/x",
    "host=127.0.0.1 port=1 password=hunter2",
    "u:hunter2@postgresql://127.0.0.1:1/x",
]


@pytest.mark.parametrize("url", UNREACHABLE)
def test_no_command_says_a_password_not_even_with_its_traceback(url: str, run_archiver: RunArchiver) -> None:
    done = run_archiver("--debug", "status", env={"ARCHIVER_DATABASE_URL": url})

    assert done.returncode in (4, 78)
    assert done.stderr.count("archiver: error:") == 1
    assert "hunter2" not in done.stdout + done.stderr
