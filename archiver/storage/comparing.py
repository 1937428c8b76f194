"""Compares what a platform answered with what the archive knows: what of it is news.

docs/archive.md says the rules ("Asked about everything"). Works inside the recorder's transaction, after all that came
before has been written. What stays is worth an observation, and asked again at once would stay no more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from archiver.codec.uris import parse
from archiver.model import Answers, Micros, Observation, ResourceRef
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
    present,
    resources,
    texts,
)

_ACTION, _CONTAINER = "action", "container"
_SECOND = 1_000_000
_ROUNDED = 2 * _SECOND
"""Platforms date by the second, so what differs by no more is the same instant."""
_names, _images = texts.alias("names"), texts.alias("images")
_r, _p, _f, _e = resources.c, present.c, facts.c, events.c


class Known(NamedTuple):
    """What the archive knows of an object."""

    platform_id: int
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
    if differs and has_told_since(connection, known.platform_id, known.id, answers.asked):
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
    return was_told and not has_told_since(connection, known.platform_id, known.id, answers.asked)


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
    if (
        state in UNSETTLED
        and known.state is not None
        and has_told_since(connection, known.platform_id, known.id, asked)
    ):
        return None
    return item._replace(observed_at=max(item.observed_at, known.state_at or 0))


def _is_moved(item: Observation, known: Known) -> bool:
    """Whether it is under another object of a type than was known."""
    told: dict[str, set[str]] = {}
    for parent in map(parse, item.parents):
        told.setdefault(parent.type, set()).add(parent.key)
    return any({ref.key for ref in known.above if ref.type == kind} != keys for kind, keys in told.items())


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
    for number, kind, key in _above(connection, platform, rows):
        above.setdefault(number, set()).add(ResourceRef(kind, key))
    return {
        ResourceRef(row.type, row.key): Known(
            row.platform_id,
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
        .join(present, (_p.platform_id == _r.platform_id) & (_p.resource_id == _r.id))
        .outerjoin(event_states, event_states.c.id == _p.state_id)
        .outerjoin(_names, _names.c.id == _p.name_id)
        .outerjoin(_images, _images.c.id == _p.image_id)
    )
    return select(
        _r.platform_id,
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


def _above(connection: Connection, platform: int | None, numbers: Collection[int]) -> Iterator[tuple[int, str, str]]:
    """What each of some objects is directly under, or applies to: its number, and the other's type and key."""
    value = (_r.platform_id == _f.platform_id) & (_r.id == _f.value)
    joined = facts.join(resources, value).join(event_types, event_types.c.id == _r.type_id)
    holds = ((_f.what == PARENT) & (_f.until == OPEN)) | (_f.what == TARGET)
    for part in chunks(numbers):
        told = select(_f.resource_id, event_types.c.text, _r.key).select_from(joined)
        yield from map(
            tuple, connection.execute(told.where(_f.platform_id == platform, _f.resource_id.in_(part), holds))
        )


def has_told_since(connection: Connection, platform: int, number: int, asked: Micros) -> bool:
    """Whether an event of an object came since it was asked about: then the event knows better."""
    last = select(_e.received_at).where(_e.platform_id == platform, _e.resource_id == number)
    received = connection.scalar(last.order_by(_e.occurred_at.desc(), _e.id.desc()).limit(1))
    return received is not None and received >= asked


def _folded(state: str | None) -> str | None:
    return None if state is None else state.lower()
