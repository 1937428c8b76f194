"""Finds the one resource that a reference means: a URI, type/key, a key, a name, or the beginning of a key or name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from archiver.codec import uris
from archiver.codec.text import is_clean
from archiver.errors import AmbiguousReference, NoSuchResource
from archiver.model import Resource, ResourceRef
from archiver.platforms.docker import facts as docker
from archiver.platforms.tutum import facts as tutum
from archiver.storage.schema import event_states, event_types, events, observations, resource_parents, resources

MIN_PREFIX = 4
"""Fewest characters of a key or name that stand for the whole of it."""
_MAX_CANDIDATES = 10
_GONE = docker.GONE | tutum.GONE
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
        keys = {known.key, uris.older_key(ref, known) or known.key}
        found = _select(connection, and_(resources.c.key.in_(keys), is_type(connection, known.type)))
    if not found and not is_uri:
        found = _by_words(connection, ref)
    if not found:
        raise NoSuchResource(ref=ref)
    if len(found) > 1:
        candidates = [row.uri for row in found[:_MAX_CANDIDATES]]
        raise AmbiguousReference(ref=ref, candidates=candidates, more=len(found) > _MAX_CANDIDATES)
    return described(connection, found[0])


def _by_words(connection: Connection, ref: str) -> Found:
    """By `type/key`, key or name; also as Docker says it (`/blog`) and the headline of an answer (`container blog`)."""
    for separator in "/ ":
        kind, _, rest = ref.partition(separator)
        found = _search(connection, rest, is_type(connection, kind.lower())) if kind and rest else []
        if found:
            return found
    return _search(connection, ref, None) or (_search(connection, ref[1:], None) if ref[:1] == "/" else [])


def _search(connection: Connection, word: str, of_type: ColumnElement[bool] | None) -> Found:
    """By key, by name, then by their beginnings: the first that finds anything decides."""
    key, name = resources.c.key, resources.c.name
    # An action's name is what it does: whoever says kill means a container of that name, not every killing there was.
    is_thing = ~is_type(connection, "action")
    attempts = [key == word, and_(name == word, is_thing)]
    if len(word) >= MIN_PREFIX:
        # Swarm calls a task's container shop_web.1.<task id>; whoever says shop_web.1 means the latest of them.
        beginning = or_(begins(key, word), and_(begins(name, word), is_thing))
        attempts += [and_(begins(name, f"{word}."), is_thing), beginning]
        if digest := re.fullmatch(r"(?:sha256:)?([0-9a-f]+)", word):
            attempts.append(_is_digest(connection, digest[1]))
    for number, attempt in enumerate(attempts):
        found = _select(connection, attempt if of_type is None else and_(attempt, of_type))
        if found:
            by_name = number in {1, 2}
            return latest_bearer(connection, attempt, found) if by_name else found
    return []


def _is_digest(connection: Connection, beginning: str) -> ColumnElement[bool]:
    """The condition that a digest begins so, as short ids of images do, which leave out the algorithm."""
    key = resources.c.key
    # On engines that are known by their identity the key begins with that; only images have such keys.
    scoped = and_(is_type(connection, "image"), key.contains(f".sha256:{beginning}"))
    return or_(begins(key, f"sha256:{beginning}"), scoped)


def latest_bearer(connection: Connection, attempt: ColumnElement[bool], found: Found) -> Found:
    """Of several objects of one type that bore a name, the one that is there; of those, the one heard of last."""
    if len({row.type for row in found}) > 1:
        return found
    last_event = select(func.max(events.c.occurred_at)).where(events.c.resource_id == resources.c.id)
    last_seen = select(func.max(observations.c.observed_at)).where(observations.c.resource_id == resources.c.id)
    at = (last_event.scalar_subquery(), last_seen.scalar_subquery())
    bearers = select(resources.c.id, *at, *_last_states()).where(attempt, is_type(connection, found[0].type))
    latest = max(connection.execute(bearers), key=_presence)
    return _select(connection, resources.c.id == latest.id)


def _last_states() -> Iterator[Any]:
    """The state a resource was last told in, and the one it was last found in."""
    for table, at in ((events, events.c.occurred_at), (observations, observations.c.observed_at)):
        joined = select(event_states.c.text).join(table, table.c.state_id == event_states.c.id)
        last = joined.where(table.c.resource_id == resources.c.id).order_by(at.desc(), table.c.id.desc()).limit(1)
        yield last.scalar_subquery()


def _presence(row: Any) -> tuple[bool, datetime, int]:
    """What makes one bearer of a name likelier to be meant than another."""
    number, told_at, found_at, told, found = row
    state = told if found is None or (told_at is not None and told_at > found_at) else found
    return (state or "").lower() not in _GONE, max(filter(None, (told_at, found_at)), default=_NEVER), number


def begins(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    """The condition that a text begins with a word."""
    # A range, since it uses the index whatever the word contains; identifiers compare byte by byte.
    return and_(column >= word, column < word + "\U0010ffff")


def is_type(connection: Connection, name: str) -> ColumnElement[bool]:
    """The condition that a resource is of a type."""
    number = connection.scalar(select(event_types.c.id).where(event_types.c.text == name))
    return resources.c.type_id == (number if number is not None else -1)


def _select(connection: Connection, which: ColumnElement[bool]) -> Found:
    return connection.execute(listed().where(which).order_by(resources.c.uri).limit(_MAX_CANDIDATES + 1)).all()


def listed() -> Select[Any]:
    """Resources as rows with number, URI, type, key and name."""
    columns = (resources.c.id, resources.c.uri, event_types.c.text.label("type"), resources.c.key, resources.c.name)
    return select(*columns).join(event_types, event_types.c.id == resources.c.type_id)


def described(connection: Connection, row: Any) -> Resource:
    """The resource of a row, with its parents."""
    parents = (
        select(resources.c.uri)
        .join(resource_parents, resource_parents.c.parent_id == resources.c.id)
        .where(resource_parents.c.child_id == row.id, resource_parents.c.derived == 0)
        .order_by(resources.c.uri)
        .limit(1000)
    )
    return Resource(row.id, row.uri, row.type, row.key, row.name, tuple(connection.scalars(parents)))
