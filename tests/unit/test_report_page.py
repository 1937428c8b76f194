"""A page carries all of a picture in little room, says it without a script too, and no name does anything in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

from archiver.model import EPOCH, Cause, Lane, Lanes, Proof
from archiver.report.html import news, page
from archiver.report.trace import trace

from .lanes import action, at, gap, lane, lanes, span

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\"onload='alert(1)' x=",
    "]]>&lt;b&gt;",
    "\u202eevil\u2066",
    "a\x00b\x1b[31m",
    "\u2028line",
    "long" * 2_560,
)


def whole(picture: Lanes) -> str:
    return "".join(page(picture, now=at(100)))


def carried(text: str) -> Any:
    found = re.search(r'<script type="application/json" id="picture">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def numbers(packed: str) -> Iterator[int]:
    value = shift = 0
    for byte in base64.b64decode(packed):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield value
            value = shift = 0


def unpacked(told: Any) -> list[list[tuple[str, int, int, bool]]]:
    """Of each lane the pieces: state, from and to in minutes, whether certain."""
    rest, found = numbers(told["pieces"]), []
    for _ in told["lanes"]:
        reached, pieces = told["since"], []
        for _ in range(next(rest)):
            head = next(rest)
            if head & 4:
                next(rest)
            since = reached + (next(rest) if head & 2 else 0)
            reached = since + next(rest)
            ends = [(each - told["since"]) / 60_000 for each in (since, reached)]
            pieces.append((told["states"][head >> 3][0], *ends, not head & 1))
        found.append(pieces)
    return found


def test_a_page_carries_every_piece_of_every_lane() -> None:
    picture = lanes(
        lane("a", span("created", 1, 2), span("running", 2)), lane("b", span("running", 50)), gaps=(gap(20, 30),)
    )
    told = carried(whole(picture))
    assert [each[0] for each in told["lanes"]] == ["shop", "a", "b"]
    assert unpacked(told) == [
        [],
        [("created", 1, 2, True), ("running", 2, 20, True), ("running", 30, 100, False)],
        [("running", 50, 100, True)],
    ]


def test_things_of_one_name_have_the_beginning_of_their_key_behind_it() -> None:
    picture = lanes(*(lane("web", span("running", 0), key=key * 64) for key in "ab"), lane("db", span("running", 0)))
    called = [f"web ({'a' * 12})", f"web ({'b' * 12})", "db"]
    assert [name for name, *_ in carried(whole(picture))["lanes"]] == ["shop", *called]
    events = json.loads("".join(trace(picture, at(100))))["traceEvents"]
    threads = [each["args"]["name"].strip() for each in events if each["name"] == "thread_name"]
    assert [name for name in threads if name.startswith("container")] == [f"container {name}" for name in called]
    plain = whole(picture)
    for name in called[:2]:
        assert plain.count(name) >= 2  # drawn and listed, without a script


def test_an_action_carries_the_ends_that_it_is_proven_to_have_caused() -> None:
    kill = action("kill", 9)
    proof = Proof(kill.uri, "kill", kill.target, None, kill.started_at)
    told, guessed = Cause("told", 137, (proof,)), Cause("told", 0, (proof, proof._replace(uri="/other/")))
    died = span("exited (137)", 10)._replace(cause=told)
    maybe = span("exited (0)", 20)._replace(cause=guessed)
    picture = lanes(lane("a", span("running", 0, 10), died, actions=(kill,)), lane("b", span("running", 0, 20), maybe))
    ((place, name, *_, ends),) = carried(whole(picture))["actions"]
    assert (place, name) == (1, "kill")
    assert ends == [[1, (at(10) - EPOCH) // timedelta(milliseconds=1)]]


def test_what_was_not_watched_is_said_of_the_time_that_is_drawn() -> None:
    told = lane("a", span("running", 0, 50), span("removed", 50))
    over = lanes(told, gaps=(gap(80, None),))
    open_ended = over._replace(range=over.range._replace(until=None))
    assert carried(whole(open_ended))["said"][1] == "watched throughout"
    assert carried(whole(lanes(told, gaps=(gap(80, 90),))))["said"][1].startswith(
        "nobody was watching for 1 gap, 10m in"
    )


def test_a_hundred_thousand_states_are_less_than_a_megabyte() -> None:
    states = ["created", "running", "exited (137)", "running (healthy)", "removed"]
    crowd = [_busy(number, states) for number in range(200)]
    picture = lanes(*crowd, until=700_000)
    text = "".join(page(picture, now=at(700_000)))
    assert sum(len(each.spans) for each in picture.lanes) == 100_000
    assert len(text.encode()) < 1_000_000
    assert sum(map(len, unpacked(carried(text)))) == 100_000


def _busy(number: int, states: list[str]) -> Lane:
    """A lane with 500 states of uneven lengths, from seconds to days."""
    ends = [0.0]
    for each in range(500):
        ends.append(ends[-1] + ((each * 7919 + number * 104_729) % 100_003) / 37)
    spans = [span(states[place % 5], since, until) for place, (since, until) in enumerate(pairwise(ends))]
    return lane(f"shop_web.{number}.aaaaaaaaaaaa", *spans, key=f"{number:064x}")


class Parsed(HTMLParser):
    """What a browser makes of a page, as far as it matters here."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def test_no_name_adds_an_element_or_an_attribute_to_the_page() -> None:
    def parsed(names: list[str]) -> Parsed:
        found = [lane(name, span(name[:200], 0, 50, note=name), key=name, actions=(action(name, 3),)) for name in names]
        return Parsed(whole(lanes(*found, gaps=(gap(60, 70, names[0]),))))

    hostile, tame = parsed(list(HOSTILE)), parsed([f"name{place}" for place in range(len(HOSTILE))])
    assert hostile.tags == tame.tags
    assert [name for name, _ in hostile.attributes] == [name for name, _ in tame.attributes]


def test_nothing_in_a_page_acts_on_a_terminal_or_hides() -> None:
    text = whole(lanes(*(lane(name, span("running", 0), key=name) for name in HOSTILE)))
    shown = carried(text)["lanes"]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028]", text)
    assert max(len(name) for name, *_ in shown) < 400
    assert "\\u202eevil\\u2066" in [name for name, *_ in shown]


def test_a_page_may_run_its_own_script_and_ask_nobody() -> None:
    text = whole(lanes(lane("a", span("running", 0))))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert policy
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    own = " ".join(f"'sha256-{digest}'" for digest in digests)
    assert len(scripts) == 2
    assert policy[1].startswith(f"default-src 'none'; script-src {own}; style-src 'sha256-")
    assert "connect-src" not in policy[1]
    assert not re.findall(r"""(?:src|href)=|url\((?!#)|@import|https?://(?!www\.w3\.org)""", text)


def test_the_lanes_are_drawn_before_what_says_the_same_without_a_script_is_read() -> None:
    text = whole(lanes(lane("web", span("running", 0, 60))))
    assert text.rindex("<script>") < text.index('<section class="said-in-words')


def test_a_live_page_listens_to_its_own_server_and_takes_what_a_page_carries() -> None:
    picture = lanes(lane("a", span("running", 0)))
    text = "".join(page(picture, now=at(100), live="/events?ref=shop"))
    assert "connect-src 'self'" in text
    assert '<body data-live="/events?ref=shop">' in text
    assert json.loads(news(picture, now=at(100))) == carried(text)
    assert "\n" not in news(picture, now=at(100))


# --- without a script -----------------------------------------------------------------------------------------------


def drawing(picture: Lanes) -> xml.Element:
    found = re.search(r'<svg class="still".*?</svg>', whole(picture), re.DOTALL)
    assert found
    return xml.fromstring(found[0])


def test_the_drawing_has_each_kind_the_gaps_the_exits_and_the_actions() -> None:
    crash = (span("running", 0, 10), span("exited (137)", 10, 15, note="out of memory"), span("running", 15))
    picture = drawing(lanes(lane("web", *crash, actions=(action("kill", 9),)), gaps=(gap(40, 60),)))
    strokes = {each.get("stroke") for each in picture.iter("path")} - {None}
    assert strokes == {"url(#up)", "url(#down)"}
    assert [each.get("fill") for each in picture.iter("rect")] == ["url(#hatch)"]
    assert {each.get("class") for each in picture.iter("path")} >= {"exit", "action"}
    assert "OOM" in [each.text for each in picture.iter("text")]


def test_a_crash_of_a_moment_is_in_the_drawing() -> None:
    long = (span("running", 0, 50), span("exited (1)", 50, 50.0001), span("running", 50.0001))
    assert "url(#down)" in {each.get("stroke") for each in drawing(lanes(lane("web", *long))).iter("path")}


def test_the_table_says_how_long_each_was_how() -> None:
    crash = (span("running", 0, 60), span("exited (1)", 60, 90), span("running", 90))
    text = whole(lanes(lane("web", *crash, actions=(action("start", 89),))))
    row = re.search(r'<tr><th scope="row">[^<]*web.*?</tr>', text)
    assert row
    assert re.findall(r"<td[^>]*>(.*?)</td>", row[0]) == [
        *("1h10m", "", "30m", "", "", "1", "", "1"),
        *("running", "2026-11-20 13:30:00"),
    ]


def test_the_heading_says_when_nobody_was_watching() -> None:
    text = whole(lanes(lane("web", span("running", 0)), gaps=(gap(20, 30),)))
    assert "nobody was watching for 1 gap, 10m in all: connection lost" in text
    assert "<li>2026-11-20 12:20:00 to 2026-11-20 12:30:00 (10m)</li>" in text


# --- a trace --------------------------------------------------------------------------------------------------------


def events(picture: Lanes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads("".join(trace(picture, at(100))))["traceEvents"]
    return found


def test_a_trace_has_a_hole_where_nobody_was_watching() -> None:
    found = events(lanes(lane("web", span("running", 0)), gaps=(gap(20, 30),)))
    states = [(each["name"], each["dur"] / 60e6) for each in found if each["ph"] == "X" and each["pid"] == 2]
    assert states == [("running", 20), ("running?", 70)]
    assert [(each["name"], each["dur"] / 60e6) for each in found if each["ph"] == "X" and each["pid"] == 1] == [
        ("nobody was watching", 10)
    ]


def test_a_trace_has_actions_exits_and_the_names_of_the_lanes() -> None:
    crash = (span("running", 0, 10), span("exited (137)", 10, note="out of memory"))
    found = events(lanes(lane("web", *crash, actions=(action("kill", 9, 10),))))
    assert [each["args"]["name"].strip() for each in found if each["name"] == "thread_name"] == [
        "stack shop",
        "container web",
    ]
    assert [(each["ph"], each["name"]) for each in found if each.get("cat") == "action"] == [
        ("b", "kill"),
        ("e", "kill"),
    ]
    assert [each["name"] for each in found if each["ph"] == "i"] == ["out of memory"]
