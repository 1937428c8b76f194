"""Names, images and tags that became others, and what moved, within a stretch of time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from archiver.model import Micros, Number, TimeRange, to_datetime, to_micros
from archiver.model.nearby import Became
from archiver.queries.standing import tags_in
from archiver.queries.steps import Heard, Step
from archiver.queries.windows import NEVER
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import by_platform, chunks, statement
from archiver.storage.words import ASKED, IMAGE, NAME, OPEN, PARENT, TAGS

_CALLED: Mapping[int, Became] = {PARENT: "moved", NAME: "name", IMAGE: "image", TAGS: "tags"}
"""The kinds of facts, and how it is called when another one begins to hold."""
_KINDS = tuple(_CALLED)
_OWN = (NAME, IMAGE, TAGS)
"""What a resource is told to be by its own words alone."""
_BEGUN = (
    "SELECT DISTINCT f.resource_id FROM facts f WHERE f.platform_id = :platform AND f.resource_id IN :numbers"
    " AND f.what IN :whats AND f.since >= :since AND f.since < :until"
)
_HELD = (
    "SELECT f.resource_id, f.what, f.since, f.until, f.value, f.told_by, f.how FROM facts f"
    f" WHERE f.platform_id = :platform AND f.resource_id IN :numbers AND f.what IN {_KINDS}"
    " AND f.since < :until AND f.until >= :since ORDER BY f.resource_id, f.what, f.since"
)
_LAST = (
    "SELECT f.resource_id, f.what, f.value FROM facts f"
    " JOIN (SELECT g.platform_id AS platform_id, g.resource_id AS resource_id, g.what AS what, max(g.until) AS until"
    " FROM facts g"
    f" WHERE g.platform_id = :platform AND g.resource_id IN :numbers AND g.what IN {_KINDS}"
    " AND g.since < :since GROUP BY g.platform_id, g.resource_id, g.what) l"
    " ON l.platform_id = f.platform_id AND l.resource_id = f.resource_id AND l.what = f.what"
    " WHERE f.platform_id = :platform AND f.resource_id IN :numbers AND f.until = l.until AND f.since < :since"
)
_TEXTS = "SELECT n.id, n.text FROM texts n WHERE n.id IN :numbers"
_URIS = "SELECT r.id, r.uri AS text FROM resources r WHERE r.platform_id = :platform AND r.id IN :numbers"
_SESSIONS = (
    "SELECT e.id, e.session_id FROM events e WHERE e.platform_id = :platform AND e.id IN :numbers",
    "SELECT o.id, o.session_id FROM observations o WHERE o.platform_id = :platform AND o.id IN :numbers",
)


class _Fact(NamedTuple):
    """That something was so from when until when, and who told."""

    since: Micros
    until: Micros
    value: Number
    told_by: Number | None
    asked: bool


class _Became(NamedTuple):
    """That other values held from an instant on than before."""

    number: Number
    what: int
    before: frozenset[Number]
    after: frozenset[Number]
    fact: _Fact


def became(
    connection: Connection, numbers: Collection[Number], told: Collection[Number], range: TimeRange
) -> list[Step]:
    """What became of names, images, tags and places; what came back as it had been became nothing else.

    `told`: those of the resources that told anything within the range themselves. Of no others there are new
    names, images and tags; where something is the lists of others say, too.
    """
    since = NEVER if range.since is None else to_micros(range.since)
    until = OPEN if range.until is None else to_micros(range.until)
    found: list[_Became] = []
    begun = _begun(connection, numbers, (PARENT,), since, until) | _begun(connection, told, _OWN, since, until)
    for among in by_platform(sorted(begun)):
        held: dict[tuple[Number, int], list[_Fact]] = {}
        for row in connection.execute(statement(_HELD), among.values(since=since, until=until)):
            told_by = None if row.told_by is None else among.of(row.told_by)
            fact = _Fact(row.since, row.until, among.of(row.value), told_by, row.how == ASKED)
            held.setdefault((among.of(row.resource_id), row.what), []).append(fact)
        new = {number for (number, _), facts in held.items() if min(fact.since for fact in facts) >= since}
        last = _last(connection, new, since)
        for (number, what), facts in held.items():
            found += _turns(number, what, facts, since, last.get((number, what), frozenset()))
    return _steps(connection, found)


def _begun(
    connection: Connection, numbers: Iterable[Number], whats: Sequence[int], since: Micros, until: Micros
) -> set[Number]:
    """Those of some resources of which anything of some kinds holds since an instant within a stretch of time."""
    found: set[Number] = set()
    for among in by_platform(sorted(numbers)):
        asked = among.values(whats=whats, since=since, until=until)
        found.update(map(among.of, connection.scalars(statement(_BEGUN), asked)))
    return found


def _last(
    connection: Connection, numbers: Iterable[Number], since: Micros
) -> dict[tuple[Number, int], frozenset[Number]]:
    """What some resources had last before an instant, of each kind."""
    found: dict[tuple[Number, int], set[Number]] = {}
    for among in by_platform(sorted(numbers)):
        for number, what, value in connection.execute(statement(_LAST), among.values(since=since)):
            found.setdefault((among.of(number), what), set()).add(among.of(value))
    return {key: frozenset(values) for key, values in found.items()}


def _turns(number: Number, what: int, facts: list[_Fact], since: Micros, last: frozenset[Number]) -> Iterable[_Became]:
    """When the values changed; while a resource is gone it has none, and what it had is what it is compared with."""
    begun = {fact.since: fact for fact in facts if fact.since >= since}
    for at, fact in begun.items():
        earlier = [each for each in facts if each.since < at]
        until = max((each.until for each in earlier), default=at)
        had = frozenset(each.value for each in earlier if each.until >= min(at, until))
        after = frozenset(each.value for each in facts if each.since <= at < each.until)
        before = had or last
        if before and before != after:
            yield _Became(number, what, before, after, fact)


def _steps(connection: Connection, found: Collection[_Became]) -> list[Step]:
    texts, sessions = _words(connection, found), _told_in(connection, found)
    steps: list[Step] = []
    for number, what, before, after, fact in found:
        was, is_ = (tuple(sorted(texts[what == PARENT, value] for value in values)) for values in (before, after))
        told: tuple[Any, Any] = (was, is_) if what == PARENT else (was[-1], is_[-1])
        if what == TAGS:
            told = tags_in(was[-1]), tags_in(is_[-1])
        heard = Heard(sessions.get((fact.asked, fact.told_by)), found=fact.asked)
        steps.append(Step(number, _CALLED[what], *told, to_datetime(fact.since), heard))
    return steps


def _words(connection: Connection, found: Collection[_Became]) -> Mapping[tuple[bool, int], str]:
    """The texts of values: names, images and tags, and URIs of what is above."""
    texts: dict[tuple[bool, int], str] = {}
    parents, others = (
        {value for each in found if (each.what == PARENT) == is_parent for value in each.before | each.after}
        for is_parent in (True, False)
    )
    for among in by_platform(sorted(parents)):
        asked = connection.execute(statement(_URIS), among.values())
        texts.update(((True, row.id), row.text) for row in asked)
    for part in chunks(sorted(others)):
        asked = connection.execute(statement(_TEXTS), {"numbers": part})
        texts.update(((False, row.id), row.text) for row in asked)
    return texts


def _told_in(connection: Connection, found: Collection[_Became]) -> Mapping[tuple[bool, int | None], int | None]:
    """In which sessions the facts were told, by whether somebody asked and the number of the word."""
    sessions: dict[tuple[bool, int | None], int | None] = {}
    for asked, query in enumerate(_SESSIONS):
        words = {each.fact.told_by for each in found if each.fact.asked == bool(asked)}
        for among in by_platform(sorted(word for word in words if word is not None)):
            rows = connection.execute(statement(query), among.values())
            sessions.update(((bool(asked), row.id), row.session_id) for row in rows)
    return sessions
