"""What is not well, judged by a status."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from archiver.model import Status, StreamStatus
from archiver.model.health import LEAST_FREE, Limits, Waiting, problems
from archiver.model.standing import ProblemKind

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
EMPTY = Status("archive.db", "0002", 0, 0, 0, None, None, 1000, ())


ALIVE = StreamStatus("wss://a", True, NOW - DAY, NOW - SECOND, None, None, 0)
DEAD = ALIVE._replace(url="wss://b", connected=False, last_seen_at=NOW - MINUTE)
NEVER = StreamStatus("wss://c", False, None, None, None, None, 0, trouble_since=NOW - MINUTE)
UNLIMITED = Limits()


def kinds(
    *streams: StreamStatus, limits: Limits = UNLIMITED, waiting: Waiting | None = None, **more: Any
) -> list[ProblemKind]:
    status = EMPTY._replace(events=5, last_event_at=NOW - MINUTE, streams=streams)._replace(**more)
    found = problems(status, NOW, limits, waiting)
    assert status._replace(problems=found).well == (None if not any(s.recorded for s in streams) else not found)
    return [problem.kind for problem in found]


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (ALIVE, []),
        (DEAD, ["stale"]),
        (DEAD._replace(closed_at=NOW - MINUTE, reason="stopped"), ["blind"]),
        (DEAD._replace(trouble="connection refused", trouble_since=NOW), ["blind"]),
        (NEVER._replace(trouble="connection refused"), ["blind"]),
        (NEVER._replace(trouble="credentials refused: HTTP 401"), ["refused"]),
        (DEAD._replace(recorded=False), []),
    ],
)
def test_a_stream_is_judged_also_before_it_was_ever_connected(found: StreamStatus, kind: list[ProblemKind]) -> None:
    assert kinds(found) == kind
    assert kinds(ALIVE, found) == kind


def test_a_stream_that_nobody_listens_to_any_more_is_left_out_while_others_are_heard() -> None:
    long_ago = DEAD._replace(last_seen_at=NOW - 8 * DAY, closed_at=NOW - 8 * DAY)
    assert kinds(ALIVE, long_ago) == []
    assert kinds(long_ago) == ["blind"]


def test_an_archive_without_anything_is_not_well() -> None:
    (found,) = problems(EMPTY, NOW, Limits())
    assert found.kind == "unrecorded"
    assert "archiver run --stream" in found.hint


def test_what_was_imported_is_well_but_not_beside_a_spool() -> None:
    none = Waiting(0, 0, None, 10_000)
    assert kinds() == kinds(waiting=none) == []
    imported = EMPTY._replace(events=5, last_event_at=NOW)
    assert [found.kind for found in problems(imported, NOW, UNLIMITED, none._replace(ours=True))] == ["unrecorded"]


def test_an_archive_of_nothing_but_rejects_was_imported_too() -> None:
    assert [found.kind for found in problems(EMPTY, NOW, UNLIMITED)] == ["unrecorded"]
    assert problems(EMPTY._replace(rejects=2), NOW, UNLIMITED) == ()


def test_what_waits_too_long_lags() -> None:
    def waiting(age: timedelta) -> Waiting:
        return Waiting(3, 1000, NOW - age, 10_000)

    assert kinds(ALIVE, waiting=waiting(59 * SECOND)) == []
    assert kinds(ALIVE, waiting=waiting(61 * SECOND)) == ["lagging"]
    assert kinds(ALIVE, waiting=waiting(61 * SECOND), limits=Limits(lag=2 * MINUTE)) == []
    assert kinds(ALIVE._replace(last_seen_at=NOW - 11 * SECOND), limits=Limits(lag=10 * SECOND)) == ["lagging"]


def test_silence_is_no_fault_unless_somebody_says_so() -> None:
    assert kinds(ALIVE, last_event_at=NOW - 300 * DAY) == []
    assert kinds(ALIVE, last_event_at=NOW - 2 * MINUTE, limits=Limits(silence=MINUTE)) == ["silent"]
    assert kinds(ALIVE, last_event_at=None, limits=Limits(silence=MINUTE)) == ["silent"]


def test_no_room_is_told_of_the_disk_and_of_the_spool() -> None:
    assert kinds(ALIVE, free_bytes=LEAST_FREE) == []
    assert kinds(ALIVE, free_bytes=LEAST_FREE - 1) == ["full"]
    assert kinds(ALIVE, waiting=Waiting(9, 950, NOW, 1000)) == ["full"]


def test_what_is_damaged_stands_first() -> None:
    status = EMPTY._replace(streams=(DEAD,))
    found = problems(status, NOW, Limits(), damage="events: database disk image is malformed")
    assert [problem.kind for problem in found] == ["damaged", "stale"]
    assert "db restore" in found[0].hint
