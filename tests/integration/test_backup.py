"""`archiver db backup` and `restore`: a copy of an archive in use, and the copy back in its place."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from archiver.api.archive import Archive
from archiver.errors import BackupMissing, BackupUnusable, DatabaseBusy, DatabaseMissing, UsageError
from archiver.storage import migrate
from archiver.storage.backup import RESTORED, backup, restore
from archiver.storage.recorder import Recorder

from .archives import at, closed, event, opened, record, rows

SNAPSHOTS = Path(__file__).parents[1] / "migrations" / "snapshots"


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'archive.db'}"
    migrate.create(url)
    record(url, opened("s1", 0), event("container/1", "Running", 1, session="s1"))
    return url


def states(url: str) -> list[str]:
    return [str(state) for (state,) in rows(url, "SELECT state FROM event_log ORDER BY id")]


def test_a_copy_is_taken_while_somebody_writes_and_holds_what_was_committed(url: str, tmp_path: Path) -> None:
    with Recorder(url) as recorder:
        recorder.record([event("container/1", "Stopped", 2)])
        made = backup(url, tmp_path / "copy.db")
        recorder.record([event("container/1", "Starting", 3)])

    assert (made.events, made.path) == (2, tmp_path / "copy.db")
    assert states(f"sqlite:///{made.path}") == ["Running", "Stopped"]
    assert migrate.check(f"sqlite:///{made.path}") == []


def test_a_copy_is_for_its_owner_only_and_has_nothing_beside_it(url: str, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()

    made = backup(url, tmp_path / "copies" / "copy.db")

    assert made.path.stat().st_mode & 0o777 == 0o600
    assert list(made.path.parent.iterdir()) == [made.path]


def test_an_earlier_copy_is_replaced_and_nothing_else(url: str, tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    backup(url, tmp_path / "copy.db")

    assert backup(url, tmp_path / "copy.db").events == 1
    with pytest.raises(UsageError, match="no copy of an archive"):
        backup(url, other)
    with pytest.raises(UsageError, match="the archive itself"):
        backup(url, tmp_path / "archive.db")
    assert other.read_text() == "mine"


def test_there_is_no_copy_of_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatabaseMissing):
        backup(str(tmp_path / "nothing.db"), tmp_path / "copy.db")

    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_is_not_there_is_what_is_missing(url: str, tmp_path: Path) -> None:
    with pytest.raises(BackupMissing, match=r"there is no copy at .*nothing\.db"):
        restore(url, tmp_path / "nothing.db")

    assert states(url) == ["Running"]


def test_what_was_restored_is_the_copy_and_what_was_there_is_kept(url: str, tmp_path: Path) -> None:
    copy = backup(url, tmp_path / "copy.db").path
    record(url, event("container/1", "Lost", 9))

    made = restore(url, copy)

    assert states(url) == ["Running"]
    assert migrate.check(url) == []
    assert made.kept is not None
    assert states(f"sqlite:///{made.kept}") == ["Running", "Lost"]


def test_the_stretch_since_the_copy_is_a_gap_with_its_reason(url: str, tmp_path: Path) -> None:
    copy = backup(url, tmp_path / "copy.db").path

    restore(url, copy)
    record(url, opened("s2", 60))

    with Archive.open(url) as archive:
        (gap, *_) = archive.history("container/1").coverage.gaps
    assert (gap.since, gap.until, gap.reason) == (at(1), at(60), RESTORED)


def test_what_waited_of_a_session_in_the_copy_does_not_cover_what_the_restore_lost(url: str, tmp_path: Path) -> None:
    copy = backup(url, tmp_path / "copy.db").path
    record(url, event("container/1", "Lost", 3600, session="s1"))

    restore(url, copy)
    record(url, closed("s1", 7200), opened("s2", 7300))

    with Archive.open(url) as archive:
        (gap, *_) = archive.history("container/1").coverage.gaps
    assert (gap.since, gap.until) == (at(1), at(7300))


def test_a_copy_is_put_back_where_only_the_log_of_the_lost_file_is_left(url: str, tmp_path: Path) -> None:
    copy = backup(url, tmp_path / "copy.db").path
    with Recorder(url) as recorder:
        recorder.record([event(f"container/{n}", "Running", n) for n in range(200)])
        left = (tmp_path / "archive.db-wal").read_bytes()
    (tmp_path / "archive.db").unlink()
    (tmp_path / "archive.db-wal").write_bytes(left)

    restore(url, copy)

    assert states(url) == ["Running"]
    assert migrate.check(url) == []


KILLED = """
import os, signal, sqlite3, sys
from pathlib import Path
from archiver.storage import backup
from archiver.storage.database import replacing
from archiver.storage.database.named import sqlite_path
from archiver.storage.recorder import Recorder

url, copy = sys.argv[1:]
with sqlite3.connect(f"file:{sqlite_path(url)}?mode=ro", uri=True, isolation_level=None) as reader:
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchone()
    from tests.integration.archives import event
    with Recorder(url) as recorder:
        recorder.record([event("container/1", "Logged", 9)])
    replacing.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    backup.restore(url, Path(copy))
"""


def test_a_restore_that_is_killed_at_its_end_loses_nothing_of_what_was_there(url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    backup(url, copy)
    killed = subprocess.run([sys.executable, "-c", KILLED, url, str(copy)], check=False)
    assert killed.returncode == -signal.SIGKILL

    kept = restore(url, copy).kept

    assert "Logged" not in states(url)
    assert "Logged" in states(f"sqlite:///{kept}")


def test_nothing_is_restored_under_a_writer(url: str, tmp_path: Path) -> None:
    copy = backup(url, tmp_path / "copy.db").path
    with Recorder(url) as recorder:
        recorder.identity()
        with pytest.raises(DatabaseBusy):
            restore(url, copy)


def test_a_copy_that_is_damaged_is_not_put_into_place(url: str, tmp_path: Path) -> None:
    copy = backup(url, tmp_path / "copy.db").path
    with copy.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 4)

    with pytest.raises(BackupUnusable):
        restore(url, copy)

    assert states(url) == ["Running"]


def test_a_copy_in_which_rows_are_missing_is_not_put_into_place(url: str, tmp_path: Path) -> None:
    record(url, event("container/1", "Stopped", 2))
    copy = backup(url, tmp_path / "copy.db").path
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("DELETE FROM events WHERE id = 1")

    with pytest.raises(BackupUnusable, match="1 of 2 rows of events"):
        restore(url, copy)


def test_a_copy_without_its_last_rows_is_not_put_into_place(url: str, tmp_path: Path) -> None:
    copy = backup(url, tmp_path / "copy.db").path
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("DELETE FROM events")

    with pytest.raises(BackupUnusable, match="0 of 1 rows of events"):
        restore(url, copy)


def test_a_copy_of_version_0_1_0_is_put_back_as_it_is(tmp_path: Path) -> None:
    first = tmp_path / "first.db"
    with closing(sqlite3.connect(first)) as connection:
        connection.executescript((SNAPSHOTS / "0001_sqlite.sql").read_text())
    url = f"sqlite:///{tmp_path / 'archive.db'}"

    made = restore(url, backup(f"sqlite:///{first}", tmp_path / "copy.db").path)

    assert (made.revision, migrate.current(url)) == ("0001", "0001")
    assert rows(url, "SELECT DISTINCT reason FROM sessions") == [(RESTORED,)]


def test_of_a_copy_of_version_0_1_0_too_no_row_may_be_missing(tmp_path: Path) -> None:
    first = tmp_path / "first.db"
    with closing(sqlite3.connect(first)) as connection, connection:
        connection.executescript((SNAPSHOTS / "0001_sqlite.sql").read_text())
        connection.execute("DELETE FROM event_parents")
        connection.execute("DELETE FROM events WHERE id = 1")

    with pytest.raises(BackupUnusable, match="rows of events are there"):
        restore(f"sqlite:///{tmp_path / 'archive.db'}", first)


def test_a_copy_can_be_put_where_no_archive_is(url: str, tmp_path: Path) -> None:
    copy = backup(url, tmp_path / "copy.db").path

    made = restore(f"sqlite:///{tmp_path / 'new.db'}", copy)

    assert made.kept is None
    assert states(f"sqlite:///{tmp_path / 'new.db'}") == ["Running"]


def test_a_restored_archive_stays_open_to_whom_it_was_open_to(url: str, tmp_path: Path) -> None:
    copy = backup(url, tmp_path / "copy.db").path
    archive = tmp_path / "archive.db"
    archive.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(archive, 65534, 65534)

    restore(url, copy)

    found = archive.stat()
    assert found.st_mode & 0o777 == 0o640
    assert found.st_uid == (65534 if os.geteuid() == 0 else os.geteuid())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can restore into somebody else's folder")
def test_what_root_restores_is_the_folders_owners(url: str, tmp_path: Path) -> None:
    copy = backup(url, tmp_path / "copy.db").path
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, 65534, 65534)

    restore(f"sqlite:///{folder / 'archive.db'}", copy)

    assert {file.stat().st_uid for file in folder.iterdir()} == {65534}


def test_another_database_has_its_own_tool(postgres_url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        backup(postgres_url, tmp_path / "copy.db")

    assert "pg_dump" in error.value.next_step
