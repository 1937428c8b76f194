"""Finds the one resource that a reference means: a URI, type/key, a key, a name, or the beginning of a key or name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from archiver.codec import uris
from archiver.codec.text import is_clean
from archiver.codec.visible import unescape
from archiver.errors import AmbiguousReference, Candidate, NoSuchResource
from archiver.model import Namesakes, Number, Resource, ResourceRef, TimeRange, numbers_of, to_datetime
from archiver.queries import bearers, platforms
from archiver.queries.bearers import Within
from archiver.queries.under import TARGETS, ascend
from archiver.queries.windows import Window
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import Values, by_platform, statement
from archiver.storage.words import OPEN

ALWAYS = TimeRange()
MIN_PREFIX = 4
"""Fewest characters of a key or name that stand for the whole of it."""
_MAX_CANDIDATES = 10
_MOST_PARENTS = 1_000
_MAYBE_UUID = r"(?:\w+[/ ])?[0-9A-Fa-f-]*[A-F][0-9A-Fa-f-]*"


LISTED = (
    "SELECT r.id, r.uri, t.text AS type, r.key, n.text AS name, p.gone_at, r.platform_id,"
    " i.text AS image, o.text AS slot FROM resources r"
    " JOIN event_types t ON t.id = r.type_id"
    " LEFT JOIN present p ON p.platform_id = r.platform_id AND p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id LEFT JOIN texts i ON i.id = p.image_id"
    " LEFT JOIN texts o ON o.id = p.slot_id"
)
"""Resources as rows with number, URI, type, key, the name they have or had last, and since when they are gone."""
WITHIN = "r.platform_id IN (SELECT f.id FROM platforms f WHERE f.id = coalesce(:platform, f.id))"
"""The condition that a resource is on the platform that is meant; the index of keys begins with the platform's number.
There are few, and each is looked into."""
_TYPE = "SELECT t.id FROM event_types t WHERE t.text = :name"
_THESE = "r.platform_id = :platform AND r.id IN :numbers"
_URIS = f"SELECT r.id, r.uri FROM resources r WHERE {_THESE}"


_STANDS = (
    "SELECT p.resource_id, s.text AS state, p.state_since, p.last_at FROM present p"
    " LEFT JOIN event_states s ON s.id = p.state_id WHERE p.platform_id = :platform AND p.resource_id IN :numbers"
)
_PRINTED = r".+? (?:\((?P<key>[^(), ]+)(?:, (?P<on>[^()]+))?\)| (?P<uri>[^ ]+/[^ ]+))"
_KEY = f"{WITHIN} AND r.key = :word"


class Found(NamedTuple):
    """What a reference may mean: rows of `LISTED`, more than one when it is ambiguous."""

    rows: Sequence[Any] = ()
    namesakes: Namesakes | None = None


def resolve(connection: Connection, ref: str, platform: int | None = None, range: TimeRange = ALWAYS) -> Resource:
    """The resource that `ref` means, on a platform (None: on any); a name means who bore it as the range ended.

    Raises NoSuchResource, or AmbiguousReference with the candidates.
    """
    within = Within(platform, None, *Window.of(range))
    ref = ref.strip()
    if not is_clean(ref):
        raise NoSuchResource(ref=ref)
    found = _meant(connection, ref, within)
    found = found if found.rows else _as_printed(connection, ref, within)
    if not found.rows:
        raise NoSuchResource(ref=ref)
    if len(found.rows) > 1:
        raise _ambiguous(connection, ref, found.rows)
    return described(connection, found.rows)[0]._replace(namesakes=found.namesakes)


def _meant(connection: Connection, ref: str, within: Within) -> Found:
    known = uris.parse(ref)
    is_uri = known != ResourceRef(uris.UNKNOWN, ref)
    found = Found(_select(connection, f"r.uri = :ref AND {WITHIN}", {"ref": ref}, within))
    if not found.rows and is_uri:
        found = Found(_select(connection, f"{_KEY} AND {is_type(connection, known.type)}", {"word": known.key}, within))
    if not found.rows and not is_uri:
        found = _by_words(connection, ref, within)
        # In capitals, as some spell a uuid; archived it is in small letters.
        if not found.rows and re.fullmatch(_MAYBE_UUID, ref):
            found = _by_words(connection, ref.lower(), within)
    return found


def _as_printed(connection: Connection, ref: str, within: Within) -> Found:
    """By what an answer has behind a name: its key, and of several platforms its own; or its URI or `type/key`.

    Or by a name of which what would act on a terminal was shown as signs.
    """
    written = unescape(ref)
    if written != ref and is_clean(written) and (found := _meant(connection, written, within)).rows:
        return found
    printed = re.fullmatch(_PRINTED, ref)
    if printed is None:
        return Found()
    key = printed["key"] or printed["uri"]
    found = _meant(connection, key, within.at_any_time)
    # What is in parentheses may as well be part of what somebody wrote: the name of another thing is not meant.
    rows = [row for row in found.rows if row.uri == key or key.rpartition("/")[2] in row.key]
    if printed["on"]:
        called = platforms.names(connection)
        rows = [row for row in rows if called[row.platform_id] == printed["on"]]
    return Found(rows)


def _ambiguous(connection: Connection, ref: str, rows: Sequence[Any]) -> AmbiguousReference:
    """The error, which names the platform of each candidate where they are on several."""
    several = len({row.platform_id for row in rows}) > 1
    names = platforms.names(connection) if several else {}
    shown = rows[:_MAX_CANDIDATES]
    stands: dict[int, Any] = {}
    for among in by_platform(numbers_of(row.platform_id)(row.id) for row in shown):
        stands.update((row.resource_id, row) for row in connection.execute(statement(_STANDS), among.values()))
    known = [_candidate(row, stands.get(row.id), names.get(row.platform_id)) for row in shown]
    return AmbiguousReference(
        ref=ref,
        candidates=[row.uri for row in shown],
        more=len(rows) > _MAX_CANDIDATES,
        platforms=[names[row.platform_id] for row in shown] if several else (),
        known=known,
    )


def _candidate(row: Any, now: Any, platform: str | None) -> Candidate:
    found = Candidate(row.uri, row.type, row.name, None, None, None, platform)
    if now is None:
        return found
    return found._replace(state=now.state, since=_instant(now.state_since), heard_at=_instant(now.last_at))


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else to_datetime(micros)


def _by_words(connection: Connection, ref: str, within: Within) -> Found:
    """By `type/key`, key or name; also as Docker says it (`/blog`) and the headline of an answer (`container blog`)."""
    for separator in "/ ":
        kind, _, rest = ref.partition(separator)
        number = type_number(connection, kind.lower()) if kind and rest else None
        found = Found() if number is None else _search(connection, rest, within._replace(kind=number))
        if found.rows:
            return found
    found = _search(connection, ref, within)
    return _search(connection, ref[1:], within) if not found.rows and ref[:1] == "/" else found


def _search(connection: Connection, word: str, within: Within) -> Found:
    """By key, by name, then by their beginnings: the first that finds anything decides."""
    found = _of_type(connection, _KEY, {"word": word}, within)
    if found:
        return Found(found)
    named = bearers.of_name(connection, word, within)
    if named.numbers:
        return Found(_rows(connection, named.numbers), named.namesakes)
    if len(word) < MIN_PREFIX:
        return Found()
    # Swarm calls a task's container shop_web.1.<task id>; whoever says shop_web.1 means the latest of them.
    numbers = bearers.latest_of_slot(connection, f"{word}.", within)
    if not numbers:
        rows = _of_type(connection, f"{WITHIN} AND {begins('r.key')}", beginning(word), within)
        begun = {numbers_of(row.platform_id)(row.id) for row in rows}
        numbers = sorted(begun.union(bearers.living_of_names(connection, word, within)))
    numbers = numbers or bearers.gone_of_names(connection, word, within)
    if not numbers and within.until != OPEN:  # what nobody was called by then
        return _search(connection, word, within.at_any_time)
    if not numbers and (digest := re.fullmatch(r"(?:sha256:)?([0-9a-f]+)", word)):
        return Found(_of_type(connection, _is_digest(connection), _digest(digest[1]), within))
    return Found(_rows(connection, numbers))


def _is_digest(connection: Connection) -> str:
    """The condition that a digest begins so, as short ids of images do, which leave out the algorithm."""
    # On engines that are known by their identity the key begins with that; only images have such keys.
    return f"({WITHIN} AND {begins('r.key')} OR ({is_type(connection, 'image')} AND r.key LIKE :scoped))"


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


def _of_type(connection: Connection, which: str, values: Values, within: Within) -> Sequence[Any]:
    return _select(connection, which if within.kind is None else f"{which} AND r.type_id = :kind", values, within)


def _rows(connection: Connection, numbers: Sequence[Number]) -> Sequence[Any]:
    found: list[Any] = []
    for among in by_platform(numbers):
        found += _select(connection, _THESE, {"numbers": among.numbers}, Within(among.platform))
    return sorted(found, key=lambda row: (row.uri, row.platform_id))[: _MAX_CANDIDATES + 1]


def _select(connection: Connection, which: str, values: Values, within: Within) -> Sequence[Any]:
    asked = statement(f"{LISTED} WHERE {which} ORDER BY r.uri, r.platform_id LIMIT {_MAX_CANDIDATES + 1}")
    return connection.execute(asked, {**values, **within._asdict()}).all()


def described(connection: Connection, rows: Iterable[Any]) -> list[Resource]:
    """The resources of some rows, in their order, with all that they are under, or were under when they went."""
    rows = list(rows)
    above = _above(connection, rows)
    named: dict[int, str] = {}
    for among in by_platform(set().union(*above.values())):
        named.update((number, uri) for number, uri in connection.execute(statement(_URIS), among.values()))
    names = platforms.names(connection)
    parents = {number: sorted(named[parent] for parent in parents) for number, parents in above.items()}
    return [
        Resource(
            numbers_of(row.platform_id)(row.id),
            row.uri,
            row.type,
            row.key,
            row.name,
            tuple(parents[row.id][:_MOST_PARENTS]),
            image=row.image,
            slot=row.slot,
            platform=names[row.platform_id] if len(names) > 1 else None,
        )
        for row in rows
    ]


def _above(connection: Connection, rows: Sequence[Any]) -> dict[int, frozenset[Number]]:
    """What each of the resources is under; an action is under its target, and what that was under when it began."""
    known = {row.id: numbers_of(row.platform_id)(row.id) for row in rows}
    moments = {row.id: (known[row.id], OPEN - 1 if row.gone_at is None else row.gone_at - 1) for row in rows}
    above: dict[int, frozenset[Number]] = {}
    targets: dict[int, frozenset[Number]] = {}
    for among in by_platform(known[row.id] for row in rows if row.type == "action"):
        for since, number, value in connection.execute(statement(TARGETS), among.values()):
            if value:
                target = among.of(value)
                moments[number], targets[number] = (target, since), frozenset({target})
    for number, moment in moments.items():
        above[number] = ascend(connection, [moment])[moment] | targets.get(number, frozenset())
    return above
