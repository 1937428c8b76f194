"""Finds what is there no more, by lists of all that a platform has (docs/archive.md, "Asked about everything")."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, exists, select

from archiver.model import Listed, Observation
from archiver.platforms.facts import VANISHED
from archiver.storage.bulk import chunks
from archiver.storage.known_objects import is_recent, last_told
from archiver.storage.schema import (
    BY_EVENT,
    event_states,
    event_types,
    events,
    observations,
    present,
    resources,
    sessions,
    streams,
)
from archiver.storage.stream_rows import known_stream

log = logging.getLogger(__name__)

_NAMED_JUST_NOW = 60 * 1_000_000
_r, _p, _e = resources.c, present.c, events.c


def vanished(
    connection: Connection, listed: Listed, platform: int, stream: str | None = None, most: int = 10_000
) -> Iterator[list[Observation]]:
    """That those are gone which the archive believes to live on a platform, and which are not in the lists, in parts.

    The lists are those of the stream of their session, else of `stream`. No more than the `most` that are known
    longest; the others when a list is there again.
    """
    search = _Search(connection, listed, platform, stream)
    numbers = search.missing()
    if numbers and search.is_of_others(numbers):
        log.warning("nothing of what the REST API lists was ever told of here: is it another account's?")
        return
    for rows in search.parts(numbers):
        found = [
            Observation(
                one.uri, VANISHED, None, (), max(listed.at, one.last_at or 0), None, listed.session, platform=platform
            )
            for one in rows
            if not _may_be_new(connection, platform, one, listed)
        ]
        yield found[:most]
        if (most := most - len(found)) <= 0:
            return


class _Search:
    """Looks for what is not in some lists, in parts: a stream may have named any number of objects that never were."""

    def __init__(self, connection: Connection, listed: Listed, platform: int, stream: str | None) -> None:
        self._connection, self._listed, self._platform = connection, listed, platform
        self._own = _stream_among_others(connection, listed, platform, stream)

    def missing(self) -> Sequence[int]:
        """The numbers of what is believed to live and is not in the lists."""
        listed = self._listed.keys
        kinds = select(event_types.c.id).where(event_types.c.text.in_(list(listed)))
        joined = present.join(resources, (_r.platform_id == _p.platform_id) & (_r.id == _p.resource_id)).join(
            event_types, event_types.c.id == _p.type_id
        )
        alive = (_p.gone_at.is_(None), _p.type_id.in_(kinds), _p.platform_id == self._platform)
        found = select(_r.id, _r.key, event_types.c.text).select_from(joined).where(*alive).order_by(_r.id)
        with self._connection.execute(found, execution_options={"stream_results": True}) as rows:
            return array("q", (number for number, key, kind in rows if key not in listed[kind]))

    def parts(self, numbers: Sequence[int]) -> Iterator[list[Any]]:
        """Those of them for which a list speaks, some at a time."""
        joined = present.join(resources, (_r.platform_id == _p.platform_id) & (_r.id == _p.resource_id))
        found = select(_r.id, _r.uri, _p.first_at, _p.last_at, _p.last_source).select_from(joined)
        connection, platform = self._connection, self._platform
        for part in chunks(numbers):
            rows = list(connection.execute(found.where(_r.platform_id == platform, _r.id.in_(part)).order_by(_r.id)))
            if self._own is not None:
                told = _told_by(connection, platform, self._own, [one.id for one in rows])
                rows = [one for one in rows if one.id in told]
            unlisted = _lived_on(connection, platform, [one.id for one in rows if one.last_source == BY_EVENT])
            if rows := [one for one in rows if one.id not in unlisted]:
                yield rows

    def is_of_others(self, numbers: Sequence[int]) -> bool:
        """Whether the lists are those of another account: events told of what is missing, and of nothing in the lists.

        So it is where nothing at all is listed: a key may have the right to ask, and not to see.
        """
        connection, platform = self._connection, self._platform
        if not any(_were_told_of(connection, platform, [one.id for one in rows]) for rows in self.parts(numbers)):
            return False
        for part in chunks(key for found in self._listed.keys.values() for key in found):
            known = connection.scalars(select(_r.id).where(_r.platform_id == platform, _r.key.in_(part))).all()
            if _were_told_of(connection, platform, known):
                return False
        return True


def _may_be_new(connection: Connection, platform: int, one: Any, listed: Listed) -> bool:
    """Whether it may have begun after it was asked about, or so shortly before that the list may not know of it."""
    if one.last_at is None:  # others name it, perhaps since then
        return bool(one.first_at > listed.at - _NAMED_JUST_NOW)
    told = last_told(connection, platform, one.id)
    return told is not None and is_recent(told, listed.asked)


def _stream_among_others(connection: Connection, listed: Listed, platform: int, stream: str | None) -> int | None:
    """The stream whose lists these are, where others tell of the same platform: each account, or namespace, of a
    service may have lists of its own. 0 where nobody knows it; None where there are no others."""
    there = set(connection.scalars(select(streams.c.id).where(streams.c.platform_id == platform)))
    of_session = select(sessions.c.stream_id).where(sessions.c.key == listed.session)
    named = None if stream is None else known_stream(connection, stream)
    own = connection.scalar(of_session) or (0 if named is None else named.id)
    return own if there - {own} else None


def _told_by(connection: Connection, platform: int, stream: int, numbers: Collection[int]) -> set[int]:
    """Those of some objects that sessions of a stream told of, or found."""
    own = select(sessions.c.id).where(sessions.c.stream_id == stream)
    found: set[int] = set()
    for part in chunks(numbers):
        for table in (events, observations):
            word = table.c
            told = exists().where(word.platform_id == platform, word.resource_id == _r.id, word.session_id.in_(own))
            asked = select(_r.id).where(_r.platform_id == platform, _r.id.in_(part), told)
            found.update(connection.scalars(asked))
    return found


def _lived_on(connection: Connection, platform: int, numbers: Collection[int]) -> set[int]:
    """Those of some objects that were missing in a list before, and told of themselves since: it does not show them."""
    ends = select(event_states.c.id).where(event_states.c.text == VANISHED)
    o = observations.c
    was_missing = exists().where(o.platform_id == platform, o.resource_id == _r.id, o.state_id.in_(ends))
    found: set[int] = set()
    for part in chunks(numbers):
        asked = select(_r.id).where(_r.platform_id == platform, _r.id.in_(part), was_missing)
        found.update(connection.scalars(asked))
    return found


def _were_told_of(connection: Connection, platform: int, numbers: Collection[int]) -> bool:
    for part in chunks(numbers):
        told = select(_e.id).where(_e.platform_id == platform, _e.resource_id.in_(part)).limit(1)
        if connection.scalar(told) is not None:
            return True
    return False
