"""Every listing, in every format."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from archiver.cli.listing import tables
from archiver.cli.listing.columns import Column
from archiver.cli.listing.cutting import cut, width
from archiver.cli.listing.output import render
from archiver.cli.listing.widths import narrowed
from archiver.cli.presentation import Format, Presentation, make_presentation, wants_color
from archiver.cli.words.states import state_style
from archiver.cli.writing import write_lines
from archiver.codec.visible import short_reference
from archiver.errors import CannotWrite

AT = datetime(2026, 11, 20, 14, 0, 0, tzinfo=UTC)
UUID = "0fc9f01d-a726-48c7-a9c2-9e34918ddf4a"
HOSTILE = "\x1b]0;owned\x07\u202e\x9b\x7f"


@dataclass(frozen=True)
class Thing:
    uri: str
    state: str | None = "Running"
    at: datetime | None = AT
    parents: tuple[str, ...] = ()
    count: int = 1


COLUMNS: list[Column[Thing]] = [
    Column("uri", lambda thing: thing.uri, lambda presentation, thing: presentation.uri(thing.uri)),
    Column("state", lambda thing: thing.state, style=lambda thing: state_style(thing.state)),
    Column("at", lambda thing: thing.at),
    Column("parents", lambda thing: thing.parents, table=False),
    Column("count", lambda thing: thing.count, right=True),
    Column("remark", lambda thing: "x", machine=False),
]


def shown(format: Format, *things: Thing, **options: object) -> list[str]:
    return list(render(Presentation(format, now=AT)._replace(**options), COLUMNS, things))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        ("container/0fc9f01d", 18, "container/0fc9f01d"),
        ("container/0fc9f01d", 11, "conta…9f01d"),
        ("container/0fc9f01d", 12, "co…/0fc9f01d"),
        ("container web-2", 12, "conta… web-2"),
        ("cache  service/830e07bc", 20, "cache  ser…/830e07bc"),
        ("日本語日本語", 7, "日…語"),
        ("日本語日本語", 8, "日…本語"),
    ],
)
def test_what_is_too_long_keeps_its_beginning_and_its_end(text: str, room: int, shown: str) -> None:
    assert cut(text, room) == shown
    assert width(cut(text, room, ascii=True)) <= room


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (24, "2026-11-27 12:49:11.670Z"),
        (23, "2026-11-27 12:49:11Z"),
        (19, "…11-27 12:49:11Z"),
        (15, "…11-27 12:49:11"),
        (14, "…12:49:11Z"),
        (9, "…12:49:11"),
        (8, "…12:49"),
    ],
)
def test_an_instant_that_is_too_long_keeps_its_clock(room: int, shown: str) -> None:
    assert cut("2026-11-27 12:49:11.670Z", room) == shown
    assert width(cut("2026-11-27 12:49:11.670+05:30", room, ascii=True)) <= room


@pytest.mark.parametrize(
    ("widths", "room", "fitting"),
    [
        ([10, 20, 30], 64, [10, 20, 30]),
        ([10, 20, 30], 60, [10, 20, 26]),
        ([10, 40, 40], 60, [10, 23, 23]),
        ([10, 20, 30], 5, [8, 8, 8]),
        ([3, 4], 1, [3, 4]),
    ],
)
def test_widest_columns_give_way_first(widths: list[int], room: int, fitting: list[int]) -> None:
    assert narrowed(widths, room) == fitting


@pytest.mark.parametrize(
    ("widths", "room", "fitting"),
    [([25, 25, 30], 74, [25, 25, 20]), ([25, 25, 30, 9], 70, [16, 16, 23, 9]), ([25, 25], 74, [25, 25])],
)
def test_instants_give_way_when_nothing_else_can_be_read_otherwise(
    widths: list[int], room: int, fitting: list[int]
) -> None:
    assert narrowed(widths, room, instants=(0, 1)) == fitting


@pytest.mark.parametrize(
    ("widths", "room", "fitting"),
    [([21, 16, 40], 80, [21, 16, 39]), ([21, 40, 30], 80, [21, 40, 15]), ([21, 30, 20, 20], 62, [10, 22, 12, 12])],
)
def test_what_a_row_is_about_gives_way_last(widths: list[int], room: int, fitting: list[int]) -> None:
    assert narrowed(widths, room, instants=(0,), subjects={1: 20}) == fitting


def test_a_table_is_aligned_with_numbers_to_the_right() -> None:
    assert shown("table", Thing("/a/", count=5), Thing("/abc/", None, None, count=10)) == [
        "URI    STATE    AT                    COUNT  REMARK",
        "/a/    Running  2026-11-20 14:00:00Z      5  x",
        "/abc/  -        -                        10  x",
    ]


def test_wide_characters_take_two_cells() -> None:
    _, first, second = shown("table", Thing("日本"), Thing("ab"))

    assert first.startswith("日本  Running")
    assert second.startswith("ab    Running")


def test_an_empty_table_is_nothing() -> None:
    assert shown("table") == []


def test_colour_does_not_move_the_columns() -> None:
    plain, painted = (shown("table", Thing("/a/"), Thing("/b/", "Stopped"), color=color)[1] for color in (False, True))

    assert "\x1b[32mRunning\x1b[0m" in painted
    assert painted.replace("\x1b[32m", "").replace("\x1b[0m", "") == plain


def test_a_short_view_cuts_keys_to_what_is_still_a_reference() -> None:
    assert shown("table", Thing(f"/api/v1/container/{UUID}/"), short=True)[1].startswith("container/0fc9f01d  ")


@pytest.mark.parametrize(
    ("uri", "short"),
    [
        (f"/api/app/v1/me/container/{UUID}/", "container/0fc9f01d"),
        ("/docker/container/" + "ab" * 32, "container/abababababab"),
        ("/api/v1/image/tutum.co/me/style-guide/", "/api/v1/image/tutum.co/me/style-guide/"),
        ("/docker/v1/volume/web-data/", "volume/web-data"),
        ("/docker/v1/service/x7k2p0q9v8s4m1n6b3c5z7l2d/", "service/x7k2p0q9v8s4"),
        (f"/docker/v1/image/OW7V:SNVK:2MTM.sha256:{'cd' * 32}/", "image/cdcdcdcdcdcd"),
        ("/docker/v1/volume/a%20b/", "/docker/v1/volume/a%20b/"),
        ("", ""),
    ],
)
def test_short_references(uri: str, short: str) -> None:
    assert short_reference(uri) == short


def test_plain_is_one_record_a_line_in_utc_with_nothing_cut() -> None:
    assert shown("plain", Thing(f"/api/v1/container/{UUID}/", None, parents=("/a/", "/b/")), short=True) == [
        f"/api/v1/container/{UUID}/\t-\t2026-11-20T14:00:00Z\t/a/,/b/\t1"
    ]


def test_json_lines_have_the_machine_values() -> None:
    (line,) = shown("jsonl", Thing("/a/", None, None, ("/b/",)))

    assert json.loads(line) == {"uri": "/a/", "state": None, "at": None, "parents": ["/b/"], "count": 1}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_array(count: int) -> None:
    things = [Thing(f"/{number}/") for number in range(count)]

    assert [record["uri"] for record in json.loads("\n".join(shown("json", *things)))] == [t.uri for t in things]


def test_csv_can_be_read_back() -> None:
    text = "\n".join(shown("csv", Thing('a "b", c', parents=("/a/", "/b/"))))

    assert list(csv.DictReader(io.StringIO(text))) == [
        {"uri": 'a "b", c', "state": "Running", "at": "2026-11-20T14:00:00Z", "parents": "/a/ /b/", "count": "1"}
    ]


def test_csv_holds_no_formula() -> None:
    assert shown("csv", Thing("=1+1"))[1].startswith("'=1+1,")


@pytest.mark.parametrize("format", ["table", "plain", "json", "jsonl", "csv"])
def test_hostile_text_is_harmless_in_every_format(format: Format) -> None:
    text = "\n".join(shown(format, Thing(HOSTILE, HOSTILE)))

    assert text.isascii()
    assert text.replace("\n", "").isprintable() or format == "plain"
    assert not set(text) & set("\x1b\x07\x7f")


@pytest.mark.parametrize("format", ["table", "plain", "json", "jsonl", "csv"])
def test_a_listing_streams(format: Format) -> None:
    taken = 0

    def endless() -> Iterator[Thing]:
        nonlocal taken
        while True:
            taken += 1
            yield Thing("/a/")

    lines = render(Presentation(format, AT), COLUMNS, endless())
    for _ in range(5000):
        next(lines)

    assert taken <= 5000 + tables.MEASURED_ROWS


def test_a_table_that_is_followed_does_not_wait_for_more_rows() -> None:
    def one_and_no_more() -> Iterator[Thing]:
        yield Thing("/a/")
        raise AssertionError("asked for more than it needs")

    lines = render(Presentation("table", AT), COLUMNS, one_and_no_more(), measure=1)

    assert [next(lines)[:3], next(lines)[:3]] == ["URI", "/a/"]


@pytest.mark.parametrize(
    ("environment", "terminal", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"TERM": "dumb"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"CLICOLOR_FORCE": "0"}, False, False),
    ],
)
def test_who_gets_colour(
    environment: dict[str, str], terminal: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert wants_color("auto", terminal) is expected
    assert wants_color("always", terminal) is True
    assert wants_color("never", terminal) is False


def test_a_pipe_gets_plain_text_in_utc() -> None:
    presentation = make_presentation(None, out=io.StringIO())

    assert (presentation.format, presentation.zone, presentation.color, presentation.short) == (
        "plain",
        UTC,
        False,
        False,
    )


def test_a_terminal_gets_a_table_in_local_time() -> None:
    leader, follower = os.openpty()
    with os.fdopen(leader, "rb"), os.fdopen(follower, "w") as terminal:
        presentation = make_presentation(None, out=terminal)
        in_utc = make_presentation(None, utc=True, out=terminal)

    assert (presentation.format, presentation.zone, presentation.short) == ("table", None, True)
    assert in_utc.zone is UTC


def test_a_closed_output_is_said() -> None:
    closed = io.StringIO()
    closed.close()

    with pytest.raises(CannotWrite, match="closed"):
        write_lines(["x"], closed)


def test_lines_are_counted() -> None:
    assert write_lines(["a", "b"], io.StringIO()) == 2
