"""Looks for what no sound archive has: rows that are missing, point nowhere or contradict themselves, and damage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Table,
    and_,
    case,
    func,
    literal,
    not_,
    or_,
    select,
    text,
)

from archiver.storage.duplicates import ANEW
from archiver.storage.lasting import LIVES, SHORTEST
from archiver.storage.numbers import NUMBERED, last_numbers
from archiver.storage.schema import (
    ASKED,
    NO_RESOURCE,
    TEXTUAL,
    TIME_SOURCES,
    TOLD,
    event_actions,
    event_states,
    event_types,
    events,
    facts,
    implied,
    observations,
    parent_list_members,
    parent_lists,
    platforms,
    present,
    rejects,
    resources,
    sessions,
    shared_texts,
    tellings,
    texts,
    told_anew,
)

_MOST = 20
"""So many rows of a table that are wrong are looked at: where one is, there are mostly more."""


class _Reference(NamedTuple):
    """A column that holds numbers of another table's rows, which no foreign key looks after."""

    column: Column[int]
    target: Table
    where: ColumnElement[bool] | None = None
    """In which rows it does; NULL points at nothing anyway."""


_TEXTS = ("name_id", "image_id", "slot_id", "tags_id")
_SHARED = ("shared_id", "shared_too_id")

_REFERENCES: Mapping[Table, tuple[_Reference, ...]] = {
    parent_lists: (_Reference(parent_lists.c.platform_id, platforms),),
    shared_texts: (_Reference(shared_texts.c.platform_id, platforms),),
    parent_list_members: (
        _Reference(parent_list_members.c.list_id, parent_lists),
        _Reference(parent_list_members.c.resource_id, resources),
    ),
    events: (
        _Reference(events.c.platform_id, platforms),
        _Reference(events.c.session_id, sessions),
        _Reference(events.c.resource_id, resources, events.c.resource_id != NO_RESOURCE),
        _Reference(events.c.type_id, event_types),
        _Reference(events.c.action_id, event_actions),
        _Reference(events.c.state_id, event_states),
        _Reference(events.c.parent_list_id, parent_lists),
        *(_Reference(events.c[name], texts) for name in _TEXTS),
        *(_Reference(events.c[name], shared_texts) for name in _SHARED),
    ),
    told_anew: (_Reference(told_anew.c.event_id, events),),
    tellings: (_Reference(tellings.c.event_id, events), _Reference(tellings.c.session_id, sessions)),
    observations: (
        _Reference(observations.c.platform_id, platforms),
        _Reference(observations.c.session_id, sessions),
        _Reference(observations.c.resource_id, resources),
        _Reference(observations.c.state_id, event_states),
        _Reference(observations.c.parent_list_id, parent_lists),
        *(_Reference(observations.c[name], texts) for name in _TEXTS),
        *(_Reference(observations.c[name], shared_texts) for name in _SHARED),
    ),
    rejects: (
        _Reference(rejects.c.platform_id, platforms, rejects.c.platform_id != 0),
        _Reference(rejects.c.session_id, sessions),
    ),
    facts: (
        _Reference(facts.c.resource_id, resources),
        _Reference(facts.c.value, texts, facts.c.what.in_(TEXTUAL)),
        _Reference(facts.c.value, resources, and_(facts.c.what.not_in(TEXTUAL), facts.c.value != 0)),
        _Reference(facts.c.told_by, events, facts.c.how == TOLD),
        _Reference(facts.c.told_by, observations, facts.c.how == ASKED),
    ),
    implied: (
        _Reference(implied.c.resource_id, resources),
        _Reference(implied.c.type_id, event_types),
        _Reference(implied.c.value, resources),
    ),
    present: (
        _Reference(present.c.resource_id, resources),
        _Reference(present.c.type_id, event_types),
        _Reference(present.c.state_id, event_states),
        *(_Reference(present.c[name], texts) for name in _TEXTS),
        _Reference(present.c.list_id, parent_lists),
    ),
}


def missing_rows(connection: Connection) -> list[str]:
    """Where rows are missing: numbers are given without holes, and no row is ever deleted."""
    given = last_numbers(connection)
    problems = [f"numbers has no row for {table.name}" for table in NUMBERED if table.name not in given]
    for table in NUMBERED:
        if table.name in given:
            last = given[table.name]
            highest, there = connection.execute(select(func.max(table.c.id), func.count()).select_from(table)).one()
            if (highest or 0) > last:
                problems.append(f"{table.name} has a row with number {highest}, and {last} was the last that was given")
            elif last != there:
                problems.append(f"{last - there} of {last} rows of {table.name} are missing")
    return problems


def lost_rows(connection: Connection) -> list[str]:
    """What foreign keys would refuse: where a row of a large table points at a row that is not there."""
    found = (problem for table, references in _REFERENCES.items() for problem in _lost(connection, table, references))
    return list(dict.fromkeys([*found, *_not_known_anew(connection)]))


def wrong_lives(connection: Connection) -> list[str]:
    """Whether each object is in the class of its life, by which what lived at an instant is found."""
    c = present.c
    life, least = c.gone_at - c.first_at, literal(1, BigInteger)
    is_so = case(
        (c.gone_at.is_(None), c.lasted == LIVES),
        (c.lasted == SHORTEST, life < least.bitwise_lshift(c.lasted)),
        else_=and_(life < least.bitwise_lshift(c.lasted), life >= least.bitwise_lshift(c.lasted - 1)),
    )
    found = connection.execute(select(c.resource_id).where(not_(is_so)).limit(_MOST)).scalars()
    return [f"the row of present of resource {number} does not say how long that lived" for number in found]


def _not_known_anew(connection: Connection) -> Iterator[str]:
    """Whether each event that its uuid alone identifies stands among those."""
    same = and_(told_anew.c.platform_id == events.c.platform_id, told_anew.c.uuid == events.c.uuid)
    sources = [number for number, source in enumerate(TIME_SOURCES) if source in ANEW]
    missing = and_(events.c.uuid.is_not(None), events.c.time_source.in_(sources), told_anew.c.event_id.is_(None))
    if connection.execute(select(events.c.id).outerjoin(told_anew, same).where(missing).limit(1)).first() is not None:
        yield "an event with a time that each who tells finds anew is not in told_anew"


def _lost(connection: Connection, table: Table, references: tuple[_Reference, ...]) -> Iterator[str]:
    joined: FromClause = table
    lost = []
    for place, (column, target, where) in enumerate(references):
        there = target.alias(f"there_{place}")
        found_by = there.c.id == column
        if _is_of_platform(target):
            found_by = and_(found_by, there.c.platform_id == table.c.platform_id)
        joined = joined.outerjoin(there, found_by)
        lost.append(and_(column.is_not(None), there.c.id.is_(None), *([] if where is None else [where])))
    found = select(*(wrong.label(f"lost_{place}") for place, wrong in enumerate(lost))).select_from(joined)
    for row in connection.execute(found.where(or_(*lost)).limit(_MOST)):
        for wrong, (column, target, _) in zip(row, references, strict=True):
            if wrong:
                on_it = " on its platform" if _is_of_platform(target) else ""
                yield f"a row of {table.name} points nowhere: its {column.name} is of no row of {target.name}{on_it}"


def _is_of_platform(table: Table) -> bool:
    """Whether what is in a table is of one platform, and only of the same platform anything may point there."""
    return "platform_id" in table.c


def damage(connection: Connection) -> list[str]:
    """What SQLite finds wrong with its file."""
    found = connection.execute(text("PRAGMA integrity_check(20)")).scalars()
    problems = [f"integrity: {line}" for line in found if line != "ok"]
    orphans = connection.execute(text("PRAGMA foreign_key_check")).fetchmany(20)
    return problems + [f"a row of {row[0]} points nowhere, it should point at {row[2]}" for row in orphans]
