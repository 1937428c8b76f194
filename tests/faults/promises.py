"""The one checker: what was spooled is archived once, nothing is invented, and the ledger covers the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from archiver.storage import migrate
from tests.acceptance.recording import BATCH, numbered, rows

SLACK = 5.0
"""Seconds: what is said may be on its way for so long, on a busy machine."""
_EVENTS = """SELECT e.id, l.extra, l.type, l.action, l.state, l.uri, l.uuid, e.session_id, e.received_at
    FROM events e JOIN event_log l ON l.id = e.id WHERE e.id > {} ORDER BY e.id"""
_NEVER = 1 << 62
_GAPS = "SELECT since_us, until_us FROM gap_log ORDER BY since_us"


class Told(NamedTuple):
    """An event as the archive has it."""

    number: int
    session: int | None
    received_at: int


class Tally:
    """All numbered events of an archive, read as it grows."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._last = 0
        self.found: list[Told] = []
        """In the order of archiving."""
        self.invented: list[str] = []
        """What no platform has said, as the archive has it."""

    def read(self) -> list[Told]:
        """Everything that is archived now; nothing while there are no tables."""
        if not self._last and migrate.is_missing(self._url):
            return self.found
        for number, extra, *said, session, received_at in rows(self._url, _EVENTS.format(self._last)):
            self._last = number
            event = json.loads(extra) if extra else {}
            if "n" in event:
                self.found.append(Told(event["n"], session, received_at))
                if said != _said(event["n"]) or set(event) - {"n", "parents"}:
                    self.invented.append(f"event {event['n']} says {said}")
        return self.found

    def forget(self) -> None:
        """The archive is another one now."""
        self._last, self.found, self.invented = 0, [], []


def _said(number: int) -> list[Any]:
    event = json.loads(numbered(number))
    return [event["type"], event["action"], event["state"], event["resource_uri"], event.get("uuid")]


class Sent(NamedTuple):
    """What the platform said."""

    heard: set[int]
    """What went to a client, by number."""
    moments: Sequence[tuple[float, float]]
    """When each batch was said, as far as this is of use."""


def broken(url: str, tally: Tally, expected: set[int], sent: Sent, *, most: int = 1, by_time: bool = True) -> list[str]:
    """Which promises are broken, in words; none, if all hold.

    `expected`: what was seen in spool or archive before. `most`: how often one event may be there. `by_time`: whether
    the clocks of daemon and platform agree.
    """
    found = tally.read()
    numbers = [told.number for told in found]
    there = set(numbers)
    return [
        *_listed("spooled, and not archived", expected - there),
        *_listed("archived more than once", _repeated(numbers, most)),
        *_listed("archived, and never sent", there - sent.heard),
        *tally.invented[:5],
        *_out_of_order(numbers, most),
        *_uncovered(url, found, sent, by_time=by_time),
        *(f"db check: {problem}" for problem in migrate.check(url)),
    ]


def _listed(what: str, numbers: set[int]) -> Iterator[str]:
    if numbers:
        yield f"{what}: {len(numbers)} events, {sorted(numbers)[:5]} ..."


def _repeated(numbers: Sequence[int], most: int) -> set[int]:
    counts: dict[int, int] = {}
    for number in numbers:
        counts[number] = counts.get(number, 0) + 1
    return {number for number, count in counts.items() if count > most}


def _out_of_order(numbers: Sequence[int], most: int) -> Iterator[str]:
    if most == 1 and numbers != sorted(numbers):
        before, after = next((a, b) for a, b in pairwise(numbers) if b < a)
        yield f"out of order: {after} was archived after {before}"


def _uncovered(url: str, found: Sequence[Told], sent: Sent, *, by_time: bool) -> Iterator[str]:
    """What is missing must lie between two sessions, in a gap."""
    gaps = [(since / 1e6, (until or _NEVER) / 1e6) for since, until in rows(url, _GAPS)]
    told = {one.number: one for one in found}
    for before, after in pairwise(sorted(told)):
        if after > before + 1:
            why = _not_covered(told[before], told[after], gaps, sent.moments if by_time else ())
            yield from (f"{before + 1} to {after - 1} are missing{reason}" for reason in why)
    last = max(told, default=0)
    if sent.heard and last < max(sent.heard):
        yield f"the last that was sent, {max(sent.heard)}, is not archived, only {last}"


def _not_covered(
    before: Told, after: Told, gaps: Sequence[tuple[float, float]], moments: Sequence[tuple[float, float]]
) -> Iterator[str]:
    if before.session == after.session:
        yield " within one session"
    if not moments:
        return
    between = [
        (since, until)
        for since, until in gaps
        if since <= after.received_at / 1e6 and before.received_at / 1e6 <= until
    ]
    if not between:
        yield ", and between those beside them the ledger has no gap"
    for batch in range(before.number // BATCH, (after.number - 2) // BATCH + 1):
        began, ended = moments[min(batch, len(moments) - 1)]
        if not any(since - SLACK <= ended and began <= until + SLACK for since, until in gaps):
            yield f", and of {began:.3f} the ledger says: watched"
            return
