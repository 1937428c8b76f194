"""What objects were called, and which objects were ever called something."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection

from sqlalchemy import Connection

from archiver.model import Micros
from archiver.queries.under import chunks, statement
from archiver.storage.schema import NAME

_CALLED = (
    "SELECT f.resource_id, f.since, f.value FROM facts f"
    f" WHERE f.resource_id IN :numbers AND f.what = {NAME} AND f.since <= :last AND f.until >= :first"
    " ORDER BY f.resource_id, f.since"
)
_LAST = "SELECT p.resource_id, p.name_id FROM present p WHERE p.resource_id IN :numbers AND p.name_id IS NOT NULL"
_TEXTS = "SELECT n.id, n.text FROM texts n WHERE n.id IN :numbers"

Moment = tuple[int, Micros]


def names_at(connection: Connection, moments: Collection[Moment]) -> dict[Moment, str]:
    """What each resource was called at its instant, where that is known.

    Of one that was no more, or is an action, what it is called last.
    """
    if not moments:
        return {}
    ends = {"first": min(at for _, at in moments), "last": max(at for _, at in moments)}
    called: dict[int, tuple[list[Micros], list[int]]] = {}
    for numbers in chunks({number for number, _ in moments}):
        for number, since, name in connection.execute(statement(_CALLED), {"numbers": numbers, **ends}):
            instants, names = called.setdefault(number, ([], []))
            instants.append(since)
            names.append(name)
    last: dict[int, int] = {}
    for numbers in chunks({number for number, _ in moments} - called.keys()):
        last.update((number, name) for number, name in connection.execute(statement(_LAST), {"numbers": numbers}))
    found: dict[Moment, int] = {}
    for number, at in set(moments):
        if number in called:
            instants, names = called[number]
            found[number, at] = names[max(bisect_right(instants, at) - 1, 0)]
        elif number in last:
            found[number, at] = last[number]
    texts: dict[int, str] = {}
    for numbers in chunks(set(found.values())):
        texts.update((number, name) for number, name in connection.execute(statement(_TEXTS), {"numbers": numbers}))
    return {moment: texts[name] for moment, name in found.items()}
