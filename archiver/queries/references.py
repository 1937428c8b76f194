"""Finds the one resource that a reference means: a URI, type/key, a key, a name, or the beginning of a key or name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from archiver.codec import uris
from archiver.codec.text import is_clean
from archiver.errors import AmbiguousReference, NoSuchResource
from archiver.model import Resource, ResourceRef
from archiver.storage.schema import event_types, events, observations, resource_parents, resources

MIN_PREFIX = 4
"""Fewest characters of a key or name that stand for the whole of it."""
_MAX_CANDIDATES = 10
_NEVER = datetime.min.replace(tzinfo=UTC)

Found = Sequence[Any]


def resolve(connection: Connection, ref: str) -> Resource:
    """The resource that `ref` means. Raises NoSuchResource, or AmbiguousReference with the candidates."""
    ref = ref.strip()
    if not is_clean(ref):
        raise NoSuchResource(ref=ref)
    known = uris.parse(ref)
    is_uri = known != ResourceRef(uris.UNKNOWN, ref)
    found = _select(connection, resources.c.uri == ref)
    if not found and is_uri:
        found = _select(connection, and_(resources.c.key == known.key, _is_type(connection, known.type)))
    if not found and not is_uri:
        kind, slash, rest = ref.partition("/")
        found = _search(connection, rest, _is_type(connection, kind.lower())) if slash and rest else []
        found = found or _search(connection, ref, None)
    if not found:
        raise NoSuchResource(ref=ref)
    if len(found) > 1:
        candidates = [row.uri for row in found[:_MAX_CANDIDATES]]
        raise AmbiguousReference(ref=ref, candidates=candidates, more=len(found) > _MAX_CANDIDATES)
    return _resource(connection, found[0])


def _search(connection: Connection, word: str, of_type: ColumnElement[bool] | None) -> Found:
    """By key, by name, then by their beginnings: the first that finds anything decides."""
    key, name = resources.c.key, resources.c.name
    # An action's name is what it does: whoever says kill means a container of that name, not every killing there was.
    is_thing = ~_is_type(connection, "action")
    attempts = [key == word, and_(name == word, is_thing)]
    if len(word) >= MIN_PREFIX:
        # Swarm calls a task's container shop_web.1.<task id>; whoever says shop_web.1 means the latest of them.
        beginning = or_(_begins(key, word), and_(_begins(name, word), is_thing))
        attempts += [and_(_begins(name, f"{word}."), is_thing), beginning]
    for number, attempt in enumerate(attempts):
        found = _select(connection, attempt if of_type is None else and_(attempt, of_type))
        if found:
            by_name = number in {1, 2}
            return _latest_bearer(connection, attempt, found) if by_name else found
    return []


def _latest_bearer(connection: Connection, attempt: ColumnElement[bool], found: Found) -> Found:
    """Of several objects of one type that bore a name one after the other, the one heard of last."""
    if len({row.type for row in found}) > 1:
        return found
    last_event = select(func.max(events.c.occurred_at)).where(events.c.resource_id == resources.c.id)
    last_seen = select(func.max(observations.c.observed_at)).where(observations.c.resource_id == resources.c.id)
    at = (last_event.scalar_subquery(), last_seen.scalar_subquery())
    bearers = select(resources.c.id, *at).where(attempt, _is_type(connection, found[0].type))
    latest = max(connection.execute(bearers), key=lambda row: (max(filter(None, row[1:]), default=_NEVER), row.id))
    return _select(connection, resources.c.id == latest.id)


def _begins(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    # A range, since it uses the index whatever the word contains; identifiers compare byte by byte.
    return and_(column >= word, column < word + "\U0010ffff")


def _is_type(connection: Connection, name: str) -> ColumnElement[bool]:
    number = connection.scalar(select(event_types.c.id).where(event_types.c.text == name))
    return resources.c.type_id == (number if number is not None else -1)


def _select(connection: Connection, which: ColumnElement[bool]) -> Found:
    columns = (resources.c.id, resources.c.uri, event_types.c.text.label("type"), resources.c.key, resources.c.name)
    query = select(*columns).join(event_types, event_types.c.id == resources.c.type_id).where(which)
    return connection.execute(query.order_by(resources.c.uri).limit(_MAX_CANDIDATES + 1)).all()


def _resource(connection: Connection, row: Any) -> Resource:
    parents = (
        select(resources.c.uri)
        .join(resource_parents, resource_parents.c.parent_id == resources.c.id)
        .where(resource_parents.c.child_id == row.id, resource_parents.c.derived == 0)
        .order_by(resources.c.uri)
        .limit(1000)
    )
    return Resource(row.id, row.uri, row.type, row.key, row.name, tuple(connection.scalars(parents)))
