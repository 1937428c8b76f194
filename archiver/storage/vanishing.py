"""Finds what is there no more, by lists of all that a platform has (docs/archive.md, "Asked about everything")."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
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


def vanished(connection: Connection, listed: Listed, platform: int, stream: str | None = None) -> list[Observation]:
    """That those are gone which the archive believes to live on a platform, and which are not in the lists.

    The lists are those of the stream of their session, else of `stream`.
    """
    missing = [one for one in _living(connection, listed, platform) if one.key not in listed.keys[one.type]]
    if missing and (own := _stream_among_others(connection, listed, platform, stream)) is not None:
        told = _told_by(connection, platform, own, [one.id for one in missing])
        missing = [one for one in missing if one.id in told]
    unlisted = _lived_on(connection, platform, [one.id for one in missing if one.last_source == BY_EVENT])
    missing = [one for one in missing if one.id not in unlisted]
    if not missing:
        return []
    if _is_of_others(connection, listed, platform, [one.id for one in missing]):
        log.warning("nothing of what the REST API lists was ever told of here: is it another account's?")
        return []
    return [
        Observation(
            one.uri, VANISHED, None, (), max(listed.at, one.last_at or 0), None, listed.session, platform=platform
        )
        for one in missing
        if not _may_be_new(connection, platform, one, listed)
    ]


def _living(connection: Connection, listed: Listed, platform: int) -> Iterable[Any]:
    kinds = select(event_types.c.id).where(event_types.c.text.in_(list(listed.keys)))
    joined = present.join(resources, (_r.platform_id == _p.platform_id) & (_r.id == _p.resource_id)).join(
        event_types, event_types.c.id == _p.type_id
    )
    found = select(_r.id, _r.uri, _r.key, event_types.c.text.label("type"), _p.first_at, _p.last_at, _p.last_source)
    alive = (_p.gone_at.is_(None), _p.type_id.in_(kinds), _p.platform_id == platform)
    return connection.execute(found.select_from(joined).where(*alive).order_by(_r.id)).all()


def _may_be_new(connection: Connection, platform: int, one: Any, listed: Listed) -> bool:
    """Whether it may have begun after it was asked about, or so shortly before that the list may not know of it."""
    if one.last_at is None:  # others name it, perhaps since then
        return bool(one.first_at > listed.at - _NAMED_JUST_NOW)
    told = last_told(connection, platform, one.id)
    return told is not None and is_recent(told, listed.asked)


def _is_of_others(connection: Connection, listed: Listed, platform: int, missing: Collection[int]) -> bool:
    """Whether the lists are those of another account: events told of what is missing, and of nothing in the lists.

    So it is where nothing at all is listed: a key may have the right to ask, and not to see.
    """
    keys = [key for found in listed.keys.values() for key in found]
    if not _were_told_of(connection, platform, missing):
        return False
    for part in chunks(keys):
        known = connection.scalars(select(_r.id).where(_r.platform_id == platform, _r.key.in_(part))).all()
        if _were_told_of(connection, platform, known):
            return False
    return True


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
