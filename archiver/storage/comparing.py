"""Compares what a platform answered with what the archive knows: what of it is news.

docs/archive.md says the rules ("Asked about everything"). Works inside the recorder's transaction, after all that came
before has been written. What stays is worth an observation, and asked again at once would stay no more.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from archiver.codec.text import dump
from archiver.codec.times import read_moment
from archiver.codec.uris import parse
from archiver.model import Answers, Micros, Observation, ResourceRef, to_micros
from archiver.platforms.facts import GONE, LAGS, TAGGED, UNSETTLED, tags_of
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
_DATED: Mapping[tuple[str | None, str | None], str] = {
    ("stopped", "running"): "started",
    ("terminated", "running"): "started",
    ("running", "stopped"): "finished",
}
"""By which date of its own an answer tells how old it is, that has the second state where an event told the first."""
_NO_TAGS = "[]"
_names, _images, _tags = (texts.alias(name) for name in ("names", "images", "tags"))
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
    tags: str
    """As a JSON list."""
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
    is_agreed = state in (None, known.state) and not _moved(item, known, False)
    is_proven = ref.type != _CONTAINER or known.last_source != BY_EVENT
    is_tagged = not ends and _is_tagged(item, known)
    told = None if is_agreed and is_proven and not is_tagged else last_told(connection, known.platform_id, known.id)
    dates = _dates(item)
    may_be_old = told is not None and _may_be_older(told, dates, answers.asked)
    is_older = may_be_old or (told is not None and _is_older(ref, known, told, dates, state))
    if is_tagged and is_older and told is not None and told.is_tagged:
        item, is_tagged = _without_tags(item), False
    differs = state is not None and state != known.state and not is_older
    is_same = state == known.state and state is not None and not ends and not _has_just_told(known, item.observed_at)
    is_old = (known.state_at or 0) < answers.known_from
    may_be_of_gap = item.observed_at < answers.known_from + LAGS * _SECOND  # an API that lags knows no better
    # With an answer of a container's life on each side, the next gap hides nothing.
    is_unproven = not is_proven and (told is None or told.received_at < answers.asked)
    unwatched = is_same and (not may_be_of_gap if is_old else is_unproven)
    parents = () if ends else _moved(item, known, is_older)
    kept = item._replace(
        state=item.state if differs or unwatched else None,
        name=item.name if item.name != known.name and not ends else None,
        image=item.image if item.image != known.image and not ends else None,
        parents=parents,
        observed_at=max(item.observed_at, known.last_at or 0),  # what was told before it was asked came before
    )
    return kept if kept.state or kept.name or kept.image or parents or is_tagged else None


def _is_tagged(item: Observation, known: Known) -> bool:
    """Whether it bears other tags than were known; of what nobody said they are none."""
    tags = tags_of(item.uri, item.extra) if item.extra is not None and TAGGED in item.extra else None
    return tags is not None and tags != known.tags


def _without_tags(item: Observation) -> Observation:
    """All that an answer says but its tags."""
    said = json.loads(item.extra or "{}")
    return item._replace(extra=dump({name: value for name, value in said.items() if name != "tags"}))


# --- how old an answer may be -----------------------------------------------------------------------------------------


class LastTold(NamedTuple):
    """The last event of an object."""

    received_at: Micros
    occurred_at: Micros
    is_tagged: bool
    """Whether it said which tags the object bears."""


def is_recent(told: LastTold, asked: Micros) -> bool:
    """Whether an event came so shortly before a question, or after it, that the answer may not know of it."""
    return told.received_at >= asked - LAGS * _SECOND


def _may_be_older(told: LastTold, dates: Mapping[str, Micros], asked: Micros) -> bool:
    """Whether an answer may be of before the last event: it cannot where it has a date after that.

    Then nothing of it counts that the event says otherwise; the next answer tells.
    """
    if told.received_at >= asked:
        return True
    return is_recent(told, asked) and max(dates.values(), default=0) < told.occurred_at + _ROUNDED


def _is_older(ref: ResourceRef, known: Known, told: LastTold, dates: Mapping[str, Micros], state: str | None) -> bool:
    """Whether an answer is of before the last event for certain: a container that runs again has started again."""
    date = _DATED.get((known.state, state)) if ref.type == _CONTAINER and known.state_source == BY_EVENT else None
    return date is not None and date in dates and dates[date] + _ROUNDED < told.occurred_at


def _dates(item: Observation) -> dict[str, Micros]:
    """What an answer says of when the object began, ran and ended."""
    found = json.loads(item.extra) if item.extra else {}
    told = ((name, found.get(name)) for name in ("deployed", "started", "finished", "destroyed"))
    read = ((name, read_moment(text)) for name, text in told if type(text) is str)
    return {name: at for name, at in read if at is not None}


# --- what it says beside ----------------------------------------------------------------------------------------------


def _has_just_told(known: Known, at: Micros) -> bool:
    """Whether an event is of the very second: what follows it has the same date, and would seem to come before."""
    return known.last_source == BY_EVENT and (known.last_at or 0) >= at // _SECOND * _SECOND


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
    if state in UNSETTLED and known.state is not None:
        told = last_told(connection, known.platform_id, known.id)
        if UNSETTLED.index(state) < UNSETTLED.index(known.state) or (told is not None and is_recent(told, asked)):
            return None  # an action only ever goes on
    return item._replace(observed_at=max(item.observed_at, known.state_at or 0))


def _moved(item: Observation, known: Known, is_older: bool) -> tuple[str, ...]:
    """What an answer says an object is under, where that is news: of types of which it is under another, or none."""
    told: dict[str, set[str]] = {}
    for parent in map(parse, item.parents):
        told.setdefault(parent.type, set()).add(parent.key)
    there: dict[str, set[str]] = {}
    for ref in known.above:
        there.setdefault(ref.type, set()).add(ref.key)
    if all(there.get(kind) == keys for kind, keys in told.items()):
        return ()
    # What may be old says nothing of what is known; of what is not, it is all that there is.
    return tuple(uri for uri in item.parents if not (is_older and parse(uri).type in there))


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
            row.tags or _NO_TAGS,
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
        .outerjoin(_tags, _tags.c.id == _p.tags_id)
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
        _tags.c.text.label("tags"),
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


def last_told(connection: Connection, platform: int, number: int) -> LastTold | None:
    """The last event of an object: what it tells may be news to the answers of a while."""
    last = select(_e.received_at, _e.occurred_at, _e.tags_id).where(
        _e.platform_id == platform, _e.resource_id == number
    )
    row = connection.execute(last.order_by(_e.occurred_at.desc(), _e.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    return LastTold(row.received_at, to_micros(row.occurred_at), row.tags_id is not None)


def _folded(state: str | None) -> str | None:
    return None if state is None else state.lower()
