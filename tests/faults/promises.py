"""The one checker: what was spooled is archived once, nothing is invented, and the ledger covers the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from archiver.storage import migrate
from tests.acceptance.recording import BATCH, numbered, rows

SLACK = 1.0
"""Seconds: what was said just before a crash may have been on its way."""
_EVENTS = """SELECT e.id, l.extra, l.type, l.action, l.state, l.uri, l.uuid, e.session_id
    FROM events e JOIN event_log l ON l.id = e.id WHERE e.id > {} ORDER BY e.id"""
_GAPS = "SELECT since_us, until_us FROM gap_log ORDER BY since_us"


class Told(NamedTuple):
    """An event as the archive has it."""

    number: int
    session: int | None


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
        for number, extra, *said, session in rows(self._url, _EVENTS.format(self._last)):
            self._last = number
            event = json.loads(extra) if extra else {}
            if "n" in event:
                self.found.append(Told(event["n"], session))
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
    gaps = [
        (since / 1e6 - SLACK, float("inf") if until is None else until / 1e6 + SLACK)
        for since, until in rows(url, _GAPS)
    ]
    sessions: dict[int, set[int | None]] = {}
    for told in found:
        sessions.setdefault(told.number, set()).add(told.session)
    for before, after in pairwise(sorted(sessions)):
        if after == before + 1:
            continue
        if sessions[before] & sessions[after]:
            yield f"{before + 1} to {after - 1} are missing within one session"
        for batch in range(before // BATCH, (after - 2) // BATCH + 1) if by_time else ():
            began, ended = sent.moments[min(batch, len(sent.moments) - 1)]
            if not any(since <= ended and began <= until for since, until in gaps):
                yield f"{before + 1} to {after - 1} are missing, and of {began:.3f} the ledger says: watched"
                break
    last = max(sessions, default=0)
    if sent.heard and last < max(sent.heard):
        yield f"the last that was sent, {max(sent.heard)}, is not archived, only {last}"
