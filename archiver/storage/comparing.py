"""Compares what a platform answered with what the archive knows: what is news of it, and what is there no more.

docs/archive.md says the rules ("Asked about everything"). Works inside the recorder's transaction, after all that came
before has been written. What stays is worth an observation, and asked again at once would stay no more.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, exists, select

from archiver.codec.uris import parse
from archiver.model import Answers, Listed, Micros, Observation, ResourceRef
from archiver.platforms.tutum.facts import GONE, UNSETTLED
from archiver.storage.bulk import chunks
from archiver.storage.schema import (
    BY_EVENT,
    OPEN,
    PARENT,
    TARGET,
    event_states,
    event_types,
    events,
    facts,
    observations,
    present,
    resources,
    sessions,
    streams,
    texts,
)

log = logging.getLogger(__name__)

_ACTION, _CONTAINER = "action", "container"
_TERMINATED = "Terminated"
_SECOND = 1_000_000
_ROUNDED = 2 * _SECOND
"""Platforms date by the second, so what differs by no more is the same instant."""
_NAMED_JUST_NOW = 60 * _SECOND
_names, _images = texts.alias("names"), texts.alias("images")
_r, _p, _f, _e = resources.c, present.c, facts.c, events.c


class Known(NamedTuple):
    """What the archive knows of an object."""

    id: int
    first_at: Micros
    last_at: Micros | None
    state: str | None
    """In lower case."""
    state_at: Micros | None
    state_source: int | None
    last_source: int | None
    gone_at: Micros | None
    name: str | None
    image: str | None
    above: frozenset[ResourceRef]
    """What it is directly under, or as an action applies to."""


def is_action(uri: str) -> bool:
    """Whether a URI is that of an action."""
    return parse(uri).type == _ACTION


def news(connection: Connection, answers: Answers) -> list[Observation]:
    """What of the answers, all of one platform, the archive does not know; of each object only what is news."""
    refs = [parse(item.uri) for item in answers.observations]
    known = _known(connection, answers.observations, refs)
    found = []
    for item, ref in zip(answers.observations, refs, strict=True):
        there = known.get(ref)
        if ref.type == _ACTION:
            kept = _of_action(connection, item, there, answers.asked)
        else:
            kept = _of_object(connection, item, ref, there, answers)
        if kept is not None:
            found.append(kept)
    return found


def _of_object(
    connection: Connection, item: Observation, ref: ResourceRef, known: Known | None, answers: Answers
) -> Observation | None:
    state = _folded(item.state)
    ends = state in GONE
    if known is None:
        return None if ends else item  # of what lived before anybody listened, nobody asks
    if known.gone_at is not None and not ends and known.state_source == BY_EVENT:
        return None  # it told of its end itself, and nothing of these platforms comes back
    differs = state is not None and state != known.state
    if differs and _has_told_since(connection, known.id, answers.asked):
        differs = False
    is_same = state == known.state and state is not None and not ends and not _has_just_told(known, item.observed_at)
    is_old = (known.state_at or 0) < answers.known_from
    unwatched = is_same and (is_old or _is_unproven(connection, known, ref, answers))
    parents = item.parents if not ends and _is_moved(item, known) else ()
    kept = item._replace(
        state=item.state if differs or unwatched else None,
        name=item.name if item.name != known.name and not ends else None,
        image=item.image if item.image != known.image and not ends else None,
        parents=parents,
        observed_at=max(item.observed_at, known.last_at or 0),  # what was told before it was asked came before
    )
    return kept if kept.state or kept.name or kept.image or parents else None


def _has_just_told(known: Known, at: Micros) -> bool:
    """Whether an event is of the very second: what follows it has the same date, and would seem to come before."""
    return known.last_source == BY_EVENT and (known.last_at or 0) >= at // _SECOND * _SECOND


def _is_unproven(connection: Connection, known: Known, ref: ResourceRef, answers: Answers) -> bool:
    """Whether no answer told of the life that a container is in: with one on each side, the next gap hides nothing."""
    was_told = ref.type == _CONTAINER and known.last_source == BY_EVENT
    return was_told and not _has_told_since(connection, known.id, answers.asked)


def _of_action(connection: Connection, item: Observation, known: Known | None, asked: Micros) -> Observation | None:
    """An action's beginning says no state, what became of it says nothing but a state."""
    if known is None:
        return item
    if item.state is None:
        is_named = item.name is not None and item.name != known.name
        is_aimed = bool(item.parents) and not known.above
        is_early = item.observed_at + _ROUNDED < known.first_at
        return item if is_named or is_aimed or is_early else None
    state = _folded(item.state)
    if state == known.state:
        return None
    was_settled = known.state is not None and known.state not in UNSETTLED
    if was_settled and (state in UNSETTLED or known.state_source == BY_EVENT):
        return None
    if state in UNSETTLED and known.state is not None and _has_told_since(connection, known.id, asked):
        return None
    return item._replace(observed_at=max(item.observed_at, known.state_at or 0))


def _is_moved(item: Observation, known: Known) -> bool:
    """Whether it is under another object of a type than was known."""
    told: dict[str, set[str]] = {}
    for parent in map(parse, item.parents):
        told.setdefault(parent.type, set()).add(parent.key)
    return any({ref.key for ref in known.above if ref.type == kind} != keys for kind, keys in told.items())


# --- what is there no more --------------------------------------------------------------------------------------------


def vanished(connection: Connection, listed: Listed, platform: int, stream: str | None = None) -> list[Observation]:
    """That those are gone which the archive believes to live on a platform, and which are not in the lists.

    The lists are those of the stream of their session, else of `stream`.
    """
    missing = [one for one in _living(connection, listed, platform) if one.key not in listed.keys[one.type]]
    if missing and (own := _stream_among_others(connection, listed, platform, stream)) is not None:
        told = _told_by(connection, own, [one.id for one in missing])
        missing = [one for one in missing if one.id in told]
    unlisted = _lived_on(connection, [one.id for one in missing if one.last_source == BY_EVENT])
    missing = [one for one in missing if one.id not in unlisted]
    if not missing:
        return []
    if _is_of_others(connection, listed, platform, [one.id for one in missing]):
        log.warning("nothing of what the REST API lists was ever told of here: is it another account's?")
        return []
    return [
        Observation(
            one.uri, _TERMINATED, None, (), max(listed.at, one.last_at or 0), None, listed.session, platform=platform
        )
        for one in missing
        if not _may_be_new(connection, one, listed)
    ]


def _living(connection: Connection, listed: Listed, platform: int) -> Iterable[Any]:
    kinds = select(event_types.c.id).where(event_types.c.text.in_(list(listed.keys)))
    joined = present.join(resources, _r.id == _p.resource_id).join(event_types, event_types.c.id == _p.type_id)
    found = select(_r.id, _r.uri, _r.key, event_types.c.text.label("type"), _p.first_at, _p.last_at, _p.last_source)
    alive = (_p.gone_at.is_(None), _p.type_id.in_(kinds), _r.platform_id == platform)
    return connection.execute(found.select_from(joined).where(*alive).order_by(_r.id)).all()


def _may_be_new(connection: Connection, one: Any, listed: Listed) -> bool:
    """Whether it may have begun after it was asked about."""
    if one.last_at is None:  # others name it, perhaps since then
        return bool(one.first_at > listed.at - _NAMED_JUST_NOW)
    return _has_told_since(connection, one.id, listed.asked)


def _is_of_others(connection: Connection, listed: Listed, platform: int, missing: Collection[int]) -> bool:
    """Whether the lists are those of another account: events told of what is missing, and of nothing in the lists.

    So it is where nothing at all is listed: a key may have the right to ask, and not to see.
    """
    keys = [key for found in listed.keys.values() for key in found]
    if not _were_told_of(connection, missing):
        return False
    for part in chunks(keys):
        known = connection.scalars(select(_r.id).where(_r.platform_id == platform, _r.key.in_(part))).all()
        if _were_told_of(connection, known):
            return False
    return True


def _stream_among_others(connection: Connection, listed: Listed, platform: int, stream: str | None) -> int | None:
    """The stream whose lists these are, where others tell of the same platform: each account, or namespace, of a
    service may have lists of its own. 0 where nobody knows it; None where there are no others."""
    there = set(connection.scalars(select(streams.c.id).where(streams.c.platform_id == platform)))
    of_session = select(sessions.c.stream_id).where(sessions.c.key == listed.session)
    own = connection.scalar(of_session) or connection.scalar(select(streams.c.id).where(streams.c.url == stream)) or 0
    return own if there - {own} else None


def _told_by(connection: Connection, stream: int, numbers: Collection[int]) -> set[int]:
    """Those of some objects that sessions of a stream told of, or found."""
    own = select(sessions.c.id).where(sessions.c.stream_id == stream)
    found: set[int] = set()
    for part in chunks(numbers):
        for table in (events, observations):
            told = exists().where(table.c.resource_id == _r.id, table.c.session_id.in_(own))
            found.update(connection.scalars(select(_r.id).where(_r.id.in_(part), told)))
    return found


def _lived_on(connection: Connection, numbers: Collection[int]) -> set[int]:
    """Those of some objects that were missing in a list before, and told of themselves since: it does not show them."""
    ends = select(event_states.c.id).where(event_states.c.text == _TERMINATED)
    was_missing = exists().where(observations.c.resource_id == _r.id, observations.c.state_id.in_(ends))
    found: set[int] = set()
    for part in chunks(numbers):
        found.update(connection.scalars(select(_r.id).where(_r.id.in_(part), was_missing)))
    return found


def _were_told_of(connection: Connection, numbers: Collection[int]) -> bool:
    for part in chunks(numbers):
        told = select(_e.id).where(_e.resource_id.in_(part)).limit(1)
        if connection.scalar(told) is not None:
            return True
    return False


# --- what is known ----------------------------------------------------------------------------------------------------


def _known(
    connection: Connection, items: Collection[Observation], refs: Collection[ResourceRef]
) -> dict[ResourceRef, Known]:
    wanted, platform = set(refs), next((item.platform for item in items), None)
    rows: dict[int, Any] = {}
    for part in chunks({ref.key for ref in refs}):
        for row in connection.execute(_standing().where(_r.platform_id == platform, _r.key.in_(part))):
            if ResourceRef(row.type, row.key) in wanted:
                rows[row.id] = row
    above: dict[int, set[ResourceRef]] = {}
    for number, kind, key in _above(connection, rows):
        above.setdefault(number, set()).add(ResourceRef(kind, key))
    return {
        ResourceRef(row.type, row.key): Known(
            row.id,
            row.first_at,
            row.last_at,
            _folded(row.state),
            row.state_at,
            row.state_source,
            row.last_source,
            row.gone_at,
            row.name,
            row.image,
            frozenset(above.get(row.id, ())),
        )
        for row in rows.values()
    }


def _standing() -> Select[Any]:
    joined = (
        resources.join(event_types, event_types.c.id == _r.type_id)
        .join(present, _p.resource_id == _r.id)
        .outerjoin(event_states, event_states.c.id == _p.state_id)
        .outerjoin(_names, _names.c.id == _p.name_id)
        .outerjoin(_images, _images.c.id == _p.image_id)
    )
    return select(
        _r.id,
        _r.key,
        event_types.c.text.label("type"),
        _p.first_at,
        _p.last_at,
        event_states.c.text.label("state"),
        _p.state_at,
        _p.state_source,
        _p.last_source,
        _p.gone_at,
        _names.c.text.label("name"),
        _images.c.text.label("image"),
    ).select_from(joined)


def _above(connection: Connection, numbers: Collection[int]) -> Iterator[tuple[int, str, str]]:
    """What each of some objects is directly under, or applies to: its number, and the other's type and key."""
    joined = facts.join(resources, _r.id == _f.value).join(event_types, event_types.c.id == _r.type_id)
    holds = ((_f.what == PARENT) & (_f.until == OPEN)) | (_f.what == TARGET)
    for part in chunks(numbers):
        told = select(_f.resource_id, event_types.c.text, _r.key).select_from(joined)
        yield from map(tuple, connection.execute(told.where(_f.resource_id.in_(part), holds)))


def _has_told_since(connection: Connection, number: int, asked: Micros) -> bool:
    """Whether an event of an object came since it was asked about: then the event knows better."""
    last = select(_e.received_at).where(_e.resource_id == number)
    received = connection.scalar(last.order_by(_e.occurred_at.desc(), _e.id.desc()).limit(1))
    return received is not None and received >= asked


def _folded(state: str | None) -> str | None:
    return None if state is None else state.lower()
