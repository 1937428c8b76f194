"""The timeline of a resource: first answers first, and no state across a gap as if it were known."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from archiver.cli.answers import timeline
from archiver.cli.presentation import Format, Presentation
from archiver.model import Coverage, Gap, History, Resource, Span, TimeRange

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
WEB = Resource(
    1, "/api/v1/container/0fc9f01d-a726-48c7-a9c2-9e34918ddf4a/", "container", "0fc9", "web-1", ("/api/v1/service/s/",)
)


def at(clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, 20, hour, minute, tzinfo=UTC)


def span(state: str, since: str, until: str | None = None, events: int = 1) -> Span:
    return Span(state, at(since), at(until) if until else None, events)


def gap(since: str | None, until: str | None, reason: str = "connection lost") -> Gap:
    return Gap("wss://x", at(since) if since else None, at(until) if until else None, reason, "lost")


def history(*spans: Span, gaps: tuple[Gap, ...] = (), range: TimeRange | None = None) -> History:
    return History(WEB, range or TimeRange(), Coverage(gaps), spans)


def shown(answer: History, format: Format = "table", *, color: bool = False) -> list[str]:
    return list(timeline.lines(Presentation(format, now=NOW, color=color), answer))


def headline(*spans: Span, gaps: tuple[Gap, ...] = (), range: TimeRange | None = None) -> str:
    return shown(history(*spans, gaps=gaps, range=range))[0]


def states(answer: History) -> list[tuple[str, str, str]]:
    def clock(moment: datetime | None) -> str:
        return f"{moment:%H:%M}" if moment else "-"

    return [(row.state, clock(row.since), clock(row.until)) for row in timeline.timeline_rows(answer)]


def test_the_first_line_says_how_it_is_now() -> None:
    assert headline(span("Starting", "14:00", "14:48"), span("Running", "14:48")) == (
        "container web-1 is Running since 14:48:00 UTC (3h12m)"
    )


def test_the_first_line_says_how_it_ended() -> None:
    assert headline(span("Terminated", "14:48")) == "container web-1 was Terminated at 14:48:00 UTC (3h12m ago)"


def test_the_first_line_is_of_the_end_of_a_past_range() -> None:
    assert headline(span("Running", "14:00"), range=TimeRange(None, at("15:00"))) == (
        "container web-1 was Running at 15:00:00 UTC, since 14:00:00 UTC"
    )


def test_nobody_claims_to_know_a_state_after_a_gap() -> None:
    assert headline(span("Running", "14:00"), gaps=(gap("15:00", "15:10"),)) == (
        "container web-1 was Running since 14:00:00 UTC when last seen; nobody was watching for 10m after that"
    )


def test_nobody_claims_to_know_a_state_from_before_a_gap_before_the_range() -> None:
    assumed = span("Running", "14:00")._replace(assumed=True)

    assert headline(assumed) == (
        "container web-1 was Running when last heard of, before 14:00:00 UTC; nobody was watching in between"
    )
    assert states(history(assumed)) == [("Running?", "14:00", "-")]
    assert states(history(assumed._replace(seen=(at("15:00"),)))) == [("Running", "14:00", "-")]


def test_nobody_claims_to_know_a_state_while_nobody_is_watching() -> None:
    assert headline(span("Running", "14:00"), gaps=(gap("15:00", None),)).endswith(
        "when last seen; nobody is watching now"
    )


def test_a_gap_before_the_state_does_not_matter_to_it() -> None:
    assert headline(span("Running", "16:00"), gaps=(gap("15:00", "15:10"),)).startswith("container web-1 is Running")


def test_no_state_is_an_answer_too() -> None:
    assert shown(history()) == ["container web-1: no state is known in this range", "watched throughout"]


@pytest.mark.parametrize(
    ("gaps", "line"),
    [
        ((), "watched throughout"),
        ((gap("15:00", "15:04"),), "nobody was watching for 1 gap, 4m in all: connection lost"),
        (
            (gap("15:00", "15:04"), gap("15:02", "15:06", "stopped")),
            "nobody was watching for 2 gaps, 6m in all: connection lost, stopped",
        ),
        ((gap("17:00", None, "stopped"),), "nobody was watching for 1 gap, 1h in all: stopped"),
        ((gap(None, "13:00", "not started"),), "nobody was watching for 1 gap: not started"),
    ],
)
def test_the_second_line_is_coverage(gaps: tuple[Gap, ...], line: str) -> None:
    assert shown(history(span("Running", "14:00"), gaps=gaps))[1] == line


def test_a_gap_is_counted_within_the_range() -> None:
    answer = history(gaps=(gap(None, "13:00"),), range=TimeRange(at("12:00"), at("14:00")))

    assert "1 gap, 1h in all" in shown(answer)[1]


def test_the_table_has_gaps_where_they_fall() -> None:
    answer = history(
        span("Starting", "14:00", "14:10"), span("Running", "14:10", "16:00", 3), gaps=(gap("15:00", "15:10"),)
    )

    assert shown(answer)[3:] == [
        "STATE          SINCE                 UNTIL                 DURATION  EVENTS  NOTE",
        "Starting       2026-11-20 14:00:00Z  2026-11-20 14:10:00Z       10m       1",
        "Running        2026-11-20 14:10:00Z  2026-11-20 15:00:00Z       50m       3",
        "(not watched)  2026-11-20 15:00:00Z  2026-11-20 15:10:00Z       10m       -  connection lost",
        "Running?       2026-11-20 15:10:00Z  2026-11-20 16:00:00Z       50m       -  last known",
    ]


def test_two_gaps_in_one_state() -> None:
    answer = history(span("Running", "14:00"), gaps=(gap("15:00", "15:10"), gap("16:00", "16:10")))

    assert states(answer) == [
        ("Running", "14:00", "15:00"),
        ("(not watched)", "15:00", "15:10"),
        ("Running?", "15:10", "16:00"),
        ("(not watched)", "16:00", "16:10"),
        ("Running?", "16:10", "-"),
    ]


def test_gaps_of_two_streams_that_overlap() -> None:
    answer = history(span("Running", "14:00"), gaps=(gap("15:00", "15:30"), gap("15:10", "15:20")))

    assert states(answer) == [
        ("Running", "14:00", "15:00"),
        ("(not watched)", "15:00", "15:30"),
        ("(not watched)", "15:10", "15:20"),
        ("Running?", "15:30", "-"),
    ]


def test_a_state_that_ends_with_a_gap_comes_back_with_the_next_event() -> None:
    answer = history(span("Running", "14:00", "15:10"), span("Stopped", "15:10"), gaps=(gap("15:00", "15:10"),))

    assert states(answer) == [
        ("Running", "14:00", "15:00"),
        ("(not watched)", "15:00", "15:10"),
        ("Stopped", "15:10", "-"),
    ]


def test_what_was_seen_again_behind_a_gap_is_known() -> None:
    answer = history(
        span("Running", "14:00")._replace(seen=(at("15:11"),)), gaps=(gap("15:00", "15:10"), gap("16:00", "16:10"))
    )

    assert states(answer) == [
        ("Running", "14:00", "15:00"),
        ("(not watched)", "15:00", "15:10"),
        ("Running", "15:10", "16:00"),
        ("(not watched)", "16:00", "16:10"),
        ("Running?", "16:10", "-"),
    ]
    assert shown(answer)[6].endswith("seen again at 15:11:00 UTC")


def test_what_was_seen_again_behind_the_last_gap_is_so() -> None:
    seen = span("Running", "14:00")._replace(seen=(at("15:11"),))

    assert headline(seen, gaps=(gap("15:00", "15:10"),)).startswith("container web-1 is Running since 14:00:00")


def test_what_began_in_a_gap_is_known_from_when_it_was_seen_behind_it() -> None:
    answer = history(span("Running", "14:00")._replace(seen=(at("14:40"),)), gaps=(gap("13:50", "14:30"),))

    assert states(answer) == [
        ("(not watched)", "13:50", "14:30"),
        ("Running?", "14:00", "14:30"),
        ("Running", "14:30", "-"),
    ]


def test_an_end_is_an_end_whoever_was_watching_later() -> None:
    answer = history(span("removed", "14:00"), gaps=(gap("15:00", "15:10"),))

    assert states(answer) == [
        ("removed", "14:00", "15:00"),
        ("(not watched)", "15:00", "15:10"),
        ("removed", "15:10", "-"),
    ]


def test_what_is_dated_by_the_second_is_no_older_than_the_session_that_heard_it() -> None:
    began = Gap("wss://x", at("13:00"), at("14:00") + timedelta(milliseconds=300), "before", "before")

    assert states(history(span("Running", "14:00"), gaps=(began,)))[1] == ("Running", "14:00", "-")


def test_an_open_gap_ends_the_timeline() -> None:
    assert states(history(span("Running", "14:00"), gaps=(gap("15:00", None),)))[-1] == ("(not watched)", "15:00", "-")


def test_an_event_out_of_an_unwatched_time_is_not_certain_for_long() -> None:
    answer = history(span("Running", "14:00", "15:00"), gaps=(gap(None, "14:30", "not started"),))

    assert states(answer) == [("(not watched)", "-", "14:30"), ("Running?", "14:00", "15:00")]


def test_imported_states_of_which_nobody_knows_whether_anybody_was_watching() -> None:
    answer = history(
        span("Starting", "14:00", "14:02"), span("Running", "14:02"), gaps=(gap("14:00", None, "imported"),)
    )

    assert states(answer) == [
        ("Starting?", "14:00", "14:02"),
        ("(not watched)", "14:00", "-"),
        ("Running?", "14:02", "-"),
    ]


def test_what_explains_a_state_stands_beside_it() -> None:
    answer = history(Span("exited (137)", at("14:00"), None, 1, note="out of memory"))

    assert shown(answer)[-1].endswith("out of memory")


def test_an_observed_state_is_marked() -> None:
    answer = history(Span("Running", at("14:00"), None, 0, observed=True))

    assert shown(answer)[-1].endswith("observed")


def test_json_is_the_contract() -> None:
    answer = history(
        span("Starting", "14:00", "14:10"),
        span("Running", "14:10", None, 2),
        gaps=(gap("15:00", None),),
        range=TimeRange(at("13:00"), None),
    )

    assert json.loads("\n".join(shown(answer, "json"))) == {
        "resource": {"uri": WEB.uri, "type": "container", "name": "web-1", "parents": ["/api/v1/service/s/"]},
        "range": {"since": "2026-11-20T13:00:00Z", "until": None},
        "coverage": {
            "complete": False,
            "seen_to": None,
            "gaps": [
                {
                    "from": "2026-11-20T15:00:00Z",
                    "to": None,
                    "reason": "connection lost",
                    "kind": "lost",
                    "stream": "wss://x",
                    "proven": False,
                }
            ],
        },
        "empty": None,
        "notes": [],
        "spans": [
            {
                "state": "Starting",
                "since": "2026-11-20T14:00:00Z",
                "until": "2026-11-20T14:10:00Z",
                "seconds": 600,
                "events": 1,
                "source": "event",
                "certain": None,
                "seen_at": None,
                "cause": None,
            },
            {
                "state": "Running",
                "since": "2026-11-20T14:10:00Z",
                "until": None,
                "seconds": None,
                "events": 2,
                "source": "event",
                "certain": None,
                "seen_at": None,
                "cause": None,
            },
        ],
    }


@pytest.mark.parametrize("format", ["plain", "csv", "jsonl"])
def test_other_formats_hold_the_spans_alone(format: Format) -> None:
    lines = shown(history(span("Running", "14:00", "14:10"), gaps=(gap("15:00", None),)), format)

    assert len(lines) == (2 if format == "csv" else 1)
    assert "600" in lines[-1]


def test_microseconds_are_kept_for_programs() -> None:
    half = Span("Running", at("14:00"), at("14:00") + timedelta(milliseconds=500), 1)

    assert shown(history(half), "plain") == ["Running\t2026-11-20T14:00:00Z\t2026-11-20T14:00:00.500000Z\t0.5\t1\t-"]


def test_hostile_names_states_and_reasons_are_harmless() -> None:
    evil = "\x1b[2J\u202e"
    answer = History(
        Resource(1, "/x/", evil, "k", evil),
        TimeRange(),
        Coverage((Gap(None, at("15:00"), None, evil),)),
        (Span(evil, at("14:00"), None, 1),),
    )

    assert not set("".join(shown(answer))) & set(evil[0] + evil[-1])


def test_colour_is_for_states() -> None:
    assert "is \x1b[32mRunning\x1b[0m since" in shown(history(span("Running", "14:00")), color=True)[0]
