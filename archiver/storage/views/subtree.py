"""The view of what is under what: direct edges closed over as many levels as the platforms have, without recursion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from archiver.storage.views.events import PLATFORM
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.view import View
from archiver.storage.words import ASKED, INFERRED, OPEN, PARENT, TARGET, TOLD

LEVELS = 4
"""So many levels are above an object at most (a container is under a service, that under a stack); and above what an
action applies to."""

_ONE_OF_MANY, _MOST, _NEARLY_ALL = 0.00001, 0.5, 0.9


def _edge(say: Idioms, n: int, below: str) -> str:
    """The n-th fact of a way up, from what is below."""
    is_parent, continues = say.likely(f"f{n}.what = {PARENT}", _MOST), say.likely(below, _ONE_OF_MANY)
    return f"JOIN facts f{n} ON f{n}.platform_id = f{n - 1}.platform_id AND {continues} AND {is_parent}"


class _Way(NamedTuple):
    """A way from what is below to what is above it, along facts of which each begins where the one below it ends."""

    facts: Sequence[str]
    """Their aliases, the lowest first; those of an action begin with f0, what it applies to."""
    joins: Sequence[str]
    where: Sequence[str]
    since: str
    until: str
    holds: bool = False
    """Only those that still hold, or only those that ended: in a SELECT of its own the other half is not even read."""

    def select(self, say: Idioms) -> str:
        """The ways as rows."""
        first, last = self.facts[0], self.facts[-1]
        is_action = first == "f0"
        edges = self.facts[is_action:]
        # Between the same foot and head, the ways are told apart by what they pass.
        passed = [f"{fact}.value" for fact in edges[:-1]]
        passed += ["0"] * (LEVELS - 1 - len(passed))
        # A column must be of one affinity in all SELECTs: else SQLite does not join with each by itself.
        numbers = {f"v{n}": value for n, value in enumerate(passed, 1)}
        numbers |= {"since_us": self.since, "until_us": self.until}
        numbers["how"] = say.latest([f"{fact}.how" for fact in self.facts])
        listed = ", ".join(f"CAST({number} AS bigint) AS {name}" for name, number in numbers.items())
        circle = " AND a.id <> f0.value" if is_action and edges else ""
        return f"""SELECT a.uri AS ancestor_uri, d.uri AS descendant_uri, d.type_id AS type_id,
    {listed},
    {int(self.holds)} AS holds, {int(is_action)} AS is_action, d.platform_id AS platform_id,
    a.id AS head, a.type_id AS head_type_id,
    {first}.{"value" if is_action else "resource_id"} AS foot, {len(edges)} AS edges
  FROM facts {first} {" ".join(self.joins)}
  JOIN resources a ON {say.likely(f"a.id = {last}.value", _ONE_OF_MANY)}
    AND {say.likely(f"a.platform_id = {last}.platform_id", _NEARLY_ALL)}
  JOIN resources d ON d.platform_id = {first}.platform_id AND d.id = {first}.resource_id
  WHERE {" AND ".join(self.where)} AND a.id <> d.id{circle}"""


def _way_up(say: Idioms, edges: int, *, holds: bool) -> _Way:
    """Every way of so many edges which held together."""
    facts = [f"f{n}" for n in range(1, edges + 1)]
    joins = [_edge(say, n, f"f{n}.resource_id = f{n - 1}.value") for n in range(2, edges + 1)]
    where = [say.likely(f"f1.what = {PARENT}", _MOST)]
    since = say.latest([f"{fact}.since" for fact in facts])
    if holds:
        where += [f"{fact}.node = {OPEN}" for fact in facts]
        return _Way(facts, joins, where, since, str(OPEN), holds)
    until = say.earliest([f"{fact}.until" for fact in facts])
    return _Way(facts, joins, [*where, f"{until} < {OPEN}", f"{since} < {until}"], since, until, holds)


def _action_and_up(say: Idioms, edges: int) -> _Way:
    """Every action with what is so many edges above what it applies to, as of its beginning."""
    facts = [f"f{n}" for n in range(edges + 1)]
    joins = [_edge(say, n, f"f{n}.resource_id = f{n - 1}.value") for n in range(2, edges + 1)]
    if edges:
        joins.insert(0, _edge(say, 1, "f1.resource_id = f0.value"))
    # As differences, for which no index serves: that of all actions by time is no way to those of one object.
    then = [f"f0.since - {fact}.since >= 0 AND {fact}.until - f0.since > 0" for fact in facts[1:]]
    where = [say.likely(f"f0.what = {TARGET}", _MOST), *then]
    return _Way(facts, joins, where, "f0.since", "f0.until")


def _ways(at: str, which: str) -> str:
    """1 where a way leads from foot to head of which all edges hold at an instant, else 0."""
    joins = [
        f"LEFT JOIN facts o{n} ON o{n}.platform_id = w.platform_id AND o{n}.resource_id = o{n - 1}.value"
        f" AND o{n}.what = {PARENT} AND o{n}.since <= {at} AND o{n}.until > {at}"
        for n in range(2, LEVELS + 1)
    ]
    return f"""coalesce((SELECT 1 FROM facts o1
    {(chr(10) + "    ").join(joins)}
    WHERE o1.platform_id = w.platform_id AND o1.resource_id = w.foot AND o1.what = {PARENT} AND o1.since <= {at}
      AND o1.until > {at} AND ({which}) LIMIT 1), 0)"""


_ANY = f"w.head IN ({', '.join(f'o{n}.value' for n in range(1, LEVELS + 1))})"


def _simpler() -> Iterator[str]:
    """That a way is simpler than the one in question: shorter, or as long and through what has the lower numbers."""
    for n in range(1, LEVELS + 1):
        shorter = f"w.edges > {n}"
        if n > 1:
            passed = ", ".join(f"o{m}.value" for m in range(1, n)), ", ".join(f"w.v{m}" for m in range(1, n))
            shorter = f"({shorter} OR (w.edges = {n} AND ({passed[0]}) < ({passed[1]})))"
        yield f"(o{n}.value = w.head AND {shorter})"


def _began(say: Idioms) -> str:
    """Since when there was one way or another without a break; most often there is only the one in question."""
    levels = range(1, LEVELS + 1)
    joins = [
        f"LEFT JOIN facts o{n} ON o{n}.platform_id = w.platform_id AND o{n}.resource_id = o{n - 1}.value"
        f" AND o{n}.what = {PARENT}"
        for n in levels[1:]
    ]

    def by_level(upto: Callable[[int], str]) -> str:
        return "CASE l.level " + " ".join(f"WHEN {n} THEN {upto(n)}" for n in levels) + " END"

    head = by_level(lambda n: f"o{n}.value")
    since = by_level(lambda n: say.latest([f"o{m}.since" for m in range(1, n + 1)]))
    until = by_level(lambda n: say.earliest([f"o{m}.until" for m in range(1, n + 1)]))
    return f"""CASE WHEN w.is_action = 1 THEN w.since_us
    WHEN {_ways("(w.since_us - 1)", _ANY)} = 0 THEN w.since_us ELSE (
    SELECT max(b.since_us) FROM (
      SELECT {head} AS head, {since} AS since_us, {until} AS until_us
      FROM facts o1
      {(chr(10) + "      ").join(joins)}
      CROSS JOIN ({" UNION ALL ".join(f"SELECT {n} AS level" for n in levels)}) l
      WHERE o1.platform_id = w.platform_id AND o1.resource_id = w.foot AND o1.what = {PARENT}
    ) b
    WHERE b.head = w.head AND b.since_us < b.until_us AND b.since_us < w.since_us
      AND {_ways("(b.since_us - 1)", _ANY)} = 0) END"""


_TYPE = "(SELECT t.text FROM event_types t WHERE t.id = {})"


_WHILE_IT_HELD = "CASE w.is_action WHEN 1 THEN w.since_us ELSE w.until_us - 1 END"


def _subtree(say: Idioms) -> str:
    ways = [_way_up(say, edges, holds=holds).select(say) for holds in (True, False) for edges in range(1, LEVELS + 1)]
    ways += [_action_and_up(say, edges).select(say) for edges in range(LEVELS + 1)]
    known = f"CASE u.how WHEN {TOLD} THEN 'told' WHEN {ASKED} THEN 'asked' WHEN {INFERRED} THEN 'inferred' END"
    until = f"CASE WHEN u.until_us < {OPEN} THEN u.until_us END"
    return f"""
SELECT u.ancestor_uri AS ancestor_uri, u.descendant_uri AS descendant_uri,
  {_TYPE.format("u.type_id")} AS descendant_type,
  {say.instant("u.since_us")} AS since, {say.instant(until)} AS until, {known} AS how, u.since_us AS since_us,
  {until} AS until_us, u.holds AS holds, {_TYPE.format("u.head_type_id")} AS ancestor_type,
  {PLATFORM.format("u")} AS platform
FROM (
SELECT w.ancestor_uri AS ancestor_uri, w.descendant_uri AS descendant_uri, w.type_id AS type_id,
  w.head_type_id AS head_type_id, {_began(say)} AS since_us,
  w.until_us AS until_us, w.how AS how, w.holds AS holds, w.platform_id AS platform_id
FROM (
  {(chr(10) + "  UNION ALL" + chr(10) + "  ").join(ways)}
) w
WHERE (w.edges < 2 OR {_ways(_WHILE_IT_HELD, " OR ".join(_simpler()))} = 0)
  AND (w.holds = 1 OR w.is_action = 1 OR {_ways("w.until_us", _ANY)} = 0)
) u
"""


subtree = View(
    "subtree",
    "What was under what from when until when, over all levels; an action as of its beginning",
    {
        "ancestor_uri": "URI of the resource above",
        "descendant_uri": "URI of the resource below",
        "descendant_type": "Type of the resource below",
        "since": "From when on it was under it, UTC; of an action: when that began",
        "until": "Until when, UTC; NULL: still so",
        "how": "told, asked, or inferred from what others say of themselves",
        "since_us": "From when on, in microseconds since 1970",
        "until_us": "Until when, in microseconds since 1970; NULL: still so",
        "holds": "1: an object that is still under it; 0: one that was, or an action. To ask for 1 costs no past",
        "ancestor_type": "Type of the resource above",
        "platform": "Name of the platform that both are on",
    },
    _subtree,
)
