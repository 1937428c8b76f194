"""The daemon's threads together: what the spool, the archive and the supervisor do to each other."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.errors import ArchiverError, CredentialsRefused, SpoolDamaged, SpoolError
from archiver.model import Closed, Condition, Item, Message, Opened, now_micros
from archiver.recording.daemon import Daemon, DaemonPace
from archiver.recording.spool.queue import Spool
from archiver.recording.systemd import Notifier


class Told:
    """A source that says what a test tells it to."""

    def __init__(self, name: str, messages: int, *, ends: bool = True, fails: Exception | None = None) -> None:
        self.stream = f"told:{name}"
        self.all_given = threading.Event()
        self._messages, self._ends, self._fails = messages, ends, fails

    def items(self, stop: threading.Event) -> Iterator[Item]:
        yield Opened(self.stream, self.stream, "tutum", now_micros(), now_micros())
        for _ in range(self._messages):
            yield Message(self.stream, self.stream, "tutum", now_micros(), b'{"type":"service","state":"Running"}')
        self.all_given.set()
        if self._fails is not None:
            raise self._fails
        if not self._ends:
            stop.wait()
        yield Closed(self.stream, self.stream, now_micros(), "over", "stopped")


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool.db") as spool:
        yield spool


@contextmanager
def running(daemon: Daemon) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=daemon.run)
    thread.start()
    try:
        yield thread
    finally:
        daemon.stop()
        thread.join(20)
        assert not thread.is_alive()


def wait_for(what: Callable[[], object], seconds: float = 20) -> bool:
    limit = time.monotonic() + seconds
    while not what() and time.monotonic() < limit:
        time.sleep(0.01)
    return bool(what())


def events(url: str) -> int:
    with Archive.open(url) as archive:
        return len(list(archive.events(limit=0)))


def test_it_ends_when_every_source_has_ended(spool: Spool, sqlite_url: str) -> None:
    Daemon([Told(str(number), 20) for number in range(8)], spool, sqlite_url).run()
    assert events(sqlite_url) == 160
    assert spool.size == 0


def test_what_a_source_dies_of_ends_it_after_all_is_archived(spool: Spool, sqlite_url: str) -> None:
    daemon = Daemon([Told("a", 5, fails=ZeroDivisionError()), Told("b", 5, ends=False)], spool, sqlite_url)
    with pytest.raises(ZeroDivisionError):
        daemon.run()
    assert events(sqlite_url) == 10


def test_a_source_that_gives_up_ends_no_other(spool: Spool, sqlite_url: str, caplog: pytest.LogCaptureFixture) -> None:
    refused = Told("a", 1, fails=CredentialsRefused(stream="told:a", reason="HTTP 401"))
    other = Told("b", 5, ends=False)
    daemon = Daemon([refused, other], spool, sqlite_url, pace=DaemonPace(tick=0.02))
    raised: list[Exception] = []

    def run() -> None:
        try:
            daemon.run()
        except CredentialsRefused as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert other.all_given.wait(10)
    assert wait_for(lambda: daemon.ingest.archived == 6 and daemon.troubles)
    assert thread.is_alive()
    assert "HTTP 401" in daemon.troubles["told:a"]
    daemon.stop()
    thread.join(20)
    assert [error.exit_code for error in raised if isinstance(error, ArchiverError)] == [77]
    assert any("nothing more is received from told:a" in record.message for record in caplog.records)


def test_it_ends_when_every_source_has_given_up(spool: Spool, sqlite_url: str) -> None:
    refused = [Told(name, 0, fails=CredentialsRefused(stream=name, reason="HTTP 401")) for name in "ab"]
    with pytest.raises(CredentialsRefused):
        Daemon(refused, spool, sqlite_url).run()


def test_it_ends_while_the_spool_hangs_and_says_so(
    spool: Spool, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hangs, go_on = threading.Event(), threading.Event()

    def hang(*_items: object, **_options: object) -> int:
        hangs.set()
        assert go_on.wait(60)
        return 0

    monkeypatch.setattr(spool, "append", hang)
    daemon = Daemon([Told("a", 1, ends=False)], spool, sqlite_url, pace=DaemonPace(spool=0.1, drain=1))
    ending = threading.Thread(target=lambda: (hangs.wait(10), daemon.stop()))
    ending.start()
    with pytest.raises(SpoolError, match="does not answer"):
        daemon.run()
    ending.join()
    assert daemon.late == ["spool"]
    go_on.set()


def test_all_waits_together_leave_room_in_the_ten_seconds() -> None:
    pace = DaemonPace()
    assert pace.sources + pace.spool + pace.drain + pace.last <= 8.5


def test_a_trouble_of_a_stream_is_the_status_until_it_is_over(spool: Spool, sqlite_url: str, tmp_path: Path) -> None:
    class Refused(Told):
        def items(self, stop: threading.Event) -> Iterator[Item]:
            yield Condition(self.stream, "tutum", now_micros(), "trouble", "credentials refused: HTTP 401")
            assert self.mended.wait(20)
            yield from super().items(stop)

        mended = threading.Event()

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(10)
        source, notifier = Refused("a", 1, ends=False), Notifier(str(tmp_path / "notify"))
        with running(Daemon([source], spool, sqlite_url, notifier=notifier, pace=DaemonPace(tick=0.02))):
            while b"credentials refused: HTTP 401" not in line.recv(1000):
                pass
            source.mended.set()
            while b"; " in (told := line.recv(1000)) or b"STATUS" not in told:
                pass


def test_it_leaves_no_descriptor_open(spool: Spool, sqlite_url: str) -> None:
    Daemon([Told("a", 1)], spool, sqlite_url).run()
    before = len(os.listdir("/proc/self/fd"))
    daemon = Daemon([Told("b", 1)], spool, sqlite_url)
    daemon.run()
    daemon.stop()
    assert len(os.listdir("/proc/self/fd")) == before


def test_any_number_of_wishes_to_stop_is_heard(spool: Spool, sqlite_url: str) -> None:
    daemon = Daemon([Told("a", 1, ends=False)], spool, sqlite_url)
    for _ in range(100_000):
        daemon.stop()
    daemon.run()


def test_a_disk_that_is_full_for_a_while_loses_nothing(
    spool: Spool, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refusals = iter(range(5))
    append = spool.append

    def refuse(items: list[Item], **options: Any) -> int:
        if next(refusals, None) is not None:
            raise SpoolError(path=spool.path, reason="database or disk is full")
        return append(items, **options)

    monkeypatch.setattr(spool, "append", refuse)
    Daemon([Told("a", 20)], spool, sqlite_url, pace=DaemonPace(first_delay=0.01)).run()
    assert events(sqlite_url) == 20
    assert len([record for record in caplog.records if "reading waits" in record.message]) == 1


def test_a_disk_that_stays_full_is_an_error_at_the_end(
    spool: Spool, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_items: object, **_options: object) -> int:
        raise SpoolError(path=spool.path, reason="database or disk is full")

    monkeypatch.setattr(spool, "append", refuse)
    with pytest.raises(SpoolError):
        Daemon([Told("a", 20)], spool, sqlite_url, pace=DaemonPace(spool=1, last_delay=0.05)).run()
    assert any("received messages are lost" in record.message for record in caplog.records)


def test_a_damaged_spool_ends_it_at_once(spool: Spool, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_items: object, **_options: object) -> int:
        raise SpoolDamaged(path=spool.path, reason="malformed")

    monkeypatch.setattr(spool, "append", refuse)
    with pytest.raises(SpoolDamaged, match="malformed"):
        Daemon([Told("a", 1, ends=False)], spool, sqlite_url).run()


def test_the_watchdog_is_not_fed_while_the_spool_hangs_but_is_while_the_archive_does(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = DaemonPace(tick=0.02, drain=0.1, spool_stuck=0.2)
    hangs, go_on = threading.Event(), threading.Event()
    append = spool.append

    def hang(items: list[Item], **options: Any) -> int:
        hangs.set()
        assert go_on.wait(20)
        return append(items, **options)

    monkeypatch.setattr(spool, "append", hang)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(0.5)
        # The archive's folder is a file: it will never answer.
        (tmp_path / "file").write_text("")
        url = f"sqlite:///{tmp_path / 'file' / 'archive.db'}"
        notifier = Notifier(str(tmp_path / "notify"))
        daemon = Daemon([Told("a", 1, ends=False)], spool, url, notifier=notifier, pace=pace)
        with running(daemon):
            assert hangs.wait(10)
            assert _falls_silent(line)
            go_on.set()
            line.settimeout(10)
            assert line.recv(1000).startswith(b"WATCHDOG=1")
            assert daemon.ingest.trouble


def test_the_watchdog_is_fed_while_the_disk_stays_full(
    spool: Spool, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = threading.Event()
    append = spool.append

    def refuse(items: list[Item], **options: Any) -> int:
        if not room.is_set():
            raise SpoolError(path=spool.path, reason="database or disk is full")
        return append(items, **options)

    monkeypatch.setattr(spool, "append", refuse)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(20)
        notifier = Notifier(str(tmp_path / "notify"))
        pace = DaemonPace(tick=0.02, spool_stuck=0.2, last_delay=0.02)
        with running(Daemon([Told("a", 1, ends=False)], spool, sqlite_url, notifier=notifier, pace=pace)):
            began = time.monotonic()
            while time.monotonic() < began + 0.6:
                assert line.recv(1000)
            room.set()


def _falls_silent(line: socket.socket) -> bool:
    with suppress(TimeoutError):
        for _ in range(1000):
            line.recv(1000)
        return False
    return True
