"""Finds the one resource that a reference means: a URI, type/key, a key, a name, or the beginning of a key or name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from archiver.codec import uris
from archiver.codec.text import is_clean
from archiver.errors import AmbiguousReference, NoSuchResource
from archiver.model import Namesakes, Resource, ResourceRef
from archiver.queries import bearers
from archiver.queries.under import TARGETS, ascend, chunks, statement
from archiver.storage.schema import OPEN, event_types, present, resources, texts

MIN_PREFIX = 4
"""Fewest characters of a key or name that stand for the whole of it."""
_MAX_CANDIDATES = 10
_MOST_PARENTS = 1_000
_MAYBE_UUID = re.compile(r"(?:\w+[/ ])?[0-9A-Fa-f-]*[A-F][0-9A-Fa-f-]*").fullmatch


class Found(NamedTuple):
    """What a reference may mean: rows of `listed`, more than one when it is ambiguous."""

    rows: Sequence[Any] = ()
    namesakes: Namesakes | None = None


def resolve(connection: Connection, ref: str) -> Resource:
    """The resource that `ref` means. Raises NoSuchResource, or AmbiguousReference with the candidates."""
    ref = ref.strip()
    if not is_clean(ref):
        raise NoSuchResource(ref=ref)
    known = uris.parse(ref)
    is_uri = known != ResourceRef(uris.UNKNOWN, ref)
    found = Found(_select(connection, resources.c.uri == ref))
    if not found.rows and is_uri:
        found = Found(_select(connection, and_(resources.c.key == known.key, is_type(connection, known.type))))
    if not found.rows and not is_uri:
        found = _by_words(connection, ref)
        if not found.rows and _MAYBE_UUID(ref):  # in capitals, as some spell a uuid; archived it is in small letters
            found = _by_words(connection, ref.lower())
    if not found.rows:
        raise NoSuchResource(ref=ref)
    if len(found.rows) > 1:
        candidates = [row.uri for row in found.rows[:_MAX_CANDIDATES]]
        raise AmbiguousReference(ref=ref, candidates=candidates, more=len(found.rows) > _MAX_CANDIDATES)
    return described(connection, found.rows)[0]._replace(namesakes=found.namesakes)


def _by_words(connection: Connection, ref: str) -> Found:
    """By `type/key`, key or name; also as Docker says it (`/blog`) and the headline of an answer (`container blog`)."""
    for separator in "/ ":
        kind, _, rest = ref.partition(separator)
        number = type_number(connection, kind.lower()) if kind and rest else None
        found = Found() if number is None else _search(connection, rest, number)
        if found.rows:
            return found
    found = _search(connection, ref, None)
    return _search(connection, ref[1:], None) if not found.rows and ref[:1] == "/" else found


def _search(connection: Connection, word: str, kind: int | None) -> Found:
    """By key, by name, then by their beginnings: the first that finds anything decides."""
    key = resources.c.key
    found = _of_type(connection, key == word, kind)
    if found:
        return Found(found)
    named = bearers.of_name(connection, word, kind)
    if named.numbers:
        return Found(_rows(connection, named.numbers), named.namesakes)
    if len(word) < MIN_PREFIX:
        return Found()
    # Swarm calls a task's container shop_web.1.<task id>; whoever says shop_web.1 means the latest of them.
    numbers = bearers.latest_of_slot(connection, f"{word}.", kind)
    if not numbers:
        begun = {row.id for row in _of_type(connection, begins(key, word), kind)}
        numbers = sorted(begun.union(bearers.living_of_names(connection, word, kind)))
    numbers = numbers or bearers.gone_of_names(connection, word, kind)
    if not numbers and (digest := re.fullmatch(r"(?:sha256:)?([0-9a-f]+)", word)):
        return Found(_of_type(connection, _is_digest(connection, digest[1]), kind))
    return Found(_rows(connection, numbers))


def _is_digest(connection: Connection, beginning: str) -> ColumnElement[bool]:
    """The condition that a digest begins so, as short ids of images do, which leave out the algorithm."""
    key = resources.c.key
    # On engines that are known by their identity the key begins with that; only images have such keys.
    scoped = and_(is_type(connection, "image"), key.contains(f".sha256:{beginning}"))
    return or_(begins(key, f"sha256:{beginning}"), scoped)


def begins(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    """The condition that a text begins with a word."""
    # A range, since it uses the index whatever the word contains; identifiers compare byte by byte.
    return and_(column >= word, column < word + bearers.UPPER)


def type_number(connection: Connection, name: str) -> int | None:
    """The number of a type; None when there is none of that name."""
    return connection.scalar(select(event_types.c.id).where(event_types.c.text == name))


def is_type(connection: Connection, name: str) -> ColumnElement[bool]:
    """The condition that a resource is of a type."""
    number = type_number(connection, name)
    return resources.c.type_id == (number if number is not None else -1)


def _of_type(connection: Connection, which: ColumnElement[bool], kind: int | None) -> Sequence[Any]:
    return _select(connection, which if kind is None else and_(which, resources.c.type_id == kind))


def _rows(connection: Connection, numbers: Sequence[int]) -> Sequence[Any]:
    return _select(connection, resources.c.id.in_(numbers)) if numbers else ()


def _select(connection: Connection, which: ColumnElement[bool]) -> Sequence[Any]:
    return connection.execute(listed().where(which).order_by(resources.c.uri).limit(_MAX_CANDIDATES + 1)).all()


def listed() -> Select[Any]:
    """Resources as rows with number, URI, type, key, the name they have or had last, and since when they are gone."""
    c = resources.c
    columns = (c.id, c.uri, event_types.c.text.label("type"), c.key, texts.c.text.label("name"), present.c.gone_at)
    joined = resources.join(event_types, event_types.c.id == c.type_id)
    joined = joined.outerjoin(present, present.c.resource_id == c.id).outerjoin(texts, texts.c.id == present.c.name_id)
    images, slots = texts.alias(), texts.alias()
    joined = joined.outerjoin(images, images.c.id == present.c.image_id)
    joined = joined.outerjoin(slots, slots.c.id == present.c.slot_id)
    return select(*columns, images.c.text.label("image"), slots.c.text.label("slot")).select_from(joined)


def described(connection: Connection, rows: Iterable[Any]) -> list[Resource]:
    """The resources of some rows, in their order, with all that they are under, or were under when they went."""
    rows = list(rows)
    above = _above(connection, rows)
    named: dict[int, str] = {}
    for numbers in chunks(set().union(*above.values())):
        query = select(resources.c.id, resources.c.uri).where(resources.c.id.in_(numbers))
        named.update((number, uri) for number, uri in connection.execute(query))
    parents = {number: sorted(named[parent] for parent in parents) for number, parents in above.items()}
    return [
        Resource(
            row.id,
            row.uri,
            row.type,
            row.key,
            row.name,
            tuple(parents[row.id][:_MOST_PARENTS]),
            image=row.image,
            slot=row.slot,
        )
        for row in rows
    ]


def _above(connection: Connection, rows: Sequence[Any]) -> dict[int, frozenset[int]]:
    """What each of the resources is under; an action is under its target, and what that was under when it began."""
    moments = {row.id: (row.id, OPEN - 1 if row.gone_at is None else row.gone_at - 1) for row in rows}
    above: dict[int, frozenset[int]] = {}
    targets: dict[int, frozenset[int]] = {}
    for numbers in chunks(row.id for row in rows if row.type == "action"):
        for since, number, value in connection.execute(statement(TARGETS), {"numbers": numbers}):
            if value:
                moments[number], targets[number] = (value, since), frozenset({value})
    for number, moment in moments.items():
        above[number] = ascend(connection, [moment])[moment] | targets.get(number, frozenset())
    return above
