"""Server-sent events: what is archived behind a cursor, told to any number of readers at once.

Who reads along is told out of memory; who falls behind, out of the archive.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable, Iterator
from functools import partial
from itertools import islice
from typing import NamedTuple

from archiver.api.archive import Archive, Position
from archiver.codec.text import dump
from archiver.errors import ArchiveReplaced, CursorOfAnother
from archiver.model import ArchivedEvent
from archiver.report import documents
from archiver.report.looking import Looking
from archiver.report.web import Answer, Refused

KIND = "text/event-stream"
LOOK_SECONDS = 0.5
KEPT = 100_000
"""A cursor may lie so many events back."""
HELD_EVENTS, HELD_BYTES = 2_000, 4_000_000
"""What is held in memory for those who read along."""
CATCHING_UP = 4
"""So many of those who fell behind read at once."""
_PAGE = 500


class Told(NamedTuple):
    """An event as it is written to readers."""

    number: int
    text: bytes


class Follower(Looking):
    """The events of an archive as they come."""

    def __init__(self, url: str) -> None:
        super().__init__(url, LOOK_SECONDS)
        self._end: Position | None = None
        """How far was looked; None: not yet."""
        self._held: deque[Told] = deque()
        self._behind = self._bytes = 0
        """All behind this number is held, and how much that is."""
        self._catching_up = threading.BoundedSemaphore(CATCHING_UP)

    def answer(self, after: str | None) -> Answer:
        """What comes, from now on or behind a cursor. Raises Refused for a cursor that cannot be gone on from."""
        with Archive.open(self._url) as archive:
            place = _checked(archive, after)
        return Answer(self._told(place), KIND, endless=True)

    def _told(self, place: Position) -> Iterator[bytes]:
        """What a reader is written: where he stands, then each event, and a sign of life when none comes."""
        with self.reading():
            yield b"retry: 3000\nid: %b\nevent: position\ndata: {}\n\n" % place.cursor.encode()
            yield b""
            while True:
                if not self.wait(partial(self._is_news, place)):
                    yield b": \n\n"
                    yield b""
                    continue
                try:
                    found, place = self._news(place)
                except ArchiveReplaced:
                    yield b"event: replaced\ndata: {}\n\n"
                    return
                for told in found:
                    yield told.text
                yield b""

    def _is_news(self, place: Position) -> bool:
        return self._end is not None and self._end != place

    def _news(self, place: Position) -> tuple[list[Told], Position]:
        """What is behind a place, and the place behind that. Raises ArchiveReplaced for a place of another archive."""
        with self.moved:
            end = self._end or place
            held = list(self._held) if self._behind <= place.event else None
        if end.archive != place.archive or end.event < place.event:
            raise ArchiveReplaced(database="that is followed")
        if held is not None:
            return [told for told in held if told.number > place.event], end
        with self._catching_up, Archive.open(self._url) as archive:
            found = [_told(place.archive, event) for event in islice(archive.follow(after=place), _PAGE)]
        return found, place._replace(event=found[-1].number) if found else end

    def look(self, archive: Archive) -> None:
        """Takes what is new into memory."""
        before = self._end
        if before is None:
            self._take(archive.position(), [])
            return
        try:
            new = [_told(before.archive, event) for event in islice(archive.follow(after=before), HELD_EVENTS)]
        except ArchiveReplaced:
            with self.moved:
                self.forget()
            self._take(archive.position(), [])
            return
        if new:
            self._take(before._replace(event=new[-1].number), new)

    def _take(self, end: Position, new: list[Told]) -> None:
        with self.moved:
            if self._end is None:
                self._behind = end.event
            self._end = end
            for told in new:
                self._held.append(told)
                self._bytes += len(told.text)
            while len(self._held) > HELD_EVENTS or self._bytes > HELD_BYTES:
                first = self._held.popleft()
                self._bytes -= len(first.text)
                self._behind = first.number
            self.moved.notify_all()

    def forget(self) -> None:
        """Holds nothing any more."""
        self._held.clear()
        self._bytes, self._end = 0, None


def _told(archive: Hashable, event: ArchivedEvent) -> Told:
    """An event, in one line of ASCII."""
    document = dump(documents.record(documents.EVENT, event))
    return Told(event.id, f"id: {Position(archive, event.id).cursor}\nevent: event\ndata: {document}\n\n".encode())


def _checked(archive: Archive, cursor: str | None) -> Position:
    """Where to begin: behind a cursor, or now. Raises Refused for one of another archive, or older than is kept."""
    now = archive.position()
    try:
        place = now if cursor is None else archive.resume(cursor)
    except CursorOfAnother as error:
        hint = "begin anew without one, and ask for what was before"
        raise Refused(409, "the cursor is of another archive", hint) from error
    if now.event - place.event > KEPT:
        hint = "ask /api/events for what was before, and begin anew without a cursor"
        raise Refused(410, f"the cursor lies more than {KEPT:,} events back", hint)
    return place
