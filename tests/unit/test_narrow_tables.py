"""Tables on a narrow terminal: what all rows share is said once, what tells a row from others and why stays whole."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from archiver.cli.answers import reports, timeline
from archiver.cli.commands import gaps
from archiver.cli.listing.columns import Column
from archiver.cli.listing.cutting import width, wrapped
from archiver.cli.listing.output import render
from archiver.cli.presentation import Presentation
from archiver.model import Coverage, Gap, History, Resource, Span, TimeRange
from archiver.model.causes import Cause, Proof
from archiver.model.reports import Report, Restart, Restarts, Subject

AT = datetime(2026, 11, 27, 18, 50, 3, 869_000, tzinfo=UTC)
STREAM = "wss://ws.cloud.docker.com:443/api/audit/v1/events"
LOST = "the connection ended without a close frame"
KEYS = ("8857f9a4-3908-4227-a59d-b9165b0ee76f", "f52ddf5d-3908-4227-a59d-b9165b0ee76f")
WORKERS = [Subject(f"/api/v1/container/{key}/", "container", "worker-1") for key in KEYS]


def test_a_line_goes_on_in_the_next_by_cells_and_not_by_characters() -> None:
    text = "接続が失われました 理由は不明です and a-word-that-is-longer-than-a-line"
    for room in range(2, 40):
        lines = wrapped(text, room)
        assert max(map(width, lines)) <= room
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert wrapped("一二三 四五六", 6) == ["一二三", "四五六"]


def on(columns: int | None, **options: Any) -> Presentation:
    return Presentation("table", now=AT + timedelta(hours=1), short=True, columns=columns, **options)


def later(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def report(rows: Iterable[Any], per: Any = None) -> Report:
    return Report("restarts", None, TimeRange(), per, "UTC", Coverage(()), tuple(rows), ())


def restart(number: int, *doers: str, days: int = 0) -> Restart:
    actions = tuple(Proof(f"/api/v1/action/{name}/", name, None, None, AT) for name in doers)
    stopped = later(number) + timedelta(days=days)
    return Restart(WORKERS[number % 2], None, stopped, None, None, Cause("told", None, actions), True)


def shown(columns: int | None, found: Report, **options: Any) -> list[str]:
    lines = list(reports.lines(on(columns, **options), found))
    assert columns is None or max(map(width, lines)) <= columns
    return lines[2:]


def words(lines: Iterable[str]) -> str:
    return " ".join(" ".join(lines).split())


STOPS = report([restart(0, "Node Cluster Scale", "Service Stop"), restart(1, "Container Stop")])


def test_what_took_no_time_is_not_shown_as_unknown() -> None:
    back = restart(0, "Service Stop")._replace(started_at=later(0), down_seconds=0.0)

    assert shown(None, report([back]))[1].split()[2] == "0s"


def test_day_of_all_rows_is_said_once_and_a_column_without_anything_is_left_out() -> None:
    assert shown(80, STOPS) == [
        "all times are of 2026-11-27 UTC",
        "in every row: EXIT -",
        "STOPPED AT          DOWN  WHAT                 CAUSE  ACTION",
        "18:50:03.869  never back  worker-1 (8857f9a4)  told   Node Cluster Scale or",
        "                                                      Service Stop",
        "18:50:04.869  never back  worker-1 (f52ddf5d)  told   Container Stop",
    ]


def test_cause_without_room_beside_stands_whole_below_its_row() -> None:
    assert shown(60, STOPS)[-6:] == [
        "STOPPED AT          DOWN  WHAT                 CAUSE",
        "    ACTION",
        "18:50:03.869  never back  worker-1 (8857f9a4)  told",
        "    Node Cluster Scale or Service Stop",
        "18:50:04.869  never back  worker-1 (f52ddf5d)  told",
        "    Container Stop",
    ]


@pytest.mark.parametrize("columns", [80, 60])
def test_rows_of_several_days_keep_them(columns: int) -> None:
    lines = shown(columns, report([restart(0, "Service Stop"), restart(1, "Service Stop", days=1)]))

    assert not any(line.startswith("all times") for line in lines)
    assert "11-27 18:50" in words(lines) or "…18:50:03" in words(lines)
    assert words(lines).count("Service Stop") == 2


def test_day_is_that_of_the_zone_in_which_times_are_shown() -> None:
    said, *_ = shown(80, STOPS, zone=ZoneInfo("Asia/Tokyo"))

    assert said == "all times are of 2026-11-28 +09:00"


@pytest.mark.parametrize("columns", [None, 120])
def test_table_that_fits_has_every_column_and_every_day(columns: int | None) -> None:
    head, first, _ = shown(columns, STOPS)

    assert head.split("  ")[-2:] == ["EXIT", "ACTION"]
    assert first.startswith("2026-11-27 18:50:03.869Z")


@pytest.mark.parametrize("columns", [80, 60])
def test_name_and_key_stay_whole_beside_counts_and_columns_of_zeros_give_way(columns: int) -> None:
    found = report([Restarts(None, worker, 2, 0, 0, 2, 0, 0, 1.0, 1) for worker in WORKERS], "container")

    said, head, *rows = shown(columns, found)

    assert said.startswith("in every row: ")
    assert {"OOM 0", "TOLD 0"} <= set(said.removeprefix("in every row: ").split(", ")) or columns == 80
    assert [row.split("  ")[0] for row in rows] == ["worker-1 (8857f9a4)", "worker-1 (f52ddf5d)"]
    assert "NEVER BACK" in head
    assert "…" not in words(rows)


@pytest.mark.parametrize("columns", [80, 60])
def test_gap_shorter_than_a_second_can_be_seen(columns: int) -> None:
    gap = Gap(STREAM, AT, later(0.35), LOST, "lost")
    lines = list(render(on(columns), gaps.COLUMNS, [gap, Gap(STREAM, later(12), None, "stopped", "stopped")]))

    assert max(map(width, lines)) <= columns
    assert words(lines).startswith(f"all times are of 2026-11-27 UTC in every row: STREAM {STREAM} SINCE")
    assert "18:50:03.869  18:50:04.219" in words(lines).replace(" 18:50:04", "  18:50:04")
    assert LOST in words(lines)


@pytest.mark.parametrize("columns", [80, 60])
def test_history_keeps_states_seconds_and_notes(columns: int) -> None:
    resource = Resource(1, f"/api/v1/container/{KEYS[0]}/", "container", KEYS[0], "worker-1", ())
    coverage = Coverage((Gap(STREAM, later(6), later(6.35), LOST, "lost"),))
    spans = (Span("Starting", later(0), later(1), 1), Span("Running", later(1), None, 1))

    _, _, _, *lines = timeline.lines(on(columns), History(resource, TimeRange(), coverage, spans))

    assert max(map(width, lines)) <= columns
    assert lines[0] == "all times are of 2026-11-27 UTC"
    assert "(not watched)  18:50:09.869  18:50:10.219     350ms" in "\n".join(lines)
    assert LOST in words(lines)
    assert "…" not in words(lines)


MANY: list[Column[int]] = [
    Column("at", lambda number: later(number)),
    Column("what", lambda number: f"container a-name-that-is-long-{number:04} (8857f9a4)"),
    Column("image", lambda number: "registry.example.org/shop/web:2.1"),
    Column("reason", lambda number: "x", wraps=True),
]


def test_what_may_still_come_with_another_day_keeps_its_own() -> None:
    lines = list(render(on(60), MANY, iter(range(40)), measure=10))

    assert lines[0].startswith("AT")
    assert "2026-11-27 UTC" not in words(lines)


def test_chosen_columns_are_all_shown() -> None:
    fields = ("at", "what", "image")
    head = next(line for line in render(on(60, fields=fields), MANY, range(3)) if line.startswith("AT"))

    assert head.split() == ["AT", "WHAT", "IMAGE"]


def test_type_gives_way_before_a_long_name_and_its_key() -> None:
    *_, row, _ = render(on(50), MANY, range(3))

    assert row.endswith("…a-name-that-is-long-0002 (8857f9a4)")


def test_type_gives_way_before_a_word_of_another_column() -> None:
    shown_in: list[Column[str]] = [
        Column("at", lambda name: AT),
        Column("change", lambda name: "appeared" if name.endswith("north") else "vanished"),
        Column("what", lambda name: f"nodecluster {name}"),
        Column("after", lambda name: f"{name[-5:]} is running now"),
    ]

    *_, row = render(on(70), shown_in, ["worker-of-the-north", "worker-of-the-south"])

    assert re.split("  +", row)[1:] == ["vanished", "nod… worker-of-the-south", "south is running now"]


def test_parts_of_a_second_and_a_type_before_a_key_give_way_before_what_was_done() -> None:
    done: list[Column[int]] = [
        Column("started_at", later),
        Column("action", lambda number: f"Node Cluster Scale {number}"),
        Column("what", lambda number: f"main-{number}  nodecluster/6513270e"),
    ]

    *_, row = render(on(56), done, range(2))

    assert re.split("  +", row) == ["18:50:04", "Node Cluster Scale 1", "main-1", "nod…/6513270e"]
