"""What objects were called, and which objects were ever called something."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection

from archiver.model import Micros, Number
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import by_platform, chunks, statement
from archiver.storage.words import NAME

_CALLED = (
    "SELECT f.resource_id, f.since, f.value FROM facts f"
    f" WHERE f.platform_id = :platform AND f.resource_id IN :numbers AND f.what = {NAME} AND f.since <= :last"
    " ORDER BY f.resource_id, f.since"
)
_LAST = (
    "SELECT p.resource_id, p.name_id FROM present p"
    " WHERE p.platform_id = :platform AND p.resource_id IN :numbers AND p.name_id IS NOT NULL"
)
_TEXTS = "SELECT n.id, n.text FROM texts n WHERE n.id IN :numbers"

Moment = tuple[Number, Micros]


def names_at(connection: Connection, moments: Collection[Moment]) -> dict[Moment, str]:
    """What each resource was called at its instant, where that is known.

    Of one that was no more, what it was called before; of an action, and of what had no name yet, the last name.
    """
    if not moments:
        return {}
    called: dict[int, tuple[list[Micros], list[int]]] = {}
    latest = max(at for _, at in moments)
    for among in by_platform({number for number, _ in moments}):
        for number, since, name in connection.execute(statement(_CALLED), among.values(last=latest)):
            instants, names = called.setdefault(number, ([], []))
            instants.append(since)
            names.append(name)
    found: dict[Moment, int] = {}
    for number, at in set(moments):
        instants, names = called.get(number, ([], []))
        if place := bisect_right(instants, at):
            found[number, at] = names[place - 1]
    missing = set(moments) - found.keys()
    last: dict[int, int] = {}
    for among in by_platform({number for number, _ in missing}):
        last.update((number, name) for number, name in connection.execute(statement(_LAST), among.values()))
    found.update((moment, last[moment[0]]) for moment in missing if moment[0] in last)
    texts: dict[int, str] = {}
    for numbers in chunks(set(found.values())):
        texts.update((number, name) for number, name in connection.execute(statement(_TEXTS), {"numbers": numbers}))
    return {moment: texts[name] for moment, name in found.items()}
