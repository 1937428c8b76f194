"""Finds the one resource that a reference means: a URI, type/key, a key, a name, or the beginning of a key or name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from archiver.codec import uris
from archiver.codec.text import is_clean
from archiver.errors import AmbiguousReference, NoSuchResource
from archiver.model import Namesakes, Resource, ResourceRef
from archiver.queries import bearers
from archiver.queries.under import TARGETS, ascend
from archiver.storage.reading import Connection
from archiver.storage.statements import Values, chunks, statement
from archiver.storage.words import OPEN

MIN_PREFIX = 4
"""Fewest characters of a key or name that stand for the whole of it."""
_MAX_CANDIDATES = 10
_MOST_PARENTS = 1_000
_MAYBE_UUID = r"(?:\w+[/ ])?[0-9A-Fa-f-]*[A-F][0-9A-Fa-f-]*"


LISTED = (
    "SELECT r.id, r.uri, t.text AS type, r.key, n.text AS name, p.gone_at,"
    " i.text AS image, o.text AS slot FROM resources r"
    " JOIN event_types t ON t.id = r.type_id LEFT JOIN present p ON p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id LEFT JOIN texts i ON i.id = p.image_id"
    " LEFT JOIN texts o ON o.id = p.slot_id"
)
"""Resources as rows with number, URI, type, key, the name they have or had last, and since when they are gone."""
OF_ANY = "r.platform_id IN (SELECT f.id FROM platforms f)"
"""Beside a condition on a key, whose index begins with the platform: there are few, and each is looked into."""
_TYPE = "SELECT t.id FROM event_types t WHERE t.text = :name"
_URIS = "SELECT r.id, r.uri FROM resources r WHERE r.id IN :numbers"


_KEY = f"{OF_ANY} AND r.key = :word"


class Found(NamedTuple):
    """What a reference may mean: rows of `LISTED`, more than one when it is ambiguous."""

    rows: Sequence[Any] = ()
    namesakes: Namesakes | None = None


def resolve(connection: Connection, ref: str) -> Resource:
    """The resource that `ref` means. Raises NoSuchResource, or AmbiguousReference with the candidates."""
    ref = ref.strip()
    if not is_clean(ref):
        raise NoSuchResource(ref=ref)
    known = uris.parse(ref)
    is_uri = known != ResourceRef(uris.UNKNOWN, ref)
    found = Found(_select(connection, "r.uri = :ref", {"ref": ref}))
    if not found.rows and is_uri:
        found = Found(_select(connection, f"{_KEY} AND {is_type(connection, known.type)}", {"word": known.key}))
    if not found.rows and not is_uri:
        found = _by_words(connection, ref)
        # In capitals, as some spell a uuid; archived it is in small letters.
        if not found.rows and re.fullmatch(_MAYBE_UUID, ref):
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
    found = _of_type(connection, _KEY, {"word": word}, kind)
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
        begun = {row.id for row in _of_type(connection, f"{OF_ANY} AND {begins('r.key')}", beginning(word), kind)}
        numbers = sorted(begun.union(bearers.living_of_names(connection, word, kind)))
    numbers = numbers or bearers.gone_of_names(connection, word, kind)
    if not numbers and (digest := re.fullmatch(r"(?:sha256:)?([0-9a-f]+)", word)):
        return Found(_of_type(connection, _is_digest(connection), _digest(digest[1]), kind))
    return Found(_rows(connection, numbers))


def _is_digest(connection: Connection) -> str:
    """The condition that a digest begins so, as short ids of images do, which leave out the algorithm."""
    # On engines that are known by their identity the key begins with that; only images have such keys.
    return f"({OF_ANY} AND {begins('r.key')} OR ({is_type(connection, 'image')} AND r.key LIKE :scoped))"


def _digest(digits: str) -> Values:
    return {**beginning(f"sha256:{digits}"), "scoped": f"%.sha256:{digits}%"}


def begins(column: str) -> str:
    """The condition that a text has the `beginning` that the values of the statement give."""
    # A range, since it uses the index whatever the word contains; identifiers compare byte by byte.
    return f"({column} >= :word AND {column} < :upper)"


def beginning(word: str) -> Values:
    """The values for `begins`."""
    return {"word": word, "upper": word + bearers.UPPER}


def type_number(connection: Connection, name: str) -> int | None:
    """The number of a type; None when there is none of that name."""
    number: int | None = connection.scalar(statement(_TYPE), {"name": name})
    return number


def is_type(connection: Connection, name: str) -> str:
    """The condition that a resource is of a type."""
    number = type_number(connection, name)
    return f"r.type_id = {number if number is not None else -1}"


def _of_type(connection: Connection, which: str, values: Values, kind: int | None) -> Sequence[Any]:
    return _select(connection, which if kind is None else f"{which} AND r.type_id = :kind", {**values, "kind": kind})


def _rows(connection: Connection, numbers: Sequence[int]) -> Sequence[Any]:
    return _select(connection, "r.id IN :numbers", {"numbers": numbers}) if numbers else ()


def _select(connection: Connection, which: str, values: Values) -> Sequence[Any]:
    asked = statement(f"{LISTED} WHERE {which} ORDER BY r.uri LIMIT {_MAX_CANDIDATES + 1}")
    return connection.execute(asked, values).all()


def described(connection: Connection, rows: Iterable[Any]) -> list[Resource]:
    """The resources of some rows, in their order, with all that they are under, or were under when they went."""
    rows = list(rows)
    above = _above(connection, rows)
    named: dict[int, str] = {}
    for numbers in chunks(set().union(*above.values())):
        named.update((number, uri) for number, uri in connection.execute(statement(_URIS), {"numbers": numbers}))
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
