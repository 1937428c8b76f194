"""Lanes on a terminal: the worst of each column, nothing where nobody was watching, as wide as there is room."""

from __future__ import annotations

import re
from datetime import UTC

import pytest

from archiver.cli.answers import lanes as drawing
from archiver.cli.listing.cutting import width
from archiver.cli.presentation import Presentation
from archiver.model import Lanes

from .lanes import action, at, gap, lane, lanes, span
from .test_report_page import HOSTILE


def shown(
    picture: Lanes, room: int = 62, *, most: int | None = None, color: bool = False, ascii: bool = False
) -> list[str]:
    how = Presentation("table", zone=UTC, now=at(100), color=color, ascii=ascii)
    return list(drawing.lines(how, picture, room, most=most))


def strip(lines: list[str], name: str) -> str:
    """What is drawn of a lane, of fifty columns: two minutes in each."""
    found = next(line for line in lines if line.strip().startswith(name))
    return found[12:]


def test_each_kind_has_its_sign_and_the_legend_says_which() -> None:
    spans = (span("created", 0, 20), span("running", 20, 60), span("exited (1)", 60, 80), span("removed", 80))
    lines = shown(lanes(lane("web", *spans)))
    assert strip(lines, "web") == "┅" * 10 + "━" * 20 + "▼" + "╳" * 9 + "·" * 10
    assert lines[-1] == "━ up   ┅ starting   ╳ down   · gone   ▼ exit"


def test_in_ascii_there_are_no_other_characters() -> None:
    lines = shown(lanes(lane("web", span("created", 0, 20), span("running", 20)), gaps=(gap(40, 60),)), ascii=True)
    assert strip(lines, "web") == "~" * 10 + "=" * 10 + ":" * 10 + "?" * 20
    assert "\n".join(lines).isascii()


def test_nothing_is_drawn_through_a_gap_and_behind_it_is_what_was_known_last() -> None:
    lines = shown(lanes(lane("web", span("running", 0)), gaps=(gap(20, 40),)))
    assert strip(lines, "web") == "━" * 10 + "░" * 10 + "?" * 30
    assert lines[1] == "nobody was watching for 1 gap, 20m in all: connection lost"


def test_a_crash_of_a_moment_and_an_action_are_seen() -> None:
    spans = (span("running", 0, 50), span("exited (137)", 50, 50.01, note="out of memory"), span("running", 50.01))
    lines = shown(lanes(lane("web", *spans, actions=(action("kill", 90),))))
    assert strip(lines, "web") == "━" * 25 + "!" + "━" * 19 + "┿" + "━" * 4


def test_colours_are_those_of_states_and_only_where_they_are_wanted() -> None:
    picture = lanes(lane("web", span("running", 0, 50), span("exited (1)", 50)))
    coloured = shown(picture, color=True)
    assert "\x1b[32m" + "━" * 25 + "\x1b[0m" in "\n".join(coloured)
    assert [re.sub("\x1b\\[[0-9;]*m", "", line) for line in coloured] == shown(picture)


@pytest.mark.parametrize("room", [40, 62, 80, 200])
def test_no_line_is_wider_than_the_terminal(room: int) -> None:
    found = [lane(name, span("running", 0), key=name, depth=9) for name in (*HOSTILE, "名" * 40)]
    assert max(map(width, shown(lanes(*found, gaps=(gap(3, 4, HOSTILE[0]),)), room))) <= room


def test_hostile_names_do_not_act_on_the_terminal() -> None:
    text = "\n".join(shown(lanes(*(lane(name, span(name[:99], 0), key=name) for name in HOSTILE)), 200))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028]", text)


def test_what_has_no_room_is_counted() -> None:
    many = lanes(*(lane(f"web-{number}", span("running", 0), key=f"{number}") for number in range(20)))
    assert shown(many, most=5)[-1] == "... 16 more"


def test_a_picture_of_nothing_says_so_in_its_head() -> None:
    assert shown(lanes()._replace(lanes=()))[1:] == ["watched throughout"]
