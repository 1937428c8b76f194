"""From spool to archive: what a database, a message or a bug can do on the way, and that all others get through."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from archiver.errors import DatabaseUnreachable, RowRefused, SpoolError
from archiver.model import Closed, Item, Message, Opened, Record
from archiver.platforms.decoders import Decoder
from archiver.recording import ingest as module
from archiver.recording.ingest import Ingest, IngestPace
from archiver.recording.spool.queue import Spool
from archiver.storage import migrate
from archiver.storage.database.engine import reading_engine, writing_engine
from archiver.storage.recorder import Recorded, Recorder
from archiver.storage.schema import metadata

from .archives import exported, rejected

URL = "ws://stream.example/v1/events"


def message(number: int, state: str = "Running") -> Message:
    payload = f'{{"type":"container","state":"{state}","n":{number}}}'
    return Message(URL, "abc", "tutum", 1_700_000_000_000_000 + number, payload.encode())


def stream(*numbers: int) -> list[Item]:
    at = 1_700_000_000_000_000
    return [
        Opened(URL, "abc", "tutum", at, at),
        *map(message, numbers),
        Closed(URL, "abc", at + 9, "stopped", "stopped"),
    ]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool.db") as spool:
        yield spool


AT_ONCE = IngestPace(first_delay=0.01, last_delay=0.05, tidy=0.05)
"""As the daemon's, for tests that do not want to wait."""


def all_archived(spool: Spool, url: str, **pace: Any) -> Ingest:
    """An ingest that was asked to finish before it began."""
    ingest = Ingest(spool, url, pace=replace(AT_ONCE, **pace))
    ingest.finish()
    ingest.run()
    assert ingest.position == spool.last
    return ingest


@contextmanager
def running(ingest: Ingest) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=ingest.run)
    thread.start()
    try:
        yield thread
    finally:
        ingest.abandon()
        thread.join(20)
        assert not thread.is_alive()


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def query(url: str, statement: str) -> list[Any]:
    engine = reading_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(statement))]
    engine.dispose()
    return found


def extras(url: str) -> list[str]:
    return [extra for (extra,) in query(url, "SELECT extra FROM event_log ORDER BY id")]


def numbers(*wanted: int) -> list[str]:
    return [f'{{"n":{number}}}' for number in wanted]


class Recording:
    """Stands between ingest and the real recorder, and fails as a test wants."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fail: Callable[[list[Record]], None]) -> None:
        real = Recorder.record

        def record(recorder: Recorder, records: list[Record], upto: int | None = None, **also: Any) -> Recorded:
            fail(list(records))
            return real(recorder, records, upto, **also)

        monkeypatch.setattr(Recorder, "record", record)


def test_tables_are_made_where_there_are_none(spool: Spool, empty_database_url: str) -> None:
    spool.append(stream(1, 2, 3))
    ingest = all_archived(spool, empty_database_url)
    assert (ingest.archived, ingest.trouble) == (3, None)
    assert extras(empty_database_url) == numbers(1, 2, 3)


def test_what_is_archived_is_deleted_from_the_spool(spool: Spool, sqlite_url: str) -> None:
    spool.append(stream(1, 2, 3))
    all_archived(spool, sqlite_url)
    assert spool.size == 0


def test_a_new_archive_beside_an_old_spool_gets_what_comes_from_now_on(
    spool: Spool, sqlite_url: str, tmp_path: Path
) -> None:
    spool.append(stream(1, 2, 3))
    all_archived(spool, sqlite_url)
    spool.append(stream(4))
    other = f"sqlite:///{tmp_path / 'other.db'}"
    all_archived(spool, other)
    assert extras(other) == numbers(4)
    spool.append(stream(5))
    all_archived(spool, other)
    assert extras(other) == numbers(4, 5)


def copied(spool: Spool, to: Path) -> Path:
    """A backup of a spool that is in use."""
    with closing(sqlite3.connect(spool.path)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    return to


def test_what_comes_after_an_old_copy_of_the_spool_was_restored_is_archived(
    spool: Spool, database_url: str, tmp_path: Path
) -> None:
    spool.append(stream(1, 2))
    all_archived(spool, database_url)
    backup = copied(spool, tmp_path / "backup.db")
    spool.append(stream(3, 4))
    all_archived(spool, database_url)
    with Spool(backup) as restored:
        restored.append([message(5)])  # before anybody could ask the archive
        all_archived(restored, database_url)
        restored.append([message(6)])
        all_archived(restored, database_url)
        assert restored.size == 0
    assert extras(database_url) == numbers(1, 2, 3, 4, 5, 6)


def test_what_an_old_copy_of_the_spool_took_before_a_restart_is_archived_once(
    spool: Spool, database_url: str, tmp_path: Path
) -> None:
    """The archive cannot be reached for so long that the numbers of the copy overtake its position."""
    spool.append(stream(1, 2))
    all_archived(spool, database_url)
    backup = copied(spool, tmp_path / "backup.db")
    spool.append(stream(3))
    all_archived(spool, database_url)
    with Spool(backup) as restored:
        restored.append(stream(4, 5, 6))
    for more in ([message(7)], []):
        with Spool(backup) as restored:
            restored.append(more)
            all_archived(restored, database_url)
    assert extras(database_url) == numbers(1, 2, 3, 4, 5, 6, 7)


def test_numbers_given_anew_outlast_a_restart(spool: Spool, sqlite_url: str, tmp_path: Path) -> None:
    backup = copied(spool, tmp_path / "backup.db")
    spool.append(stream(1, 2))
    all_archived(spool, sqlite_url)
    for number in (3, 4):
        with Spool(backup) as restored:
            all_archived(restored, sqlite_url)
            restored.append([message(number)])
    with Spool(backup) as restored:
        all_archived(restored, sqlite_url)
    assert extras(sqlite_url) == numbers(1, 2, 3, 4)


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
def test_a_sqlite_file_that_is_gone_is_noticed_and_nothing_is_lost(
    replaced: bool, spool: Spool, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    away = path.with_suffix(".away")
    shutil.copyfile(path, other := path.with_suffix(".other"))
    spool.append(stream(1))
    ingest = Ingest(spool, sqlite_url, pace=AT_ONCE)
    with running(ingest) as thread:
        _until(lambda: ingest.position == 3)
        path.rename(away)
        if replaced:
            other.rename(path)
        _until(lambda: any("its file was" in record.message for record in caplog.records))  # though nothing comes
        spool.append([message(2)])
        if not replaced:
            threading.Event().wait(0.3)
            assert not path.exists()
            away.rename(path)
        ingest.finish()
        thread.join(20)
    assert ingest.trouble is None
    assert extras(sqlite_url) == (numbers(2) if replaced else numbers(1, 2))
    assert migrate.check(sqlite_url) == []


@pytest.mark.parametrize("error", [RowRefused(database="x", reason="bad \0 \ud800"), ZeroDivisionError()])
def test_one_record_that_cannot_be_written_becomes_a_reject_with_its_bytes(
    error: Exception, spool: Spool, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(records: list[Record]) -> None:
        if any(getattr(record, "state", None) == "Poison" for record in records):
            raise error

    Recording(monkeypatch, fail)
    poison = message(3, "Poison")
    spool.append([*stream(1, 2)[:-1], poison, *stream(4, 5)[1:]])
    ingest = all_archived(spool, database_url)
    assert extras(database_url) == numbers(1, 2, 4, 5)
    assert (ingest.archived, ingest.rejected) == (4, 1)
    assert [payload for _, payload in rejected(database_url)] == [poison.payload]
    assert exported(database_url, "reject")[0]["session"] == "abc"


REFUSING = {
    "sqlite": ["CREATE TRIGGER refuse BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'not today'); END"],
    "postgresql": [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE check_violation USING MESSAGE = 'not today'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()",
    ],
}
ACCEPTING = {"sqlite": ["DROP TRIGGER refuse"], "postgresql": ["DROP TRIGGER refuse ON events"]}


def test_where_the_plainest_record_is_refused_none_becomes_a_reject(
    spool: Spool, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    _execute(database_url, REFUSING[database])
    spool.append(stream(1, 2, 3))
    ingest = Ingest(spool, database_url, pace=AT_ONCE)
    with caplog.at_level(logging.INFO), running(ingest) as thread:
        _until(lambda: ingest.trouble)
        threading.Event().wait(0.5)
        assert rejected(database_url) == []
        _execute(database_url, ACCEPTING[database])
        ingest.finish()
        thread.join(30)
    assert (extras(database_url), ingest.rejected, spool.size) == (numbers(1, 2, 3), 0, 0)
    told = [record.message for record in caplog.records]
    assert len(told) == 2
    assert "takes no record at all" in told[0]
    assert "not today" in told[0]
    assert migrate.check(database_url) == []


def test_what_is_tried_out_leaves_no_trace(database_url: str) -> None:
    everything = "SELECT count(*) FROM {}"
    tables = [table.name for table in metadata.sorted_tables]
    given = "SELECT name, last FROM numbers ORDER BY name"
    with Recorder(database_url, "a") as recorder:
        for number in (1, 2):
            recorder.record([decode_message(number)], number)
            before = [query(database_url, asked) for asked in (*map(everything.format, tables), given)]
            recorder.prove()
            assert [query(database_url, asked) for asked in (*map(everything.format, tables), given)] == before
    assert extras(database_url) == numbers(1, 2)


def decode_message(number: int) -> Record:
    return Decoder().decode(message(number))


@pytest.mark.parametrize("where", ["recording", "decoding"])
def test_a_bug_that_a_stream_meets_all_the_time_is_told_in_a_few_lines(
    where: str, spool: Spool, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(records: list[Record]) -> None:
        if any(getattr(record, "state", None) == "Poison" for record in records):
            raise ZeroDivisionError

    def decode(decoder: Decoder, item: Message) -> Record:
        found = real(decoder, item)
        fail([found])
        return found

    real = Decoder.decode
    if where == "recording":
        Recording(monkeypatch, fail)
    else:
        monkeypatch.setattr(Decoder, "decode", decode)
    spool.append([message(number, "Poison") for number in range(40)])
    ingest = all_archived(spool, sqlite_url)
    assert ingest.rejected == 40
    assert [record.exc_info is not None for record in caplog.records] == [True, False]
    assert "10 times by now" in caplog.records[1].message


def test_after_a_long_outage_what_waits_is_archived_in_few_transactions(
    spool: Spool, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def fail(records: list[Record]) -> None:
        if records:
            sizes.append(len(records))
            if len(sizes) < 20:
                raise DatabaseUnreachable(database="x", reason="it is down")

    Recording(monkeypatch, fail)
    spool.append([message(number) for number in range(2000)])
    all_archived(spool, sqlite_url)
    assert len(extras(sqlite_url)) == 2000
    assert len(sizes) < 140


def test_a_batch_of_which_a_half_is_in_when_the_database_goes_comes_once(
    spool: Spool, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def fail(records: list[Record]) -> None:
        seen.append(len(records))
        if any(getattr(record, "state", None) == "Poison" for record in records):
            if len(records) < 3 and seen.count(0) == 0:
                seen.append(0)
                raise DatabaseUnreachable(database="x", reason="gone")
            raise RowRefused(database="x", reason="bad")

    Recording(monkeypatch, fail)
    spool.append([*stream(1, 2, 3, 4)[:-1], message(5, "Poison"), *stream(6, 7)[1:]])
    all_archived(spool, database_url)
    assert seen.count(0) == 1
    assert extras(database_url) == numbers(1, 2, 3, 4, 6, 7)


def test_a_message_that_the_decoder_fails_on_is_kept_and_the_next_is_decoded(
    spool: Spool, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = Decoder.decode

    def decode(decoder: Decoder, item: Message) -> Record:
        if b"Poison" in item.payload:
            raise ZeroDivisionError
        return real(decoder, item)

    monkeypatch.setattr(Decoder, "decode", decode)
    spool.append([*stream(1)[:-1], message(2, "Poison"), *stream(3)[1:]])
    all_archived(spool, sqlite_url)
    assert extras(sqlite_url) == numbers(1, 3)
    assert rejected(sqlite_url) == [("ZeroDivisionError while decoding", message(2, "Poison").payload)]


def test_a_bug_in_the_archive_is_told_once_and_outlived(
    spool: Spool, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = True

    def fail(records: list[Record]) -> None:
        if broken:
            raise ZeroDivisionError

    Recording(monkeypatch, fail)
    spool.append(stream(1, 2))
    ingest = Ingest(spool, sqlite_url, pace=AT_ONCE)
    with running(ingest) as thread:
        _until(lambda: ingest.trouble)
        _until(lambda: len(caplog.records) >= 2)
        broken = False
        ingest.finish()
        thread.join(20)
    assert extras(sqlite_url) == numbers(1, 2)
    told = [record.message for record in caplog.records if "cannot be written" in record.message]
    assert told == ["the archive cannot be written: ZeroDivisionError (received events wait in the spool)"]


def test_a_spool_that_cannot_delete_goes_on(spool: Spool, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = threading.Event()

    def tidy() -> None:
        tried.set()
        raise SpoolError(path=spool.path, reason="database or disk is full")

    monkeypatch.setattr(spool, "tidy", tidy)
    spool.append(stream(1))
    ingest = Ingest(spool, sqlite_url, pace=AT_ONCE)
    with running(ingest) as thread:
        assert tried.wait(10)
        spool.append([message(2)])
        ingest.finish()
        thread.join(20)
    assert extras(sqlite_url) == numbers(1, 2)


def test_an_error_of_the_spool_ends_it_at_once(spool: Spool, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def take(*_: object) -> None:
        raise SpoolError(path=spool.path, reason="gone")

    monkeypatch.setattr(spool, "take", take)
    with pytest.raises(SpoolError):
        Ingest(spool, sqlite_url).run()


def test_whatever_ends_it_does_not_leave_it_hanging(
    spool: Spool, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def release(_upto: int) -> None:
        begun.set()
        if spool.last:
            raise ZeroDivisionError

    monkeypatch.setattr(spool, "release", release)
    ingest = Ingest(spool, sqlite_url, pace=AT_ONCE)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            ingest.run()
        except ZeroDivisionError as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert begun.wait(10)
    spool.append(stream(1))
    thread.join(5)
    assert failed


@pytest.mark.parametrize("revision", ["0000", "9999"])
def test_an_archive_of_another_revision_is_left_alone_until_it_is_right(
    revision: str, spool: Spool, database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ((right,),) = query(database_url, "SELECT version_num FROM alembic_version")
    _set_revision(database_url, revision)
    spool.append(stream(1, 2))
    ingest = Ingest(spool, database_url, pace=AT_ONCE)
    with caplog.at_level(logging.INFO), running(ingest) as thread:
        _until(lambda: ingest.trouble)
        threading.Event().wait(0.5)
        assert extras(database_url) == []
        _set_revision(database_url, right)
        ingest.finish()
        thread.join(30)
    assert extras(database_url) == numbers(1, 2)
    lines = [record.message for record in caplog.records if record.name == "archiver.recording.ingest"]
    assert len(lines) == 2
    assert f"is at {revision}" in lines[0]
    assert "archiver" in lines[0].partition(";")[2]
    assert lines[1] == "the archive answers again"


def test_a_database_in_which_no_tables_can_be_made_is_told_of_once(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    attempts: list[str] = []

    def create(url: str) -> None:
        attempts.append(url)
        raise DatabaseUnreachable(database="x", reason="permission denied")

    monkeypatch.setattr(module.migrate, "create", create)
    ingest = Ingest(spool, f"sqlite:///{tmp_path / 'new.db'}", pace=AT_ONCE)
    with running(ingest):
        _until(lambda: len(attempts) >= 3)
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1


def test_a_call_that_makes_no_progress_is_ended_also_the_first(
    spool: Spool, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds a lock on the table that the daemon asks for its position."""
    spool.append(stream(1))
    engine = writing_engine(postgres_url)
    ingest = Ingest(spool, postgres_url, pace=replace(AT_ONCE, stuck=0.2))
    with engine.connect() as other, running(ingest) as thread:
        other.execute(text("LOCK TABLE receivers"))
        _until(lambda: (ingest.watch(), ingest.trouble)[1])
        other.rollback()
        ingest.finish()
        thread.join(20)
    engine.dispose()
    assert extras(postgres_url) == numbers(1)


def test_a_batch_that_takes_too_long_at_once_is_archived_in_parts(spool: Spool, postgres_url: str) -> None:
    """Each event takes the database 60 ms, and each connection is given up after a second."""
    slow = "CREATE FUNCTION slow() RETURNS trigger AS 'BEGIN PERFORM pg_sleep(0.06); RETURN NEW; END' LANGUAGE plpgsql"
    _execute(postgres_url, [slow, "CREATE TRIGGER slow BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION slow()"])
    spool.append(stream(*range(30)))
    ingest = Ingest(spool, postgres_url, pace=replace(AT_ONCE, stuck=1))
    with running(ingest) as thread:
        ingest.finish()
        for _ in range(600):
            thread.join(0.1)
            ingest.watch()
            if not thread.is_alive():
                break

    assert extras(postgres_url) == numbers(*range(30))


def test_no_transaction_has_more_parents_than_fit_into_memory(
    spool: Spool, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each may be an object that nobody knew; a list that is repeated counts once."""
    seen: list[int] = []
    Recording(monkeypatch, lambda records: seen.append(len(records)))

    def child(number: int, *parents: str) -> Message:
        payload = {"type": "container", "n": number, "parents": [f"/api/v1/service/{name}/" for name in parents]}
        return Message(URL, "abc", "tutum", 1_700_000_000_000_000 + number, json.dumps(payload).encode())

    spool.append([child(number, *(f"{number}-{each}" for each in range(30))) for number in range(10)])
    spool.append([child(number, "a", "b") for number in range(10, 90)])
    all_archived(spool, sqlite_url, batch_parents=100)

    assert seen == [2, 2, 2, 2, 82]
    assert extras(sqlite_url) == numbers(*range(90))


def test_a_batch_that_the_database_cannot_take_at_once_is_archived_in_parts(
    spool: Spool, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def fail(records: list[Record]) -> None:
        seen.append(len(records))
        if len(records) > 5:
            raise DatabaseUnreachable(database="x", reason="out of memory")

    Recording(monkeypatch, fail)
    spool.append(stream(*range(20)))
    all_archived(spool, database_url)

    assert extras(database_url) == numbers(*range(20))
    assert seen == [22, 11, 5, 5, 5, 5, 2]


def test_a_call_that_cannot_be_ended_is_complained_of_now_and_then(
    spool: Spool, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody else is writing to the SQLite file; it is looked at a hundred times a second."""
    spool.append(stream(1))
    ingest = Ingest(spool, sqlite_url, pace=replace(AT_ONCE, stuck=0.3))
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with running(ingest) as thread:
            began = time.monotonic()
            for _ in range(150):
                threading.Event().wait(0.01)
                ingest.watch()
            waited = time.monotonic() - began
            other.rollback()
            ingest.finish()
            thread.join(20)
    assert 2 <= sum("has not answered" in record.message for record in caplog.records) <= waited / 0.3 + 1
    assert extras(sqlite_url) == numbers(1)


def _until(what: Callable[[], object]) -> None:
    for _ in range(2000):
        if what():
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"in vain: {what}")


def _execute(url: str, statements: list[str]) -> None:
    engine = writing_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def _set_revision(url: str, revision: str) -> None:
    engine = writing_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    engine.dispose()


# --- copies of a spool ----------------------------------------------------------------------------------------------


def cloned(spool: Spool, folder: Path) -> Path:
    """The spool and its lock as they are now, as a machine that is cloned has them."""
    folder.mkdir()
    with closing(sqlite3.connect(spool.path)) as source, closing(sqlite3.connect(folder / "spool.db")) as target:
        source.backup(target)
    shutil.copy(f"{spool.path}-lock", folder / "spool.db-lock")
    return folder / "spool.db"


def test_of_two_copies_of_a_spool_each_loses_nothing(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Spool(tmp_path / "spool.db") as here:
        here.append(stream(1, 2))
        all_archived(here, database_url)
        with Spool(cloned(here, tmp_path / "clone")) as there:
            there.append([message(number) for number in (11, 12, 13)])
            all_archived(there, database_url)
            here.append([message(number) for number in (3, 4)])
            all_archived(here, database_url)
            there.append([message(14)])
            all_archived(there, database_url)
    assert sorted(extras(database_url)) == sorted(numbers(1, 2, 3, 4, 11, 12, 13, 14))
    assert caplog.text.count("goes on from a copy of the spool") == 1


def test_a_copy_that_begins_while_the_other_runs_is_noticed_at_once(tmp_path: Path, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("an archive of SQLite has one writer at a time")
    with Spool(tmp_path / "spool.db") as here:
        here.append(stream(1, 2))
        original = Ingest(here, database_url, pace=AT_ONCE)
        with running(original):
            wait_until(lambda: original.position == 4)
            with Spool(cloned(here, tmp_path / "clone")) as there:
                there.append([message(number) for number in (11, 12, 13)])
                all_archived(there, database_url)
            here.append([message(number) for number in (3, 4)])
            wait_until(lambda: original.position == 6)
    assert sorted(extras(database_url)) == sorted(numbers(1, 2, 3, 4, 11, 12, 13))


def test_a_spool_that_is_alone_keeps_its_identity_over_restarts_and_a_restored_archive(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(1, 4):
        with Spool(tmp_path / "spool.db") as spool:
            spool.append([message(number)])
            all_archived(spool, database_url)
            identity = spool.identity
            held = spool.holder.generations[0]
    engine = writing_engine(database_url)
    with engine.begin() as connection:
        older = text("UPDATE archive_properties SET value = :held WHERE key LIKE 'holder of %'")
        connection.execute(older, {"held": held})
    engine.dispose()
    with Spool(tmp_path / "spool.db") as spool:
        spool.append([message(4)])
        all_archived(spool, database_url)
        assert spool.identity == identity
    assert extras(database_url) == numbers(1, 2, 3, 4)
    assert "copy" not in caplog.text
