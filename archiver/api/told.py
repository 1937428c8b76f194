"""Questions about what was told: events, actions, notes and rejects, shown, counted and exported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from archiver.api.opened import ALWAYS, Opened, Ref, numbers_of, resolve_all_of, stream_number

if TYPE_CHECKING:
    from archiver.model import Action, ArchivedEvent, TimeRange, WholeEvent
    from archiver.model.rejects import KeptReject
    from archiver.model.values import Value
    from archiver.queries.notes import Noted
    from archiver.queries.values import Vocabulary


class Told(Opened):
    """What an archive says of what it was told."""

    def actions(
        self,
        ref: Ref | Sequence[Ref] | None = None,
        range: TimeRange = ALWAYS,
        *,
        healthchecks: bool = True,
        deeds: bool = False,
        by: str | None = None,
        stream: str | None = None,
    ) -> Iterator[Action]:
        """Every action on a resource, or on several, and on all that was under it when the action began; None: on all.

        Each is there once, the oldest first; of a range those that ran at any instant of it. Without `healthchecks`,
        those of a Docker Engine are left out. With the `deeds`, also what an engine tells of an object alone: that it
        was run, started, paused, removed; these have no URI. `by`: only what somebody of this name did;
        `stream`: only what the stream of this URL told, if not alone. Raises NoSuchStream.
        """
        from archiver.queries.actions import actions

        ask = self._reader.pages()
        roots = None if ref is None else ask(resolve_all_of, ref, range)
        told_by = ask(stream_number, stream)
        found = actions(ask, roots, range, healthchecks=healthchecks, stream=told_by)
        if deeds:
            from archiver.queries.deeds import with_deeds

            found = with_deeds(ask, roots, range, found, told_by)
        return found if by is None else (action for action in found if action.by == by)

    def healthcheck_actions(self, ref: Ref | Sequence[Ref] | None = None, range: TimeRange = ALWAYS) -> int:
        """How many actions `actions` leaves out without health checks."""
        from archiver.queries.actions import healthcheck_actions

        with self._reader.question() as connection:
            roots = None if ref is None else resolve_all_of(connection, ref, range)
            return healthcheck_actions(connection, roots, range)

    def events(
        self,
        *,
        types: Sequence[str] = (),
        states: Sequence[str] = (),
        actions: Sequence[str] = (),
        under: Ref | Sequence[Ref] | None = None,
        range: TimeRange = ALWAYS,
        limit: int = 100,
        healthchecks: bool = True,
        stream: str | None = None,
    ) -> Iterator[ArchivedEvent]:
        """The last `limit` events (0: all) that have any of the types, any of the states and any of the actions.

        A word stands for its family as well (`exited` for `exited (137)`), `!` before it for all others, `*` and `?` in
        it for any characters; `under` for a resource, or several, and all that was under it when the event happened;
        `stream` for what the stream of a URL told, if not alone. Raises NoSuchStream.
        """
        from archiver.queries.events import Filter, last_events

        ask = self._reader.pages()
        wanted = Filter(
            types, states, actions, ask(numbers_of, under, range), range, healthchecks, ask(stream_number, stream)
        )
        return last_events(ask, wanted, limit)

    def event(self, number: int) -> WholeEvent:
        """One event with all that it said, command lines and labels too. Raises NoSuchEvent."""
        from archiver.queries.whole_event import whole_event

        with self._reader.question() as connection:
            return whole_event(connection, number)

    def notes(self, range: TimeRange = ALWAYS) -> Iterator[Noted]:
        """What somebody noted from outside, the oldest first."""
        from archiver.queries.notes import notes

        return notes(self._reader.pages(), range)

    def rejects(self, range: TimeRange = ALWAYS, limit: int = 100) -> Iterator[KeptReject]:
        """The last `limit` messages (0: all) that could not become events, of those received within a range."""
        from archiver.queries.rejects import last_rejects

        return last_rejects(self._reader.pages(), range, limit)

    def reject(self, number: int) -> tuple[KeptReject, bytes]:
        """One of them, with its bytes as they were received, which may hold secrets. Raises NoSuchReject."""
        from archiver.queries.rejects import reject

        with self._reader.question() as connection:
            return reject(connection, number)

    def values(self, of: Vocabulary, range: TimeRange = ALWAYS) -> list[Value]:
        """Which states, types or actions the events of a range had, the most frequent first; looks at all of them."""
        from archiver.queries.values import values

        with self._reader.question() as connection:
            return values(connection, of, range)

    def export(
        self, range: TimeRange = ALWAYS, under: Ref | Sequence[Ref] | None = None, *, stream: str | None = None
    ) -> Iterator[str]:
        """The whole archive as JSON Lines, without newlines; or a part: the events of a range, or under some resources.

        Or those that the stream of a URL told, if not alone.

        A part says that it is one, and not when somebody watched.
        """
        from archiver.transfer.exporter import export
        from archiver.transfer.part import export_part

        ask = self._reader.pages()
        if range == ALWAYS and under is None and stream is None:
            return export(ask)
        about = None if under is None else ask(resolve_all_of, under, range)
        numbers = (event.id for event in self.events(under=about, range=range, limit=0, stream=stream))
        return export_part(ask, numbers, range, [resource.uri for resource in about or ()])

    def export_known(
        self,
        known_at: datetime | None,
        about: Ref | None = None,
        *,
        stream: str | None = None,
        around: bool = False,
    ) -> Iterator[str]:
        """What had been received by an instant (None: ever), as `export` has it, of what was ever under a resource.

        Without one, of all; `around`: of what it was ever under as well, and what was beside it. Of the `stream` of a
        URL what that told, as told by it alone. Raises NoSuchStream.
        """
        from archiver.queries import known
        from archiver.transfer.known import export_known

        ask = self._reader.pages()
        told_by, whose = ask(stream_number, stream), None
        if about is not None:
            numbers = ask(known.around if around else known.speakers, ask(resolve_all_of, about)[0].id)
            whose = partial(known.by_page, numbers=numbers)
        elif told_by is not None:
            whose = partial(known.told_of, stream=told_by)
        return export_known(ask, known_at, whose, told_by)

    def state_kinds(self) -> dict[str, str]:
        """The kind of each state, as the table of that name says, to which the archive's owner may have added."""
        from archiver.queries.kinds import state_kinds

        with self._reader.question() as connection:
            return state_kinds(connection)
