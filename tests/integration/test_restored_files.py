"""What becomes of a SQLite archive whose file is moved, copied, linked to or read by others while nobody looks."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archiver.api.archive import Archive
from archiver.errors import DatabaseBusy, DatabaseReadOnly, DatabaseTwice, DatabaseUnreachable, SchemaNotAtHead
from archiver.storage import migrate
from archiver.storage.database.alone import pieces
from archiver.storage.database.engine import writer_lock
from archiver.storage.database.glimpse import beside, size_of
from archiver.storage.database.walking import Place
from archiver.storage.recorder import Recorder

from ..memory import open_folder
from .archives import event, record, rows

NOBODY = 65534
KILLED = """
import os, sys
from tests.integration.archives import event, Recorder
recorder = Recorder(sys.argv[1])
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    recorder.record([event(f"container/{number}", "Running", number, ["service/1"])])
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Where somebody else gets to as well."""
    with open_folder() as folder:
        yield folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.db"


def killed_after(path: Path, first: int, last: int) -> None:
    """Somebody writes events into the archive, one commit each, and is killed: what is new stands in the log only."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(first), str(last)], timeout=60)
    assert done.returncode == -9
    assert size_of(beside(path, "-wal")) > 0


def copied(path: Path, to: Path) -> Path:
    """As `sqlite3 .backup` makes a copy."""
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
    return to


def count(path: Path) -> int:
    return int(rows(str(path), "SELECT count(*) FROM event_log")[0][0])


def grown(path: Path, events: int) -> None:
    """Enough events that the log was brought into the file at least once."""
    migrate.create(str(path))
    with Recorder(str(path), checkpoint_bytes=50_000) as recorder:
        for start in range(0, events, 100):
            recorder.record([event(f"container/{n}", "Running", n) for n in range(start, start + 100)])


@pytest.mark.parametrize("way", ["moved", "copied"])
def test_a_backup_put_into_place_beside_the_log_of_a_killed_writer_is_what_it_was(
    path: Path, tmp_path: Path, way: str
) -> None:
    grown(path, 500)
    backup = copied(path, tmp_path / "backup.db")
    grown_more = 750
    with Recorder(str(path)) as recorder:
        recorder.record([event(f"container/{n}", "Running", n) for n in range(500, grown_more)])
    killed_after(path, grown_more, grown_more + 20)

    shutil.move(backup, path) if way == "moved" else shutil.copyfile(backup, path)
    record(str(path), event("container/new", "Running"))

    assert count(path) == 501
    assert migrate.check(str(path)) == []
    assert len(list(tmp_path.glob("archive.db-wal.replaced-*"))) == 1


def test_who_asks_before_the_writer_comes_back_is_answered_by_the_backup_alone(path: Path, tmp_path: Path) -> None:
    grown(path, 500)
    backup_of_before = copied(path, tmp_path / "backup.db")
    killed_after(path, 500, 520)
    assert count(path) == 520

    shutil.copyfile(backup_of_before, path)
    assert count(path) == 500

    assert size_of(beside(path, "-wal")) > 0


def test_the_log_of_a_killed_writer_is_its_own(path: Path) -> None:
    grown(path, 500)
    killed_after(path, 500, 520)

    record(str(path), event("container/new", "Running"))

    assert count(path) == 521
    assert migrate.check(str(path)) == []


def test_a_folder_copied_with_the_log_in_it_is_whole(path: Path, tmp_path: Path) -> None:
    grown(path, 500)
    killed_after(path, 500, 520)
    shutil.copytree(tmp_path, elsewhere := tmp_path.parent / f"{tmp_path.name}-copy")

    record(str(elsewhere / "archive.db"), event("container/new", "Running"))

    assert count(elsewhere / "archive.db") == 521


def test_a_log_of_the_first_release_whose_lock_file_says_nothing_is_trusted(path: Path) -> None:
    grown(path, 500)
    killed_after(path, 500, 520)
    beside(path, "-lock").write_text("4711")

    record(str(path), event("container/new", "Running"))

    assert count(path) == 521


def test_a_reader_that_holds_checkpoints_up_over_several_starts_costs_nothing(path: Path) -> None:
    grown(path, 100)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as reader:
        reader.execute("BEGIN").close()
        reader.execute("SELECT count(*) FROM events").fetchone()
        for start in range(100, 160, 20):
            killed_after(path, start, start + 20)

        record(str(path), event("container/new", "Running"))

        assert count(path) == 161


def test_a_log_whose_file_is_gone_is_kept(path: Path, tmp_path: Path) -> None:
    grown(path, 100)
    killed_after(path, 100, 120)
    path.unlink()

    record_made(path)

    assert count(path) == 1
    assert len(list(tmp_path.glob("archive.db-wal.orphaned-*"))) == 1


def test_the_log_is_brought_into_the_file_as_it_grows(path: Path) -> None:
    migrate.create(str(path))

    with Recorder(str(path), checkpoint_bytes=100_000) as recorder:
        for start in range(0, 4000, 200):
            recorder.record([event(f"service/{n}", "Running", n) for n in range(start, start + 200)])
            assert size_of(beside(path, "-wal")) < 1_500_000
        assert size_of(path) > 500_000


def test_a_log_that_was_long_once_is_brought_into_the_file_no_oftener_than_before(path: Path) -> None:
    migrate.create(str(path))
    with Recorder(str(path), checkpoint_bytes=1_000_000) as recorder:
        recorder.record([event(f"service/{n}", "Running", n) for n in range(4000)])
        assert size_of(beside(path, "-wal")) > 1_000_000

        recorder.record([event("service/1", "Stopped", 4000)])
        written_at = path.stat().st_mtime_ns
        for n in range(5):
            recorder.record([event("service/1", f"state {n}", 4001 + n)])

        assert path.stat().st_mtime_ns == written_at


TAKES_THE_INDEX = """
import fcntl, sys
with open(sys.argv[1], "r+b") as index:
    fcntl.lockf(index, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)
"""
"""What SQLite does before it takes an archive for one that nobody has open, and cuts its index to nothing."""


def test_who_writes_an_archive_keeps_his_locks_whatever_he_looks_at(path: Path) -> None:
    migrate.create(str(path))
    with Recorder(str(path), checkpoint_bytes=100_000) as recorder:
        for n in range(5):
            recorder.record([event(f"service/{n}.{i}", "Running", n) for i in range(500)])
            taken = subprocess.run([sys.executable, "-c", TAKES_THE_INDEX, f"{path}-shm"], capture_output=True)
            assert b"BlockingIOError" in taken.stderr


def test_an_archive_has_one_writer_whatever_it_is_called(path: Path, tmp_path: Path) -> None:
    migrate.create(str(path))
    link = tmp_path / "link.db"
    link.symlink_to(path)

    with writer_lock(str(link)), pytest.raises(DatabaseBusy), writer_lock(str(path)):
        pass


def test_nothing_is_written_to_a_file_that_has_two_names(path: Path, tmp_path: Path) -> None:
    """SQLite finds a log by the name: two writers would not see each other's."""
    grown(path, 100)
    os.link(path, tmp_path / "other.db")

    for name in (path, tmp_path / "other.db"):
        with pytest.raises(DatabaseTwice, match="another name"):
            record(str(name), event("container/new", "Running"))
    assert count(path) == 100
    (tmp_path / "other.db").rename(f"{path}.before-restore-20260101")  # a restore was killed on its way
    record(str(path), event("container/new", "Running"))
    assert count(path) == 101


def test_a_backup_moved_behind_a_link_under_a_writer_is_noticed(path: Path, tmp_path: Path) -> None:
    grown(path, 500)
    backup = copied(path, tmp_path / "backup.db")
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with Recorder(str(link)) as recorder:
        recorder.record([event("container/lost", "Running")])
        shutil.move(backup, path)
        with pytest.raises(Exception, match="replaced by another"):
            recorder.record([event("container/new", "Running")])
        recorder.record([event("container/new", "Running")])

    assert count(path) == 501
    assert migrate.check(str(path)) == []


@pytest.mark.parametrize(
    "look",
    [lambda recorder: recorder.look_through(Place(), 10, 1.0), Recorder.empty_log, Recorder.write_anew],
    ids=["look through", "empty log", "write anew"],
)
def test_a_backup_moved_into_place_is_noticed_by_who_writes_though_another_looked_first(
    path: Path, tmp_path: Path, look: Callable[[Recorder], object]
) -> None:
    grown(path, 500)
    backup = copied(path, tmp_path / "backup.db")
    with Recorder(str(path)) as recorder:
        recorder.record([event("container/lost", "Running")])
        shutil.move(backup, path)
        for _ in range(2):
            with pytest.raises(DatabaseUnreachable, match="replaced by another"):
                look(recorder)
        with pytest.raises(DatabaseUnreachable, match="replaced by another"):
            recorder.record([event("container/new", "Running")])
        recorder.record([event("container/new", "Running")])

    assert count(path) == 501


@pytest.mark.parametrize("way", ["a file in its place", "another end"])
def test_a_link_that_leads_elsewhere_is_followed_and_the_file_of_before_keeps_all_it_had(
    path: Path, tmp_path: Path, way: str
) -> None:
    grown(path, 500)
    other = copied(path, tmp_path / "other.db")
    (link := tmp_path / "link.db").symlink_to(path)
    with Recorder(str(link)) as recorder:
        recorder.record([event("container/before", "Running")])
        if way == "another end":
            (turned := tmp_path / "turned.db").symlink_to(other)
            turned.rename(link)
        else:
            shutil.move(other, link)
        with pytest.raises(DatabaseUnreachable, match="replaced by another"):
            recorder.record([event("container/new", "Running")])
        recorder.record([event("container/new", "Running")])
        recorder.record([event("container/newer", "Running")])

        assert (count(path), count(link)) == (501, 502)
    assert migrate.check(str(path)) == migrate.check(str(link)) == []


def record_made(path: Path) -> None:
    migrate.create(str(path))
    record(str(path), event("container/1", "Running"))


def as_nobody(act: Callable[[], object]) -> bool:
    """Whether something works for a user who owns nothing; in a copy of this process, which has everything imported."""
    if (child := os.fork()) == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            act()
            code = 0
        except BaseException:  # noqa: BLE001 - it is shown, and told by the code
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")


@only_root
def test_who_may_only_read_the_file_can_ask(path: Path) -> None:
    record_made(path)
    os.chmod(path.parent, 0o755)
    os.chmod(path, 0o644)

    assert as_nobody(lambda: count(path))


@only_root
def test_somebody_else_who_only_asks_leaves_nothing_behind(path: Path, tmp_path: Path) -> None:
    record_made(path)
    os.chmod(path.parent, 0o777)
    os.chmod(path, 0o644)
    before = sorted(file.name for file in tmp_path.iterdir())

    assert as_nobody(lambda: count(path))

    assert sorted(file.name for file in tmp_path.iterdir()) == before


@only_root
def test_somebody_else_who_may_not_write_leaves_no_lock_that_keeps_the_owner_out(path: Path) -> None:
    record_made(path)
    os.chmod(path.parent, 0o777)
    os.chmod(path, 0o644)
    beside(path, "-lock").unlink()

    assert not as_nobody(lambda: record(str(path), event("container/2", "Running")))

    assert not beside(path, "-lock").exists()


@only_root
def test_a_lock_that_somebody_else_left_is_called_his(path: Path) -> None:
    record_made(path)
    os.chmod(path.parent, 0o777)
    os.chown(path, NOBODY, -1)

    def refused() -> None:
        with pytest.raises(DatabaseReadOnly, match=r"archive\.db-lock belongs to 0"):
            record(str(path), event("container/2", "Running"))

    assert as_nobody(refused)


@only_root
def test_what_is_read_in_place_is_read_anew_once_somebody_wrote(path: Path) -> None:
    record_made(path)
    os.chmod(path.parent, 0o777)
    os.chmod(path, 0o666)

    def ask_twice() -> None:
        with Archive.open(str(path)) as archive:
            assert archive.last_id() == 1
            os.write(asked, b"x")
            assert os.read(written, 1) == b"x"
            assert archive.last_id() == 2

    (ready, asked), (written, told) = os.pipe(), os.pipe()

    def write_between() -> None:
        os.read(ready, 1)
        record(str(path), event("container/2", "Running"))
        os.write(told, b"x")

    writer = threading.Thread(target=write_between)
    writer.start()
    assert as_nobody(ask_twice)
    writer.join()


@only_root
def test_who_may_only_read_can_ask_while_somebody_writes(path: Path) -> None:
    record_made(path)
    os.chmod(path.parent, 0o755)
    os.chmod(path, 0o644)
    with Recorder(str(path)) as recorder:
        recorder.record([event("container/2", "Running")])

        assert as_nobody(lambda: count(path))


@only_root
def test_empty_leftovers_of_somebody_else_do_not_keep_the_owner_from_writing(path: Path) -> None:
    record_made(path)
    os.chmod(path.parent, 0o777)
    for file in (path, beside(path, "-lock")):
        os.chown(file, NOBODY, -1)
    for ending in ("-wal", "-shm"):
        beside(path, ending).touch(mode=0o644)

    assert as_nobody(lambda: record(str(path), event("container/2", "Running")))

    assert count(path) == 2


# --- a file that is written over under its writer --------------------------------------------------------------------


def overwritten(path: Path, backup: Path) -> None:
    """As `cp` does it: the file stays, what is in it goes."""
    path.write_bytes(backup.read_bytes())


def test_a_backup_copied_over_the_archive_under_its_writer_is_noticed_before_anything_is_given_up(
    path: Path, tmp_path: Path
) -> None:
    grown(path, 300)
    backup = copied(path, tmp_path / "backup.db")
    with Recorder(str(path), checkpoint_bytes=50_000) as recorder:
        for start in range(300, 900, 100):
            recorder.record([event(f"container/{n}", "Running", n) for n in range(start, start + 100)])
        overwritten(path, backup)
        late = [event("container/late", "Running", 1000)]
        with pytest.raises(DatabaseUnreachable, match="written over in place"):
            recorder.record(late)
        recorder.record(late)

    assert count(path) == 301
    assert rows(str(path), "PRAGMA integrity_check") == [("ok",)]
    assert len(list(path.parent.glob("*-wal.replaced-*"))) == 1


@pytest.mark.parametrize("noticed", ["while all is quiet", "at the end"])
def test_what_is_copied_over_the_archive_stays_as_it_is(path: Path, tmp_path: Path, noticed: str) -> None:
    grown(path, 300)
    backup = copied(path, tmp_path / "backup.db")
    recorder = Recorder(str(path))
    with recorder:
        recorder.record([event(f"container/{n}", "Running", n) for n in range(300, 400)])
        overwritten(path, backup)
        if noticed == "while all is quiet":
            with pytest.raises(DatabaseUnreachable, match="written over in place"):
                recorder.check()

    assert path.read_bytes() == backup.read_bytes()


def test_none_is_made_anew_where_what_took_the_archives_place_is_gone_again(path: Path, tmp_path: Path) -> None:
    grown(path, 100)
    backup = copied(path, tmp_path / "backup.db")
    with Recorder(str(path)) as recorder:
        recorder.record([event("container/1", "Stopped", 200)])
        shutil.move(backup, path)
        for reason in ("replaced by another", "was removed"):
            with pytest.raises(DatabaseUnreachable, match=reason):
                recorder.record([event("container/late", "Running", 300)])
            path.unlink(missing_ok=True)
        with pytest.raises(DatabaseUnreachable, match="was removed"):
            recorder.check()

    assert not path.exists()


def test_nothing_is_archived_in_a_file_that_was_cut_short_until_a_backup_is_in_its_place(
    path: Path, tmp_path: Path
) -> None:
    grown(path, 300)
    backup = copied(path, tmp_path / "backup.db")
    with Recorder(str(path)) as recorder:
        recorder.record([event("container/1", "Stopped", 400)])
        os.truncate(path, path.stat().st_size // 8192 * 4096)
        late = [event("container/late", "Running", 1000)]
        for reason in ("written over in place|malformed", "cut short"):
            with pytest.raises(DatabaseUnreachable, match=reason):
                recorder.record(late)
        overwritten(path, backup)
        recorder.record(late)

    assert count(path) == 301


def test_a_file_of_which_only_the_first_page_is_left_is_called_malformed(path: Path) -> None:
    grown(path, 100)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xaa" * (path.stat().st_size - 4096))

    with Recorder(str(path)) as recorder, pytest.raises(DatabaseUnreachable, match=r"malformed.*db restore"):
        recorder.record([event("container/1", "Stopped", 400)])


def test_a_writer_that_was_ended_while_it_spared_a_file_leaves_it_findable(path: Path) -> None:
    grown(path, 100)
    path.rename(beside(path, ".overwritten"))

    with Recorder(str(path)) as recorder:
        recorder.record([event("container/1", "Stopped", 400)])

    assert count(path) == 101


SHELL = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM events').connection.close()"


def test_nobody_takes_the_log_from_a_writer_whose_process_has_asked_and_looked_at_the_file(path: Path) -> None:
    """SQLite's shell does when it closes, unless the writer still has its locks: what came after that would be lost."""
    grown(path, 300)
    with Recorder(str(path)) as recorder:
        recorder.record([event("container/1", "Stopped", 400)])
        with Archive.open(str(path)) as archive:
            assert next(archive.events()) is not None
        subprocess.run([sys.executable, "-c", SHELL, str(path)], check=True, timeout=60)
        recorder.record([event("container/1", "Running", 401)])
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA wal_checkpoint(PASSIVE)")
        recorder.record([event("container/1", "Stopped", 402)])  # it looks whether the file is its own
        subprocess.run([sys.executable, "-c", SHELL, str(path)], check=True, timeout=60)
        recorder.record([event("container/1", "Running", 403)])

        assert count(path) == 304


TAKES_THE_FILE = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, (1 << 30) + 2)
"""
"""What SQLite does when the last one closes an archive, before it writes the log into the file and deletes it."""


def test_who_asks_an_archive_keeps_his_locks_whatever_he_looks_at(path: Path) -> None:
    migrate.create(str(path))
    record(str(path), event("container/1", "Running", 1))
    killed_after(path, 2, 4)
    with Archive.open(str(path)) as archive:
        assert next(archive.events()) is not None
        taken = subprocess.run([sys.executable, "-c", TAKES_THE_FILE, str(path)], capture_output=True)

    assert b"BlockingIOError" in taken.stderr


def test_a_writer_whose_process_asked_before_he_came_has_his_locks(path: Path) -> None:
    migrate.create(str(path))
    record(str(path), event("container/1", "Running", 1))
    with Archive.open(str(path)) as archive:
        assert next(archive.events()) is not None
        with Recorder(str(path)) as recorder:
            recorder.record([event("container/1", "Stopped", 2)])
            taken = subprocess.run([sys.executable, "-c", TAKES_THE_FILE, str(path)], capture_output=True)

    assert b"BlockingIOError" in taken.stderr


def test_a_checkpoint_that_somebody_else_asks_for_is_no_harm(path: Path) -> None:
    grown(path, 300)
    with Recorder(str(path)) as recorder:
        recorder.record([event("container/1", "Stopped", 400)])
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA wal_checkpoint(PASSIVE)")
        recorder.record([event("container/1", "Running", 401)])

    assert count(path) == 302


CUT_OFF = """
import os, sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
for pragma in ("journal_mode=DELETE", "application_id=1", "cache_size=1"):
    file.execute(f"PRAGMA {pragma}")
file.execute("BEGIN IMMEDIATE")
file.execute("CREATE TABLE cut (off)")
for _ in range(50):  # more than is held in memory: a part of it is in the file
    file.execute("INSERT INTO cut VALUES (zeroblob(5000))")
os.kill(os.getpid(), 9)
"""


def cut_off(path: Path) -> None:
    """Somebody writes to the file without a log, as SQLite makes a new one, and is killed."""
    assert subprocess.run([sys.executable, "-c", CUT_OFF, str(path)], timeout=60).returncode == -9
    assert size_of(beside(path, "-journal")) > 0


def test_an_archive_whose_maker_was_killed_says_so_to_who_asks_and_the_next_one_makes_it(path: Path) -> None:
    cut_off(path)
    with pytest.raises(SchemaNotAtHead) as caught, closing(Archive.open(str(path))) as archive:
        archive.status()
    assert caught.value.exit_code == 5
    assert "did not finish: start the daemon again" in caught.value.next_step
    with writer_lock(f"sqlite:///{path}"), pytest.raises(SchemaNotAtHead, match="empty") as caught:
        Archive.open(str(path)).status()
    assert "it is being made" in caught.value.next_step

    assert migrate.is_missing(str(path))
    migrate.create(str(path))
    assert count(path) == 0


def test_a_change_of_another_program_that_was_cut_off_is_called_so(path: Path) -> None:
    grown(path, 100)
    cut_off(path)
    with pytest.raises(DatabaseUnreachable, match="a change to its file was cut off"):
        Archive.open(str(path)).status()
    with Recorder(str(path)) as recorder:
        recorder.record([event("container/200")])
    assert count(path) == 101


OPENS = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1])
open(sys.argv[2], "rb").close()
"""


@pytest.mark.parametrize("which", ["", "-shm", "-wal"])
def test_a_daemon_of_the_tests_that_opens_its_archive_by_hand_is_noticed(
    path: Path, tmp_path: Path, program_environment: dict[str, str], which: str
) -> None:
    """What lets go of its locks is noted; nobody has locks on the log."""
    grown(path, 100)
    noted, other = tmp_path / "noted", beside(path, which)
    other.touch()
    environment = {**program_environment, "ARCHIVER_TEST_OPENED": str(noted)}
    subprocess.run([sys.executable, "-c", OPENS, str(path), str(other), "run"], env=environment, check=True, timeout=60)
    assert noted.exists() == (which != "-wal")


def test_who_looks_at_the_bytes_of_an_archive_keeps_its_locks(path: Path) -> None:
    migrate.create(str(path))
    with Recorder(str(path)) as recorder:
        recorder.record([event("container/1")])
        for file in (path, beside(path, "-shm")):
            assert sum(map(len, pieces(file, 1000))) == size_of(file)
        taken = subprocess.run([sys.executable, "-c", TAKES_THE_INDEX, f"{path}-shm"], capture_output=True)
        assert b"BlockingIOError" in taken.stderr
