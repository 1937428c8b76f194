"""An archive that version 0.1.0 wrote is upgraded with every row, also when that is ended at every step."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import exc, text

from archiver.api.archive import Archive
from archiver.errors import DatabaseBusy, DatabaseUnfit, SchemaNotAtHead, UpgradeFailed
from archiver.model import Batch, Event, Message, Observation, Observed, Reject
from archiver.platforms.decoders import Decoder
from archiver.recording.ingest import Ingest, IngestPace
from archiver.recording.spool.queue import Spool
from archiver.storage import migrate
from archiver.storage.database.engine import reading_engine, writing_engine
from archiver.storage.database.turns import lock_writers
from archiver.storage.duplicates import value_of
from archiver.storage.recorder import Recorder
from archiver.storage.schema import ASKED, IMAGE, SLOT, TOLD
from archiver.storage.upgrade.rebuild_postgres import rebuild_database
from archiver.transfer.importer import import_lines
from archiver.transfer.lines import Export

from ..conftest import RunArchiver, RunScript, SpawnArchiver
from . import released

STEP = 40
"""Events of a step, where there are to be several."""
STEPS = 7

ENDED = """
import os, signal, sys
from archiver.storage import migrate
from archiver.storage.upgrade import rebuild

url, most, when = sys.argv[1], int(sys.argv[2]), sys.argv[3]

def end(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if when == "before its commit":
    step = rebuild.Rebuild.step
    rebuild.Rebuild.step = lambda self, connection: (step(self, connection), end())
migrate.upgrade(url, end, most)
"""


@pytest.fixture
def old_url(empty_database_url: str) -> str:
    """An archive of 0.1.0, once on each database."""
    released.load(empty_database_url)
    return empty_database_url


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """The same in a SQLite file."""
    return released.unpack("archive.db", tmp_path / "old.db")


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    engine = reading_engine(url)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
    finally:
        engine.dispose()


def execute(url: str, *statements: str) -> None:
    engine = writing_engine(url)
    try:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        engine.dispose()


SAID = (
    """SELECT r.uri, f.what, f.since, coalesce(v.uri, t.text), f.until, f.node, f.told_by, f.how FROM facts f
    JOIN resources r ON r.id = f.resource_id LEFT JOIN resources v ON v.id = f.value AND f.what < 3
    LEFT JOIN texts t ON t.id = f.value AND f.what >= 3""",
    """SELECT r.uri, t.text, i.since, v.uri, i.told_by FROM implied i JOIN resources r ON r.id = i.resource_id
    JOIN event_types t ON t.id = i.type_id JOIN resources v ON v.id = i.value""",
    """SELECT r.uri, t.text, p.first_at, p.last_at, p.last_source, s.text, p.state_since, p.state_at, p.state_source,
           p.gone_at, n.text, i.text, o.text, p.heads FROM present p JOIN resources r ON r.id = p.resource_id
    JOIN event_types t ON t.id = p.type_id LEFT JOIN event_states s ON s.id = p.state_id
    LEFT JOIN texts n ON n.id = p.name_id LEFT JOIN texts i ON i.id = p.image_id
    LEFT JOIN texts o ON o.id = p.slot_id""",
    """SELECT r.uri, v.uri, m.position FROM present p JOIN parent_list_members m ON m.list_id = p.list_id
    JOIN resources r ON r.id = p.resource_id JOIN resources v ON v.id = m.resource_id""",
    "SELECT * FROM receivers",
    "SELECT * FROM streams",
    "SELECT name, last FROM numbers",
)


def everything(url: str) -> list[Any]:
    """All that an archive holds, whatever numbers its texts, lists and resources have."""
    with Archive.open(url) as archive:
        lines = list(archive.export())
    return [lines, *(sorted(rows(url, query), key=repr) for query in SAID)]


def exported(url: str) -> dict[str, list[Any]]:
    """The events, observations and rejects of an archive, as an export of it has them."""
    found: dict[str, list[Any]] = {kind.__name__: [] for kind in (Event, Observation, Reject)}
    reader = Export()
    with Archive.open(url) as archive:
        for line in archive.export():
            read = reader.read(line.encode())
            for record in read[2] if read else ():
                found.setdefault(type(record).__name__, []).append(record)
    return found


def test_every_event_observation_and_reject_is_there_under_its_number(old_url: str) -> None:
    before = released.words(old_url)

    assert migrate.upgrade(old_url, most=STEP).before == "0001"

    after = exported(old_url)
    assert list(map(said, after["Event"])) == list(map(said, before["Event"]))
    assert after["Reject"] == before["Reject"]
    assert [item._replace(inferred=False) for item in after["Observation"]] == before["Observation"]
    assert [len(found) for found in before.values()] == [271, 6, 5]
    assert migrate.check(old_url) == []


def said(event: Any) -> Any:
    """The value that came, and what stands beside it; which spelling is whose is no matter."""
    return value_of(event), event.occurred_at, event.time_source, event.received_at, event.session, event.name


def test_what_words_repeat_is_kept_once_and_read_whole(old_url: str) -> None:
    repeated = json.dumps({"labels": {"com.example.a": "v" * 250}}, separators=(",", ":"))
    for table in ("events", "observations"):
        execute(old_url, f"UPDATE {table} SET extra = '{repeated}'")
    said = f"extra LIKE '%{'v' * 250}%'"
    counts = [f"SELECT count(*) FROM {table} WHERE {said}" for table in ("event_log", "observations")]
    (told,), (asked,) = (rows(old_url, count)[0] for count in counts)

    migrate.upgrade(old_url, most=STEP)

    assert (told, asked) == (271, 6)
    assert rows(old_url, "SELECT count(*) FROM shared_texts") == rows(old_url, "SELECT count(*) FROM platforms")
    assert rows(old_url, counts[0]) == [(told,)]
    assert rows(old_url, "SELECT count(*) FROM observations WHERE shared_id IS NOT NULL") == [(asked,)]
    assert migrate.check(old_url) == []


def test_images_and_slots_are_found_in_what_was_kept(old_url: str) -> None:
    migrate.upgrade(old_url)

    held = f"""SELECT DISTINCT t.text, f.how FROM facts f JOIN texts t ON t.id = f.value
        WHERE f.what = {IMAGE} ORDER BY t.text, f.how"""
    assert rows(old_url, held) == [("bb:1", TOLD), ("bb:1", ASKED)]
    slots = f"SELECT DISTINCT t.text FROM facts f JOIN texts t ON t.id = f.value WHERE f.what = {SLOT} ORDER BY t.text"
    assert [text for (text,) in rows(old_url, slots)] == ["shop_web.1", "shop_web.2", "shop_web.3", "shop_worker.1"]


def test_sessions_receivers_and_what_identifies_the_archive_are_as_they_were(old_url: str) -> None:
    kept = "id, stream_id, receiver_id, key, opened_at, covered_from, authenticated_at, last_seen_at, closed_at, reason"
    sessions = f"SELECT {kept} FROM sessions ORDER BY id"
    receivers = "SELECT id, position, duplicates, updated_at FROM receivers ORDER BY id"
    identity = "SELECT value FROM archive_properties WHERE key = 'identity'"
    streams = "SELECT id, url, dialect FROM streams"
    before = [rows(old_url, query) for query in (sessions, receivers, identity, streams)]

    migrate.upgrade(old_url)

    assert [rows(old_url, query) for query in (sessions, receivers, identity, streams)] == before
    assert rows(old_url, "SELECT key, kind FROM sessions ORDER BY id") == [
        ("t1", "lost"), ("t2", "stopped"), ("t3", None), ("d1", "lost"), ("d2", None), ("m", None),
    ]  # fmt: skip


def test_two_spellings_of_one_object_become_one(old_url: str) -> None:
    found = "SELECT key, uri FROM resources WHERE lower(key) LIKE '5d3b4f2a%'"
    assert len(rows(old_url, found)) == 2

    migrate.upgrade(old_url)

    assert rows(old_url, found) == [
        ("5d3b4f2a-7c11-4e0b-9b6f-0a4f6c2d1e00", "/api/v1/container/5D3B4F2A-7C11-4E0B-9B6F-0A4F6C2D1E00/")
    ]


def test_what_each_manager_dates_anew_is_known_by_its_uuid(old_url: str) -> None:
    migrate.upgrade(old_url)

    assert rows(old_url, "SELECT count(*) FROM events WHERE time_source = 3") == [(1,)]


def test_an_upgrade_that_is_killed_at_every_step_goes_on_and_ends_the_same(
    old_url: str, run_script: RunScript, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    whole = whole_archive(old_url, request, tmp_path)
    for when in ["before its commit", "after its commit"] * STEPS:
        done = run_script(ENDED, old_url, str(STEP), when)
        assert done.returncode == -signal.SIGKILL
        with pytest.raises(SchemaNotAtHead, match=r"0001"), Archive.open(old_url):
            pass

    assert migrate.upgrade(old_url, most=STEP).after == migrate.HEAD
    assert everything(old_url) == everything(whole)


def whole_archive(like: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same archive upgraded in one go."""
    if like.startswith("sqlite"):
        url = f"sqlite:///{tmp_path}/whole.db"
        released.load(url)
    else:
        url = request.getfixturevalue("another_postgres_url")
    migrate.upgrade(url, most=STEP)
    return url


@pytest.fixture
def another_postgres_url(postgres_server: Any) -> Iterator[str]:
    with postgres_server.database() as url:
        released.load(url)
        yield url


@pytest.mark.parametrize("most", [1, 7, 10_000])
def test_the_size_of_the_steps_makes_no_difference(old_file: Path, tmp_path: Path, most: int) -> None:
    other = released.unpack("archive.db", tmp_path / "other.db")

    migrate.upgrade(f"sqlite:///{old_file}", most=most)
    migrate.upgrade(f"sqlite:///{other}", most=STEP)

    assert everything(f"sqlite:///{old_file}") == everything(f"sqlite:///{other}")


def ended_after(url: str, steps: int) -> None:
    """Begins an upgrade, and ends it."""
    done = 0

    def count(_progress: object) -> None:
        nonlocal done
        done += 1
        if done == steps:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate.upgrade(url, count, STEP)


def test_an_archive_that_was_written_to_meanwhile_is_read_from_its_beginning(old_file: Path) -> None:
    url = f"sqlite:///{old_file}"
    ended_after(url, 3)
    released.run(old_file, "UPDATE resources SET uri = uri || 'new/' WHERE id = 1; UPDATE receivers SET position = 121")

    migrate.upgrade(url, most=STEP)

    assert len(rows(url, "SELECT 1 FROM resources WHERE uri LIKE '%/new/'")) == 1


def test_what_another_program_began_is_begun_anew(old_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.storage.upgrade.rebuild.__version__", "0.1.99")
    ended_after(old_url, 3)
    monkeypatch.undo()
    steps: list[object] = []

    migrate.upgrade(old_url, steps.append, STEP)

    assert len(steps) == STEPS
    assert migrate.check(old_url) == []


def test_a_row_that_is_not_there_afterwards_is_noticed_and_nothing_changed(
    old_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from archiver.storage.writer import Writer

    write = Writer.write

    def lossy(self: Writer, connection: Any, batch: Batch, *arguments: Any, **more: Any) -> Any:
        return write(self, connection, Batch(list(batch)[:-1]), *arguments, **more)

    monkeypatch.setattr(Writer, "write", lossy)
    with pytest.raises(UpgradeFailed, match="there were"):
        migrate.upgrade(old_url)

    assert migrate.current(old_url) != migrate.HEAD
    prefix = "" if old_url.startswith("sqlite") else "first_edition_"
    assert rows(old_url, f"SELECT count(*) FROM {prefix}events") == [(271,)]


# --- what goes on afterwards ----------------------------------------------------------------------------------------


def test_what_waits_in_a_spool_of_0_1_0_is_archived_once(old_url: str, tmp_path: Path) -> None:
    spool = Spool(released.unpack("spool.db", tmp_path / "spool.db"))
    migrate.upgrade(old_url)

    decoder = Decoder()
    with Recorder(old_url, spool.identity) as recorder:
        done = recorder.position()
        assert done == 120
        while (group := spool.take(done, 1000, 1 << 20)) is not None:
            records: list[Any] = [
                decoder.decode(item) if isinstance(item, (Message, Observed)) else item for item in group.items
            ]
            recorder.record(records, group.last)
            recorder.record(records, group.last)
            done = group.last
    spool.close()

    assert rows(old_url, "SELECT max(id), count(*) FROM events") == [(300, 300)]
    assert rows(old_url, "SELECT closed_at IS NULL FROM sessions WHERE key = 't3'") in ([(0,)], [(False,)])


def test_a_mirror_goes_on_where_it_was(old_url: str) -> None:
    migrate.upgrade(old_url)

    done = import_lines(old_url, released.content("mirrored.jsonl").splitlines(keepends=True))

    assert (done.events, done.rejects) == (4, 0)
    assert rows(old_url, "SELECT count(*) FROM observations") == [(7,)]


@pytest.fixture
def old_database(empty_postgres_url: str) -> str:
    """An archive of 0.1.0 on PostgreSQL."""
    released.load(empty_postgres_url)
    return empty_postgres_url


# How 0.1.0 begins each of its transactions, on a connection whose revision it looked at once.
OLD_TURN = "INSERT INTO archive_properties (key, value) VALUES ('last writer', 'somebody')"


@pytest.mark.parametrize("is_done", [False, True])
def test_a_daemon_of_0_1_0_that_stays_connected_writes_nothing_into_the_new_tables(
    old_database: str, is_done: bool
) -> None:
    if is_done:
        migrate.upgrade(old_database)
    else:
        ended_after(old_database, 3)

    with pytest.raises(exc.IntegrityError, match="not_of_0_1_0"):
        execute(old_database, OLD_TURN)


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_schema_that_comes_before_that_of_the_archive_is_not_upgraded_into(old_database: str, is_begun: bool) -> None:
    if is_begun:
        ended_after(old_database, 3)
    execute(old_database, "CREATE SCHEMA AUTHORIZATION CURRENT_USER")

    with pytest.raises(DatabaseUnfit, match="lies in the schema public") as caught:
        migrate.upgrade(old_database, most=STEP)

    where = caught.value.next_step.rpartition("?")[2]
    assert where == "options=-csearch_path%3Dpublic"
    named = f"{old_database}{'&' if '?' in old_database else '?'}{where}"
    migrate.upgrade(named, most=STEP)
    assert rows(old_database, "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'events'") == [("public",)]
    assert migrate.check(named) == []


# --- who is in the way of an upgrade --------------------------------------------------------------------------------


class InTheWay:
    """Somebody on the server who holds a table or view, and wants another once the upgrade waits for the first."""

    def __init__(self, url: str, held: str, wanted: str | None = None) -> None:
        import psycopg

        self._url = url.replace("+psycopg", "")
        self._connection = psycopg.connect(self._url)
        self._connection.execute("SET deadlock_timeout = '1h'")  # so that it is the upgrade that has to give way
        self._connection.execute("SET statement_timeout = '30s'")
        self._connection.execute(f"SELECT 1 FROM {held} LIMIT 1")
        self._wanted = wanted
        self._thread = threading.Thread(target=self._go_on, args=(self._connection.info.backend_pid,), daemon=True)
        self._thread.start()

    def _go_on(self, own: int) -> None:
        import psycopg

        with psycopg.connect(self._url, autocommit=True) as looking, self._connection:
            blocked = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
            while looking.execute(blocked, (own,)).fetchone() == (0,):
                time.sleep(0.01)
            if self._wanted is not None:
                self._connection.execute(f"SELECT 1 FROM {self._wanted} LIMIT 1")
            else:  # until the upgrade waits no longer
                while looking.execute(blocked, (own,)).fetchone() != (0,):
                    time.sleep(0.01)

    def wait(self) -> None:
        self._thread.join(30)


def patient(url: str, setting: str) -> str:
    return f"{url}&options=-c{setting.replace('=', '%3D')}"


def test_a_deadlock_when_the_old_tables_step_aside_is_tried_again(
    old_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    reader = InTheWay(old_database, held="rejects", wanted="archive_properties")

    done = migrate.upgrade(patient(old_database, "deadlock_timeout=3s"), most=STEP)

    reader.wait()
    assert "deadlock detected" in caplog.text
    assert (done.after, done.left) == (migrate.HEAD, ())
    assert migrate.check(old_database) == []


def test_a_deadlock_when_the_new_tables_take_their_place_is_tried_again_and_leaves_nothing_behind(
    old_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    execute(old_database, "CREATE VIEW mine AS SELECT count(*) AS events FROM events")
    readers: list[InTheWay] = []

    def begin_to_read(_progress: object) -> None:
        if not readers:
            readers.append(InTheWay(old_database, held="mine", wanted="event_log"))

    done = migrate.upgrade(patient(old_database, "deadlock_timeout=3s"), begin_to_read, STEP)

    readers[0].wait()
    assert "deadlock detected" in caplog.text
    assert (done.after, done.left) == (migrate.HEAD, ())
    assert rows(old_database, "SELECT events FROM mine") == [(271,)]
    assert migrate.check(old_database) == []


def test_a_lock_that_is_waited_for_too_long_is_waited_for_again(
    old_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    execute(old_database, "CREATE VIEW mine AS SELECT count(*) AS events FROM events")
    readers: list[InTheWay] = []

    def begin_to_read(_progress: object) -> None:
        if not readers:
            readers.append(InTheWay(old_database, held="mine"))

    done = migrate.upgrade(patient(old_database, "lock_timeout=300ms"), begin_to_read, STEP)

    readers[0].wait()
    assert "it is tried again" in caplog.text
    assert (done.after, done.left) == (migrate.HEAD, ())
    assert rows(old_database, "SELECT events FROM mine") == [(271,)]


def test_who_stays_in_the_way_ends_the_upgrade_which_goes_on_when_it_is_run_again(old_database: str) -> None:
    import psycopg

    engine = writing_engine(patient(old_database, "lock_timeout=50ms"))
    with psycopg.connect(old_database.replace("+psycopg", "")) as reader:
        reader.execute("SELECT 1 FROM rejects LIMIT 1")
        with pytest.raises(exc.DBAPIError, match="lock timeout"):
            rebuild_database(engine, "somewhere", most=STEP, pauses=(0.0, 0.01))
    engine.dispose()

    assert migrate.upgrade(old_database, most=STEP).left == ()
    assert migrate.check(old_database) == []


# --- the file of a SQLite archive -------------------------------------------------------------------------------------


def test_the_old_file_stays_beside_the_new_one(old_file: Path) -> None:
    before = old_file.read_bytes()
    os.chmod(old_file, 0o640)

    kept = migrate.upgrade(f"sqlite:///{old_file}").kept

    assert kept is not None
    assert kept.name == "old.db.before-0002"
    assert len(kept.read_bytes()) == len(before)
    assert old_file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in old_file.parent.iterdir()) == ["old.db", "old.db-lock", "old.db.before-0002"]
    assert rows(f"sqlite:///{kept}", "SELECT version_num FROM alembic_version") == [("0001",)]
    assert rows(f"sqlite:///{old_file}", "PRAGMA auto_vacuum") == [(2,)]
    assert rows(f"sqlite:///{old_file}", "PRAGMA application_id") == [(0x61726376,)]


def test_an_archive_behind_a_link_is_upgraded_where_it_lies(old_file: Path) -> None:
    link = old_file.parent / "elsewhere" / "archive.db"
    link.parent.mkdir()
    link.symlink_to(old_file)

    migrate.upgrade(f"sqlite:///{link}")

    assert link.is_symlink()
    assert migrate.current(f"sqlite:///{old_file}") == migrate.HEAD


def test_a_second_upgrade_of_a_restored_copy_keeps_both_old_files(old_file: Path) -> None:
    migrate.upgrade(f"sqlite:///{old_file}")
    released.unpack("archive.db", old_file)

    kept = migrate.upgrade(f"sqlite:///{old_file}").kept

    assert kept is not None
    assert kept.exists()
    assert (old_file.parent / "old.db.before-0002").exists()


def write_into_the_log(path: Path) -> None:
    script = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("PRAGMA wal_autocheckpoint=0")
connection.execute("INSERT INTO rejects VALUES (6, NULL, '2026-01-01T00:00:00.000000Z', 'in the log', x'00')")
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert Path(f"{path}-wal").stat().st_size


KILLED_BEFORE = """
import os, signal, sys
from archiver.storage import migrate
from archiver.storage.database import replacing

setattr(replacing.os, sys.argv[2], lambda *_: os.kill(os.getpid(), signal.SIGKILL))
migrate.upgrade(sys.argv[1])
"""


@pytest.mark.parametrize("call", ["link", "unlink", "replace"])
def test_what_lies_in_the_log_is_not_lost_when_the_change_of_names_is_killed(
    old_file: Path, call: str, run_script: RunScript
) -> None:
    write_into_the_log(old_file)
    url = f"sqlite:///{old_file}"
    with read_all_the_time(old_file):
        killed = run_script(KILLED_BEFORE, url, call)
    assert killed.returncode == -signal.SIGKILL

    kept = migrate.upgrade(url).kept

    in_the_log = "SELECT reason FROM rejects WHERE id = 6"
    assert rows(url, in_the_log) == rows(f"sqlite:///{kept}", in_the_log) == [("in the log",)]


@contextmanager
def read_all_the_time(path: Path) -> Iterator[None]:
    """Somebody reads, so that nobody brings the log into the file and deletes it."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        yield


def test_a_log_that_the_file_has_outlived_is_not_taken_back(old_file: Path, run_script: RunScript) -> None:
    write_into_the_log(old_file)
    url = f"sqlite:///{old_file}"
    with read_all_the_time(old_file):
        run_script(KILLED_BEFORE, url, "replace")
    released.run(old_file, "PRAGMA journal_mode=DELETE; DELETE FROM rejects; VACUUM")

    migrate.upgrade(url)

    assert rows(url, "SELECT count(*) FROM rejects") == [(0,)]
    assert migrate.check(url) == []


def test_what_lies_in_the_log_of_the_old_file_is_upgraded_too(old_file: Path) -> None:
    write_into_the_log(old_file)

    migrate.upgrade(f"sqlite:///{old_file}")

    assert rows(f"sqlite:///{old_file}", "SELECT reason FROM rejects WHERE id = 6") == [("in the log",)]


def test_an_archive_in_use_is_not_upgraded(old_file: Path) -> None:
    holder = "import sys\nfrom archiver.storage.database.engine import writer_lock\n"
    holder += "with writer_lock(sys.argv[1]): print(flush=True); input()"
    command = [sys.executable, "-c", holder, str(old_file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(DatabaseBusy):
            migrate.upgrade(f"sqlite:///{old_file}")
        process.communicate(b"\n")


def test_what_was_begun_is_not_thrown_away_while_somebody_else_has_it_open(
    old_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archiver.storage.database.engine._SQLITE_ARGS", {"timeout": 0.1})
    url = f"sqlite:///{old_file}"
    ended_after(url, 3)
    with closing(sqlite3.connect(f"{old_file}.upgrading", isolation_level=None)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy, match=r"old\.db\.upgrading is being written"):
            migrate.upgrade(url, most=STEP)
    steps: list[object] = []

    migrate.upgrade(url, steps.append, STEP)

    assert len(steps) == STEPS - 3


@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
def test_what_is_no_upgrade_that_was_begun_gives_way(old_file: Path, content: bytes) -> None:
    Path(f"{old_file}.upgrading").write_bytes(content)

    assert migrate.upgrade(f"sqlite:///{old_file}").after == migrate.HEAD


OWN = """
CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, event_id INTEGER REFERENCES events(id), words TEXT);
INSERT INTO notes VALUES (7, 1, 'seen'), (9, 2, NULL); DELETE FROM notes WHERE id = 9;
CREATE TABLE by_key (key TEXT PRIMARY KEY, at, twice GENERATED ALWAYS AS (at * 2)) WITHOUT ROWID;
INSERT INTO by_key (key, at) VALUES ('a', 21);
CREATE INDEX own_of_words ON notes (words);
CREATE INDEX own_of_events ON events (type_id, occurred_at);
CREATE VIEW own_restarts AS SELECT uri, count(*) AS times FROM state_spans GROUP BY uri;
CREATE VIEW many_restarts AS SELECT * FROM own_restarts WHERE times > 1;
CREATE TRIGGER noted AFTER INSERT ON rejects BEGIN INSERT INTO notes (words) VALUES (new.reason); END;
"""
GONE = """
ALTER TABLE resources ADD COLUMN owner TEXT;
CREATE TABLE facts (of_mine TEXT);
CREATE VIEW pairs AS SELECT child_id, derived FROM resource_parents;
CREATE VIEW on_pairs AS SELECT count(*) FROM pairs;
CREATE TRIGGER relations AFTER INSERT ON events BEGIN UPDATE resource_parents SET derived = 0; END;
CREATE INDEX own_of_names ON resources (name, uri);
"""


def test_what_users_made_beside_the_archive_is_carried_over(old_file: Path) -> None:
    released.run(old_file, OWN)
    url = f"sqlite:///{old_file}"
    known = "SELECT * FROM many_restarts WHERE uri NOT LIKE '%5d3b4f2a%' ORDER BY 1"
    before = rows(url, known)

    assert migrate.upgrade(url).left == ()

    assert rows(url, "SELECT * FROM notes") == [(7, 1, "seen")]
    assert rows(url, "SELECT seq FROM sqlite_sequence WHERE name = 'notes'") == [(9,)]
    assert rows(url, "SELECT * FROM by_key") == [("a", 21, 42)]
    assert rows(url, known) == before
    with Recorder(url) as recorder:
        recorder.record([Reject(b"", "noticed", 0)])
    assert rows(url, "SELECT words FROM notes ORDER BY id") == [("seen",), ("noticed",)]
    assert migrate.check(url) == []


def test_what_cannot_be_carried_over_is_named(old_file: Path) -> None:
    released.run(old_file, GONE)
    url = f"sqlite:///{old_file}"

    done = migrate.upgrade(url)

    assert sorted(thing.partition(":")[0] for thing in done.left) == [
        "column owner of table resources", "index own_of_names", "table facts", "trigger relations", "view on_pairs",
        "view pairs",
    ]  # fmt: skip
    with Recorder(url) as recorder:
        assert recorder.record([Reject(b"", "goes on", 0)]).rejects == 1
    assert rows(f"sqlite:///{done.kept}", "SELECT count(*) FROM pairs")[0][0] > 0


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_says_what_it_did_and_where_the_old_archive_is(old_file: Path, run_archiver: RunArchiver) -> None:
    asked = run_archiver("--database", str(old_file), "status")
    assert asked.returncode == 5
    assert "run: archiver db upgrade" in asked.stderr
    released.run(old_file, "CREATE VIEW pairs AS SELECT child_id FROM resource_parents")

    done = run_archiver("--database", str(old_file), "db", "upgrade")

    assert (done.returncode, done.stdout) == (0, "the schema went from 0001 to 0002\n")
    assert done.stderr.splitlines() == [
        "archiver: warning: not carried over: view pairs: no such table: main.resource_parents",
        f"the old archive is kept; once the new one has proved itself: rm {old_file}.before-0002",
    ]
    assert run_archiver("--database", str(old_file), "db", "upgrade").stdout == "the schema is at 0002 already\n"


WAITING = """
SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()
"""


def test_ctrl_c_says_that_nothing_is_lost_and_how_to_go_on(old_database: str, spawn_archiver: SpawnArchiver) -> None:
    ended_after(old_database, 3)
    engine = writing_engine(old_database)
    with engine.connect() as others, others.begin():
        lock_writers(others)
        upgrading = spawn_archiver("--database", old_database, "db", "upgrade")
        while not rows(old_database, WAITING):
            time.sleep(0.02)
        upgrading.send_signal(signal.SIGINT)
        _, stderr = upgrading.communicate(timeout=30)
    engine.dispose()

    assert upgrading.returncode == 130
    assert stderr.splitlines() == [
        "archiver: warning: interrupted: every row of the old archive is there as before; "
        "the same command goes on where this ended"
    ]


def test_a_daemon_keeps_what_comes_until_its_archive_is_upgraded(old_file: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{old_file}"
    spool = Spool(released.unpack("spool.db", tmp_path / "spool.db"))
    ingest = Ingest(spool, url, pace=IngestPace(first_delay=0.05, last_delay=0.2))
    ingest.finish()
    thread = threading.Thread(target=ingest.run)
    thread.start()
    try:
        while ingest.trouble is None:
            time.sleep(0.01)
        assert "run: archiver db upgrade" in str(ingest.trouble)
        upgraded = False
        while not upgraded:
            with suppress(DatabaseBusy):  # the daemon looks now and then whether it is time
                upgraded = migrate.upgrade(url).after == migrate.HEAD
        thread.join(30)
    finally:
        ingest.abandon()
        thread.join()
        spool.close()

    assert rows(url, "SELECT max(id), count(*) FROM events") == [(300, 300)]
