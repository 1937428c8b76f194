"""Takes stock over the REST API: all objects there are, and the actions that ran since an instant."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from archiver.model import Micros, to_datetime
from archiver.platforms.protocol import Missed
from archiver.platforms.tutum.api import OBJECTS
from archiver.platforms.tutum.listing import Listing, Page
from archiver.platforms.tutum.rest import Question, Rest, RestFailed
from archiver.platforms.tutum.showing import Finding, ended_before, show, show_action

_SECOND = 1_000_000
_MARGIN = 60 * _SECOND
"""Actions are asked for from so much before: clocks differ."""


@dataclass(slots=True)
class Taken:
    """What came of it, as it goes on."""

    failed: list[Missed] = field(default_factory=list)
    """The lists that could not be had whole."""
    refused: bool = False
    """Whether more questions are of no use for a while."""

    @property
    def complete(self) -> bool:
        """Whether all was answered."""
        return not self.failed


class Stock:
    """All that one API has, each time that it is taken; what is known already is sorted out by who records it."""

    def __init__(self, rest: Rest, stop: threading.Event, taken: Taken) -> None:
        self._rest, self._stop, self._taken = rest, stop, taken
        self._keys: dict[str, list[str]] = {}

    def take(self, since: Micros, known_from: Micros) -> Iterator[tuple[Micros, bytes]]:
        """Answers as `codec.observation` reads them, each with the instant at which it was so.

        Actions are asked for that ran since an instant; what was told before `known_from` is to be confirmed.
        Ends early where more questions are of no use. Raises Stopped.
        """
        first: Question | None = None
        yield from self._acted(since, known_from)  # first: what an action names, and is no more, is among the objects
        if self._taken.refused:
            return
        for kind in OBJECTS:
            listing = Listing(self._rest, kind, {}, self._rest.pace.most_objects)
            for page in self._pages(listing):
                findings = [show(self._rest.api, kind, key, row) for key, row in page.rows.items()]
                yield from _payload(page.when, known_from, findings)
            if listing.whole:
                self._keys[kind] = sorted(listing.keys)
                first = first or listing.asked
            if self._taken.refused:
                return
        if first is not None:
            told = {"asked": first.asked, "listed": self._keys}
            yield _told_at(first, known_from), json.dumps(told).encode()

    def _acted(self, since: Micros, known_from: Micros) -> Iterator[tuple[Micros, bytes]]:
        since -= _MARGIN
        begin = f"{_seconds(to_datetime(since))}"
        for bound in ("end_date__gte", "start_date__gte"):
            listing = Listing(self._rest, "action", {bound: begin}, self._rest.pace.most_actions)
            for page in self._pages(listing):
                found = self._actions_of(page, _told_at(page.when, known_from), since)
                yield from _payload(page.when, known_from, found)
            if self._taken.refused:
                return

    def _actions_of(self, page: Page, at: Micros, since: Micros) -> list[Finding]:
        found: list[Finding] = []
        for key, row in page.rows.items():
            if not ended_before(row, since):
                found += show_action(self._rest.api, key, row, at)
        return found

    def _pages(self, listing: Listing) -> Iterator[Page]:
        try:
            yield from listing.pages(self._stop)
        except RestFailed as exc:
            self._taken.failed.append(Missed(exc.path, exc.reason, exc.answered))
            self._taken.refused = self._taken.refused or exc.refused


def _payload(when: Question, known_from: Micros, findings: list[Finding]) -> Iterator[tuple[Micros, bytes]]:
    if findings:
        told: Mapping[str, Any] = {"asked": when.asked, "known_from": known_from + _ahead(when), "objects": findings}
        yield _told_at(when, known_from), json.dumps(told).encode()


def _told_at(when: Question, known_from: Micros) -> Micros:
    """When an answer was so: before the second in which was asked, but not before anybody listened.

    The platform dates by the second, rounded down, and what it tells of that one may come after the answer.
    """
    return max(when.at - when.at % _SECOND - 1, min(known_from + _ahead(when), when.at))


def _ahead(when: Question) -> Micros:
    return when.at - when.asked


def _seconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
