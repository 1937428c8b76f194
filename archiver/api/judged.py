"""Questions that judge: how well was watched, why something changed, how available things were."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from archiver.api.opened import ALWAYS, Opened, now, resolve_all_of, stream_number
from archiver.model import TimeRange

if TYPE_CHECKING:
    from archiver.api.opened import Ref
    from archiver.model import Coverage, Empty
    from archiver.model.incident import Incident
    from archiver.model.nearby import Before
    from archiver.model.reports import Per, Report
    from archiver.queries.metrics import Stops
    from archiver.queries.unknown import Unknown
    from archiver.storage.database.reading import Connection


class Judged(Opened):
    """What an archive says of causes, of reports, and of what it does not know."""

    def coverage(
        self,
        range: TimeRange = ALWAYS,
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
            watched = coverage(connection, range, now(), speaking_of(connection, ref, range, stream))
            if not of_states or ref is None:
                return watched
            return judged_alone(connection, watched, [each.id for each in resolve_all_of(connection, ref, range)])

    def why_empty(
        self, range: TimeRange = ALWAYS, ref: Ref | Sequence[Ref] | None = None, *, stream: str | None = None
    ) -> Empty:
        """Why an answer about a range, by a stream, or those that told of some resources (None: all), is empty."""
        from archiver.queries.coverage import coverage, emptiness

        with self._reader.question() as connection:
            streams = speaking_of(connection, ref, range, stream)
            return emptiness(connection, range, coverage(connection, range, now(), streams), streams)

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
        from archiver.storage.pages import AtOnce

        named = ALWAYS if at is None else TimeRange.ending_at(at, since)

        def asked(connection: Connection) -> Before:
            subject = resolve_all_of(connection, ref, named)[0]
            return before(AtOnce(connection), subject, at, since, now(), limit)

        _, found = self._reader.read(asked)
        return found

    def incident(self, range: TimeRange, ref: Ref | None = None, *, zone: tzinfo | None = UTC) -> Incident:
        """All that changed below a resource (None: everywhere) within a range that has a beginning and an end."""
        from archiver.queries.asked import Asked
        from archiver.queries.incident import incident

        ask = self._reader.pages()
        resource = None if ref is None else ask(resolve_all_of, ref, range)[0]
        return incident(ask, Asked(resource, range, None, now(), zone))

    def report(
        self,
        name: str,
        ref: Ref | None = None,
        range: TimeRange = ALWAYS,
        *,
        per: Per | None = None,
        zone: tzinfo | None = UTC,
        stream: str | None = None,
    ) -> Report:
        """A report on what is below a resource (None: on all).

        Its name is one of `availability`, `restarts`, `deploys`, `flaps`, `changes`, `coverage`.

        `per`: by what it is sliced; days are those of the `zone` (None: of the machine's). Its rows are `Available`,
        `Restart` (sliced: `Restarts`), `Deploy`, `Flap`, `Nearby` or `Watched`. `stream`: of `coverage`, that of the
        stream of a URL; other reports on what one told are made of `archiver.api.known.as_told_by`. Raises ValueError
        for another name, or with a `stream` that is not of it, and NoSuchStream.
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
        if stream is not None and name != "coverage":
            raise ValueError(f"the report {name} knows no streams: ask archiver.api.known.as_told_by")
        ask = self._reader.pages()
        resource = None if ref is None else ask(resolve_all_of, ref, range)[0]
        return known[name](ask, Asked(resource, range, per, now(), zone, ask(stream_number, stream)))

    def stops(self, range: TimeRange) -> list[Stops]:
        """How many containers stopped within a range, which needs both ends, per stack, service and cause."""
        from archiver.queries.metrics import stops

        if range.since is None or range.until is None:
            raise ValueError("a range with both ends is needed")
        with self._reader.question() as connection:
            return stops(connection, range.since, range.until)

    def unknown(self, day: date) -> list[Unknown]:
        """How long on a day of UTC nobody knew how containers were, in seconds, per stack and service."""
        from archiver.queries.unknown import unknown

        return unknown(self._reader.pages(), day, now())


def speaking_of(
    connection: Any, refs: Ref | Sequence[Ref] | None, range: TimeRange, stream: str | None = None
) -> list[int] | None:
    """The stream of a URL, or those that speak for some resources; None: all do."""
    from archiver.queries.coverage import speaking

    if (number := stream_number(connection, stream)) is not None:
        return [number]

    return None if refs is None else speaking(connection, resolve_all_of(connection, refs, range), range)
