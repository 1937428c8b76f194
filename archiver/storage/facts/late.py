"""Hears late words from where they fall in to where they change nothing any more.

How the resource stood just before them is read from its facts and from the words on which it then stood. From there two
hear what followed, one with the late words and one without. As soon as both stand alike, whatever came later is as it
was: what differs until then is what changes. Where that is not enough (the first list of a type, a return, what others
say of a place), nothing is given, and all words are heard anew (`storage.facts.retelling`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, not_, select

from archiver.model import Micros, iso, to_datetime
from archiver.storage import schema
from archiver.storage.facts.earlier import Before, ask, moment, stood_before
from archiver.storage.facts.heard import Fact, Word
from archiver.storage.facts.lives import Standing
from archiver.storage.facts.outlived import Outlived
from archiver.storage.facts.retelling import FactKey, different, key_of, word_of
from archiver.storage.facts.runs import Run
from archiver.storage.facts.standings import Standings
from archiver.storage.facts.steps import NEVER
from archiver.storage.schema import BY_EVENT, BY_OBSERVATION, OPEN, PARENT, TEXTUAL

_PAGE = 8
"""Words that are read behind the late ones at first; of what goes on for longer ten times as many each time."""

Found = tuple[Standing, list[Fact]]
"""How a resource stands, with the facts that are not, or not so, in the archive; and those in it that are not so."""


def hear_late(connection: Connection, standings: Standings, late: Mapping[int, Sequence[Word]]) -> dict[int, Found]:
    """What becomes of resources by words of which the first is late, in their order; only where it could be told."""
    asked = {number: words[0][0] for number, words in late.items() if _may_begin(standings.known[number], words[0][0])}
    if not asked:
        return {}
    replays = {}
    for number, before in stood_before(connection, standings, asked).items():
        replays[number] = _Replay(connection, standings, standings.known[number], late[number], before)
    heard = _words_around(connection, standings, replays)
    reached = {number: replay for number, replay in replays.items() if replay.hear(heard[number])}
    begun = _facts_begun(connection, standings.platform_id, reached)
    found = {number: replay.finish(begun[number]) for number, replay in reached.items()}
    return {number: one for number, one in found.items() if one is not None}


def _may_begin(standing: Standing, at: Micros) -> bool:
    return at > standing.first_at and not standing.implied and not isinstance(standing, Run)


class _Replay:
    """What follows from late words of one resource."""

    def __init__(
        self, connection: Connection, standings: Standings, now: Standing, words: Sequence[Word], before: Before
    ) -> None:
        self._connection = connection
        self._standings = standings
        self._now = now
        self._before = before
        self._late = [word for word in words if now.is_before_last(word)]
        self._next = words[len(self._late) :]
        self._one_life = True
        """Whether no end was heard."""
        self.since = words[0][0]
        self.upto = self._late[-1][0]
        """Up to when it heard; `OPEN`: to the end."""
        self._old, self._new = self._standing(before), self._standing(before)

    def hear(self, around: Sequence[Word]) -> bool:
        """Has both hear what followed, until they stand alike; False where one cannot tell.

        `around` are the words from the first late one on, to the last or beyond it: all up to an instant.
        """
        if isinstance(self._old, Outlived) and self._old.gone_at is not None:
            return False
        done = self._hear_until_alike(around)
        if done is None:
            done = self._hear_until_alike(self._words(around[-1][0]))
        if done is None:
            self.upto = OPEN
        return done is not False

    def finish(self, begun: Sequence[Fact]) -> Found | None:
        """What becomes of it; None where it cannot be told. `begun` are the facts that began where it heard."""
        facts = self._facts({key_of(fact): fact for fact in (*self._before.facts, *begun)})
        standing = None if facts is None else self._as_it_stands()
        if facts is None or standing is None:
            return None
        standing.touched, gone = facts
        standings = self._standings
        for word in self._next:
            if not standing.hear(word, standings.states, standings.readings, standings.kinds):
                return None
        return standing, gone

    def _standing(self, before: Before) -> Standing:
        """One that stands as the resource did then."""
        now, states = self._now, self._standings.states
        standing = self._standings.blank(now.number, now.type_id)
        standing.first_at = now.first_at
        standing.last_at = self.since - 1
        standing.list_id = before.list_id
        if before.state_id is not None:
            standing.state_id, standing.state_since = before.state_id, NEVER  # since when is not known here
            standing.gone_at = NEVER if states[before.state_id].ends else None
        held = before.facts if standing.gone_at is None else []
        told: dict[int, tuple[int, ...]] = {}
        for fact in held:
            if fact.what == PARENT:
                type_id = before.types[fact.value]
                told[type_id] = tuple(sorted((*told.get(type_id, ()), fact.value)))
        standing.resume_texts(tuple([(fact.what, fact.value) for fact in held if fact.what != PARENT]))
        copies = [Fact(fact.what, fact.value, fact.since, OPEN, fact.told_by, fact.how) for fact in held]
        standing.resume(copies, told, self._standings.last_edges(standing))
        standing.has_told_all = standing.has_told_all and standing.gone_at is None
        standing.touched = copies
        return standing

    def _hear_until_alike(self, words: Iterable[Word]) -> bool | None:
        """True when both stand alike, False where one cannot tell, None where the words end before."""
        standings = self._standings
        old, new = self._old, self._new
        late, unheard = {word[1:3] for word in self._late}, {word[1:3] for word in self._next}
        for at, group in groupby(words, key=_instant):
            for word in group:
                if word[1:3] in unheard:
                    continue
                if word[3] is not None and standings.states[word[3]].ends:
                    if isinstance(new, Outlived):
                        return False
                    self._one_life = False
                for one in (new,) if word[1:3] in late else (old, new):
                    if not one.hear(word, standings.states, standings.readings, standings.kinds):
                        return False
            if at >= self._late[-1][0] and new.stands_as(old, standings.states):
                self.upto = at
                return True
        return None

    def _words(self, after: Micros) -> Iterator[Word]:
        """All words after an instant, in their order; some at a time, since mostly the first ones do."""
        return merge(self._words_of(BY_EVENT, after), self._words_of(BY_OBSERVATION, after))

    def _words_of(self, source: int, after: Micros) -> Iterator[Word]:
        at, last, most = to_datetime(after), OPEN, _PAGE
        while True:
            given = {"platform": self._standings.platform_id, "number": self._now.number, "at": at}
            given |= {"last": last, "most": most}
            rows = self._connection.execute(_WORDS[source], given).all()
            _learn(self._connection, self._standings, rows)
            for row in rows:
                yield word_of(source, row)
            if len(rows) < most:
                return
            at, last = rows[-1][:2]
            most = 10 * most

    def _facts(self, stored: dict[FactKey, Fact]) -> tuple[list[Fact], list[Fact]] | None:
        """What is not, or not so, in the archive, and what of it is not so; None where the archive says otherwise."""
        was, will_be = _kept(self._old), _kept(self._new)
        if {key_of(fact) for fact in was} != stored.keys():
            return None
        until: dict[tuple[int, int], Micros] = {}
        for fact in was:
            row = stored[key_of(fact)]
            if fact.until == OPEN:
                until[fact.what, fact.value] = row.until
            elif (fact.until, fact.told_by, fact.how) != (row.until, row.told_by, row.how):
                return None
        if self.upto < OPEN:
            for fact in will_be:
                if fact.until == OPEN:
                    fact.until = until[fact.what, fact.value]
        return list(different(will_be, stored)), list(stored.values())

    def _as_it_stands(self) -> Standing | None:
        """How it stands now: as before but for what is different; None where it is not known since when it is so."""
        now, old, new, is_end = self._now, self._old, self._new, self.upto == OPEN
        states = [word[0] for word in self._late if word[3] is not None]
        state_at = max([*states, NEVER if now.state_at is None else now.state_at])
        run = (now.state_id, now.state_since, now.state_source)
        if is_end or self._is_still(now.state_since, old.state_since):
            if new.state_since != NEVER:
                run = (new.state_id, new.state_since, new.state_source)
            elif old.state_since != NEVER:
                return None
        gone_at = now.gone_at
        if is_end or (gone_at is not None and new.gone_at is not None and self._is_still(gone_at, old.gone_at)):
            if new.gone_at != NEVER:
                gone_at = new.gone_at
            elif old.gone_at != NEVER:
                return None
        standing = new if is_end else now
        standing.go_on_from(now, () if is_end else zip(_open(old), _open(new), strict=True), self._one_life)
        standing.state_id, standing.state_since, standing.state_source = run
        standing.state_at = None if state_at == NEVER else state_at
        standing.gone_at = gone_at
        return standing

    def _is_still(self, since: Micros | None, was_since: Micros | None) -> bool:
        """Whether what is so now since an instant is what was so when both stood alike."""
        return since is not None and since < self.since if was_since == NEVER else since == was_since


def _instant(word: Word) -> Micros:
    return word[0]


def _kept(standing: Standing) -> list[Fact]:
    return [fact for fact in dict.fromkeys(standing.touched) if not fact.dropped]


def _open(standing: Standing) -> list[Fact]:
    """What holds, in one order."""
    return sorted(standing.held(), key=lambda fact: (fact.what, fact.value))


def _learn(connection: Connection, standings: Standings, rows: Sequence[Any]) -> None:
    """Makes sure that what words say is known; each row is a word's instant, number, state, list, and so on."""
    standings.learn_states(connection, [row[2] for row in rows])
    standings.learn_lists(connection, {row[3] for row in rows if row[3] is not None})


def _words_statement(at: Any, c: Any) -> Select[Any]:
    words = select(at, c.id, c.state_id, c.parent_list_id, c.name_id, c.image_id, c.slot_id, c.tags_id)
    words = words.where(c.platform_id == bindparam("platform"), c.resource_id == bindparam("number"))
    words = words.where(at >= bindparam("at"))
    words = words.where(not_(and_(at == bindparam("at"), c.id <= bindparam("last"))))
    return words.order_by(at, c.id).limit(bindparam("most"))


_WORDS = (  # of events and of observations, in the order of their sources
    _words_statement(schema.events.c.occurred_at, schema.events.c),
    _words_statement(schema.observations.c.observed_at, schema.observations.c),
)


# --- what many need, asked at once -----------------------------------------------------------------------------------


def _words_around(
    connection: Connection, standings: Standings, replays: Mapping[int, _Replay]
) -> dict[int, list[Word]]:
    """The words of each from its first late one on, in their order, to the next event behind the last late one."""
    spans = {number: (iso(replay.since), iso(replay.upto)) for number, replay in replays.items()}
    platform = standings.platform_id
    events = ask(
        connection, _EVENTS_AROUND.format(platform), _INSTANTS, [(number, *span) for number, span in spans.items()]
    )
    found = _words_by_resource(connection, standings, BY_EVENT, events)
    ends = {number: iso(max(replays[number].upto, words[-1][0])) for number, words in found.items()}
    within = [(number, since, ends.get(number, upto)) for number, (since, upto) in spans.items()]
    observations = ask(connection, _OBSERVATIONS_WITHIN.format(platform), _INSTANTS, within)
    for number, words in _words_by_resource(connection, standings, BY_OBSERVATION, observations).items():
        found[number] = sorted([*found.get(number, ()), *words])
    return found


def _words_by_resource(
    connection: Connection, standings: Standings, source: int, rows: Iterable[Sequence[Any]]
) -> dict[int, list[Word]]:
    found: dict[int, list[Word]] = {}
    told = [(row[0], (moment(row[1]), *row[2:])) for row in rows]
    _learn(connection, standings, [row for _, row in told])
    for number, row in told:
        found.setdefault(number, []).append(word_of(source, row))
    for words in found.values():
        words.sort()
    return found


def _facts_begun(connection: Connection, platform: int, replays: Mapping[int, _Replay]) -> dict[int, list[Fact]]:
    """The facts of each that begin where it heard."""
    found: dict[int, list[Fact]] = {number: [] for number in replays}
    spans = [(number, replay.since, replay.upto) for number, replay in replays.items()]
    columns = {"number": "bigint", "since": "bigint", "upto": "bigint"}
    for number, *row in ask(connection, _FACTS_BEGUN.format(platform), columns, spans):
        found[number].append(Fact(*row))
    return found


_INSTANTS = {"number": "bigint", "since": "timestamptz", "upto": "timestamptz"}
_COLUMNS = "w.id, w.state_id, w.parent_list_id, w.name_id, w.image_id, w.slot_id, w.tags_id FROM asked"
# `{0}` is the number of the platform.
_EVENTS_AROUND = (
    f"SELECT w.resource_id, w.occurred_at, {_COLUMNS}"
    " JOIN events w ON w.platform_id = {0} AND w.resource_id = asked.number AND w.occurred_at >= asked.since"
    " AND w.occurred_at <= coalesce((SELECT n.occurred_at FROM events n"
    " WHERE n.platform_id = {0} AND n.resource_id = asked.number AND n.occurred_at > asked.upto"
    " ORDER BY n.occurred_at LIMIT 1), asked.upto)"
)
_OBSERVATIONS_WITHIN = (
    f"SELECT w.resource_id, w.observed_at, {_COLUMNS}"
    " JOIN observations w ON w.platform_id = {0} AND w.resource_id = asked.number"
    " AND w.observed_at >= asked.since AND w.observed_at <= asked.upto"
)
_FACTS_BEGUN = (
    "SELECT f.resource_id, f.what, f.value, f.since, f.until, f.told_by, f.how FROM asked"
    f" JOIN facts f ON f.platform_id = {{0}} AND f.resource_id = asked.number AND f.what IN {(PARENT, *TEXTUAL)}"
    " AND f.since >= asked.since AND f.since <= asked.upto"
)
