"""Questions of who follows an archive: what has arrived since he asked last."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from archiver.api.opened import ALWAYS, Opened, Ref, now, numbers_of, stream_number
from archiver.errors import CursorOfAnother, UsageError

if TYPE_CHECKING:
    from archiver.model import ArchivedEvent
    from archiver.model.entities import Entity
    from archiver.queries import waking


class Position(NamedTuple):
    """A place in the order of archiving: behind this event of this archive."""

    archive: Hashable
    event: int

    @property
    def cursor(self) -> str:
        """The same as text, to be kept in a file or elsewhere; see `Archive.resume`."""
        from hashlib import sha256

        known = getattr(self.archive, "known", self.archive)
        return f"{sha256(repr(known).encode()).hexdigest()[:16]}-{self.event}"


class Arriving(Opened):
    """What an archive says of what is new in it."""

    def follow(
        self,
        *,
        types: Sequence[str] = (),
        states: Sequence[str] = (),
        actions: Sequence[str] = (),
        under: Ref | Sequence[Ref] | None = None,
        healthchecks: bool = True,
        stream: str | None = None,
        after: int | Position,
    ) -> Iterator[ArchivedEvent]:
        """The events archived after number `after` that are there now; ask again for those that come later.

        After a position: raises ArchiveReplaced when the archive is not the one that it is of.
        """
        from archiver.queries.events import Filter, events_after, last_id

        ask = self._reader.pages()
        if isinstance(after, Position):
            ask = self._reader.pages(after.archive)
            if ask(last_id) < after.event:
                raise self._reader.replaced()
            after = after.event
        wanted = Filter(
            types, states, actions, ask(numbers_of, under), ALWAYS, healthchecks, ask(stream_number, stream)
        )
        return events_after(ask, wanted, after)

    def position(self, *, heard_before: datetime | None = None) -> Position:
        """Where the archive ends now, or with what was received before an instant; see `follow`."""
        from archiver.queries.events import last_id, last_id_heard_before

        ask = self._reader.pages()
        event = ask(last_id) if heard_before is None else ask(last_id_heard_before, heard_before)
        return Position(ask.archive, event)

    def resume(self, cursor: str) -> Position:
        """The position that a cursor means, in this archive.

        Raises UsageError for a text that is none, and CursorOfAnother for one of another archive.
        """
        from archiver.storage.database.named import database_name

        mark, _, number = cursor.partition("-")
        if len(mark) != 16 or not (number.isascii() and number.isdigit()) or len(number) > 18:
            raise UsageError(reason=f"{cursor[:100]!r} is no cursor", hint="leave it out to begin anew")
        now = self.position()
        place = now._replace(event=int(number))
        if place.cursor.partition("-")[0] != mark or place.event > now.event:
            raise CursorOfAnother(database=database_name(self._url))
        return place

    def last_id(self) -> int:
        """The number of the event archived last; 0 when there is none."""
        from archiver.queries.events import last_id

        with self._reader.question() as connection:
            return last_id(connection)

    def end(self, *, heard_before: datetime | None = None) -> waking.Place:
        """The last number of every kind of word, of all or of what was received before an instant; see `words`."""
        from archiver.queries import waking

        with self._reader.question() as connection:
            return waking.end(connection) if heard_before is None else waking.end_before(connection, heard_before)

    def words(
        self, source: waking.Source, behind: int, upto: int, states: waking.States, most: int
    ) -> list[waking.Word]:
        """What was told (or found) to be in some states between two numbers, the first not included."""
        from archiver.queries import waking

        with self._reader.question() as connection:
            return waking.words(connection, source, (behind, upto), states, most)

    def how_many_words(self, source: waking.Source, behind: int, upto: int, states: waking.States, most: int) -> int:
        """How many there are; they are counted no further than `most`."""
        from archiver.queries import waking

        with self._reader.question() as connection:
            return waking.how_many(connection, source, (behind, upto), states, most)

    def change(self, word: waking.Word) -> waking.Change | None:
        """What such a word means: which state began, and why; None: it was so already."""
        from archiver.queries import waking
        from archiver.storage.pages import AtOnce

        _, found = self._reader.read(lambda connection: waking.change(AtOnce(connection), word, now()))
        return found

    def containers_of(self, events: Sequence[int]) -> list[Entity]:
        """How the containers stand now that events of some numbers are about, each once."""
        from archiver.queries.entities import containers_of

        with self._reader.question() as connection:
            return containers_of(connection, events)

    def rejects_behind(self, behind: int, upto: int, most: int) -> list[waking.Rejected]:
        """The first rejects between two numbers, the first not included, of what a stream said."""
        from archiver.queries import waking

        with self._reader.question() as connection:
            return waking.rejects(connection, (behind, upto), most)
