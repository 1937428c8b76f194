"""Holds the published views against the model: what a report in plain SQL finds is what the rules say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from archiver.storage.views.subtree import LEVELS

from . import semantics
from .answers import blind_on
from .platforms import placed
from .reading import of_names
from .replay import Archived
from .tables import differing

_HOWS = ("told", "asked", "inferred")
_SOURCES = ("event", "observation")


def differences(connection: Connection, expected: Archived) -> Iterator[str]:
    """What a view shows otherwise, in words."""
    yield from Views(connection, expected).differences()


class Views:
    """The views of one archive."""

    def __init__(self, connection: Connection, expected: Archived) -> None:
        self._connection, self._expected = connection, expected
        told = expected.told
        self._platforms = of_names(connection)
        self._present = {ref: semantics.rule_9_present(told, ref) for ref in expected.resources}

    def differences(self) -> Iterator[str]:
        """Everything that is shown otherwise."""
        for of_view in (
            self._event_log,
            self._event_parents,
            self._state_spans,
            self._current_states,
            self._action_log,
            self._subtree,
            self._words_under,
            self._gap_log,
        ):
            yield from of_view()

    def _placed(self, view: str, columns: str, *places: int) -> list[list[Any]]:
        """The rows of a view, with the URIs at these places read as what they name on the platform of the row."""
        found = []
        for *row, platform in self._rows(f"SELECT {columns}, platform FROM {view}"):
            for place in places:
                row[place] = None if row[place] is None else placed(row[place], self._platforms[platform])
            found.append(row)
        return found

    def _rows(self, statement: str) -> list[list[Any]]:
        return [list(row) for row in self._connection.execute(text(statement))]

    def _event_log(self) -> Iterator[str]:
        wanted = []
        for number, event in self._expected.events.items():
            ref = None if event.resource_uri is None else placed(event.resource_uri, event.platform)
            session = self._expected.sessions.get(event.session or "")
            name = None if ref is None else self._present[ref].name
            told = (event.type, event.action, event.state, ref, name, event.occurred_at, event.received_at, event.uuid)
            wanted.append([number, session and session.stream, *told, event.time_source])
        columns = "id, stream, type, action, state, uri, name, occurred_us, received_us, uuid, time_source"
        yield from differing("event_log", wanted, self._placed("event_log", columns, 5))

    def _event_parents(self) -> Iterator[str]:
        wanted = [
            [number, position, placed(uri, event.platform)]
            for number, event in self._expected.events.items()
            for position, uri in enumerate(event.parents)
        ]
        yield from differing("event_parents", wanted, self._placed("event_parents", "event_id, position, uri", 2))

    def _state_spans(self) -> Iterator[str]:
        wanted = []
        for ref in self._expected.resources:
            runs = semantics.runs(self._expected.told, ref)
            for place, run in enumerate(runs):
                until = runs[place + 1].since if place + 1 < len(runs) else None
                seconds = None if until is None else (until - run.since) / 1e6
                wanted.append([ref, ref.type, run.state, run.since, until, seconds, _SOURCES[run.source]])
        columns = "uri, type, state, since_us, until_us, seconds, source"
        yield from differing("state_spans", wanted, self._placed("state_spans", columns, 0))

    def _current_states(self) -> Iterator[str]:
        wanted = []
        for ref, now in self._present.items():
            instants = (now.state_at, now.state_since, now.gone_at, now.first_at)
            if now.state is not None:
                wanted.append([ref, ref.type, now.name, now.state, *instants, now.image, now.slot])
        columns = "uri, type, name, state, seen_us, since_us, gone_us, first_us, image, slot"
        yield from differing("current_states", wanted, self._placed("current_states", columns, 0))

    def _action_log(self) -> Iterator[str]:
        wanted = []
        for ran in self._expected.ran:
            seconds = None if ran.finished_at is None else (ran.finished_at - ran.started_at) / 1e6
            wanted.append([ran.about, ran.target, ran.name, ran.started_at, ran.finished_at, seconds, _state(ran)])
        columns = "action, target, name, started_us, finished_us, seconds, lower(state)"
        yield from differing("action_log", wanted, self._placed("action_log", columns, 0, 1))

    def _subtree(self) -> Iterator[str]:
        wanted, hows = [], {}
        for ref in self._expected.resources:
            for parent, stretches in self._expected.places.stretches(ref, LEVELS).items():
                for since, until in stretches:
                    wanted.append([parent, ref, ref.type, since, None if until == semantics.OPEN else until])
                    direct = self._expected.places.direct(ref, parent, until - 1)
                    if direct is not None:
                        hows[parent, ref, since] = _HOWS[direct.how]
        columns = "ancestor_uri, descendant_uri, descendant_type, since_us, until_us, how"
        found = self._placed("subtree", columns, 0, 1)
        yield from differing("subtree", wanted, [row[:5] for row in found])
        told = [(row[0], row[1], row[3], row[5]) for row in found if (row[0], row[1], row[3]) in hows]
        yield from differing("subtree, how", [(*place, how) for place, how in hows.items()], told)

    def _words_under(self) -> Iterator[str]:
        above = {ref: self._expected.places.stretches(ref, LEVELS) for ref in self._expected.resources}
        wanted = []
        for number, event in self._expected.events.items():
            if event.resource_uri is not None:
                ref, at = placed(event.resource_uri, event.platform), event.occurred_at
                wanted += [
                    [parent, ref, at, number]
                    for parent, stretches in above[ref].items()
                    if ref.type == "action" or any(since <= at < until for since, until in stretches)
                ]
        found = self._placed("words_under", "ancestor_uri, uri, at_us, source, id", 0, 1)
        told = [[*row[:3], row[4]] for row in found if row[3] == "event"]
        yield from differing("words_under", wanted, told)

    def _gap_log(self) -> Iterator[str]:
        sessions = self._expected.sessions.values()
        streams = {session.stream for session in sessions}
        wanted = [list(gap) for stream in streams for gap in blind_on(stream, sessions, (None, None))]
        found = self._rows("SELECT stream, since_us, until_us, reason, kind FROM gap_log")
        yield from differing("gap_log", wanted, found)


def _state(ran: semantics.Ran) -> str | None:
    return None if ran.state is None else ran.state.lower()
