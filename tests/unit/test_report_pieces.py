"""States are cut where nobody was watching, and of a column the worst is drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from archiver.model import Coverage, Span, TimeRange
from archiver.report.exits import exits, is_oom
from archiver.report.pieces import Bounds, Piece, blind, bounds, pieces
from archiver.report.strips import KINDS, columns, covered, kind_of_rank, rank

from .lanes import action, at, gap, lane, lanes, span

HOUR = Bounds(at(0), at(60))
Cut = list[tuple[str, float, float, bool]]


def cut(*spans: Span, gaps: tuple[tuple[float, float], ...] = ()) -> Cut:
    stretches = [(at(since), at(until)) for since, until in gaps]
    found = pieces(spans, stretches, HOUR)
    return [(piece.span.state, minute(piece.since), minute(piece.until), piece.certain) for piece in found]


def minute(moment: object) -> float:
    return (moment - at(0)) / timedelta(minutes=1)  # type: ignore[operator, no-any-return]


def test_a_state_is_not_drawn_through_a_gap_and_not_certain_behind_it() -> None:
    assert cut(span("running", 0), gaps=((20, 30),)) == [("running", 0, 20, True), ("running", 30, 60, False)]


def test_a_state_that_was_seen_again_is_certain_behind_the_gap() -> None:
    assert cut(span("running", 0, seen=(31,)), gaps=((20, 30),))[-1] == ("running", 30, 60, True)


def test_a_state_is_in_doubt_again_behind_each_gap() -> None:
    found = cut(span("running", 0, seen=(31,)), gaps=((20, 30), (40, 50)))
    assert found == [("running", 0, 20, True), ("running", 30, 40, True), ("running", 50, 60, False)]


def test_what_was_assumed_when_the_range_began_is_not_certain_before_it_is_seen_again() -> None:
    assumed = span("running", 0)._replace(assumed=True)
    assert cut(assumed, gaps=((20, 30),)) == [("running", 0, 20, False), ("running", 30, 60, False)]
    assert cut(assumed._replace(seen=(at(40),))) == [("running", 0, 60, True)]


def test_what_is_gone_stays_so_unwatched() -> None:
    assert cut(span("removed", 10), gaps=((20, 30),)) == [("removed", 10, 60, True)]


def test_what_was_told_of_within_a_gap_is_not_certain() -> None:
    found = cut(span("exited (1)", 25, 40), span("running", 40), gaps=((20, 30),))
    assert found == [("exited (1)", 25, 30, False), ("exited (1)", 30, 40, False), ("running", 40, 60, True)]


def test_a_state_of_no_length_is_there_all_the_same() -> None:
    assert cut(span("created", 5, 5), span("running", 5))[0] == ("created", 5, 5, True)


def test_gaps_of_several_streams_are_one_where_they_overlap() -> None:
    gaps = Coverage((gap(10, 20), gap(15, 30)._replace(stream="other"), gap(50, None)))
    assert blind(gaps, HOUR) == [(at(10), at(30)), (at(50), at(60))]


def test_of_what_was_imported_nothing_is_hatched() -> None:
    assert blind(Coverage((gap(None, None)._replace(stream=None),)), HOUR) == []


def test_a_picture_ends_now_and_not_in_the_future() -> None:
    assert bounds(lanes(lane("a", span("running", 0)), until=500), at(60)) == Bounds(at(0), at(60))


def test_a_picture_that_ends_with_the_first_of_all_instants_has_a_length() -> None:
    first = datetime.min.replace(tzinfo=UTC)
    within = bounds(lanes()._replace(range=TimeRange(None, first)), at(0))

    assert within.since == first < within.until


def test_of_what_is_all_gone_the_picture_ends_with_it() -> None:
    over = lanes(lane("a", span("running", 0, 50), span("removed", 50)))._replace(range=HOUR_OPEN)
    assert bounds(over, at(100_000)) == Bounds(at(0), at(52.5))


def test_a_picture_does_not_go_on_long_after_the_last_sign_of_life() -> None:
    left = lanes(lane("a", span("running", 0)), gaps=(gap(60, None),))._replace(range=HOUR_OPEN)
    seen = left._replace(coverage=left.coverage._replace(seen_to=at(60)))
    assert bounds(seen, at(100_000)) == Bounds(at(0), at(63))
    assert bounds(seen, at(61)) == Bounds(at(0), at(61))


def test_a_note_from_before_all_else_does_not_stretch_a_picture() -> None:
    noted = action("note: the cable", -50_000, -50_000)._replace(uri=None)
    told = lanes(lane("a", span("running", 10, 50), span("removed", 50), actions=(noted, action("kill", 5, 5))))
    assert bounds(told._replace(range=HOUR_OPEN), at(100_000)).since == at(5)
    only = lanes(lane("a", actions=(noted,)))._replace(range=HOUR_OPEN)
    assert bounds(only, at(100_000)).since == at(-50_000)


HOUR_OPEN = lanes().range._replace(since=None, until=None)


# --- columns ---------------------------------------------------------------------------------------------------------


def of(*spans: Span) -> list[Piece]:
    return list(pieces(spans, [], HOUR))


@pytest.mark.parametrize("at_minute", [0, 17.3, 30, 59.9999])
def test_the_shortest_crash_takes_a_column_wherever_it_is(at_minute: float) -> None:
    crash = (
        span("running", 0, at_minute),
        span("exited (1)", at_minute, at_minute + 0.0001),
        span("running", at_minute),
    )
    worst = [kind_of_rank(value)[0] for value in columns(of(*crash), HOUR, 40) if value]
    assert worst.count("down") in (1, 2)
    assert set(worst) == {"up", "down"}


def test_ten_thousand_flaps_leave_no_column_without_the_worst() -> None:
    flaps = [span("running" if each % 2 else "exited", each / 200, (each + 1) / 200) for each in range(12_000)]
    assert {kind_of_rank(value)[0] for value in columns(of(*flaps), HOUR, 100)} == {"down"}


def test_where_nothing_is_known_nothing_is_drawn() -> None:
    assert set(columns(of(span("running", 30)), HOUR, 60)[:30]) == {0}


def test_a_gap_is_a_column_at_least() -> None:
    assert sum(covered([(at(30), at(30.001))], HOUR, 60)) == 1


def test_ranks_tell_kinds_and_certainty() -> None:
    assert [kind_of_rank(rank(kind, certain)) for kind in KINDS for certain in (True, False)] == [
        (kind, certain) for kind in KINDS for certain in (True, False)
    ]


# --- exits ----------------------------------------------------------------------------------------------------------


def test_exits_are_ends_of_what_ran_and_no_pauses_or_removals_of_what_had_ended() -> None:
    spans = (span("running", 0, 10), span("exited (1)", 10, 20), span("removed", 20, 30), span("running", 30, 40))
    more = (span("paused", 40, 50)._replace(kind="down"), span("running", 50, 55), span("removed", 55))
    assert [minute(piece.since) for piece in exits(of(*spans, *more))] == [10, 55]


def test_an_exit_for_want_of_memory_is_told_apart() -> None:
    found = list(exits(of(span("running", 0, 10), span("exited (137)", 10, note="out of memory"))))
    assert [is_oom(piece) for piece in found] == [True]
