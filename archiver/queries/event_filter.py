"""Which events are wanted, as conditions of SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from archiver.model import Number, TimeRange
from archiver.queries import vocabulary
from archiver.queries.healthchecks import no_healthcheck
from archiver.queries.telling import told_by
from archiver.storage.database.reading import Connection


class Filter(NamedTuple):
    """Which events are wanted: within one field any of the texts and none with a `!`, and every field that has some.

    A text stands for its family as well, and may have `*` and `?` in it; see `vocabulary`.
    """

    types: Sequence[str] = ()
    states: Sequence[str] = ()
    actions: Sequence[str] = ()
    under: Sequence[Number] | None = None
    """Numbers of resources: only events about one of them or what was under it then."""
    range: TimeRange = TimeRange()
    healthchecks: bool = True
    """Whether to have health checks too; where actions are asked for by name, they are had by theirs."""
    stream: int | None = None
    """Number of a stream: only what it told, if not alone."""

    @property
    def has_words(self) -> bool:
        """Whether events of any time may fail to fit."""
        return bool(self.types or self.states or self.actions or self.stream is not None)


def conditions(connection: Connection, wanted: Filter) -> list[str] | None:
    """What a row `e` of events fulfils, but for its time and place; None: no event can."""
    found: list[str] = []
    for texts, table, column in (
        (wanted.types, "event_types", "e.type_id"),
        (wanted.states, "event_states", "e.state_id"),
        (wanted.actions, "event_actions", "e.action_id"),
    ):
        if texts:
            fits = vocabulary.wanted(connection, table, column, texts)
            if fits is None:
                return None
            found.append(fits)
    if not wanted.healthchecks and vocabulary.only_others(wanted.actions):
        quiet = no_healthcheck(connection)
        found += [] if quiet is None else [quiet]
    if wanted.stream is not None:
        found.append(told_by(wanted.stream))
    return found


def within(range: TimeRange) -> list[str]:
    """The condition that a row `e` of events lies in a range of time, which the values of the statement give."""
    found = [] if range.since is None else ["e.occurred_at >= :since"]
    return found if range.until is None else [*found, "e.occurred_at < :until"]


def of_platform(wanted: Filter, row: str = "e") -> list[str]:
    """The condition that a row is of the platform of all that is asked about; none where that is of several, or of any.

    What is under a resource, and what is told of it, is of its platform.
    """
    platforms = {each.platform for each in wanted.under or ()}
    return [f"{row}.platform_id = {platforms.pop()}"] if len(platforms) == 1 else []


def where(conditions: Collection[str]) -> str:
    """The part of a statement that wants all of some conditions; nothing where there are none."""
    return " WHERE " + " AND ".join(conditions) if conditions else ""
