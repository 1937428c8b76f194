"""Sessions, and the gaps between them: Python and the SQL view say the same."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from archiver.api.archive import Archive
from archiver.model import Alive, Coverage, Gap, Record, Reject, now_micros
from archiver.queries.coverage import BEFORE, IMPORTED
from archiver.storage import migrate
from archiver.storage.database.engine import reading_engine
from archiver.storage.recorder import Recorder
from archiver.storage.words import INTERRUPTED, SILENT

from .archives import STREAM, at, between, closed, event, exported, micros, opened, record, rows
from .growth import analysed, cost_of, grown

OTHER = "ws://other.example/"


def gaps(url: str, since: float | None = None, until: float | None = None) -> list[Gap]:
    with Archive.open(url) as archive:
        return list(archive.coverage(between(since, until)).gaps)


GAPS = "SELECT stream, since, until, reason, kind FROM gap_log"


def in_view(url: str) -> list[tuple[Any, ...]]:
    return shown(rows(url, f"{GAPS} ORDER BY stream, since"))


def shown(found: Iterable[Any]) -> list[tuple[Any, ...]]:
    return [
        tuple(datetime.fromisoformat(v) if isinstance(v, str) and v[:2] == "20" else v for v in row) for row in found
    ]


def test_gaps_are_the_cuts_that_were_made(database_url: str) -> None:
    for n in range(3):
        start = n * 100.0
        record(
            database_url, opened(f"s{n}", start), closed(f"s{n}", start + 90, f"cut {n}"), receiver="r", upto=n * 2 + 2
        )

    expected = [
        Gap(STREAM, at(90), at(100), "cut 0", "lost"),
        Gap(STREAM, at(190), at(200), "cut 1", "lost"),
        Gap(STREAM, at(290), None, "cut 2", "lost"),
    ]
    assert gaps(database_url) == expected
    assert in_view(database_url) == [gap[:5] for gap in expected]


@pytest.mark.parametrize("batches", [1, 2])
def test_what_a_kill_left_open_ends_at_its_last_sign_of_life(database_url: str, batches: int) -> None:
    first = [opened("a", 0), event("container/1", "Running", 5, session="a"), Alive(STREAM, "a", micros(7))]
    second = [opened("b", 20), closed("b", 30)]
    if batches == 1:
        record(database_url, *first, *second, receiver="r", upto=5)
    else:
        record(database_url, *first, receiver="r", upto=3)
        record(database_url, *second, receiver="r", upto=5)

    assert gaps(database_url)[0] == Gap(STREAM, at(7), at(20), INTERRUPTED, "lost")
    assert in_view(database_url)[0] == (STREAM, at(7), at(20), INTERRUPTED, "lost")


def test_several_starts_in_one_batch_each_end_where_they_were_last_alive(database_url: str) -> None:
    told = []
    for n in range(3):
        told += [opened(f"s{n}", n * 10), Reject(b"", "odd", micros(n * 10 + 4), f"s{n}")]
    record(database_url, *told, receiver="r", upto=6)

    assert [(gap.since, gap.until) for gap in gaps(database_url)[:2]] == [(at(4), at(10)), (at(14), at(20))]


def test_two_receivers_on_one_stream_do_not_end_each_other(database_url: str) -> None:
    record(database_url, opened("a", 0), receiver="one", upto=1)
    record(database_url, opened("b", 5), receiver="two", upto=1)

    assert [session["closed_at"] for session in exported(database_url, "session")] == [None, None]


def test_what_one_of_two_receivers_watches_is_no_gap(database_url: str) -> None:
    record(database_url, opened("a", 0), closed("a", 10), opened("c", 20), closed("c", 30), receiver="one", upto=4)
    record(database_url, opened("b", 5), closed("b", 25, "last"), receiver="two", upto=2)

    assert gaps(database_url, 0, 30) == []
    assert len(in_view(database_url)) == 1


def test_a_session_that_replays_the_past_leaves_no_gap(database_url: str) -> None:
    record(
        database_url, opened("a", 0), closed("a", 10), opened("b", 60, covered_from=9), closed("b", 90), receiver="r"
    )

    assert gaps(database_url, 0, 90) == []


def test_a_session_that_is_alive_watches_until_now(database_url: str) -> None:
    now = (now_micros() - micros(0)) / 1e6
    record(database_url, opened("a", now - 9), opened("b", now - 6), closed("b", now - 3), receiver=None)

    assert gaps(database_url) == []
    assert in_view(database_url) == []
    assert gaps(database_url, now - 2) == []


def test_a_session_without_sign_of_life_watches_no_more(database_url: str) -> None:
    record(database_url, opened("a", 0), Alive(STREAM, "a", micros(9)), receiver="r", upto=2)

    assert gaps(database_url) == [Gap(STREAM, at(9), None, SILENT, "silent")]
    assert in_view(database_url) == [(STREAM, at(9), None, SILENT, "silent")]


def test_the_last_sign_of_life_is_the_latest_in_whatever_order_they_come(database_url: str) -> None:
    told = [
        opened("a", 0),
        *(event("container/1", second=n, session="a") for n in (9, 3)),
        Alive(STREAM, "a", micros(5)),
    ]
    record(database_url, *told, receiver="r", upto=4)

    assert gaps(database_url) == [Gap(STREAM, at(9), None, SILENT, "silent")]


def test_before_the_first_session_nobody_watched(database_url: str) -> None:
    record(database_url, opened("a", 10), closed("a", 20))

    assert gaps(database_url, 0, 15) == [Gap(STREAM, at(0), at(10), BEFORE, "before")]


def test_a_range_within_a_gap_has_the_reason_of_the_gap(database_url: str) -> None:
    record(database_url, opened("a", 0), closed("a", 10, "cut"), opened("b", 50), closed("b", 60))

    assert gaps(database_url, 20, 30) == [Gap(STREAM, at(20), at(30), "cut", "lost")]


def test_of_what_was_imported_nobody_knows(database_url: str) -> None:
    record(database_url, event("container/1"))

    assert gaps(database_url) == [Gap(None, None, None, IMPORTED, "imported")]


def test_the_reason_is_that_of_the_session_which_reached_farthest(database_url: str) -> None:
    """Also where the range begins in the gap, and one that was left open began before."""
    record(
        database_url,
        opened("old", 0),
        Alive(STREAM, "old", micros(5)),
        opened("a", 10),
        opened("b", 15),
        closed("b", 20, "b"),
        closed("a", 40, "a"),
        opened("c", 90),
        closed("c", 95, "c"),
    )

    assert in_view(database_url)[1][:4] == (STREAM, at(40), at(90), "a")
    assert gaps(database_url, 30, 90) == [Gap(STREAM, at(40), at(90), "a", "lost")]
    assert gaps(database_url, 50, 80) == [Gap(STREAM, at(50), at(80), "a", "lost")]


def test_each_stream_has_its_own_gaps(database_url: str) -> None:
    record(database_url, opened("a", 0), closed("a", 50), opened("b", 0, stream=OTHER), closed("b", 20, stream=OTHER))

    assert gaps(database_url, 0, 40) == [Gap(OTHER, at(20), at(40), "cut", "lost")]


def test_who_speaks_for_an_object_is_found_in_its_last_words(database_url: str) -> None:
    def asked(archive: Archive) -> object:
        return archive.coverage(between(0, 9_000), "container/1")

    def told(first: int, last: int) -> None:
        record(database_url, *(event("container/1", f"state {n % 2}", n, session="a") for n in range(first, last)))

    record(database_url, opened("a", 0), opened("b", 0, stream=OTHER), closed("b", 1, stream=OTHER))
    told(0, 300)
    before = cost_of(analysed(database_url), asked)
    told(300, 3_000)

    assert not grown(before, cost_of(analysed(database_url), asked), database_url)
    with Archive.open(database_url) as archive:
        assert {gap.stream for gap in archive.coverage(between(0, None), "container/1").gaps} == {STREAM}
        (row,) = archive.report("coverage", "container/1", between(0, 100)).rows
    assert (row.stream, row.watched_seconds) == (STREAM, 100)


def test_who_speaks_for_an_object_in_a_range_had_told_of_it_by_its_end(database_url: str) -> None:
    again = f"{STREAM}?again"  # of the same account
    record(
        database_url,
        opened("a", 0),
        event("container/1", "Running", 5, session="a"),
        closed("a", 50),
        opened("b", 60, stream=again),
        event("container/1", "Running", 65, session="b"),
        closed("b", 90, stream=again),
    )

    with Archive.open(database_url) as archive:
        assert archive.coverage(between(0, 40), "container/1").complete
        assert not archive.coverage(between(0, 80), "container/1").complete


EXAMPLES = count()
SESSIONS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20), st.booleans()), min_size=1, max_size=8)


def test_view_and_python_agree_whatever_the_sessions(database_url: str) -> None:
    engine = reading_engine(database_url)

    @settings(max_examples=40)
    @given(sessions=SESSIONS)
    def agree(sessions: list[tuple[int, int, bool]]) -> None:
        stream = f"{STREAM}?{next(EXAMPLES)}"  # each example has its own, in the same archive
        told: list[Record] = []
        for n, (start, length, ended) in enumerate(sessions):
            key = f"{stream} {n}"
            end = (
                closed(key, start + length, f"cut {n}", stream) if ended else Alive(stream, key, micros(start + length))
            )
            told += [opened(key, start, stream=stream), end]
        recorder.record(told)

        watched = {second for start, length, _ in sessions for second in range(start, start + length)}
        blind = {second for second in range(min(watched, default=0), max(watched, default=-1)) if second not in watched}
        found = [gap for gap in archive.coverage().gaps if gap.stream == stream]
        with engine.connect() as connection:
            assert shown(connection.execute(text(f"{GAPS} WHERE stream = :s ORDER BY since"), {"s": stream})) == [
                gap[:5] for gap in found
            ]
        if watched:
            inner = [
                gap for gap in found if gap.since and gap.until and at(min(watched)) <= gap.since < at(max(watched))
            ]
            assert blind == {s for gap in inner for s in range(81) if gap.since <= at(s) < gap.until}  # type: ignore[operator]

    with Recorder(database_url, None) as recorder, Archive.open(database_url) as archive:
        agree()
    engine.dispose()


def test_an_archive_in_which_nothing_is_says_that_it_is_before_all(database_url: str) -> None:
    """Nothing was imported there either."""
    migrate.create(database_url)

    assert gaps(database_url) == [Gap(None, None, None, BEFORE, "before")]
    with Archive.open(database_url) as archive:
        assert archive.at(at(10)).coverage == Coverage((Gap(None, None, None, BEFORE, "before"),), None, at(10))
        assert archive.report("restarts").notes == (
            "nobody was watching for a part of the range: what happened then may be missing",
        )


@pytest.mark.parametrize("is_over", [True, False], ids=["stopped", "listening"])
def test_what_is_yet_to_come_is_not_before_the_first_session(database_url: str, is_over: bool) -> None:
    now = (now_micros() - micros(0)) / 1e6
    record(
        database_url,
        opened("a", now - 100),
        *([closed("a", now - 50, "power")] if is_over else [Alive(STREAM, "a", micros(now))]),
    )

    found = gaps(database_url, now + 1000, now + 2000)

    why = ("power", "lost") if is_over else ("it is yet to come", None)
    assert found == [Gap(STREAM, at(now + 1000), None, *why)]
