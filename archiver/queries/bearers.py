"""Which resources bear a name, or ever bore it: those that live come before those that are gone or called otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from archiver.model import Namesakes, to_datetime
from archiver.storage.reading import Connection
from archiver.storage.statements import statement
from archiver.storage.words import NAME, OPEN

UPPER = "\U0010ffff"
"""Behind the beginning of a text: the end of all texts that begin so."""
MOST = 11
"""So many are found at most, which is more than a person is shown."""
COUNTED = 1_000
"""Others of a name are counted up to here."""
_SHOWN = 3

# An action's name is what it does, and no reference: no fact tells it.
_OF_NAME = (
    "FROM texts n CROSS JOIN facts f JOIN resources r ON r.id = f.resource_id"
    f" WHERE n.text = :word AND f.value = n.id AND f.what = {NAME} AND r.type_id = coalesce(:kind, r.type_id)"
    " AND r.platform_id = coalesce(:platform, r.platform_id)"
)
_OF_NAMES = _OF_NAME.replace("n.text = :word", "n.text >= :word AND n.text < :upper")
_BEARING = f"SELECT f.resource_id, r.type_id, n.id {_OF_NAME} AND f.node = {OPEN} LIMIT {MOST}"
_BORE = f"SELECT r.platform_id, r.type_id, f.resource_id, f.until {_OF_NAME} ORDER BY f.until DESC, f.resource_id DESC"
_OTHERS = (
    f"SELECT f.resource_id, max(f.until) AS until {_OF_NAME} AND f.resource_id <> :chosen"
    f" GROUP BY f.resource_id LIMIT {COUNTED + 1}"
)
_LIVING = f"SELECT DISTINCT f.resource_id {_OF_NAMES} AND f.node = {OPEN} LIMIT {MOST}"
_SLOT = (
    f"SELECT f.resource_id, r.platform_id, r.type_id {_OF_NAMES} AND {{}}"
    " ORDER BY (SELECT p.last_at FROM present p WHERE p.resource_id = f.resource_id) DESC NULLS LAST,"
    f" f.resource_id DESC LIMIT {MOST}"
)
_URI = "SELECT r.uri FROM resources r WHERE r.id = :number"
_GONE = (
    f"SELECT n.id, r.platform_id, r.type_id, f.resource_id {_OF_NAMES}"
    " ORDER BY f.until DESC, f.resource_id DESC LIMIT 1000"
)


_BEAR = (
    "SELECT f.value, r.platform_id, r.type_id, f.resource_id, f.until"
    " FROM facts f JOIN resources r ON r.id = f.resource_id"
    f" WHERE f.what = {NAME} AND f.value IN :numbers AND r.type_id = coalesce(:kind, r.type_id)"
    " AND r.platform_id = coalesce(:platform, r.platform_id)"
    " ORDER BY f.until DESC, f.resource_id DESC"
)


class Within(NamedTuple):
    """Among which resources is looked."""

    platform: int | None = None
    """On this platform; None: on all."""
    kind: int | None = None
    """Of the type with this number; None: of all."""


class Bearers(NamedTuple):
    """The resources that a name means, more than one when it is ambiguous; and who else bore it."""

    numbers: Sequence[int] = ()
    namesakes: Namesakes | None = None


def of_name(connection: Connection, word: str, within: Within) -> Bearers:
    """Who bears a name; if nobody does, who bore it last, of each type and platform one.

    Two that bear it make it ambiguous, of one type or of several.
    """
    told = {"word": word, **within._asdict()}
    found = [row.resource_id for row in connection.execute(statement(_BEARING), told)]
    if not found:
        last: dict[tuple[int, int], int] = {}
        for row in connection.execute(statement(_BORE), told):
            last.setdefault((row.platform_id, row.type_id), row.resource_id)
        found = list(last.values())
    if len(found) != 1:
        return Bearers(found)
    return Bearers(found, _namesakes(connection, found[0], told))


def _namesakes(connection: Connection, chosen: int, told: Mapping[str, object]) -> Namesakes | None:
    others = connection.execute(statement(_OTHERS), {**told, "chosen": chosen}).all()
    if not others:
        return None
    others = sorted(others, key=lambda row: row.until, reverse=True)
    uris = [connection.scalar(statement(_URI), {"number": row.resource_id}) for row in others[:_SHOWN]]
    return Namesakes(len(others), to_datetime(others[0].until), tuple(uris))


def latest_of_slot(connection: Connection, beginning: str, within: Within) -> Sequence[int]:
    """Of those whose names begin so: the one heard of last, if one lives of those; of several types, platforms: all."""
    told = {"word": beginning, "upper": beginning + UPPER, **within._asdict()}
    for condition in (f"f.node = {OPEN}", "1 = 1"):
        found = connection.execute(statement(_SLOT.format(condition)), told).all()
        if found:
            several = len({(row.platform_id, row.type_id) for row in found}) > 1
            return list(dict.fromkeys(row.resource_id for row in (found if several else found[:1])))
    return ()


def living_of_names(connection: Connection, beginning: str, within: Within) -> Sequence[int]:
    """Those that bear a name that begins so."""
    told = {"word": beginning, "upper": beginning + UPPER, **within._asdict()}
    return connection.scalars(statement(_LIVING), told)


def gone_of_names(connection: Connection, beginning: str, within: Within) -> Sequence[int]:
    """Those that bore names that begin so, of each name, type and platform the last."""
    told = {"word": beginning, "upper": beginning + UPPER, **within._asdict()}
    last: dict[tuple[int, int, int], int] = {}
    for row in connection.execute(statement(_GONE), told):
        last.setdefault((row.id, row.platform_id, row.type_id), row.resource_id)
    return list(dict.fromkeys(last.values()))[:MOST]


def each_of_names(connection: Connection, names: Sequence[int], within: Within) -> set[int]:
    """Of each name, type and platform those that bear it, or else the one that bore it last."""
    found: set[int] = set()
    met: set[tuple[int, int, int]] = set()
    for row in connection.execute(statement(_BEAR), {"numbers": names, **within._asdict()}):
        of = row.value, row.platform_id, row.type_id
        if row.until == OPEN or of not in met:
            found.add(row.resource_id)
        met.add(of)
    return found
