"""A gap hides nothing of what was found alike on both sides of it: history, trees, reports and views agree on that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.model import Gap, Observation, Record
from archiver.transfer.importer import import_lines

from .archives import STREAM, at, between, closed, event, export, opened, record, rows, uri
from .test_daily import reported


def found(ref: str, state: str, second: float, session: str = "a", **said: object) -> Observation:
    """What was found by asking, with what was said of its life."""
    return Observation(uri(ref), state, None, (), at_micros(second), json.dumps(said, separators=(",", ":")), session)


def at_micros(second: float) -> int:
    return round(at(second).timestamp() * 1_000_000)


def told(*words: Record) -> list[Record]:
    """Sessions that watched for 100 seconds and again from 200 to 300, with these words."""
    return [opened("a", 0), closed("a", 100, "the archiver stopped"), opened("b", 200), closed("b", 300), *words]


ALIVE = {"started": "2016-02-01T12:00:05Z", "finished": "0001-01-01T00:00:00Z", "restarts": 0}


def of_days(url: str) -> list[tuple[Any, ...]]:
    """What the view says of each day, as far as the report is asked."""
    columns = "uri, day, up_seconds, down_seconds, planned_seconds, unknown_seconds, availability, worst, best"
    return sorted(rows(url, f"SELECT {columns} FROM availability_daily WHERE day < '2016-02-03'"))


RAN_ON = told(
    event("container/1", "running", 10, session="a"),
    found("container/1", "running", 20, **ALIVE),
    found("container/1", "running", 201, "b", **ALIVE),
)


@pytest.fixture
def archive(database_url: str) -> Iterator[Archive]:
    record(database_url, *RAN_ON)
    with Archive.open(database_url) as found:
        yield found


def test_the_history_has_no_doubt_and_still_names_the_gap(archive: Archive) -> None:
    history = archive.history("container/1", between(0, 300))

    (span,) = history.spans
    assert (span.certain, span.seen, span.until) == (True, (), at(300))
    assert history.coverage.gaps == (Gap(STREAM, at(100), at(200), "the archiver stopped", "lost", proven=True),)
    assert history.coverage.complete


def test_it_is_certain_at_any_instant_within_the_gap(archive: Archive) -> None:
    node = archive.at(at(150), "container/1")

    assert (node.state, node.certain) == ("running", True)
    assert node.coverage is not None
    assert node.coverage.complete
    assert archive.history("container/1", between(150, 160)).spans[0].certain


def test_it_was_up_all_the_time(archive: Archive) -> None:
    report = archive.report("availability", "container/1", between(10, 300))

    (row,) = report.rows
    assert (row.up_seconds, row.down_seconds, row.unknown_seconds) == (290, 0, 0)
    assert report.coverage.complete


def test_its_lane_goes_on_through_the_gap_which_is_drawn_all_the_same(archive: Archive) -> None:
    from archiver.report.picture import picture

    drawn = picture(archive.lanes("container/1", between(0, 300)), at(300))

    assert drawn.gaps == [(at(100), at(200))]
    assert [(piece.since, piece.until, piece.certain) for piece in drawn.cut[0].pieces] == [(at(10), at(300), True)]


def test_plain_sql_says_the_same(archive: Archive, database_url: str) -> None:
    assert rows(database_url, "SELECT type, since_us, until_us, seconds FROM unchanged") == [
        ("container", at_micros(20), at_micros(201), 181.0),
    ]  # fmt: skip
    pieces = "SELECT state, since_us, until_us, certain, watched FROM watched_spans WHERE holds = 0 ORDER BY since_us"
    assert rows(database_url, pieces) == [
        ("running", at_micros(10), at_micros(100), 1, 1),
        ("running", at_micros(100), at_micros(200), 1, 0),
        ("running", at_micros(200), at_micros(300), 1, 1),
    ]
    assert rows(database_url, "SELECT count(*) FROM gap_log WHERE until_us IS NOT NULL") == [(1,)]
    assert of_days(database_url) == sorted(reported(database_url))


@pytest.mark.parametrize(("started", "certain"), [(ALIVE["started"], 1), ("2016-02-01T12:02:00Z", 0)])
def test_a_flap_over_the_gap_is_as_certain_as_that_nothing_changed_in_it(
    database_url: str, started: str, certain: int
) -> None:
    states = [(20, "exited (1)"), (30, "running"), (40, "exited (1)"), (50, "running"), (210, "exited (1)")]
    changes = [event("container/1", state, second, session="ab"[second > 100]) for second, state in states]
    answers = [found("container/1", "running", 60, **ALIVE)]
    answers += [found("container/1", "running", 201, "b", **ALIVE | {"started": started})]
    record(database_url, *told(event("container/1", "running", 10, session="a"), *changes, *answers))

    assert rows(database_url, "SELECT changes, since_us, certain FROM flaps") == [(6, at_micros(10), certain)]


def test_what_was_done_in_the_gap_is_not_known(archive: Archive) -> None:
    assert not archive.coverage(between(0, 300), "container/1").complete
    assert archive.coverage(between(0, 300), "container/1", of_states=True).complete


LATER: dict[str, list[Record]] = {
    "a restart": [found("container/1", "running", 201, "b", **ALIVE | {"started": "2016-02-01T12:02:00Z"})],
    "a restart by its policy": [found("container/1", "running", 201, "b", **ALIVE | {"restarts": 1})],
    "another state": [found("container/1", "paused", 201, "b", **ALIVE)],
    "a word before the answer": [
        event("container/1", "running", 200.5, session="b"),
        found("container/1", "running", 201, "b", **ALIVE),
    ],
    "an answer that does not tell": [found("container/1", "running", 201, "b")],
    "no answer behind it": [],
}


@pytest.mark.parametrize("words", LATER.values(), ids=LATER)
def test_what_is_not_proven_stays_doubtful(database_url: str, words: list[Record]) -> None:
    before = [event("container/1", "running", 10, session="a"), found("container/1", "running", 20, **ALIVE)]
    record(database_url, *told(*before, *words))

    with Archive.open(database_url) as archive:
        history = archive.history("container/1", between(0, 300))
        assert history.spans[0].certain is False
        assert not history.coverage.complete
        assert archive.at(at(150), "container/1").certain is False
        assert archive.report("availability", "container/1", between(10, 300)).rows[0].unknown_seconds >= 100
    assert rows(database_url, "SELECT DISTINCT certain FROM watched_spans WHERE watched = 0 AND holds = 0") == [(0,)]


def test_a_word_between_the_last_answer_and_the_gap_is_not_proven(database_url: str) -> None:
    words = (
        found("container/1", "running", 20, **ALIVE),
        event("container/1", "paused", 30, session="a"),
        found("container/1", "running", 201, "b", **ALIVE),
    )
    record(database_url, *told(*words))

    with Archive.open(database_url) as archive:
        assert [span.certain for span in archive.history("container/1", between(0, 300)).spans] == [True, False, True]


def test_what_stood_still_stood_still(database_url: str) -> None:
    down = {"started": "2016-02-01T12:00:05Z", "finished": "2016-02-01T12:00:50Z", "restarts": 0}
    record(
        database_url,
        *told(
            event("container/1", "running", 10, session="a"),
            event("container/1", "exited (1)", 50, session="a"),
            found("container/1", "exited (1)", 60, **down),
            found("container/1", "exited (1)", 201, "b", **down),
            event("container/1", "running", 250, session="b"),
        ),
    )

    with Archive.open(database_url) as archive:
        (stop,) = archive.report("restarts", "container/1", between(0, 300)).rows
        (available,) = archive.report("availability", "container/1", between(0, 300)).rows
    assert (stop.certain, stop.down_seconds, stop.cause.kind) == (True, 200.0, "crash")
    assert (available.down_seconds, available.unknown_seconds) == (200, 0)
    assert rows(database_url, "SELECT certain FROM restarts") == [(1,)]
    assert rows(database_url, "SELECT certain FROM changes WHERE at_us > 0 ORDER BY at_us") == [(1,), (1,), (1,)]


@pytest.mark.parametrize(("killed", "cause"), [(False, "unknown"), (True, "oom")])
def test_what_ended_in_the_gap_is_known_from_its_end_on(database_url: str, killed: bool, cause: str) -> None:
    ended = {"started": ALIVE["started"], "finished": "2016-02-01T12:02:30.5Z", "restarts": 0, "oom_killed": killed}
    record(
        database_url,
        *told(
            event("container/1", "running", 10, session="a"),
            found("container/1", "running", 20, **ALIVE),
            found("container/1", "exited (137)", 150.5, "b", **ended),
            found("container/1", "exited (137)", 201, "b", **ended),
        ),
    )

    with Archive.open(database_url) as archive:
        history = archive.history("container/1", between(0, 300))
        (row,) = archive.report("availability", "container/1", between(10, 300)).rows
        (lane,) = archive.lanes("container/1", between(0, 300)).lanes
        assert [archive.at(at(second), "container/1").certain for second in (120, 160)] == [False, True]
    ran, stopped = history.spans
    assert [(ran.until, ran.certain), (stopped.since, stopped.certain)] == [(at(150.5), False), (at(150.5), True)]
    assert stopped.cause is not None
    assert (stopped.cause.kind, stopped.cause.exit_code) == (cause, 137)
    assert [(gap.since, gap.until, gap.proven) for gap in history.coverage.gaps] == [
        (at(100), at(150.5), False), (at(150.5), at(200), True),
    ]  # fmt: skip
    assert [span.cause and span.cause.kind for span in lane.spans] == [None, cause]
    assert (row.up_seconds, row.unknown_seconds, row.down_seconds) == (90, 50.5, 149.5)
    assert rows(database_url, "SELECT cause, exit_code FROM restarts") == [(cause, 137)]
    assert of_days(database_url) == sorted(reported(database_url))
    pieces = "SELECT state, since_us, until_us, certain, watched FROM watched_spans WHERE holds = 0 ORDER BY since_us"
    assert rows(database_url, pieces) == [
        ("running", at_micros(10), at_micros(100), 1, 1),
        ("running", at_micros(100), at_micros(150.5), 0, 0),
        ("exited (137)", at_micros(150.5), at_micros(200), 1, 0),
        ("exited (137)", at_micros(200), at_micros(300), 1, 1),
    ]


def test_what_else_an_engine_has_is_proven_by_what_its_next_life_cannot_say(database_url: str) -> None:
    said: dict[str, tuple[str, dict[str, Any]]] = {
        "/docker/v1/volume/e.data/": ("created", {"created": "2016-01-01T00:00:00Z"}),
        "/docker/v1/network/n/": ("created", {"created": "2016-01-01T00:00:00Z", "id": "n"}),
        "/docker/v1/image/e.sha256:1/": ("created", {"created": 1, "id": "sha256:1", "size": 5}),
        "/docker/v1/node/m/": ("ready", {"updated": "2016-01-02T00:00:00Z", "created": "2016-01-01T00:00:00Z"}),
        "/docker/v1/service/s/": ("completed", {"updated": "2016-01-02T00:00:00Z"}),
    }
    both = ((20, "a"), (201, "b"))
    words = [found(ref, state, when, session, **more) for ref, (state, more) in said.items() for when, session in both]
    record(database_url, *told(*words))

    with Archive.open(database_url) as archive:
        assert {archive.history(ref, between(20, 300)).spans[0].certain for ref in said} == {True}
    assert rows(database_url, "SELECT count(*) FROM unchanged") == [(len(said),)]


def test_a_copy_proves_it_too(sqlite_url: str, postgres_url: str) -> None:
    record(sqlite_url, *RAN_ON)

    import_lines(postgres_url, [line.encode() + b"\n" for line in export(sqlite_url)])

    with Archive.open(postgres_url) as copy:
        assert copy.history("container/1", between(0, 300)).coverage.complete


def test_a_late_word_takes_a_proof_back(database_url: str) -> None:
    record(database_url, *RAN_ON)
    record(database_url, event("container/1", "exited (1)", 120), event("container/1", "running", 130))

    with Archive.open(database_url) as archive:
        assert not archive.history("container/1", between(0, 300)).coverage.complete
    assert rows(database_url, "SELECT count(*) FROM unchanged") == [(0,)]
