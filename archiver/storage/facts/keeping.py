"""Keeps `facts`, `implied` and `present` true to all words, batch by batch, in whatever order they come.

What a batch says is nearly always the next thing to be said: then what changes follows from how the resource stands.
Otherwise its words are heard anew, from where a late one falls in or all of them, and what is different is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress, repeat
from typing import NamedTuple

from sqlalchemy import Connection

from archiver.storage.facts.changes import Changes
from archiver.storage.facts.heard import Texts, Word
from archiver.storage.facts.runs import Run
from archiver.storage.facts.standings import Standings
from archiver.storage.limits import CacheLimits
from archiver.storage.lists import Lists
from archiver.storage.schema import BY_EVENT, BY_OBSERVATION, NO_RESOURCE, OPEN


class Told(NamedTuple):
    """Events or observations as columns of equal length; what has no resource (0) is nobody's word."""

    platforms: Sequence[int | None] = ()
    resource_ids: Sequence[int] = ()
    at: Sequence[int] = ()
    """Microseconds since 1970."""
    ids: Sequence[int] = ()
    state_ids: Sequence[int | None] = ()
    list_ids: Sequence[int | None] = ()
    texts: Sequence[Texts] = ()


class Facts:
    """What was true of every resource from when until when, and how it stands now."""

    def __init__(self, limits: CacheLimits, lists: Lists) -> None:
        self._lists = lists
        self._standings = Standings(limits, lists)

    def forget(self) -> None:
        """Empties the caches, after a rollback."""
        self._standings.forget()

    def forget_changing(self) -> None:
        """Empties the caches of what another writer may have changed."""
        self._standings.forget_changing()

    def learn(self, connection: Connection, events: Told, observations: Told, fresh: Mapping[int, int]) -> None:
        """Takes in a batch, once its rows are written; `fresh` are the resources made for it, each with its type.

        Works inside the recorder's transaction. What is said on one platform changes nothing of another's.
        """
        platforms = {*events.platforms, *observations.platforms}
        self._standings.begin()
        for platform in sorted(number for number in platforms if number is not None):
            told = [words if len(platforms) == 1 else _of(platform, words) for words in (events, observations)]
            self._learn(connection, platform, told[0], told[1], fresh)

    def _learn(
        self, connection: Connection, platform: int, events: Told, observations: Told, fresh: Mapping[int, int]
    ) -> None:
        """Takes in what is said on one platform."""
        standings = self._standings
        standings.platform_id = platform
        standings.learn_kinds(connection)
        spoken, named = _by_resource(events, observations)
        members = self._lists.members(connection, platform, named)
        numbers = {number for found in members.values() for number in found}
        standings.learn_states(connection, {*events.state_ids, *observations.state_ids})
        standings.learn(connection, numbers.union(spoken), fresh)
        standings.learn_lists(connection, named)
        changes = Changes(connection, standings)
        self._name(named, members, changes)
        self._hear(spoken, changes)
        changes.write()

    def _name(self, named: Mapping[int, int], members: Mapping[int, Sequence[int]], changes: Changes) -> None:
        """Who is named earlier than ever heard of lives from then on."""
        known = self._standings.known
        for list_id, at in named.items():
            for number in members[list_id]:
                standing = known[number]
                if at < standing.first_at:
                    standing.first_at = at
                    changes.standings[number] = standing
                    if not standing.is_bare and not isinstance(standing, Run):
                        changes.anew.add(number)

    def _hear(self, spoken: Mapping[int, list[Word]], changes: Changes) -> None:
        standings = self._standings
        known, states, readings, kinds = standings.known, standings.states, standings.readings, standings.kinds
        for number, words in spoken.items():
            standing = changes.standings[number] = known[number]
            if len(words) > 1:
                words.sort()
            if number in changes.anew:
                pass
            elif standing.is_before_last(words[0]):
                changes.late[number] = words
            else:
                for word in words:
                    if not standing.hear(word, states, readings, kinds):
                        changes.anew.add(number)
                        break
            if standing.proves:
                all_heard = number not in changes.anew and number not in changes.late
                changes.evidence.take(standing, words, all_heard=all_heard)


def _of(platform: int, words: Told) -> Told:
    """Those of one platform."""
    chosen = [own == platform for own in words.platforms]
    return Told._make([tuple(compress(column, chosen)) for column in words])


def _by_resource(events: Told, observations: Told) -> tuple[dict[int, list[Word]], dict[int, int]]:
    """The words of each resource, and when every list is told first."""
    spoken: dict[int, list[Word]] = {}
    named: dict[int, int] = {}
    for source, told in ((BY_EVENT, events), (BY_OBSERVATION, observations)):
        words = zip(told.at, repeat(source), told.ids, told.state_ids, told.list_ids, told.texts, strict=False)
        for number, word in zip(told.resource_ids, words, strict=True):
            list_id = word[4]
            if list_id is not None and word[0] < named.get(list_id, OPEN):
                named[list_id] = word[0]
            if number != NO_RESOURCE:
                if number in spoken:
                    spoken[number].append(word)
                else:
                    spoken[number] = [word]
    return spoken, named
