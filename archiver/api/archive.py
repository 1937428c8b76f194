"""The archive as its readers see it, at a shell and from Python."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from archiver.errors import CursorOfAnother, UsageError
from archiver.model import (
    Action,
    ArchivedEvent,
    Coverage,
    Diff,
    Empty,
    History,
    Lanes,
    Resource,
    Status,
    Timeline,
    TimeRange,
    TreeNode,
    WholeEvent,
)
from archiver.model.health import Limits, Waiting
from archiver.queries.reader import Reader

if TYPE_CHECKING:
    from archiver.model.entities import Entity
    from archiver.model.incident import Incident
    from archiver.model.nearby import Before
    from archiver.model.records import Platform
    from archiver.model.rejects import KeptReject
    from archiver.model.reports import Per, Report
    from archiver.model.values import Value
    from archiver.queries import waking
    from archiver.queries.free import Answer
    from archiver.queries.metrics import Stops
    from archiver.queries.notes import Noted
    from archiver.queries.values import Vocabulary

_ALWAYS = TimeRange()
_LIMITS = Limits()
Ref = str | Resource
"""What names a resource: a reference, or the resource as `Archive` gave it."""


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


class Archive:
    """A read-only archive; a context manager, to be used from one thread.

    >>> with Archive.open("sqlite:///archive.db") as archive:          # doctest: +SKIP
    ...     for span in archive.history("container/6d0a15a1").spans:
    ...         print(span.state, span.since, span.until)

    Every method raises DatabaseUnreachable when the database fails; those that take a reference raise NoSuchResource
    or AmbiguousReference. Those that give an iterator read as it is asked for more, and hold nothing in the database
    meanwhile; they raise ArchiveReplaced when another archive takes the place of this one before the end.
    """

    def __init__(self, url: str) -> None:
        """Opens an archive by its URL; a plain path is a SQLite file.

        Raises DatabaseMissing, DatabaseUnreachable, or SchemaNotAtHead when it is of another revision.
        """
        self._url = url
        self._reader = Reader(url)

    @classmethod
    def open(cls, url: str) -> Archive:
        """The archive at a URL; see `Archive`."""
        return cls(url)

    def close(self) -> None:
        """Gives the connection back."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def platforms(self) -> list[Platform]:
        """What objects live in: the accounts, swarms and engines that the archive knows."""
        from archiver.queries.platforms import known

        with self._reader.question() as connection:
            return list(known(connection).values())

    def resolve(self, ref: str, *, platform: str | None = None, range: TimeRange = _ALWAYS) -> Resource:
        """The resource that a reference means, on a platform of that name, key or stream (None: on any).

        A name means who bore it as the range ended, or last before; and a question about a range reads names so.
        Raises NoSuchPlatform.
        """
        from archiver.queries.references import resolve

        with self._reader.question() as connection:
            return resolve(connection, ref, _platform(connection, platform), range)

    def resolve_all(
        self, refs: Iterable[str], *, platform: str | None = None, range: TimeRange = _ALWAYS
    ) -> list[Resource]:
        """The resources that references and patterns (`web-*`) mean, each once, in the order of the references.

        Names as in `resolve`. Raises TooManyResources for a pattern that fits more than 1,000, and NoSuchPlatform.
        """
        from archiver.queries.patterns import resolve_all

        wanted = list(refs)  # whoever names them may take his time
        with self._reader.question() as connection:
            return resolve_all(connection, wanted, _platform(connection, platform), range)

    def history(self, ref: Ref, range: TimeRange = _ALWAYS, *, stream: str | None = None) -> History:
        """The state timeline of a resource; of the `stream` of a URL alone, what that told. Raises NoSuchStream."""
        from archiver.queries.history import history
        from archiver.queries.notes import beside

        ask = self._reader.pages()
        resource, told_by = ask(_resolve_all, ref, range)[0], ask(_stream, stream)
        found = history(ask, resource, range, _now(), told_by)
        return found if told_by is not None else found._replace(notes=beside(ask, resource.id, range))

    def timeline(self, ref: Ref, range: TimeRange = _ALWAYS, *, stream: str | None = None) -> Timeline:
        """As `history`, of a resource that may have a million states: they are read as they are asked for, once."""
        from archiver.queries.history import timeline
        from archiver.queries.notes import beside

        ask = self._reader.pages()
        resource, told_by = ask(_resolve_all, ref, range)[0], ask(_stream, stream)
        found = timeline(ask, resource, range, _now(), told_by)
        return found if told_by is not None else found._replace(notes=beside(ask, resource.id, range))

    def actions(
        self,
        ref: Ref | Sequence[Ref],
        range: TimeRange = _ALWAYS,
        *,
        healthchecks: bool = True,
        deeds: bool = False,
        by: str | None = None,
        stream: str | None = None,
    ) -> Iterator[Action]:
        """Every action on a resource, or on several, and on all that was under it when the action began.

        Each is there once, the oldest first; of a range those that ran at any instant of it. Without `healthchecks`,
        those of a Docker Engine are left out. With the `deeds`, also what an engine tells of an object alone: that it
        was run, started, paused, removed; these have no URI. `by`: only what somebody of this name did;
        `stream`: only what the stream of this URL told, if not alone. Raises NoSuchStream.
        """
        from archiver.queries.actions import actions

        ask = self._reader.pages()
        roots, told_by = ask(_resolve_all, ref, range), ask(_stream, stream)
        found = actions(ask, roots, range, healthchecks=healthchecks, stream=told_by)
        if deeds:
            from archiver.queries.deeds import with_deeds

            found = with_deeds(ask, roots, range, found, told_by)
        return found if by is None else (action for action in found if action.by == by)

    def events(
        self,
        *,
        types: Sequence[str] = (),
        states: Sequence[str] = (),
        actions: Sequence[str] = (),
        under: Ref | Sequence[Ref] | None = None,
        range: TimeRange = _ALWAYS,
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
        wanted = Filter(types, states, actions, ask(_numbers, under, range), range, healthchecks, ask(_stream, stream))
        return last_events(ask, wanted, limit)

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
        wanted = Filter(types, states, actions, ask(_numbers, under), _ALWAYS, healthchecks, ask(_stream, stream))
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
        from archiver.storage.named import database_name

        mark, _, number = cursor.partition("-")
        if len(mark) != 16 or not (number.isascii() and number.isdigit()) or len(number) > 18:
            raise UsageError(reason=f"{cursor[:100]!r} is no cursor", hint="leave it out to begin anew")
        now = self.position()
        place = now._replace(event=int(number))
        if place.cursor.partition("-")[0] != mark or place.event > now.event:
            raise CursorOfAnother(database=database_name(self._url))
        return place

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

        return waking.change(self._reader.pages(), word, _now())

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

    def event(self, number: int) -> WholeEvent:
        """One event with all that it said, command lines and labels too. Raises NoSuchEvent."""
        from archiver.queries.whole_event import whole_event

        with self._reader.question() as connection:
            return whole_event(connection, number)

    def healthcheck_actions(self, ref: Ref | Sequence[Ref], range: TimeRange = _ALWAYS) -> int:
        """How many actions `actions` leaves out without health checks."""
        from archiver.queries.actions import healthcheck_actions

        with self._reader.question() as connection:
            return healthcheck_actions(connection, _resolve_all(connection, ref, range), range)

    def last_id(self) -> int:
        """The number of the event archived last; 0 when there is none."""
        from archiver.queries.events import last_id

        with self._reader.question() as connection:
            return last_id(connection)

    def tree(self, ref: Ref, *, gone: bool = False) -> TreeNode:
        """A resource with what lives under it, and the states; with the `gone`, also what was under it when it went."""
        from archiver.queries.tree import tree

        with self._reader.question() as connection:
            return tree(connection, _resolve_all(connection, ref)[0], _now(), gone=gone)

    def at(self, moment: datetime, ref: Ref | None = None) -> TreeNode:
        """A resource with what lived under it, or the whole platform, as it stood at an instant.

        States, names and images are those of then, and `certain` says of each state whether somebody was watching since
        it was told. Raises NotThen when the resource did not live then.
        """
        from archiver.queries.moment import at

        with self._reader.question() as connection:
            return at(connection, _one(connection, ref, TimeRange.ending_at(moment)), moment, _now())

    def diff(self, first: datetime, second: datetime, ref: Ref | None = None) -> Diff:
        """What of a resource and all under it, or of the whole platform, was otherwise at the second instant.

        The first is not after the second. Raises NotThen when the resource lived at neither.
        """
        from archiver.queries.difference import difference

        with self._reader.question() as connection:
            subject = _one(connection, ref, TimeRange.ending_at(second, first))
            return difference(connection, subject, TimeRange(first, second), _now())

    def lanes(self, ref: Ref | None = None, range: TimeRange = _ALWAYS) -> Lanes:
        """What a picture is drawn from: all that was under a resource within a range, its states and actions.

        Without a reference, all that there was. Raises TooMuchForPicture when that is more than can be drawn.
        """
        from archiver.queries.lanes import lanes

        ask = self._reader.pages()
        return lanes(ask, None if ref is None else ask(_resolve_all, ref, range)[0], range, _now())

    def coverage(
        self,
        range: TimeRange = _ALWAYS,
        ref: Ref | Sequence[Ref] | None = None,
        *,
        of_states: bool = False,
        stream: str | None = None,
    ) -> Coverage:
        """When nobody was watching: any stream, that of a URL, or one of those that told of a resource, or of several.

        `of_states`: as far as that hides in which states these were; where nothing was ever under them, a gap in which
        they are proven not to have changed is `proven`. What was done to them in it is not known all the same.
        """
        from archiver.queries.coverage import coverage
        from archiver.queries.unchanged import judged_alone

        with self._reader.question() as connection:
            watched = coverage(connection, range, _now(), _speaking(connection, ref, range, stream))
            if not of_states or ref is None:
                return watched
            return judged_alone(connection, watched, [each.id for each in _resolve_all(connection, ref, range)])

    def why_empty(
        self, range: TimeRange = _ALWAYS, ref: Ref | Sequence[Ref] | None = None, *, stream: str | None = None
    ) -> Empty:
        """Why an answer about a range, by a stream, or those that told of some resources (None: all), is empty."""
        from archiver.queries.coverage import coverage, emptiness

        with self._reader.question() as connection:
            streams = _speaking(connection, ref, range, stream)
            return emptiness(connection, range, coverage(connection, range, _now(), streams), streams)

    def why(
        self,
        ref: Ref,
        at: datetime | None = None,
        since: datetime | None = None,
        *,
        limit: int | None = None,
    ) -> Before:
        """What changed before an instant (None: the last end of the resource, else its last change, or else now).

        To the resource, and above, below and beside it in the tree, the nearest in time first; from `since` on (None:
        ten minutes before). No more than `limit`: what is farther away in the tree is left out.
        """
        from archiver.queries.before import before

        ask = self._reader.pages()
        named = _ALWAYS if at is None else TimeRange.ending_at(at, since)
        return before(ask, ask(_resolve_all, ref, named)[0], at, since, _now(), limit)

    def incident(self, range: TimeRange, ref: Ref | None = None, *, zone: tzinfo | None = UTC) -> Incident:
        """All that changed below a resource (None: everywhere) within a range that has a beginning and an end."""
        from archiver.queries.asked import Asked
        from archiver.queries.incident import incident

        ask = self._reader.pages()
        resource = None if ref is None else ask(_resolve_all, ref, range)[0]
        return incident(ask, Asked(resource, range, None, _now(), zone))

    def report(
        self,
        name: str,
        ref: Ref | None = None,
        range: TimeRange = _ALWAYS,
        *,
        per: Per | None = None,
        zone: tzinfo | None = UTC,
    ) -> Report:
        """A report on what is below a resource (None: on all).

        Its name is one of `availability`, `restarts`, `deploys`, `flaps`, `changes`, `coverage`.

        `per`: by what it is sliced; days are those of the `zone` (None: of the machine's). Its rows are `Available`,
        `Restart` (sliced: `Restarts`), `Deploy`, `Flap`, `Nearby` or `Watched`. Raises ValueError for another name.
        """
        from archiver.queries import reports
        from archiver.queries.asked import Asked
        from archiver.queries.available import availability
        from archiver.queries.restarted import restarts

        known = {
            "availability": availability,
            "restarts": restarts,
            "coverage": reports.watched,
            "changes": reports.changes,
            "deploys": reports.deploys,
            "flaps": reports.flaps,
        }
        if name not in known:
            raise ValueError(f"no such report: {name}")
        ask = self._reader.pages()
        resource = None if ref is None else ask(_resolve_all, ref, range)[0]
        return known[name](ask, Asked(resource, range, per, _now(), zone))

    def platform_of(self, resource: Resource) -> str:
        """The key of the platform that a resource lives in."""
        from archiver.queries.platforms import key_of

        with self._reader.question() as connection:
            return key_of(connection, resource.id)

    def notes(self, range: TimeRange = _ALWAYS) -> Iterator[Noted]:
        """What somebody noted from outside, the oldest first."""
        from archiver.queries.notes import notes

        return notes(self._reader.pages(), range)

    def rejects(self, range: TimeRange = _ALWAYS, limit: int = 100) -> Iterator[KeptReject]:
        """The last `limit` messages (0: all) that could not become events, of those received within a range."""
        from archiver.queries.rejects import last_rejects

        return last_rejects(self._reader.pages(), range, limit)

    def reject(self, number: int) -> tuple[KeptReject, bytes]:
        """One of them, with its bytes as they were received, which may hold secrets. Raises NoSuchReject."""
        from archiver.queries.rejects import reject

        with self._reader.question() as connection:
            return reject(connection, number)

    def status(self, limits: Limits = _LIMITS, waiting: Waiting | None = None) -> Status:
        """How things stand with the archive and its streams, and what is not well, by these limits.

        `waiting` is what is received and not yet archived, where somebody knows: the archive itself does not.
        """
        from archiver.queries.status import status
        from archiver.storage.named import database_name

        with self._reader.question() as connection:
            return status(connection, database_name(self._url), _now(), limits, waiting)

    def stops(self, range: TimeRange) -> list[Stops]:
        """How many containers stopped within a range, which needs both ends, per stack, service and cause."""
        from archiver.queries.metrics import stops

        if range.since is None or range.until is None:
            raise ValueError("a range with both ends is needed")
        with self._reader.question() as connection:
            return stops(connection, range.since, range.until)

    def archived_of(self, receiver: str) -> int:
        """How far what a spool of this identity received is archived."""
        from archiver.queries.status import archived_of

        with self._reader.question() as connection:
            return archived_of(connection, receiver)

    def values(self, of: Vocabulary, range: TimeRange = _ALWAYS) -> list[Value]:
        """Which states, types or actions the events of a range had, the most frequent first; looks at all of them."""
        from archiver.queries.values import values

        with self._reader.question() as connection:
            return values(connection, of, range)

    def sql(self, statement: str, *, seconds: float | None = None) -> Answer:
        """One SELECT over the views, for which the database may be busy so long (None: as long as it takes).

        A context manager; its rows are read as they are asked for, once. Raises StatementRefused for anything else.
        """
        from archiver.queries.free import put

        return put(self._url, statement, seconds)

    def export(
        self, range: TimeRange = _ALWAYS, under: Ref | Sequence[Ref] | None = None, *, stream: str | None = None
    ) -> Iterator[str]:
        """The whole archive as JSON Lines, without newlines; or a part: the events of a range, or under some resources.

        Or those that the stream of a URL told, if not alone.

        A part says that it is one, and not when somebody watched.
        """
        from archiver.transfer.exporter import export, export_part

        ask = self._reader.pages()
        if range == _ALWAYS and under is None and stream is None:
            return export(ask)
        about = None if under is None else ask(_resolve_all, under, range)
        numbers = (event.id for event in self.events(under=about, range=range, limit=0, stream=stream))
        return export_part(ask, numbers, range, [resource.uri for resource in about or ()])

    def export_known(self, known_at: datetime, about: Ref | None = None) -> Iterator[str]:
        """What had been received by an instant, as `export` has it: of what was ever under a resource, or all."""
        from archiver.queries.known import speakers
        from archiver.transfer.known import export_known

        ask = self._reader.pages()
        numbers = None if about is None else ask(speakers, ask(_resolve_all, about)[0].id)
        return export_known(ask, known_at, numbers)


def _resolve_all(connection: Any, refs: Ref | Sequence[Ref], range: TimeRange = _ALWAYS) -> list[Resource]:
    """The resources; a single text is a reference, in a list it may be a pattern."""
    from archiver.queries.patterns import resolve_all
    from archiver.queries.references import resolve

    if isinstance(refs, str):
        return [resolve(connection, refs, None, range)]
    return [refs] if isinstance(refs, Resource) else resolve_all(connection, refs, None, range)


def _one(connection: Any, ref: Ref | None, range: TimeRange) -> Resource | None:
    return None if ref is None else _resolve_all(connection, ref, range)[0]


def _speaking(
    connection: Any, refs: Ref | Sequence[Ref] | None, range: TimeRange, stream: str | None = None
) -> list[int] | None:
    """The stream of a URL, or those that speak for some resources; None: all do."""
    from archiver.queries.coverage import speaking

    if (number := _stream(connection, stream)) is not None:
        return [number]

    return None if refs is None else speaking(connection, _resolve_all(connection, refs, range), range)


def _stream(connection: Any, url: str | None) -> int | None:
    from archiver.queries.telling import number

    return None if url is None else number(connection, url)


def _platform(connection: Any, name: str | None) -> int | None:
    from archiver.queries.platforms import number

    return None if name is None else number(connection, name)


def _numbers(connection: Any, refs: Ref | Sequence[Ref] | None, range: TimeRange = _ALWAYS) -> list[int] | None:
    return None if refs is None else [resource.id for resource in _resolve_all(connection, refs, range)]


def _now() -> datetime:
    return datetime.now(UTC)
