"""Numbers of rows: given in the order of archiving, and none of them twice, on both databases."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from archiver.errors import RowRefused
from archiver.model import Reject
from archiver.storage import migrate
from archiver.storage.database.engine import writing_engine
from archiver.storage.numbers import NUMBERED
from archiver.storage.recorder import Recorder

from .archives import LABELLED, START, event, opened, record, rows, seen

NUMBERS = "SELECT name, last FROM numbers"


def execute(url: str, *statements: str) -> None:
    engine = writing_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_every_table_with_numbers_has_its_row_from_the_beginning(database_url: str) -> None:
    assert set(rows(database_url, NUMBERS)) == {(table.name, 0) for table in NUMBERED}


def test_a_number_is_not_given_again_after_all_rows_are_deleted(database_url: str) -> None:
    record(database_url, event("container/1"), event("container/2"))
    execute(database_url, "DELETE FROM facts", "DELETE FROM present", "DELETE FROM implied", "DELETE FROM events")

    record(database_url, event("container/3"))

    assert rows(database_url, "SELECT id FROM events") == [(3,)]


def test_what_was_given_is_written_down_for_every_table(database_url: str) -> None:
    named = event("container/1", "Running", 1, ["service/1"], session="s1", action="start")._replace(
        name="web", extra=LABELLED
    )
    record(
        database_url,
        opened("s1", 0),
        named,
        seen("container/1", "Running", 2),
        Reject(b"{}", "none", START),
        receiver="spool",
        upto=4,
    )

    given = dict(rows(database_url, NUMBERS))
    assert min(given.values()) > 0
    for table, last in given.items():
        assert rows(database_url, f"SELECT max(id), count(*) FROM {table}") == [(last, last)], table


def test_what_was_rolled_back_was_not_given(database_url: str) -> None:
    record(database_url, event("container/1"))
    before = sorted(rows(database_url, NUMBERS))
    with Recorder(database_url, "spool") as recorder, pytest.raises((RowRefused, UnicodeEncodeError)):
        recorder.record([event("container/2"), Reject(b"", "written last: \ud800", START)], 2)

    assert sorted(rows(database_url, NUMBERS)) == before


def test_two_writers_never_give_one_number(postgres_url: str) -> None:
    def write(name: str) -> None:
        with Recorder(postgres_url, name) as recorder:
            for number in range(10):
                recorder.record([event(f"container/{name}{number}", f"S{number % 3}", number)], number + 1)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert rows(postgres_url, "SELECT count(*), max(id) FROM events") == [(30, 30)]
    assert rows(postgres_url, "SELECT count(*), max(id) FROM event_states") == [(3, 3)]


def test_a_number_that_a_row_has_already_is_not_given_whoever_wrote_the_row(database_url: str) -> None:
    record(database_url, event("container/1", "Running", 1))
    execute(database_url, "UPDATE numbers SET last = 0")

    with Recorder(database_url) as recorder:
        recorder.record([event("container/1", "Stopped", 2)])

    assert rows(database_url, "SELECT id FROM events ORDER BY id") == [(1,), (2,)]
    assert rows(database_url, "SELECT id FROM event_states ORDER BY id") == [(1,), (2,)]
    assert migrate.check(database_url) == []


# --- what `db check` says -------------------------------------------------------------------------------------------


def problems(url: str, *statements: str) -> list[str]:
    """What is said of a few rows once these statements have been at them."""
    record(url, event("container/1", "Running", 1, ["service/1"])._replace(name="web"), seen("container/1", "Lost", 2))
    execute(url, *statements)
    return migrate.check(url)


def test_check_tells_of_nothing_where_nothing_is_wrong(database_url: str) -> None:
    assert problems(database_url) == []


def test_check_tells_that_the_last_rows_are_missing(database_url: str) -> None:
    assert problems(database_url, "DELETE FROM observations") == ["1 of 1 rows of observations are missing"]


def test_check_tells_of_a_number_that_was_never_given(database_url: str) -> None:
    found = problems(database_url, "UPDATE observations SET id = 7")

    assert found == ["observations has a row with number 7, and 1 was the last that was given"]


def test_check_tells_that_a_table_has_lost_its_numbers(database_url: str) -> None:
    found = problems(database_url, "DELETE FROM numbers WHERE name = 'texts'")

    assert found == ["numbers has no row for texts"]


LEADS = [
    ("events", "resource_id", "resources"),
    ("events", "session_id", "sessions"),
    ("events", "parent_list_id", "parent_lists"),
    ("events", "name_id", "texts"),
    ("events", "shared_id", "shared_texts"),
    ("observations", "shared_too_id", "shared_texts"),
    ("observations", "state_id", "event_states"),
    ("facts", "value", "resources"),
    ("facts", "value", "texts"),
    ("present", "list_id", "parent_lists"),
    ("parent_list_members", "resource_id", "resources"),
]
"""Columns of which each row names one of another table."""


def test_check_tells_of_each_row_that_points_nowhere(database_url: str) -> None:
    of_kind = {"resources": "what = 1", "texts": "what = 3"}
    broken = [
        f"UPDATE {table} SET {column} = 99 WHERE {of_kind[target] if table == 'facts' else '1 = 1'}"
        for table, column, target in LEADS
    ]

    found = problems(database_url, *broken)

    on_platform = ("resources", "parent_lists", "shared_texts")
    assert sorted(found) == sorted(
        f"a row of {table} points nowhere: its {column} is of no row of {target}"
        f"{' on its platform' if target in on_platform else ''}"
        for table, column, target in LEADS
    )


def test_check_tells_of_an_event_that_would_not_be_known_again(database_url: str) -> None:
    record(database_url, event("container/1", "Running", 1, uuid="one", datetime=None))

    found = problems(database_url, "DELETE FROM told_anew")

    assert found == ["an event with a time that each who tells finds anew is not in told_anew"]


@pytest.mark.parametrize("change", ["lasted = 62", "lasted = 20", "gone_at = first_at + 5", "lasted = 23, gone_at = 1"])
def test_check_tells_of_a_life_by_which_nobody_would_find_it(database_url: str, change: str) -> None:
    found = problems(database_url, f"UPDATE present SET {change} WHERE resource_id = 1")

    assert found == ["the row of present of resource 1 does not say how long that lived"]


@pytest.mark.parametrize("table", ["events", "observations", "facts", "present", "parent_list_members"])
def test_check_tells_of_a_row_that_points_to_another_platform(database_url: str, table: str) -> None:
    other = "INSERT INTO platforms (id, key, name) VALUES (2, 'other', 'other')"
    move = f"UPDATE {table} SET platform_id = 2"

    found = problems(database_url, other, "UPDATE numbers SET last = 2 WHERE name = 'platforms'", move)

    assert f"a row of {table} points nowhere: its resource_id is of no row of resources on its platform" in found
