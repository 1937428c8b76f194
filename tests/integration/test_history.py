"""The timeline of one resource; the view `state_spans` tells the same."""

from __future__ import annotations

import tracemalloc
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.api.archive import Archive
from archiver.cli.answers import timeline as cli_timeline
from archiver.cli.presentation import Format, Presentation
from archiver.model import Span
from archiver.queries import history
from archiver.queries.coverage import IMPORTED

from .archives import at, between, closed, event, opened, record, rows, seen, uri


def spans(url: str, since: float | None = None, until: float | None = None) -> list[Span]:
    with Archive.open(url) as archive:
        found = archive.history("container/1", between(since, until)).spans
        return [span._replace(certain=None, cause=None, assumed=False) for span in found]  # see test_causes


def told(*states: tuple[float, str]) -> list[Any]:
    return [event("container/1", state, second) for second, state in states]


def test_equal_states_in_a_row_are_one_span(database_url: str) -> None:
    record(database_url, *told((0, "Starting"), (5, "Running"), (7, "Running"), (9, "Stopped")))

    assert spans(database_url) == [
        Span("Starting", at(0), at(5), 1),
        Span("Running", at(5), at(9), 2),
        Span("Stopped", at(9), None, 1),
    ]


def test_a_range_begins_with_the_state_at_its_beginning(database_url: str) -> None:
    record(database_url, *told((0, "Starting"), (5, "Running"), (9, "Stopped")))

    assert spans(database_url, 6, 20) == [Span("Running", at(6), at(9), 0), Span("Stopped", at(9), at(20), 1)]


def test_the_last_state_of_a_range_that_ends_in_the_future_is_still_so(sqlite_url: str) -> None:
    record(sqlite_url, *told((0, "Running")))

    assert spans(sqlite_url, None, 3600 * 24 * 365 * 200) == [Span("Running", at(0), None, 1)]


def test_a_range_that_begins_at_a_change_begins_with_the_new_state(database_url: str) -> None:
    record(database_url, *told((0, "Starting"), (5, "Running")))

    assert spans(database_url, 5, 20) == [Span("Running", at(5), at(20), 1)]


def test_a_state_that_ends_as_a_range_begins_is_no_span_of_it(database_url: str) -> None:
    record(database_url, *told((1, "Stopped"), (2, "Stopped"), (2, "Running")))

    assert spans(database_url, 2) == [Span("Running", at(2), None, 1)]


def test_events_of_the_same_second_keep_their_order_also_before_a_range(database_url: str) -> None:
    record(database_url, *told((5, "Stopping"), (5, "Stopped"), (5, "Starting")))

    assert [span.state for span in spans(database_url)] == ["Stopping", "Stopped", "Starting"]
    assert spans(database_url, 8, 9) == [Span("Starting", at(8), at(9), 0)]


def test_the_order_is_that_of_the_events_own_time(database_url: str) -> None:
    record(database_url, *told((9, "Stopped"), (5, "Running")))

    assert [span.state for span in spans(database_url)] == ["Running", "Stopped"]


def test_the_spans_of_a_range_add_up_to_it(database_url: str) -> None:
    record(database_url, *told(*((n, f"state {n % 3}") for n in range(20))))

    found = spans(database_url, 3.5, 17.5)

    assert sum((span.until - span.since).total_seconds() for span in found if span.until) == 14


def test_an_observation_makes_a_span_and_counts_as_no_event(database_url: str) -> None:
    record(database_url, *told((0, "Running")), seen("container/1", "Stopped", 5), seen("container/1", "Stopped", 6))

    assert spans(database_url) == [
        Span("Running", at(0), at(5), 1),
        Span("Stopped", at(5), None, 0, observed=True),
    ]


def test_states_that_differ_in_case_are_one(database_url: str) -> None:
    record(database_url, *told((0, "Not running"), (5, "Not Running"), (9, "Running")))

    assert spans(database_url) == [Span("Not running", at(0), at(9), 2), Span("Running", at(9), None, 1)]


def test_what_is_found_again_behind_a_gap_was_seen(database_url: str) -> None:
    record(
        database_url,
        opened("a", 0),
        event("container/1", "Running", 5, session="a"),
        closed("a", 10),
        opened("b", 20),
        seen("container/1", "Running", 22, session="b"),
        event("container/1", "Running", 25, session="b"),
        closed("b", 30),
        opened("c", 40),
        event("container/1", "running", 41, session="c"),
        closed("c", 50),
    )

    (span,) = spans(database_url)
    assert (span.events, span.source, span.seen, span.seen_at) == (3, "event", (at(22), at(41)), at(41))


@pytest.mark.parametrize("since", [None, 1_100])
def test_a_long_timeline_is_the_same_read_twice(
    database_url: str, monkeypatch: pytest.MonkeyPatch, since: float | None
) -> None:
    record(database_url, opened("a", 0), *told(*((n, f"state {n // 2 % 3}") for n in range(2_500))), closed("a", 9))
    with Archive.open(database_url) as archive:
        expected = archive.history("container/1", between(since, None))
        monkeypatch.setattr(history, "_HELD", 100)
        found = archive.timeline("container/1", between(since, None))

        assert (found.first, found.last) == (expected.first, expected.last)
        assert tuple(found.spans) == expected.spans


def test_a_resource_that_is_only_a_parent_has_no_span(database_url: str) -> None:
    record(database_url, event("container/2", "Running", 1, ["container/1"]))

    assert spans(database_url) == []


def test_coverage_is_that_of_the_streams_that_told(database_url: str) -> None:
    other = "ws://other.example/"
    record(
        database_url,
        opened("a", 0),
        event("container/1", "Running", 5, session="a"),
        closed("a", 50),
        opened("b", 0, stream=other),
        closed("b", 1, stream=other),
    )

    with Archive.open(database_url) as archive:
        assert archive.history("container/1", between(None, 40)).coverage.complete


def test_of_imported_events_the_coverage_is_unknown(database_url: str) -> None:
    record(database_url, *told((0, "Running")))

    with Archive.open(database_url) as archive:
        (gap,) = archive.history("container/1").coverage.gaps
    assert (gap.since, gap.reason) == (at(0), IMPORTED)


def test_a_question_sees_what_was_archived_since_the_last_one(database_url: str) -> None:
    record(database_url, *told((0, "Running")))
    with Archive.open(database_url) as archive:
        archive.history("container/1")
        record(database_url, *told((5, "Stopped")))

        assert len(archive.history("container/1").spans) == 2


def test_a_question_within_an_answer_does_not_end_it(database_url: str) -> None:
    record(database_url, *(event(f"container/{n}", "Running", n) for n in range(1200)))

    with Archive.open(database_url) as archive:
        listed = archive.events(limit=0)
        found = [archive.resolve(told.resource_uri or "").uri if n % 50 == 0 else told.resource_uri
                 for n, told in enumerate(listed)]  # fmt: skip

    assert found == [uri(f"container/{n}") for n in range(1200)]


EXAMPLES = count()
KNOWN = st.lists(
    st.tuples(st.booleans(), st.integers(0, 6), st.sampled_from(["Running", "Stopped", "Starting"])), max_size=8
)


@settings(max_examples=25)
@given(known=KNOWN)
def test_views_history_and_tree_agree(database_url: str, known: list[tuple[bool, int, str]]) -> None:
    ref = f"container/{next(EXAMPLES)}"  # each example has its own, in the same archive
    told = [(seen if asked else event)(ref, state, second) for asked, second, state in known]
    record(database_url, event(ref, None, 0), *told)

    with Archive.open(database_url) as archive:
        found, node = archive.history(ref).spans, archive.tree(ref)
    in_view = rows(
        database_url,
        "SELECT state, since, until, seconds FROM state_spans WHERE uri = :u ORDER BY since, 3 NULLS LAST",
        u=uri(ref),
    )
    assert sorted((row[0], moment(row[1]), moment(row[2]) or at(99)) for row in in_view) == sorted(
        (span.state, span.since, span.until or at(99)) for span in found
    )
    last = (found[-1].state, found[-1].since) if found else (None, None)
    assert (node.state, node.since) == last
    assert rows(database_url, "SELECT state FROM current_states WHERE uri = :u", u=uri(ref)) == (
        [(last[0],)] if found else []
    )


def moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def test_a_long_timeline_is_not_held(sqlite_url: str) -> None:
    record(sqlite_url, *told(*((n, f"state {n % 3}") for n in range(15_000))))
    formats: tuple[Format, ...] = ("json", "table")
    for shown in formats:
        with Archive.open(sqlite_url) as archive:
            resource = archive.resolve("container/1")
            tracemalloc.start()
            found = [archive.timeline(resource)]
            lines = sum(1 for _ in cli_timeline.answer(Presentation(shown, at(0)), found, several=False))
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()

        assert lines >= 15_000, shown
        assert peak < 12 * 2**20, shown  # all spans and their lines would take 30 MiB


@pytest.mark.parametrize(("again", "certain"), [(None, True), (250, False), (200, False)])
def test_what_lies_behind_the_last_sign_of_life_makes_nothing_doubtful_in_a_range_that_ends(
    database_url: str, again: float | None, certain: bool
) -> None:
    record(database_url, opened("a", 0), event("container/1", "Running", 10, session="a"), closed("a", 100))
    if again is not None:
        record(database_url, opened("b", again))

    with Archive.open(database_url) as archive:
        found = archive.history("container/1", between(0, 200))
        (lane,) = archive.lanes("container/1", between(0, 200)).lanes
    assert (found.spans[0].certain, found.coverage.complete, lane.spans[0].certain) == (certain, certain, certain)
    assert [(gap.since, gap.until) for gap in found.coverage.gaps] == [(at(100), at(200))]
