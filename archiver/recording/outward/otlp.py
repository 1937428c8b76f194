"""Sends every event to a collector of OpenTelemetry, in batches, as log records."""

from __future__ import annotations

import gzip
import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from archiver.api.archive import Archive
from archiver.codec.otlp import Names, of_entity, of_event, rejected, request
from archiver.codec.visible import escape
from archiver.model import ArchivedEvent, now_micros
from archiver.queries.waking import Place
from archiver.recording.outward.post import NotTaken, Target, post
from archiver.recording.outward.sender import Sender

log = logging.getLogger(__name__)

MOST_OF_BATCH = 500
"""Events of one request."""
_UNWANTED = frozenset({400, 413, 422})
"""What is in the request is at fault, and not the way to the server."""
_HEADERS = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


class Exporter(Sender):
    """One collector. It is told everything: what is not taken waits in the archive, and is never given up."""

    gives_up = False

    def __init__(self, target: Target, headers: Mapping[str, str], *args: Any) -> None:
        super().__init__(f"OTLP ({target.shown})", "otlp", *args)
        self.events = self.unwanted = 0
        self._target = target
        self._headers = {**_HEADERS, **headers}
        self._names = Names()
        self._said = ""

    def begun(self, end: Place) -> dict[str, Any]:
        """From now on."""
        return {"events": end.events}

    def reached(self) -> Place:
        """The last event that was taken."""
        return Place(self.state.get("events", 0))

    def understood(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        """The state that was kept; empty when it cannot be understood."""
        found = kept.get("events")
        return {"events": found} if type(found) is int and found >= 0 else {}

    def look(self, archive: Archive, end: Place) -> None:
        """Sends what is new, some at a time."""
        position = archive.position()
        while self.state["events"] < end.events:
            began = time.thread_time()
            behind = position._replace(event=self.state["events"])
            found = list(islice(archive.follow(after=behind), MOST_OF_BATCH))
            if not found:
                break
            self._send(archive, found)
            self.state["events"] = found[-1].id
            self.keep(now=False)
            self.wait(time.thread_time() - began)  # it is asked for all, and takes half a processor at most for it
        self.keep(now=False)

    def _send(self, archive: Archive, events: Sequence[ArchivedEvent]) -> None:
        """Sends some; where the server cannot take them, in halves, so that what is at fault is left out alone."""
        now = now_micros()
        records = [of_event(event, self._names) for event in events]
        records += [of_entity(entity, now) for entity in archive.containers_of([event.id for event in events])]
        body = gzip.compress(request(records, self.mark), 1)
        refused: list[NotTaken] = []
        self.deliver(partial(self._post, body, refused))
        if not refused:
            self.events += len(events)
        elif len(events) > 1:
            middle = len(events) // 2
            self._send(archive, events[:middle])
            self._send(archive, events[middle:])
        else:
            self.unwanted += 1
            self._warn(f"event {events[0].id} is not wanted: {refused[0]}")

    def _post(self, body: bytes, refused: list[NotTaken]) -> None:
        """One try. Raises NotTaken when another one may do."""
        try:
            _, answer = post(self._target, body, self._headers, self.pace.answer, self.is_over)
        except NotTaken as error:
            if error.status not in _UNWANTED:
                raise
            refused.append(error)
            return
        number, why = rejected(answer)
        if number > 0:
            self.unwanted += number
            self._warn(f"records are not wanted: {escape(why)[:500]}")

    def _warn(self, said: str) -> None:
        if said != self._said:
            log.warning("%s: %s", self.name, said)
        self._said = said
