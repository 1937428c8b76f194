"""A little of `make faults`, and the eyes of its checker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from archiver.model import Event, Message, Record
from archiver.platforms.decoders import decode

from ..faults.promises import Sent, Tally, broken
from ..integration.archives import SECOND, START, STREAM, closed, micros, opened, record
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
