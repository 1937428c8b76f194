"""A statement of one's own reads and does nothing else, gives the same on both databases, and holds little."""

from __future__ import annotations

import base64
import json
import time
import tracemalloc
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.errors import ArchiverError, QueryFailed, QueryTimedOut
from archiver.storage import migrate
from archiver.storage.database.engine import writing_engine

from ..conftest import DATABASES, PostgresServer, RunArchiver
from .archives import event, record, rows

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
FIRST = "2016-02-01T12:00:01.500000Z"


@pytest.fixture(scope="module", params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield filled(str(tmp_path_factory.mktemp("sql") / Path("archive.db")))
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.database() as made:
            yield filled(made)


def filled(url: str) -> str:
    migrate.create(url)
    record(url, event("container/1", "Running", 1.5, uuid="u1"), event("container/1", "Stopped", 3))
    return url


def answered(url: str, statement: str, **more: Any) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    with Archive.open(url) as archive, archive.sql(statement, **more) as answer:
        return answer.columns, list(answer)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "SELECT occurred_at FROM event_log ORDER BY id",
            ["2016-02-01T12:00:01.500000Z", "2016-02-01T12:00:03.000000Z"],
        ),
        ("SELECT min(occurred_at) AS first FROM events", [FIRST]),
        ("SELECT occurred_us FROM event_log WHERE uuid = 'u1'", [1454328001500000]),
        ("SELECT seconds FROM state_spans WHERE state = 'Running'", [1.5]),
        ("SELECT uuid FROM events WHERE uuid IS NOT NULL", [b"u1"]),
        ("SELECT NULL", [None]),
        ("SELECT '50%' WHERE 'a:b' LIKE 'a%'", ["50%"]),
        ("VALUES ('\u03a9')", ["\u03a9"]),
        ("SELECT count(*) FROM event_log;", [2]),
        ("-- how many\nSELECT count(*) FROM event_log -- all\n", [2]),
    ],
)
def test_values_are_the_same_on_both_databases(url: str, statement: str, expected: list[Any]) -> None:
    assert [row[0] for row in answered(url, statement)[1]] == expected


def test_columns_of_one_name_are_told_apart(url: str) -> None:
    columns, _ = answered(url, "SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS a")

    assert columns == ("a", "a_3", "a_2", "a_4")


REFUSED = [
    "",
    " ; ",
    "-- nothing",
    "SELECT 1; SELECT 2",
    "SELECT 1; DELETE FROM events",
    "SELECT 1; COMMIT; DELETE FROM events",
    "SELEC 1",
    "SELECT * FROM nowhere",
    "SELECT nothing FROM event_log",
    "DELETE FROM events",
    "DELETE FROM events RETURNING id",
    "WITH gone AS (DELETE FROM events RETURNING id) SELECT * FROM gone",
    "INSERT INTO texts VALUES (77, 'x')",
    "UPDATE events SET state_id = NULL",
    "DROP VIEW subtree",
    "CREATE TABLE mine (a int)",
    "CREATE TEMP TABLE mine (a int)",
    "BEGIN",
    "COMMIT",
    "VACUUM",
    "ANALYZE",
    "SELECT '\0'",
    "SELECT '\udcff'",
]
OF_ONE = {
    "sqlite": [
        "ATTACH ':memory:' AS other",
        "VACUUM INTO 'copy.db'",
        "PRAGMA journal_mode=DELETE",
        "PRAGMA query_only=OFF",
        "PRAGMA writable_schema=ON",
        "SELECT load_extension('x')",
        "SELECT fts3_tokenizer('simple')",
        "CREATE VIRTUAL TABLE found USING fts5(a)",
    ],
    "postgresql": [
        "COPY (SELECT 1) TO '/dev/null'",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SET statement_timeout = 0",
        "SET TRANSACTION READ WRITE",
        "DO $$ BEGIN DELETE FROM events; END $$",
        "SELECT * FROM events FOR UPDATE",
        "SELECT 1 INTO mine",
        "LOCK TABLE events",
        "SELECT $1",
        "SELECT FROM events",
        "NOTIFY somebody",
        "SELECT set_config('statement_timeout', '0', false)",
        "SELECT pg_catalog.\"set_config\" ('DateStyle', 'German', true)",
        "SELECT set_config/* by the way */('role', 'none', false)",
        "SELECT set_config --\n ('role', 'none', false)",
        "SELECT U&\"set\\005fconfig\"('role', 'none', false)",
        "SELECT lo_create(0)",
        "SELECT lo_export(1, '/tmp/x')",
        "SELECT PG_TERMINATE_BACKEND(pid) FROM pg_stat_activity",
        "SELECT pg_switch_wal()",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_advisory_lock(1)",
        "SELECT query_to_xml('DELETE FROM events', true, true, '')",
        "SELECT nextval('somewhere')",
    ],
}


def made(url: str, function: str) -> None:
    engine = writing_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(function)
    engine.dispose()


def refused(url: str) -> list[str]:
    return REFUSED + OF_ONE["postgresql" if url.startswith("postgresql") else "sqlite"]


def code_of(url: str, statement: str) -> int:
    try:
        answered(url, statement)
    except ArchiverError as error:
        return error.exit_code
    return 0


def test_what_is_no_single_select_is_refused(url: str) -> None:
    for statement in refused(url):
        assert code_of(url, statement) == 2, statement

    assert rows(url, "SELECT count(*) FROM events WHERE state_id IS NOT NULL") == [(2,)]


def test_a_function_that_writes_leaves_nothing(postgres_url: str) -> None:
    lifted = "SELECT set_config('transaction_read_only', 'off', false)"

    assert code_of(postgres_url, lifted) == 2
    made(postgres_url, "CREATE FUNCTION mine() RETURNS oid LANGUAGE sql AS 'SELECT lo_create(0)'")
    assert code_of(postgres_url, "SELECT mine()") == 0  # PostgreSQL 15 lets it, and it is rolled back
    assert rows(postgres_url, "SELECT count(*) FROM pg_largeobject_metadata") == [(0,)]


def test_what_a_statement_sets_holds_for_nothing_of_it(postgres_url: str) -> None:
    sets = "SELECT set_config(''statement_timeout'', ''0'', false) || set_config(''DateStyle'', ''German'', true)"
    made(postgres_url, f"CREATE FUNCTION lift() RETURNS text LANGUAGE sql VOLATILE AS '{sets}'")

    endless = "SELECT lift(), pg_sleep(CASE WHEN i > 1 THEN 60 ELSE 0 END) FROM generate_series(1, 2) i"
    with pytest.raises(QueryTimedOut):
        answered(postgres_url, endless, seconds=0.5)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_typeof(1)::text, pg_size_pretty(1::bigint)",
        "SELECT pg_total_relation_size('events') >= 0",
        "SELECT count(*) FROM pg_class",
        "SELECT 'set_config is a word' AS pg_word",
    ],
)
def test_what_only_looks_at_the_server_is_answered(postgres_url: str, statement: str) -> None:
    assert code_of(postgres_url, statement) == 0


def test_a_statement_that_takes_too_long_is_ended(url: str) -> None:
    with pytest.raises(QueryTimedOut, match=r"longer than 0\.2 s"):
        answered(url, f"{ENDLESS} SELECT count(*) FROM n", seconds=0.2)


def test_rows_are_read_as_they_are_asked_for(url: str) -> None:
    with Archive.open(url) as archive, archive.sql(f"{ENDLESS} SELECT i FROM n") as answer:
        assert [i for (i,) in islice(answer, 500)] == list(range(1, 501))


def test_a_slow_reader_is_not_ended(sqlite_url: str) -> None:
    with Archive.open(sqlite_url) as archive, archive.sql(f"{ENDLESS} SELECT i FROM n LIMIT 150", seconds=5) as answer:
        found, clock = iter(answer), time.monotonic
        next(found)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "monotonic", lambda: clock() + 60)
            assert sum(1 for _ in found) == 149


@pytest.mark.parametrize("seconds", [float("inf"), 1e12])
def test_any_time_that_may_be_given_is_one_that_the_database_takes(url: str, seconds: float) -> None:
    assert answered(url, "SELECT 1", seconds=seconds)[1] == [(1,)]


def test_a_time_that_is_no_number_is_refused(sqlite_url: str, run_archiver: RunArchiver) -> None:
    done = run_archiver("sql", "SELECT 1", "--timeout", "nan", env={"ARCHIVER_DATABASE_URL": sqlite_url})

    assert (done.returncode, done.stdout) == (2, "")


def large(url: str, size: int) -> str:
    return f"repeat('x', {size})" if url.startswith("postgresql") else f"zeroblob({size})"


def test_a_value_without_bounds_is_not_held(url: str) -> None:
    with pytest.raises(QueryFailed, match="too big"):
        answered(url, f"SELECT {large(url, 40_000_000)}")


def test_rows_of_much_are_held_one_by_one(url: str) -> None:
    tracemalloc.start()
    try:
        # The first rows are small: nobody could have known.
        much = f"{ENDLESS} SELECT CASE WHEN i > 120 THEN {large(url, 1_000_000)} END FROM n LIMIT 180"
        with Archive.open(url) as archive, archive.sql(much) as answer:
            assert sum(1 for _ in answer) == 180
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_text_that_is_no_utf_8_fails_the_statement_and_not_the_archive(sqlite_url: str) -> None:
    with pytest.raises(QueryFailed, match="UTF-8"):
        answered(sqlite_url, "SELECT CAST(x'ff' AS TEXT)")


def test_data_that_the_statement_cannot_take_fails_it(url: str) -> None:
    wrong = "SELECT 1 / (i - 1) FROM (SELECT 1 AS i) n" if url.startswith("postgresql") else "SELECT json('{')"

    with pytest.raises(QueryFailed) as caught:
        answered(url, wrong)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("'infinity'::timestamptz", "infinity"),
        ("DATE '2026-11-26'", "2026-11-26"),
        ("1.50", 1.5),
        ("'NaN'::numeric", "NaN"),
        ("'-infinity'::float8", "-Infinity"),
        ("true", True),
        ("ARRAY[1, 2]", [1, 2]),
        ("""'{"a": 1}'::jsonb""", '{"a": 1}'),
        ("int4range(1, 3)", "[1,3)"),
        ("""ARRAY['{"a": 1}'::jsonb]""", ['{"a": 1}']),
        ("ROW(1, 'a')", ["1", "a"]),
    ],
)
def test_types_that_only_postgresql_has_are_text_or_json(postgres_url: str, value: str, expected: object) -> None:
    assert answered(postgres_url, f"SELECT {value}")[1] == [(expected,)]


STATEMENT = """SELECT uri, uuid AS bytes, 1 AS n, 2 AS n FROM (
  SELECT r.uri, e.uuid FROM events e JOIN resources r ON r.id = e.resource_id WHERE e.uuid IS NOT NULL) x"""


def test_the_command_writes_every_format(url: str, run_archiver: RunArchiver) -> None:
    environment = {"ARCHIVER_DATABASE_URL": url}
    encoded = base64.b64encode(b"u1").decode()
    whole = {"uri": "/api/v1/container/1/", "bytes": {"base64": encoded}, "n": 1, "n_2": 2}

    as_json = run_archiver("sql", STATEMENT, "-o", "json", env=environment)
    as_csv = run_archiver("sql", "-", "-o", "csv", env=environment, input=STATEMENT)
    nothing = run_archiver("sql", "SELECT uri FROM event_log WHERE id < 0", env=environment)

    assert json.loads(as_json.stdout) == [whole], as_json.stderr
    assert as_csv.stdout.splitlines() == ["uri,bytes,n,n_2", f"/api/v1/container/1/,{encoded},1,2"]
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", "no rows\n")


def test_the_command_says_by_its_code_what_went_wrong(url: str, run_archiver: RunArchiver) -> None:
    environment = {"ARCHIVER_DATABASE_URL": url}
    two = run_archiver("sql", "SELECT 1; SELECT 2", env=environment)
    long = run_archiver("sql", f"{ENDLESS} SELECT count(*) FROM n", "--timeout", "0.2", env=environment)

    assert (two.returncode, long.returncode) == (2, 1)
    assert "was ended" in long.stderr


def test_a_hostile_value_reaches_no_terminal(sqlite_url: str, run_archiver: RunArchiver) -> None:
    done = run_archiver(
        "sql",
        "SELECT '\x1b[31m' AS \"\x1b]0;x\", '=1+1' AS b",
        "-o",
        "table",
        env={"ARCHIVER_DATABASE_URL": sqlite_url},
    )

    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert r"\x1b[31m" in done.stdout
