"""A little of `make faults`, and the eyes of its checker."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from archiver.model import Event, Message, Record
from archiver.platforms.decoders import decode

from ..faults.canary import CARRIERS, Canary
from ..faults.fault import FAULTS, SHORT
from ..faults.promises import Sent, Tally, broken
from ..faults.server import running_server
from ..faults.trace import Disk, Step
from ..faults.trying import load_all, tried
from ..integration.archives import SECOND, START, STREAM, closed, micros, opened, record
from ..pgcluster import NO_BINARIES
from .recording import numbered

HEARD = Sent(set(range(1, 201)), [(START / SECOND + second, START / SECOND + second) for second in range(0, 40, 10)])
"""Four batches of fifty, each at an instant, of which the third is for nobody."""


def told(number: int, session: str, text: str | None = None) -> Event:
    second = (number - 1) // 50 * 10
    event = decode(Message(STREAM, session, "tutum", micros(second), (text or numbered(number)).encode()))
    assert isinstance(event, Event)
    return event


def events(session: str, *numbers: int) -> list[Record]:
    return [told(number, session) for number in numbers]


def sound() -> list[Record]:
    """Everything but the third batch, which fell into a gap."""
    first, second = events("a", *range(1, 101)), events("b", *range(151, 201))
    return [opened("a", -1), *first, closed("a", 10), opened("b", 29), *second, closed("b", 40)]


def judged(url: str, records: Sequence[Record], **more: Any) -> list[str]:
    record(url, *records)
    expected = set(range(1, 101)) | set(range(151, 201)) | more.get("expected", set())
    return broken(url, Tally(url), expected, HEARD)


def test_the_checker_is_content_with_what_is_well(database_url: str) -> None:
    assert judged(database_url, sound()) == []


@pytest.mark.parametrize(
    ("records", "expected", "said"),
    [
        (sound(), {120}, "spooled, and not archived: 1 events"),
        ([*sound(), told(200, "b")], set(), "archived more than once: 1 events"),
        ([*sound(), told(777, "b")], set(), "archived, and never sent: 1 events"),
        ([*sound(), told(199, "b"), told(198, "b")], set(), "out of order: 198 was archived after"),
        ([told(2, "a", numbered(2).replace("Running", "Gone")), *sound()], set(), "event 2 says"),
        ([item for item in sound() if item != told(50, "a")], set(), "50 to 50 are missing within one session"),
        (
            [opened("b", 8), *(item for item in sound() if item != opened("b", 29))],
            set(),
            "of 1454328020.000 the ledger says: watched",
        ),
        (sound()[:100], set(), "the last that was sent, 200, is not archived"),
    ],
)
def test_the_checker_sees_each_broken_promise(
    records: Sequence[Record], expected: set[int], said: str, sqlite_url: str
) -> None:
    assert said in "; ".join(judged(sqlite_url, records, expected=expected))


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_login_is_seen_wherever_it_stands_but_where_it_is_carried(carrier: str, tmp_path: Path) -> None:
    canary = Canary(tmp_path, random.Random(1))
    given = canary.environment("ws://127.0.0.1:1/v1/events", carrier)
    stands = {name: text.encode() for name, text in given.items() if name not in ("HOME", "ARCHIVER_AUTH")}
    for path in tmp_path.rglob("*"):
        if path.is_file():
            stands[path.name] = path.read_bytes()
    told = {text: text.encode() for text in (*canary.told(), canary.header, canary.header.encode().hex())}
    paths = {"ARCHIVER_TOKEN_FILE", "CREDENTIALS_DIRECTORY", "ARCHIVER_USER", "TUTUM_USER", "DOCKERCLOUD_USER"}
    harmless = paths | {"DOCKERCLOUD_STREAM_HOST"}

    assert canary.places(tmp_path, {"nothing": b"somebody's log"}) == []
    assert canary.places(tmp_path, stands) == sorted(stands.keys() - harmless)
    assert canary.places(tmp_path, told) == sorted(told)
    (tmp_path / "log").write_text(canary.header)
    assert canary.places(tmp_path, {}) == ["log"]


@pytest.mark.parametrize(
    ("name", "database"), [("power lost", "sqlite"), ("clock set", "sqlite"), ("server power lost", "postgresql")]
)
def test_a_little_of_a_fault_holds(name: str, database: str) -> None:
    load_all()
    with running_server() if database == "postgresql" else nullcontext() as server:
        if database == "postgresql" and server is None:
            pytest.skip(NO_BINARIES)
        outcome = tried(FAULTS[name], database, 1, SHORT, server)
    if outcome.verdict == "not tried":
        pytest.skip(f"NOT TESTED: {name}; {outcome.said}")
    assert outcome.verdict == "holds", outcome.said


def test_a_file_keeps_what_it_holds_under_another_name_and_the_room_it_was_given(tmp_path: Path) -> None:
    disk = Disk({"d/old": b"kept"})
    for step in (
        Step("G", "d/old", 6, b""),
        Step("L", "d/old", 0, b"d/new"),
        Step("U", "d/old", 0, b""),
    ):
        disk.do(step)

    disk.image(tmp_path, random.Random(1), "kept")

    assert [(one.name, one.read_bytes()) for one in (tmp_path / "d").iterdir()] == [("new", b"kept\0\0")]


def test_what_was_not_synced_may_be_lost_when_the_power_goes(tmp_path: Path) -> None:
    disk, dice = Disk(), random.Random(1)
    for step in (
        Step("C", "/d/f", 0, b""),
        Step("W", "/d/f", 0, b"safe"),
        Step("B", "/d/f", 1, b"f"),
        Step("W", "/d/f", 4, b" or not"),
        Step("S", "/d/f", 1, b"f"),
        Step("W", "/d/marks", 0, b"7 8 "),
    ):
        disk.do(step)
    found = set()
    for fate in ("lost", "kept"):
        disk.image(tmp_path, dice, fate)
        found.add((tmp_path / "f").read_bytes())

    assert found == {b"safe", b"safe or not"}
    assert bytes(disk.promised).split() == [b"7", b"8"]
    assert not (tmp_path / "marks").exists()
