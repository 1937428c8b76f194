"""Compares what a platform answered with what the archive knows: what of it is news.

docs/archive.md says the rules ("Asked about everything"). Works inside the recorder's transaction, after all that came
before has been written. What stays is worth an observation, and asked again at once would stay no more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection

from archiver.codec.text import dump
from archiver.codec.times import read_moment
from archiver.codec.uris import parse
from archiver.model import Answers, Micros, Observation, ResourceRef
from archiver.platforms.facts import GONE, LAGS, TAGGED, UNSETTLED, tags_of
from archiver.storage.known_objects import Known, LastTold, folded, is_recent, known_objects, last_told
from archiver.storage.schema import BY_EVENT

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


def is_action(uri: str) -> bool:
    """Whether a URI is that of an action."""
    return parse(uri).type == _ACTION


def news(connection: Connection, answers: Answers) -> list[Observation]:
    """What of the answers, all of one platform, the archive does not know; of each object only what is news."""
    refs = [parse(item.uri) for item in answers.observations]
    known = known_objects(connection, answers.observations, refs)
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
    state = folded(item.state)
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
    state = folded(item.state)
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
