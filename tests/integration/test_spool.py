"""The spool on a real file: numbers, memory and file, limits, damage, and what a dead process leaves behind."""

from __future__ import annotations

import multiprocessing
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from archiver.errors import SpoolDamaged, SpoolError, SpoolFull, SpoolInUse
from archiver.model import Alive, Closed, Condition, Item, Message, Observed, Opened
from archiver.model.health import Waiting
from archiver.recording.spool.file import open_sound
from archiver.recording.spool.glance import glance
from archiver.recording.spool.queue import Spool
from archiver.recording.spool.recent import Group
from archiver.recording.spool.reserve import RESERVE

URL = "ws://stream.example/v1/events"
EVERYTHING = 1 << 40


def message(number: int, size: int = 20, resume: str | None = None) -> Message:
    return Message(URL, "abc", "tutum", 1_000_000 + number, f"{number}".encode().ljust(size), resume)


def messages(first: int, last: int, size: int = 20) -> list[Item]:
    return [message(number, size) for number in range(first, last + 1)]


def drained(spool: Spool, after: int = 0, most: int = 7, most_bytes: int = EVERYTHING) -> list[Item]:
    """Everything that follows a number, taken as the ingest does it."""
    items: list[Item] = []
    while (group := spool.take(after, most, most_bytes)) is not None:
        assert group.first == after + 1
        items += group.items
        after = group.last
    return items


def files(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("spool.db*"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    with Spool(path) as spool:
        yield spool


# --- order and numbers ----------------------------------------------------------------------------------------------


def test_every_kind_of_item_comes_back_as_it_was_given(path: Path) -> None:
    given: list[Item] = [
        Opened(URL, "abc", "tutum", 10, 5),
        Message(URL, "abc", "tutum", 11, b"\x00\xff{"),
        Message(URL, "abc", "tutum", 12, b"begin", None, "too long"),
        Observed(URL, "abc", "docker", 13, b"{}"),
        Alive(URL, "abc", 14),
        Closed(URL, "abc", 15, "it's over", "silent"),
        Condition(URL, "docker", 16, "trouble", "no such host \N{SNOWMAN}"),
        Condition(URL, "docker", 17, "trouble", None),
    ]
    with Spool(path) as spool:
        assert spool.append(given) == 8
        assert drained(spool) == given
    with Spool(path) as spool:
        assert drained(spool) == given


def test_a_spool_of_the_first_release_opens_and_its_ends_get_a_kind(path: Path) -> None:
    ends = [Closed(URL, "abc", 15, "stopped", "stopped"), Closed(URL, "def", 16, "connection reset", "lost")]
    with Spool(path) as spool:
        spool.append(ends)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE spool SET kind = 'closed'")
    with Spool(path) as spool:
        assert drained(spool) == ends


def test_numbers_go_on_after_everything_was_discarded_and_the_file_reopened(path: Path) -> None:
    with Spool(path) as spool:
        spool.append(messages(1, 5))
        spool.release(5)
        spool.tidy()
    with Spool(path) as spool:
        assert spool.last == 5
        assert spool.take(5, 10, EVERYTHING) is None
        assert spool.append(messages(6, 6)) == 6


def test_what_does_not_fit_into_memory_is_read_from_the_file_in_its_place(path: Path) -> None:
    with Spool(path, in_memory=2000) as spool:
        for first in range(1, 200, 5):
            spool.append(messages(first, first + 4))
            if first == 101:
                assert spool.take(50, 1, 1) is not None
        assert drained(spool) == messages(1, 200)


def test_a_gap_between_what_stayed_in_memory_is_read_from_the_file(path: Path) -> None:
    """A group too large for the memory stands between two that fit."""
    with Spool(path, in_memory=2000) as spool:
        spool.append(messages(1, 3))
        spool.append(messages(4, 6, 5000))
        spool.append(messages(7, 9))
        assert drained(spool, most=100) == [*messages(1, 3), *messages(4, 6, 5000), *messages(7, 9)]


@pytest.mark.parametrize("in_memory", [0, EVERYTHING])
def test_a_group_is_not_larger_than_was_asked_for(path: Path, in_memory: int) -> None:
    with Spool(path, in_memory=in_memory) as spool:
        for number in range(1, 11):
            spool.append([message(number, 1000)])
        group = spool.take(0, 3, EVERYTHING)
        assert group is not None
        assert len(group.items) == 3
        group = spool.take(0, 100, 4000)
        assert group is not None
        assert 1 <= len(group.items) <= 4
        assert drained(spool, most_bytes=1) == messages(1, 10, 1000)


def test_the_same_items_can_be_taken_again_until_they_are_discarded(spool: Spool) -> None:
    spool.append(messages(1, 10))
    assert spool.take(4, 3, EVERYTHING) == spool.take(4, 3, EVERYTHING)
    assert drained(spool, 2) == messages(3, 10)
    assert drained(spool, 0) == messages(1, 10)


def test_an_archive_that_knows_less_than_was_discarded_gets_what_is_left(path: Path) -> None:
    """Such as a new archive beside an old spool, or one that was restored from a backup."""
    with Spool(path) as spool:
        spool.append(messages(1, 5))
        spool.release(5)
        spool.tidy()
    with Spool(path) as spool:
        assert spool.take(0, 10, EVERYTHING) is None
        spool.append(messages(6, 7))
        assert spool.take(0, 10, EVERYTHING) == Group(6, messages(6, 7), spool.size)


def test_a_waiting_taker_is_woken_by_an_append(spool: Spool) -> None:
    taken: list[Group | None] = []
    taker = threading.Thread(target=lambda: taken.append(spool.take(0, 10, EVERYTHING, timeout=30)))
    taker.start()
    spool.append(messages(1, 2))
    taker.join(10)
    assert taken[0] is not None
    assert list(taken[0].items) == messages(1, 2)


def test_messages_without_a_byte_do_not_pile_up_in_memory(path: Path) -> None:
    """What comes out of memory is what was given itself; what comes out of the file is made anew."""
    given = [Message(URL, "abc", "tutum", number, b"") for number in range(1, 1001)]
    with Spool(path, in_memory=10_000) as spool:
        for item in given:
            spool.append([item])
        taken = drained(spool)
    assert taken == given
    assert 0 < sum(one is other for one, other in zip(given, taken, strict=True)) < 200


# --- discarding -----------------------------------------------------------------------------------------------------


def test_an_append_deletes_what_was_discarded(spool: Spool, path: Path) -> None:
    spool.append(messages(1, 10))
    one = spool.size // 10
    spool.release(10)
    spool.append(messages(11, 11))
    assert spool.size == one
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as reader:
        assert reader.execute("SELECT seq FROM spool").fetchall() == [(11,)]
    reader.close()


def test_the_disk_gets_back_what_an_outage_took(spool: Spool, tmp_path: Path) -> None:
    for first in range(1, 400, 10):
        spool.append(messages(first, first + 9, 100_000))
    assert files(tmp_path) > 40_000_000
    spool.release(400)
    for _ in range(20):  # the ingest does it every second while nothing comes
        spool.tidy()
    assert (tmp_path / "spool.db").stat().st_size < 3_000_000
    assert spool.size == 0


@contextmanager
def full_disk(path: Path, room: int = 0) -> Iterator[None]:
    """No file of this process may grow beyond what the spool's log has by now, and some room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{path}-wal").stat().st_size + room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def rows(path: Path) -> list[int]:
    """The numbers that stand in the file."""
    with closing(sqlite3.connect(path)) as reader:
        return [number for (number,) in reader.execute("SELECT seq FROM spool ORDER BY seq")]


@pytest.mark.parametrize("last", [11, 400], ids=["at the commit", "on the way"])
def test_what_a_full_disk_does_not_take_changes_nothing(spool: Spool, path: Path, last: int) -> None:
    spool.append(messages(1, 10))
    size = spool.size
    spool.release(9)
    with full_disk(path), pytest.raises(SpoolError):
        spool.append(messages(11, last, 10_000))
    assert (spool.last, spool.size, rows(path)) == (10, size, [*range(1, 11)])
    spool.append(messages(11, 11))
    assert rows(path) == [10, 11]
    assert drained(spool, 9) == messages(10, 11)


# --- limits ---------------------------------------------------------------------------------------------------------


def test_at_the_limit_messages_wait_but_sessions_are_taken(path: Path) -> None:
    with Spool(path, limit=1000) as spool:
        spool.append(messages(1, 3, 200))
        with pytest.raises(SpoolFull):
            spool.append(messages(4, 4, 200))
        assert spool.append([Closed(URL, "abc", 1, "x", "lost")]) == 4
        spool.release(3)
        assert spool.append(messages(5, 5, 200)) == 5
        assert drained(spool, 3) == [Closed(URL, "abc", 1, "x", "lost"), message(5, 200)]


def test_messages_without_a_byte_come_to_the_limit_as_well(path: Path) -> None:
    nothing: list[Item] = [Message(URL, "abc", "tutum", 1, b"")] * 50
    with Spool(path, limit=10_000) as spool:
        spool.append(nothing)
        with pytest.raises(SpoolFull):
            spool.append(nothing)


def test_a_group_larger_than_the_limit_is_taken_when_nothing_waits(path: Path) -> None:
    with Spool(path, limit=1000) as spool:
        spool.append(messages(1, 50, 200))
        with pytest.raises(SpoolFull):
            spool.append(messages(51, 51))
        spool.release(50)
        assert spool.append(messages(51, 100, 200)) == 100


def test_the_limit_can_be_passed_for_what_is_already_received(path: Path) -> None:
    with Spool(path, limit=1000) as spool:
        spool.append(messages(1, 4, 200))
        assert spool.append(messages(5, 9, 200), beyond_limit=True) == 9


def test_a_full_disk_takes_nothing_and_loses_nothing(spool: Spool, path: Path) -> None:
    spool.append(messages(1, 10, 10_000))
    with full_disk(path, room=200_000), pytest.raises(SpoolError):
        spool.append(messages(11, 100, 10_000))
    spool.append(messages(11, 100, 10_000))
    assert drained(spool) == messages(1, 100, 10_000)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 48 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "none", folder]).returncode:
        pytest.skip("NOT TESTED: a full disk; to mount a small one takes root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(spool: Spool) -> int:
    """Appends until the disk is full, in ever smaller groups; the number of the last item."""
    for size in (100_000, 4_000, 0):
        with suppress(SpoolError):
            while True:
                spool.append(messages(spool.last + 1, spool.last + 10, size))
    return spool.last


@pytest.mark.parametrize("restarted", [False, True])
def test_a_spool_that_filled_its_own_disk_can_be_emptied(small_disk: Path, restarted: bool) -> None:
    spool = Spool(small_disk / "spool.db")
    try:
        last = fill(spool)
        assert os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize < 100_000
        if restarted:
            spool.close()
            spool = Spool(small_disk / "spool.db")
            assert spool.last == last
            spool.number_above(0)
        spool.release(last)  # the archive is elsewhere, and took all that waited
        spool.tidy()
        assert spool.size == 0
        assert spool.append(messages(last + 1, last + 100, 10_000)) == last + 100
        assert drained(spool, last) == messages(last + 1, last + 100, 10_000)
        assert (small_disk / "spool.db-reserve").stat().st_size == RESERVE
    finally:
        spool.close()


def test_the_last_words_find_room_on_a_disk_that_the_spool_has_filled_and_it_can_still_be_emptied(
    small_disk: Path,
) -> None:
    with Spool(small_disk / "spool.db") as spool:
        full = fill(spool)
        spool.append(messages(full + 1, full + 20, 100_000), beyond_limit=True)
        with suppress(SpoolError):  # the rest of the reserve is for emptying it
            while True:
                spool.append(messages(spool.last + 1, spool.last + 20, 100_000), beyond_limit=True)
        last = spool.last
    with Spool(small_disk / "spool.db") as spool:
        assert drained(spool, full) == messages(full + 1, last, 100_000)
        spool.number_above(0)
        spool.release(last)
        spool.tidy()
        assert spool.size == 0


def take_the_rest(disk: Path, name: str) -> None:
    """Somebody else on the same disk, such as the archive, takes all the room that is left."""
    room = os.statvfs(disk)
    with (disk / name).open("wb") as file, suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize)


def test_last_words_in_two_groups_find_room_though_others_take_what_the_first_left(small_disk: Path) -> None:
    with Spool(small_disk / "spool.db") as spool:
        full = fill(spool)
        spool.release(full)
        spool.tidy()
        for first in (full + 1, full + 101):
            take_the_rest(small_disk, f"other {first}")
            spool.append(messages(first, first + 99, 500), beyond_limit=True)
        take_the_rest(small_disk, "others")
    with Spool(small_disk / "spool.db") as spool:
        assert drained(spool, full) == messages(full + 1, full + 200, 500)
        spool.number_above(0)
        spool.release(full + 200)
        spool.tidy()
        assert spool.size == 0


def test_a_commit_is_on_the_disk_when_it_is_done(path: Path) -> None:
    """WAL with synchronous=NORMAL may lose the last commits when the power goes (https://sqlite.org/pragma.html)."""
    with closing(open_sound(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


# --- other processes, dead ones, damage -----------------------------------------------------------------------------

FILL = """
import os, sys
from pathlib import Path
from archiver.model import Message
from archiver.recording.spool.file import open_sound
from archiver.recording.spool.queue import Spool
spool = Spool(Path(sys.argv[1]))
number = 0
while True:
    items = [Message("s", "a", "tutum", n, b"%d" % n) for n in range(number + 1, number + 8)]
    number = spool.append(items)
    os.write(1, b"%d\\n" % number)
"""


def test_what_was_taken_survives_a_kill(tmp_path: Path) -> None:
    for attempt in range(3):
        path = tmp_path / f"{attempt}.db"
        with subprocess.Popen([sys.executable, "-c", FILL, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            told = [int(process.stdout.readline()) for _ in range(20)]
            process.kill()
        with Spool(path) as spool:
            kept = drained(spool)
        assert len(kept) >= told[-1]
        assert [item.payload for item in kept if isinstance(item, Message)] == [
            b"%d" % number for number in range(1, len(kept) + 1)
        ]


def _hold(path: Path, line: Connection) -> None:
    with Spool(path):
        line.send("held")
        line.recv()


def test_a_second_process_is_told_who_has_it(path: Path) -> None:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_hold, args=(path, there))
    process.start()
    try:
        assert here.recv() == "held"
        with pytest.raises(SpoolInUse, match=str(process.pid)):
            Spool(path)
    finally:
        here.send("let go")
        process.join()
    Spool(path).close()
    here.close()
    there.close()


def test_a_link_in_the_place_of_the_lock_is_reported_and_not_followed(path: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep me")
    Path(f"{path}-lock").symlink_to(precious)

    with pytest.raises(SpoolError, match="not an ordinary file"):
        Spool(path)

    assert precious.read_text() == "keep me"


@pytest.mark.parametrize("damage", ["not a database", "a page", "cut"])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Spool(path) as spool:
        spool.append(messages(1, 200, 1000))
        identity = spool.identity
    content = path.read_bytes()
    if damage == "not a database":
        content = os.urandom(len(content))
    elif damage == "a page":
        content = content[:40960] + os.urandom(8192) + content[49152:]
    else:
        content = content[: len(content) // 2]
    path.write_bytes(content)
    with Spool(path) as spool:
        assert (spool.last, spool.size) == (0, 0)
        assert spool.identity != identity
        spool.append(messages(1, 1))
    (aside,) = [p for p in path.parent.iterdir() if re.fullmatch(r"spool\.db\.corrupt-\d{8}T\d{6}Z", p.name)]
    assert aside.read_bytes() == content
    assert str(aside) in caplog.text


def test_damage_found_at_work_is_told_apart_from_a_full_disk(path: Path) -> None:
    with Spool(path) as spool:
        spool.append(messages(1, 20, 1_000_000))  # more than SQLite keeps in memory
    with Spool(path) as spool:
        path.write_bytes(path.read_bytes()[:4096] + os.urandom(path.stat().st_size - 4096))
        with pytest.raises(SpoolDamaged):
            drained(spool)


def test_a_folder_that_cannot_be_made_is_an_error_of_the_spool(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match="file/spool"):
        Spool(tmp_path / "file" / "spool.db")


def test_only_its_owner_can_read_it(spool: Spool, path: Path) -> None:
    spool.append(messages(1, 1))
    assert {oct(p.stat().st_mode & 0o077) for p in path.parent.glob("spool.db*") if "lock" not in p.name} == {"0o0"}


# --- resume points --------------------------------------------------------------------------------------------------


def test_the_newest_resume_point_of_each_stream_is_kept(path: Path) -> None:
    with Spool(path) as spool:
        spool.append([message(1, resume="10"), message(2, resume="20"), message(3)])
        spool.append([message(4, resume="30")._replace(stream="other")])
        spool.release(4)
        spool.tidy()
    with Spool(path) as spool:
        assert (spool.resume_point(URL), spool.resume_point("other")) == ("20", "30")
        assert spool.resume_point("unknown") is None


def test_from_outside_one_sees_what_waits(tmp_path: Path) -> None:
    path, known = tmp_path / "spool.db", [0]

    def archived(identity: str) -> int:
        assert identity == spool.identity
        return known[0]

    assert glance(path, 1000, archived) is None
    with Spool(path) as spool:
        assert glance(path, 1000, archived) == Waiting(0, 0, None, 1000, held=True)
        spool.append(
            [Alive("wss://x", "a", 1_000_000), Alive("wss://x", "a", 2_000_000), Alive("wss://x", "a", 3_000_000)]
        )
        known[0] = 1
        found = glance(path, 1000, archived)
        assert found is not None
        assert (found.items, found.oldest_at, found.bytes > 4000) == (
            2,
            datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC),
            True,
        )
        known[0] = 3
        assert glance(path, 1000, archived) == Waiting(0, 0, None, 1000, held=True)
    assert glance(path, 1000, archived) == Waiting(0, 0, None, 1000, held=False)
    path.write_bytes(b"no database at all" * 1000)
    assert glance(path, 1000, archived) is None


@pytest.mark.parametrize("tails", [("-wal",), ("-wal", "-shm")])
@pytest.mark.parametrize("read", [False, True])
def test_a_log_that_is_deleted_while_in_use_is_written_anew(
    path: Path, tails: tuple[str, ...], read: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with Spool(path, in_memory=0) as spool:
        spool.append(messages(1, 20))
        for tail in tails:
            Path(f"{path}{tail}").unlink()
        if read:  # somebody's look makes another log of that name
            with suppress(sqlite3.Error):
                rows(path)
        spool.append(messages(21, 25))
        identity = spool.identity
        assert rows(path) == list(range(1, 26))
        spool.append(messages(26, 30))
    with Spool(path) as spool:
        assert (spool.identity, drained(spool)) == (identity, messages(1, 30))
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "lost its log" in line
    assert list(path.parent.glob("*.found-*Z")) == []


@pytest.mark.parametrize("tails", [("",), ("", "-wal", "-shm")])
@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_deleted_or_replaced_while_in_use_is_written_anew(
    path: Path, tails: tuple[str, ...], replaced: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with Spool(path, in_memory=0) as spool:
        spool.append(messages(1, 20))
        spool.release(5)
        for tail in tails:
            Path(f"{path}{tail}").unlink()
        if replaced:
            path.write_bytes(b"of somebody else")
        spool.append(messages(21, 25))
        identity = spool.identity
        assert rows(path) == list(range(6, 26))
        spool.append(messages(26, 30))
        assert drained(spool, 5) == messages(6, 30)
    with Spool(path) as spool:
        assert spool.identity == identity
        assert drained(spool, 5) == messages(6, 30)
        assert spool.append(messages(31, 31)) == 31
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert ("was replaced" if replaced else "was deleted") in line
    assert [found.read_bytes() for found in path.parent.glob("*.found-*Z")] == [b"of somebody else"] * replaced


def test_what_another_process_has_taken_the_name_with_is_left_alone(path: Path) -> None:
    with Spool(path) as spool:
        spool.append(messages(1, 2))
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        with Spool(path) as other:
            other.append(messages(1, 5))
            spool.append(messages(3, 3))
            assert drained(spool) == messages(1, 3)
            assert rows(path) == list(range(1, 6))
