"""The archive on a port as it changes: what is told to who follows, and what when it is away or replaced."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.report.looking import Looking
from archiver.report.serve import Server

from .archives import event, record
from .serving import connected, get, serving


@pytest.fixture
def own_server(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Looks often into an archive of a hundred events."""
    record(sqlite_url, *(event("container/old", f"S{n % 2}", n) for n in range(100)))
    monkeypatch.setattr("archiver.report.follow.LOOK_SECONDS", 0.02)
    monkeypatch.setattr("archiver.report.live.LOOK_SECONDS", 0.02)
    monkeypatch.setattr("archiver.report.looking.HEARTBEAT_SECONDS", 0.1)
    with serving(sqlite_url) as server:
        yield server


def test_what_fails_while_looking_is_said_and_looked_at_again(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Looking):
        looks = 0

        def look(self, archive: Archive) -> None:
            with self.moved:
                self.looks += 1
                self.moved.notify_all()
            if self.looks < 3:
                raise ZeroDivisionError("nobody thought of that")

        def forget(self) -> None:
            """Nothing is held."""

    looking = Failing(sqlite_url, 0.01)
    with looking.reading():
        assert looking.wait(lambda: looking.looks >= 5)
    assert [record.exc_text is None for record in caplog.records].count(False) <= 1
    assert "cannot look into the archive" in caplog.text


class Stream:
    """A reader of server-sent events."""

    def __init__(self, server: Server, after: str | None = None, path: str = "/api/follow") -> None:
        last = b"" if after is None else f"Last-Event-ID: {after}\r\n".encode()
        self._socket = connected(server, f"GET {path} HTTP/1.0\r\n".encode() + last + b"\r\n")
        self._lines = self._socket.makefile("r", encoding="utf-8", newline="\n")
        assert self._lines.readline().startswith("HTTP/1.1 200 ")
        while self._lines.readline().strip():
            pass

    def next(self) -> dict[str, str]:
        """The fields of the next message; of a sign of life none."""
        fields = {}
        while line := self._lines.readline().rstrip("\n"):
            name, _, value = line.partition(": ")
            fields[name] = value
        return {name: value for name, value in fields.items() if name}

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


def told(stream: Stream, count: int) -> list[dict[str, Any]]:
    """The next events."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        message = stream.next()
        if message.get("event") == "event":
            found.append({"cursor": message["id"], **json.loads(message["data"])})
    return found


def drawn(stream: Stream, state: str = "") -> str:
    """The next picture that has a state."""
    while True:
        message = stream.next()
        if message.get("event") == "picture" and state in message["data"]:
            return message["data"]


def add(url: str, *numbers: int) -> None:
    record(url, *(event("container/new", f"S{n}", 5_000 + n) for n in numbers))


def test_what_is_archived_is_told_and_goes_on_where_a_reader_left(own_server: Server, sqlite_url: str) -> None:
    stream = Stream(own_server)
    assert stream.next()["event"] == "position"
    add(sqlite_url, 1, 2)
    first = told(stream, 2)
    stream.close()
    add(sqlite_url, 3, 4)
    stream = Stream(own_server, after=first[-1]["cursor"])
    add(sqlite_url, 5)
    second = told(stream, 3)
    stream.close()

    assert [event["state"] for event in first + second] == ["S1", "S2", "S3", "S4", "S5"]
    assert get(own_server, "/api/events?n=1").json == [{k: v for k, v in second[-1].items() if k != "cursor"}]


def test_reader_who_falls_behind_misses_nothing(
    own_server: Server, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archiver.report.follow.HELD_EVENTS", 3)
    stream = Stream(own_server)
    begin = stream.next()["id"]
    add(sqlite_url, *range(20))
    late = Stream(own_server, after=begin)

    assert [event["state"] for event in told(stream, 20)] == [f"S{n}" for n in range(20)]
    assert [event["state"] for event in told(late, 20)] == [f"S{n}" for n in range(20)]
    stream.close()
    late.close()


def test_reader_hears_a_sign_of_life(own_server: Server) -> None:
    stream = Stream(own_server)
    stream.next()

    assert stream.next() == {}
    stream.close()


def test_reader_is_told_that_another_archive_took_the_place(
    own_server: Server, sqlite_url: str, sqlite_template: Path, tmp_path: Path
) -> None:
    stream = Stream(own_server)
    cursor = stream.next()["id"]
    stream.next()  # a sign of life: it was looked where the archive ends
    shutil.copyfile(sqlite_template, tmp_path / "other.db")
    os.replace(tmp_path / "other.db", sqlite_url.removeprefix("sqlite:///"))
    message = stream.next()
    while not message:
        message = stream.next()
    stream.close()

    assert message["event"] == "replaced"
    assert get(own_server, f"/api/follow?after={cursor}").status == 409


def test_picture_is_drawn_anew_for_who_looks_at_it(own_server: Server, sqlite_url: str) -> None:
    streams = [Stream(own_server, path="/timeline/live?ref=container/old") for _ in range(2)]
    before = [drawn(stream) for stream in streams]
    record(sqlite_url, event("container/old", "Exploded", 5_000))
    after = [drawn(stream, "Exploded") for stream in streams]
    for stream in streams:
        stream.close()

    assert not any("Exploded" in picture for picture in before)
    assert len(after) == 2


def test_more_different_pictures_than_are_kept_live_are_refused(
    own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archiver.report.live.MOST", 1)
    stream = Stream(own_server, path="/timeline/live?ref=container/old")
    drawn(stream)

    assert get(own_server, "/timeline/live").status == 503
    stream.close()


def test_cursor_that_cannot_be_gone_on_from_is_refused(own_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(own_server)
    mark, _, number = stream.next()["id"].partition("-")
    stream.close()
    monkeypatch.setattr("archiver.report.follow.KEPT", 10)

    refused = {
        after: get(own_server, "/api/follow", **{"Last-Event-ID": after}).status
        for after in (
            "x",
            f"{mark}-",
            f"{mark}-{int(number) + 1}",
            f"{'0' * 16}-{number}",
            f"{mark}-{int(number) - 11}",
        )
    }

    assert list(refused.values()) == [400, 400, 409, 409, 410]


def test_archive_that_is_away_is_told_so_and_answers_when_it_is_back(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with serving(sqlite_url) as server:
        path.rename(path.with_suffix(".away"))
        away = get(server, "/api/status")
        path.with_suffix(".away").rename(path)

        assert (away.status, "hint" in away.json) == (503, True)
        assert get(server, "/api/status").status == 200
