"""What was so when a range begins: certain, in every answer, when somebody was watching since it was told."""

from __future__ import annotations

import pytest

from archiver.api.archive import Archive
from archiver.cli.answers import timeline
from archiver.cli.presentation import Presentation
from archiver.model import Span

from .archives import at, between, closed, event, micros, opened, record, rows, seen, uri

OTHER = "ws://other.example/v1/events"
ONE, TWO = "container/1", "container/2"


@pytest.fixture
def archive_url(database_url: str) -> str:
    """One was told of before a gap from 100 to 200, behind which it says nothing of its state until 800; two has an
    observation at 300; the stream of the other account was watched all along."""
    record(
        database_url,
        opened("a", 0),
        opened("o", 0, stream=OTHER),
        event(ONE, "Running", 10, session="a"),
        event(TWO, "Running", 10, session="a"),
        event("node/2", "Deployed", 10, session="o"),
        event("container/gone", "Terminated", 10, session="a"),
        closed("a", 100),
        opened("b", 200),
        event(ONE, None, 300, ["node/1"], session="b"),
        seen(TWO, "Running", 300, session="b"),
        event(ONE, "Running", 800, session="b"),
        closed("b", 1000),
        closed("o", 1000, stream=OTHER),
    )
    return database_url


def first_span(url: str, ref: str, since: float, until: float = 700) -> Span:
    with Archive.open(url) as archive:
        first = archive.history(ref, between(since, until)).spans[0]
        (lane,) = archive.lanes(ref, between(since, until)).lanes
    assert lane.spans[0]._replace(kind=None) == first
    return first


@pytest.mark.parametrize(("ref", "since"), [(ONE, 150), (ONE, 250), (TWO, 250), (ONE, 400)])
def test_what_is_known_from_before_a_gap_is_assumed(archive_url: str, ref: str, since: float) -> None:
    found = first_span(archive_url, ref, since)

    assert (found.state, found.since, found.certain) == ("Running", at(since), False)


@pytest.mark.parametrize(
    ("ref", "since"), [(ONE, 50), (TWO, 350), ("node/2", 150), ("node/2", 400), ("container/gone", 400)]
)
def test_what_was_watched_since_it_was_told_or_is_no_more_is_certain(archive_url: str, ref: str, since: float) -> None:
    assert first_span(archive_url, ref, since, 90 if since < 90 else 700).certain is True


def test_the_answers_about_an_instant_say_the_same(archive_url: str) -> None:
    for ref in (ONE, TWO, "node/2"):
        for second in (50, 150, 250, 350, 700, 900):
            with Archive.open(archive_url) as archive:
                then = archive.at(at(second), ref).certain
            span = first_span(archive_url, ref, second, second + 1)
            in_view = rows(
                archive_url,
                "SELECT certain FROM watched_spans WHERE uri = :u AND since_us <= :t AND until_us > :t",
                u=uri(ref),
                t=micros(second),
            )
            assert [(span.certain, 1)] == [(then, 1)] == [(bool(found), 1) for (found,) in in_view], (ref, second)


@pytest.mark.parametrize(
    ("ref", "since", "up", "unknown"), [(ONE, 250, 0, 450), (ONE, 50, 50, 600), (TWO, 250, 400, 50), (TWO, 350, 350, 0)]
)
def test_an_assumed_state_is_not_watched_in_availability_until_it_is_told_again(
    archive_url: str, ref: str, since: float, up: float, unknown: float
) -> None:
    with Archive.open(archive_url) as archive:
        (row,) = archive.report("availability", ref, between(since, 700)).rows

    assert (row.up_seconds, row.unknown_seconds) == (up, unknown)


def test_an_assumed_state_is_marked_in_a_table(archive_url: str) -> None:
    presentation = Presentation("table", now=at(2000))
    with Archive.open(archive_url) as archive:
        assumed, seen_again = (
            list(timeline.lines(presentation, archive.history(ref, between(250, 700)))) for ref in (ONE, TWO)
        )

    assert assumed[-1].split()[0] == "Running?"
    assert assumed[-1].endswith("last known")
    assert seen_again[-1].split()[0] == "Running"
    assert "seen again at" in seen_again[-1]


def test_an_end_found_behind_a_gap_before_the_range_has_no_known_cause(database_url: str) -> None:
    record(
        database_url,
        opened("a", 0),
        event(ONE, "Running", 10, session="a"),
        closed("a", 100),
        opened("b", 200),
        seen(ONE, "Stopped", 300, session="b"),
        closed("b", 1000),
    )
    with Archive.open(database_url) as archive:
        stopped = archive.history(ONE, between(250, 700)).spans[1]

    assert stopped.cause is not None
    assert stopped.cause.kind == "unknown"


def test_of_what_was_imported_nobody_knows_whether_it_is_assumed(database_url: str) -> None:
    record(database_url, event(ONE, "Running", 10), event(ONE, "Stopped", 300))
    found = first_span(database_url, ONE, 250)

    assert (found.certain, found.assumed) == (None, False)


@pytest.mark.parametrize(("second", "is_rounded"), [(99, True), (99.2, False)])
def test_only_what_is_dated_by_the_second_may_seem_older_than_the_session_that_heard_it(
    database_url: str, second: float, is_rounded: bool
) -> None:
    record(
        database_url,
        *(opened("a", 0), closed("a", 50), opened("b", 99.7)),
        event(ONE, "Running", second, session="b"),
        closed("b", 1000),
    )

    with Archive.open(database_url) as archive:
        known = archive.history(ONE, between(90, 150)).spans[0].certain
        assumed = archive.history(ONE, between(100, 150)).spans[0].assumed
        stood = archive.at(at(150), ONE).certain
        (available,) = archive.report("availability", ONE, between(0, 150)).rows
    (row,) = rows(database_url, f"SELECT certain FROM watched_spans WHERE uri = '{uri(ONE)}' AND holds = 0 LIMIT 1")
    (day,) = rows(database_url, f"SELECT up_seconds FROM availability_daily WHERE uri = '{uri(ONE)}' LIMIT 1")

    assert (known, not assumed, stood, bool(row[0]), available.up_seconds > 0, day[0] > 0) == (is_rounded,) * 6
