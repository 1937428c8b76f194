"""Whose the files are that the archiver makes, and what somebody is told who may not read them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from archiver.api.archive import Archive
from archiver.errors import (
    BackupUnusable,
    DatabaseElsewhere,
    DatabaseFull,
    DatabaseMissing,
    DatabaseNotAllowed,
    DatabaseUnfit,
    DatabaseUnreachable,
    LogUnreadable,
    SpoolError,
    UsageError,
)
from archiver.platforms.playback import PlaybackSource
from archiver.recording.daemon import Daemon
from archiver.recording.spool.queue import Spool
from archiver.storage import migrate
from archiver.storage.backup import backup, restore
from archiver.storage.database import absent
from archiver.storage.database.engine import writing_engine
from archiver.storage.database.foreign import require_fit
from archiver.storage.database.judging import translated_driver
from archiver.storage.recorder import Recorder

from ..conftest import RunArchiver
from ..memory import open_folder
from .archives import event

NOBODY, GROUP = 65534, 54321


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Where somebody else gets to as well."""
    with open_folder() as folder:
        yield folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_what_the_daemon_makes_is_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "archiver"
    url = f"sqlite:///{folder / 'archive.db'}"
    (tmp_path / "a.jsonl").write_text('{"type": "service"}\n')
    with umask(0), Spool(folder / "spool.db") as spool:
        Daemon([PlaybackSource(tmp_path / "a.jsonl")], spool, url).run()
        assert {file.name for file in folder.iterdir()} >= {"archive.db", "archive.db-lock", "spool.db", "spool.db-wal"}
        assert {mode(file) for file in folder.iterdir()} == {0o600}
    assert mode(folder) == mode(folder.parent) == 0o700


def test_what_is_there_keeps_its_rights_and_the_log_beside_it_has_the_same(tmp_path: Path) -> None:
    """The group that operating.md lets read must go on reading while the daemon writes."""
    path = tmp_path / "archive.db"
    tmp_path.chmod(0o750)
    migrate.create(str(path))
    path.chmod(0o640)
    with umask(0o077), writing_engine(str(path)).connect() as connection:
        connection.exec_driver_sql("CREATE TABLE other (x)")
        assert {mode(path), mode(Path(f"{path}-wal")), mode(Path(f"{path}-shm"))} == {0o640}
    assert mode(tmp_path) == 0o750


def test_who_is_let_in_while_somebody_writes_is_let_in_at_once(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    migrate.create(str(path))
    with Recorder(str(path)) as recorder:
        recorder.record([event("container/1", "Running")])
        path.chmod(0o640)
        recorder.check()
        assert {mode(path), mode(Path(f"{path}-wal")), mode(Path(f"{path}-shm"))} == {0o640}


@contextmanager
def as_nobody() -> Iterator[None]:
    if os.geteuid() != 0:
        yield  # what is nobody's but root's is not ours either: its mode is 0
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_another_run_of_the_tests_shuts_no_folder_that_is_open(passed: Path) -> None:
    (passed / "test_other.py").write_text("def test_other(tmp_path): pass")
    order = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(passed)]
    other = subprocess.run([*order, "test_other.py"], cwd=passed, capture_output=True, text=True, timeout=120)
    assert other.returncode == 0, other.stdout
    with as_nobody():
        assert "test_other.py" in os.listdir(passed)


@pytest.fixture
def passed(tmp_path: Path) -> Path:
    """A folder that everybody gets to, with an archive in a folder."""
    (tmp_path / "daemon").mkdir()
    migrate.create(str(tmp_path / "daemon" / "archive.db"))
    return tmp_path


@pytest.mark.parametrize("closed", ["the file", "the folder"])
def test_who_may_not_read_is_told_whose_it_is_and_how_to_ask(closed: str, passed: Path) -> None:
    path = passed / "daemon" / "archive.db"
    shut = path if closed == "the file" else path.parent
    shut.chmod(0)
    try:
        with as_nobody(), pytest.raises(DatabaseNotAllowed) as wrong:
            Archive.open(str(path))
    finally:
        shut.chmod(0o700)
    assert wrong.value.exit_code == 4
    assert "may not be read" in str(wrong.value)
    assert ("folder" in str(wrong.value)) == (closed == "the folder")
    assert "sudo" in wrong.value.next_step


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
@pytest.mark.parametrize("left", ["a log of his own", "a log without its index"])
def test_who_may_not_read_the_log_of_a_killed_daemon_is_told_so(left: str, passed: Path) -> None:
    path, log = (passed / "daemon" / name for name in ("archive.db", "archive.db-wal"))
    with Recorder(str(path)) as recorder:
        recorder.record([event("container/1", "Running")])
        shutil.copytree(path.parent, killed := passed / "killed", ignore=shutil.ignore_patterns("*-shm", "*-lock"))
    path, log = killed / path.name, killed / log.name
    killed.chmod(0o755)
    path.chmod(0o644)
    log.chmod(0o600 if left == "a log of his own" else 0o644)
    with as_nobody(), pytest.raises(DatabaseUnreachable, match=r"archive\.db-wal") as wrong:
        Archive.open(str(path))
    assert type(wrong.value) is (DatabaseNotAllowed if left == "a log of his own" else LogUnreadable)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
def test_a_member_of_the_group_asks_while_the_daemon_writes_and_while_it_does_not(passed: Path) -> None:
    """As operating.md has it for a daemon with a group that stays."""
    path = passed / "daemon" / "archive.db"
    os.chown(path.parent, 0, GROUP)
    os.chown(path, 0, GROUP)
    path.parent.chmod(0o750)
    path.chmod(0o640)

    def ask() -> int:
        os.setegid(GROUP)
        try:
            with as_nobody(), Archive.open(str(path)) as archive:
                return archive.status().events
        finally:
            os.setegid(0)

    with Recorder(str(path), "spool") as recorder:
        recorder.record([event("container/1", "Running")], 1)
        assert ask() == 1
    assert ask() == 1
    assert {file.name for file in path.parent.iterdir()} <= {
        "archive.db",
        "archive.db-lock",
        "archive.db-wal",
        "archive.db-shm",
    }


@pytest.mark.parametrize("looked_into", [True, False])
def test_who_has_no_archive_is_shown_the_daemon_s(
    looked_into: bool, passed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = passed / "daemon" / "archive.db"
    monkeypatch.setattr(absent, "DAEMONS", there)
    there.parent.chmod(0o755 if looked_into else 0)
    try:
        with as_nobody(), pytest.raises(DatabaseElsewhere) as missing:
            Archive.open(str(passed / "mine.db"))
    finally:
        there.parent.chmod(0o700)
    assert missing.value.exit_code == 4
    assert f"--database {there} status" in missing.value.next_step
    assert "upgrade" not in missing.value.next_step


def test_without_a_daemon_one_is_told_how_to_make_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absent, "DAEMONS", tmp_path / "nothing" / "archive.db")
    with pytest.raises(DatabaseMissing) as missing:
        Archive.open(str(tmp_path / "mine.db"))
    assert "db upgrade" in missing.value.next_step


def test_a_link_in_a_circle_and_a_folder_are_called_so(tmp_path: Path) -> None:
    (tmp_path / "a.db").symlink_to("b.db")
    (tmp_path / "b.db").symlink_to("a.db")
    for ask in (Archive.open, require_fit, migrate.create):
        with pytest.raises(DatabaseUnfit, match="in a circle"):
            ask(str(tmp_path / "a.db"))
        with pytest.raises(DatabaseUnfit, match="it is a folder"):
            ask(str(tmp_path))


def test_a_pipe_is_no_archive_no_copy_and_no_spool_and_nobody_waits_for_its_other_end(tmp_path: Path) -> None:
    archive, pipe = str(tmp_path / "archive.db"), tmp_path / "pipe"
    migrate.create(archive)
    os.mkfifo(pipe)
    for ask in (Archive.open, require_fit, migrate.create, migrate.check):
        with pytest.raises(DatabaseUnfit, match="it is no file"):
            ask(str(pipe))
    with pytest.raises(BackupUnusable, match="it is no file"):
        restore(archive, pipe)
    with pytest.raises(UsageError, match="no copy of an archive"):
        backup(archive, pipe)
    with pytest.raises(SpoolError, match="it is no file"):
        Spool(pipe)


def test_who_asks_another_programs_database_is_told_that_it_is_one(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE users (id)")
    for ask in (Archive.open, migrate.create):
        with pytest.raises(DatabaseUnfit, match="it has users of another program"):
            ask(str(tmp_path / "other.db"))


def test_an_empty_home_is_none(run_archiver: RunArchiver) -> None:
    assert "at /.local" not in run_archiver("status", env={"HOME": ""}).stderr


def test_a_full_disk_is_called_so(tmp_path: Path) -> None:
    path = str(tmp_path / "archive.db")
    migrate.create(path)
    with writing_engine(path).connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA max_page_count=1")
        with pytest.raises(DatabaseFull, match="no room left"), translated_driver(path):
            driver.execute("CREATE TABLE other AS SELECT zeroblob(10000000)")
