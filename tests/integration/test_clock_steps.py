"""The clock of the receiver is set while it listens: what the archive says of the times around the step."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.api.archive import Archive
from archiver.model import Alive, Closed, Item, Message, Opened
from archiver.recording.clocks import Clock
from archiver.recording.daemon import Daemon
from archiver.recording.spool.queue import Spool

from .archives import START, STREAM, micros, rows

HOUR = 3600


class Set(Clock):
    """A source whose machine's clock is set, and the clock."""

    stream = STREAM
    boot = "b"

    def __init__(self, step: float) -> None:
        self._step, self._ahead, self._second, self._since = step, 0.0, 0.0, 0.0

    def begin(self, ahead: float, since: float) -> None:
        """It is told of later, by a clock that was set meanwhile."""
        self._ahead, self._since, self._second = ahead, since, since

    def read(self) -> tuple[int, int]:
        return micros(self._ahead + self._second), micros(self._second)

    def _at(self, second: float) -> int:
        self._second = self._since + second
        return self.read()[0]

    def items(self, stop: threading.Event) -> Iterator[Item]:
        key = f"session {self._since}"
        yield Opened(STREAM, key, "tutum", self._at(0), self._at(0))
        yield self._message(key, 10, "Starting")
        self._ahead += self._step
        yield self._message(key, 20, "Running")
        yield Alive(STREAM, key, self._at(30))
        yield Closed(STREAM, key, self._at(40), "bye", "lost")

    def _message(self, key: str, second: float, state: str) -> Message:
        event = f'{{"type":"service","state":"{state}","resource_uri":"/api/v1/service/1/"}}'
        return Message(STREAM, key, "tutum", self._at(second), event.encode())


@pytest.fixture
def recorded(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    source = Set(request.param)
    with Spool(tmp_path / "spool.db") as spool:
        Daemon([source], spool, database_url, clock=source).run()
    return database_url


def gaps(url: str) -> list[tuple[float, float | None, str]]:
    found = rows(url, "SELECT since_us, until_us, kind FROM gap_log ORDER BY since_us")
    return [((since - START) / 1e6, until and (until - START) / 1e6, kind) for since, until, kind in found]


@pytest.mark.parametrize("recorded", [HOUR], indirect=True)
def test_an_hour_that_never_was_is_not_watched(recorded: str) -> None:
    assert gaps(recorded) == [(20, HOUR + 20, "clock"), (HOUR + 40, None, "lost")]


@pytest.mark.parametrize("recorded", [-HOUR, -24 * HOUR], indirect=True)
def test_what_comes_after_a_clock_was_set_back_is_the_later_and_no_gap_hides(recorded: str) -> None:
    with Archive.open(recorded) as archive:
        spans = archive.history("/api/v1/service/1/").spans
        status = archive.status()

    assert [gap[1:] for gap in gaps(recorded)] == [(None, "lost")]
    assert [span.state for span in spans] == ["Starting", "Running"]
    assert all(span.until is None or span.since <= span.until for span in spans)
    assert status.streams[0].reason == "bye"


@pytest.mark.parametrize("recorded", [HOUR, -HOUR], indirect=True)
def test_the_last_sign_of_life_moves_back_in_no_session(recorded: str) -> None:
    query = """SELECT count(*) FROM sessions s JOIN events e ON e.session_id = s.id
        JOIN event_log l ON l.id = e.id WHERE l.received_at > s.last_seen_at"""
    assert rows(recorded, query) == [(0,)]


def test_what_was_watched_before_a_clock_was_set_back_hides_no_gap_behind_it(database_url: str, tmp_path: Path) -> None:
    first, second = Set(0), Set(0)
    second.begin(-HOUR, 100)
    with Spool(tmp_path / "spool.db") as spool:
        Daemon([first], spool, database_url, clock=first).run()
    with Spool(tmp_path / "spool.db") as spool:
        Daemon([second], spool, database_url, clock=second).run()

    assert gaps(database_url) == [(40 - HOUR, 100 - HOUR, "clock"), (140 - HOUR, None, "lost")]
