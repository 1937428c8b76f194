"""Which events are wanted, as conditions of SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection

from archiver.model import TimeRange
from archiver.queries import vocabulary
from archiver.queries.healthchecks import no_healthcheck
from archiver.storage.schema import event_actions, event_states, event_types


class Filter(NamedTuple):
    """Which events are wanted: within one field any of the texts and none with a `!`, and every field that has some.

    A text stands for its family as well, and may have `*` and `?` in it; see `vocabulary`.
    """

    types: Sequence[str] = ()
    states: Sequence[str] = ()
    actions: Sequence[str] = ()
    under: Sequence[int] | None = None
    """Numbers of resources: only events about one of them or what was under it then."""
    range: TimeRange = TimeRange()
    healthchecks: bool = True
    """Whether to have health checks too; where actions are asked for by name, they are had by theirs."""

    @property
    def has_words(self) -> bool:
        """Whether events of any time may fail to fit."""
        return bool(self.types or self.states or self.actions)


def conditions(connection: Connection, wanted: Filter, c: Any) -> list[ColumnElement[bool]] | None:
    """What a row with the columns `c` of events fulfils, but for its time and place; None: no event can."""
    found: list[ColumnElement[bool]] = []
    for texts, table, column in (
        (wanted.types, event_types, c.type_id),
        (wanted.states, event_states, c.state_id),
        (wanted.actions, event_actions, c.action_id),
    ):
        if texts:
            fits = vocabulary.wanted(connection, table, column, texts)
            if fits is None:
                return None
            found.append(fits)
    if not wanted.healthchecks and vocabulary.only_others(wanted.actions):
        quiet = no_healthcheck(connection, c.action_id)
        found += [] if quiet is None else [quiet]
    return found


def within(range: TimeRange, c: Any) -> list[ColumnElement[bool]]:
    """The condition that a row with the columns `c` of events lies in a range of time."""
    found = [] if range.since is None else [c.occurred_at >= range.since]
    return found if range.until is None else [*found, c.occurred_at < range.until]
