"""The recorder: every batch lands once, whole, and can be read back, on both databases."""

from __future__ import annotations

import gc
import json
import shutil
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from archiver.api.archive import Archive
from archiver.errors import (
    DatabaseBusy,
    DatabaseReadOnly,
    DatabaseUnreachable,
    RowRefused,
    SchemaNotAtHead,
)
from archiver.model import Condition, Record, Reject
from archiver.storage.database.engine import writing_engine
from archiver.storage.limits import CacheLimits
from archiver.storage.recorder import Recorder

from .archives import START, STREAM, at, event, micros, opened, record, rejected, rows, uri, wire
from .cutting import commit_cut


def test_what_was_recorded_can_be_read_back(database_url: str) -> None:
    hostile = "tab\t newline\n return\r backslash\\ \\N \\. quote' \u20ac \U0001f600"
    told = event("container/1", hostile, 1, ["service/2", "stack/3"], uuid="u", more={"a": ["\0", "\ud800"]})

    record(database_url, told)

    with Archive.open(database_url) as archive:
        (found,) = archive.events()
    assert (found.type, found.action, found.state, found.uuid) == ("container", "update", hostile, "u")
    assert (found.resource_uri, found.parents) == (uri("container/1"), (uri("service/2"), uri("stack/3")))
    assert (found.occurred_at, found.extra["more"]) == (told.time, {"a": ["\0", "\ud800"]})


def test_a_reject_is_kept_byte_for_byte(database_url: str) -> None:
    payload = bytes(range(256))

    record(database_url, Reject(payload, "because", START))

    assert rejected(database_url) == [("because", payload)]


def test_an_event_with_a_thousand_parents(database_url: str) -> None:
    parents = [f"service/{n}" for n in range(1000)]
    record(database_url, event("container/1", "Running", 1, parents))

    with Archive.open(database_url) as archive:
        (found,) = archive.events()
    assert found.parents == tuple(map(uri, parents))


def test_the_position_moves_with_the_batch(database_url: str) -> None:
    with Recorder(database_url, "spool") as recorder:
        recorder.record([event("container/1"), event("container/2")], 2)

        assert recorder.position() == 2


def test_the_same_batch_again_adds_nothing(database_url: str) -> None:
    batch = [event("container/1"), event("container/2")]
    record(database_url, *batch, receiver="spool", upto=2)

    assert record(database_url, *batch, receiver="spool", upto=2).events == 0
    assert rows(database_url, "SELECT count(*) FROM event_log") == [(2,)]


def test_of_a_batch_that_is_half_in_the_other_half_is_archived(database_url: str) -> None:
    record(database_url, event("container/1"), receiver="spool", upto=1)

    record(database_url, event("container/1"), event("container/2"), receiver="spool", upto=2)

    assert rows(database_url, "SELECT count(*) FROM event_log") == [(2,)]


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_commit_whose_answer_is_lost_lands_once(postgres_url: str, before: bool) -> None:
    batch = [event("container/1"), event("container/2")]
    with commit_cut(postgres_url, before=before) as (url, cut), Recorder(url, "spool") as recorder:
        recorder.position()
        cut.set()
        with pytest.raises(DatabaseUnreachable):
            recorder.record(batch, 2)

        recorder.record(batch, 2)

    assert rows(postgres_url, "SELECT count(*) FROM event_log") == [(2,)]


def test_two_writers_at_once(postgres_url: str) -> None:
    def write(name: str) -> None:
        with Recorder(postgres_url, name) as recorder:
            for batch in range(10):
                told = [event(f"container/{name}{batch}{n}", "Running", n, [f"stack/{n}"]) for n in range(20)]
                recorder.record(told, batch * 20 + 20)

    threads = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert rows(postgres_url, "SELECT count(*), max(id) FROM event_log") == [(400, 400)]
    with Archive.open(postgres_url) as archive:
        assert archive.status().resources == 420


def test_a_writer_learns_what_another_one_wrote(postgres_url: str) -> None:
    with Recorder(postgres_url) as first, Recorder(postgres_url) as second:
        first.record([event("container/1", "Running", 1, ["service/1"])])
        second.record([event("service/1", "Running", 2, ["stack/1"])])
        first.record([event("container/2", "Running", 3, ["service/1"])])
        first.record([event("service/1", "Stopped", 4, ["stack/1", "stack/2"])])

    below = "SELECT descendant_uri FROM subtree WHERE ancestor_uri = :top ORDER BY 1"
    expected = [(uri(ref),) for ref in ("container/1", "container/2", "service/1")]
    assert rows(postgres_url, below, top=uri("stack/1")) == expected
    assert rows(postgres_url, below, top=uri("stack/2")) == expected


def test_a_writer_that_stays_connected_during_an_upgrade_sees_it(postgres_url: str) -> None:
    with Recorder(postgres_url) as recorder:
        recorder.record([event("container/1", "Running", 1)])
        engine = writing_engine(postgres_url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            connection.execute(text("DELETE FROM archive_properties WHERE key = 'writer'"))
        engine.dispose()

        with pytest.raises(SchemaNotAtHead):
            recorder.record([event("container/1", "Stopped", 2)])

    assert rows(postgres_url, "SELECT count(*) FROM events") == [(1,)]


def test_after_a_rollback_no_number_is_remembered(database_url: str) -> None:
    with Recorder(database_url, "spool") as recorder:
        with pytest.raises(UnicodeEncodeError):
            recorder.record([event("container/1", "Lost"), Reject(b"", "written last: \ud800", START)])
        recorder.record([event("container/3", "Kept"), event("container/1", "Lost")], 2)

    assert rows(database_url, "SELECT uri, state FROM event_log ORDER BY id") == [
        (uri("container/3"), "Kept"),
        (uri("container/1"), "Lost"),
    ]
    with Archive.open(database_url) as archive:
        assert archive.status().resources == 2


def test_an_action_learns_its_target_later(database_url: str) -> None:
    """First of all nothing but the action is known; what it applies to is new, then already known."""
    with Recorder(database_url) as recorder:
        recorder.record([event("action/1", "Pending"), event("action/2", "Pending"), event("container/2", "Running")])
        recorder.record([event("action/1", "Success", 1, ["container/1"])])
        recorder.record([event("action/2", "Success", 1, ["container/2"])])

    found = rows(database_url, "SELECT action, target FROM action_log ORDER BY action")
    assert found == [(uri(f"action/{n}"), uri(f"container/{n}")) for n in (1, 2)]


def test_the_latest_name_wins_also_when_it_is_an_old_one(database_url: str) -> None:
    first, second = (event("container/1", "running")._replace(name=name) for name in ("web", "web_old"))
    with Recorder(database_url) as recorder:
        recorder.record([first, second])
        recorder.record([first])

    assert rows(database_url, "SELECT name FROM current_states") == [("web",)]


def test_an_event_keeps_its_own_spelling_of_the_uris(database_url: str) -> None:
    odd = {"parents": ["/api/app/v1/stack/1/"], "resource_uri": "https://cloud.docker.com/api/app/v1/ns/container/1"}
    record(database_url, event("container/1", "Running", 1, ["stack/1"]))

    record(database_url, event("container/1", "Stopped", 2, **odd))  # type: ignore[arg-type]

    with Archive.open(database_url) as archive:
        value = json.loads(list(archive.export())[-2])["event"]
        assert [span.state for span in archive.history("container/1").spans] == ["Running", "Stopped"]
    assert value == json.loads(wire("container/1", "Stopped", 2, **odd))  # type: ignore[arg-type]


def test_an_object_with_an_odd_uri_is_one_object(database_url: str) -> None:
    record(
        database_url,
        event("service/1", "Running", 1, resource_uri="/svc/b/"),
        event("container/1", "Running", 2, parents=["/svc/b/"]),
    )

    with Archive.open(database_url) as archive:
        assert [child.uri for child in archive.tree("/svc/b/").children] == [uri("container/1")]


def test_texts_of_any_script_are_found_again(database_url: str) -> None:
    long = "/\u20ac" * 500
    record(database_url, event("x/1", "\u20ac" * 85, resource_uri=long, parents=[long + "/"]))

    with Archive.open(database_url) as archive:
        assert archive.resolve(long).uri == long


def growth(url: str, batches: list[list[Record]], limits: CacheLimits) -> int:
    """By how many bytes the memory still grows in the last third of some batches, each recorded a second time.

    The first time other parts fill memories of their own: of URIs read, of instants written.
    """
    with Recorder(url) as recorder:
        for batch in batches:
            recorder.record(batch)
    kept: list[int] = []
    gc.freeze()  # what is there already is not looked through with every batch
    tracemalloc.start()
    try:
        with Recorder(url, limits=limits) as recorder:
            for batch in batches:
                recorder.record(batch)
                gc.collect()
                kept.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
        gc.unfreeze()
    third = len(kept) // 3
    return max(kept[-third:]) - max(kept[third:-third])


def test_memory_is_bounded_whatever_the_number_of_resources_and_states(database_url: str) -> None:
    batches: list[list[Record]] = [
        [event(f"container/{n}.{m}", f"s{n}.{m}", n, [f"service/{n}", "stack/1"]) for m in range(20)] for n in range(30)
    ]
    # It is 69 kB where only links have a bound, and 39 without that of the words alone.
    limits = CacheLimits(words=20, resources=20, links=20, lists=20, readings=20, standing=20)
    assert growth(database_url, batches, limits) < 15_000

    below = "SELECT count(*) FROM subtree WHERE ancestor_uri = :top"
    assert rows(database_url, below, top=uri("stack/1")) == [(30 * 21,)]


def test_memory_is_bounded_whatever_the_number_of_parents(sqlite_url: str) -> None:
    parents = [f"container/p{n}" for n in range(400)]
    batches: list[list[Record]] = [[event(f"container/{n}", "Running", n, parents)] for n in range(15)]

    # Without bounds it is 440 kB.
    assert growth(sqlite_url, batches, CacheLimits(links=100, lists=100, readings=100, standing=100)) < 15_000
    assert rows(sqlite_url, "SELECT count(*) FROM subtree") == [(15 * 400,)]


# --- a database that does not do what it should -----------------------------------------------------------------------


def test_a_second_process_on_a_sqlite_archive_is_told_who_has_it(sqlite_url: str) -> None:
    with Recorder(sqlite_url) as first:
        first.record([event("container/1")])

        with Recorder(sqlite_url) as second, pytest.raises(DatabaseBusy, match=r"process \d+ has it"):
            second.record([event("container/2")])


def test_a_database_without_tables_says_so(empty_database_url: str) -> None:
    with pytest.raises(SchemaNotAtHead) as caught:
        record(empty_database_url, event("container/1"))

    assert (caught.value.exit_code, caught.value.next_step) == (5, "create it with: archiver db upgrade")


@pytest.mark.parametrize(("revision", "step"), [("0000", "archiver db upgrade"), ("9999", "upgrade the archiver")])
def test_an_archive_of_another_revision_is_refused(database_url: str, revision: str, step: str) -> None:
    engine = writing_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    engine.dispose()

    with pytest.raises(SchemaNotAtHead) as caught:
        record(database_url, event("container/1"))

    assert step in caught.value.next_step


def test_a_read_only_postgresql_says_so(postgres_url: str) -> None:
    engine = create_engine(make_url(postgres_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = make_url(postgres_url).database
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    engine.dispose()

    with pytest.raises(DatabaseReadOnly) as caught:
        record(postgres_url, event("container/1"))

    assert caught.value.exit_code == 4


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(DatabaseReadOnly):
        record(f"sqlite:///{tmp_path}/file/archive.db", event("container/1"))


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    path.write_bytes(b"no database " * 100)

    with pytest.raises(DatabaseUnreachable, match="not a database"):
        record(f"sqlite:///{path}", event("container/1"))


def test_a_server_that_is_not_there_says_so() -> None:
    with pytest.raises(DatabaseUnreachable) as caught:
        record("postgresql://archiver:geheim@127.0.0.1:1/archive", event("container/1"))

    assert "geheim" not in f"{caught.value} {caught.value.next_step}"


@pytest.mark.parametrize("value", ["a\0b", "x\ud800"])
def test_a_value_the_database_cannot_take_refuses_the_batch_not_the_database(postgres_url: str, value: str) -> None:
    with pytest.raises((RowRefused, UnicodeEncodeError)):
        record(postgres_url, event("container/1")._replace(state=value))


def test_an_index_row_too_long_is_a_refused_row(postgres_url: str) -> None:
    """Otherwise the daemon would try the same batch for ever."""
    import random

    long = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=9000))
    with pytest.raises(RowRefused):
        record(postgres_url, event("container/1")._replace(resource_uri=long))


def test_a_batch_that_went_into_a_file_without_a_name_is_not_archived(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    away = path.with_suffix(".away")
    with Recorder(sqlite_url, "spool") as recorder:
        recorder.position()
        with committing(lambda: path.rename(away)), pytest.raises(DatabaseUnreachable, match="was removed") as caught:
            recorder.record([event("container/1")], 1)
        with pytest.raises(DatabaseUnreachable, match="its file was removed"):
            recorder.record([event("container/1")], 1)
        shutil.copyfile(away, path)  # without what only the log of the old one has

        with pytest.raises(DatabaseUnreachable, match="its file was replaced"):
            recorder.record([event("container/1")], 1)
        recorder.record([event("container/1")], 1)

    assert caught.value.exit_code == 4
    assert rows(sqlite_url, "SELECT count(*) FROM event_log") == [(1,)]
    assert len(list(path.parent.glob("*-wal.replaced-*"))) == 1


@contextmanager
def committing(what: Callable[[], object]) -> Iterator[None]:
    """Has something happen when a transaction is about to be committed."""

    def happen(_connection: Connection) -> None:
        what()

    sqlalchemy.event.listen(Engine, "commit", happen)
    try:
        yield
    finally:
        sqlalchemy.event.remove(Engine, "commit", happen)


def test_a_batch_that_breaks_a_rule_in_every_way_is_refused(database_url: str) -> None:
    """Otherwise the daemon would try the same batch for ever."""
    engine = writing_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE UNIQUE INDEX a_rule_that_nobody_knows ON events (type_id)"))
    engine.dispose()

    with pytest.raises(RowRefused):
        record(database_url, event("container/1"), event("container/2"))


def test_rows_of_a_session_that_nobody_opened_stand_without_one(database_url: str) -> None:
    with Recorder(database_url) as recorder:
        recorder.record([event("container/1", session="late")])
        recorder.record([opened("late", 0), event("container/2", session="late")])

    assert rows(database_url, "SELECT stream FROM event_log ORDER BY id") == [(None,), (STREAM,)]


def test_a_stream_that_cannot_be_reached_is_known_with_its_trouble_until_it_opens(database_url: str) -> None:
    record(database_url, Condition(STREAM, "tutum", micros(1), "trouble", "connection refused"))
    with Archive.open(database_url) as archive:
        (stream,) = archive.status().streams
    assert (stream.url, stream.connected, stream.trouble) == (STREAM, False, "connection refused")
    assert stream.trouble_since == at(1)

    record(database_url, opened("s1", 2))
    with Archive.open(database_url) as archive:
        (stream,) = archive.status().streams
    assert (stream.trouble, stream.trouble_since) == (None, None)


def test_the_latest_condition_of_a_stream_counts(database_url: str) -> None:
    record(database_url, *(Condition(STREAM, "docker", micros(n), "clock", str(n * 500_000)) for n in (3, 1)))
    with Archive.open(database_url) as archive:
        (stream,) = archive.status().streams
    assert stream.clock_offset_seconds == 1.5
