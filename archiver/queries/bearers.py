"""Which resources bear a name, or bore it at a time: who has it there comes before who had it last by then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from archiver.model import Micros, Namesakes, Number, numbers_of, to_datetime
from archiver.queries.windows import NEVER, NOW, Window, holding, overlapping
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import statement
from archiver.storage.words import NAME, OPEN

UPPER = "\U0010ffff"
"""Behind the beginning of a text: the end of all texts that begin so."""
MOST = 11
"""So many are found at most, which is more than a person is shown."""
COUNTED = 1_000
"""Others of a name are counted up to here."""
_SHOWN = 3

# An action's name is what it does, and no reference: no fact tells it. The `+` keeps PostgreSQL from going through all
# resources of the type and platform, of which it expects few.
_OF_NAME = (
    "FROM texts n CROSS JOIN platforms b CROSS JOIN facts f CROSS JOIN resources r"
    " WHERE n.text = :word AND b.id = coalesce(:platform, b.id)"
    f" AND f.platform_id = b.id AND f.value = n.id AND f.what = {NAME}"
    " AND r.platform_id = f.platform_id AND r.id = +f.resource_id AND r.type_id = coalesce(:kind, r.type_id)"
)
_OF_NAMES = _OF_NAME.replace("n.text = :word", "n.text >= :word AND n.text < :upper")
_BEARING = f"SELECT f.platform_id, f.resource_id, r.type_id, n.id {_OF_NAME} AND {{}} LIMIT {MOST}"
_BORE = f"SELECT r.platform_id, r.type_id, f.resource_id, f.until {_OF_NAME} AND {{}}"
_OTHERS = (
    f"SELECT f.platform_id, f.resource_id, max(f.until) AS until {_OF_NAME} AND f.resource_id <> :chosen AND {{}}"
    f" GROUP BY f.platform_id, f.resource_id LIMIT {COUNTED + 1}"
)
_LIVING = f"SELECT DISTINCT f.platform_id, f.resource_id {_OF_NAMES} AND {{}} LIMIT {MOST}"
_SLOT = (
    f"SELECT f.platform_id, f.resource_id, r.type_id {_OF_NAMES} AND {{}}"
    f" ORDER BY {{}} DESC NULLS LAST, f.resource_id DESC LIMIT {MOST}"
)
_HEARD = "(SELECT p.last_at FROM present p WHERE p.platform_id = f.platform_id AND p.resource_id = f.resource_id)"
_URI = "SELECT r.uri FROM resources r WHERE r.platform_id = :platform AND r.id = :number"
_GONE = (
    f"SELECT n.id, r.platform_id, r.type_id, f.resource_id {_OF_NAMES} AND f.since < :until"
    " ORDER BY f.until DESC, f.resource_id DESC LIMIT 1000"
)
_BEAR = (
    "SELECT f.value, r.platform_id, r.type_id, f.resource_id, f.until"
    " FROM platforms b CROSS JOIN facts f CROSS JOIN resources r"
    f" WHERE b.id = coalesce(:platform, b.id) AND f.platform_id = b.id AND f.what = {NAME} AND f.value IN :numbers"
    " AND r.platform_id = f.platform_id AND r.id = +f.resource_id AND r.type_id = coalesce(:kind, r.type_id)"
    " AND f.since < :until"
    " ORDER BY f.until DESC, f.resource_id DESC"
)


class Within(NamedTuple):
    """Among which resources is looked, and when they are asked about: a name means who bears it as that time ends."""

    platform: int | None = None
    """On this platform; None: on all."""
    kind: int | None = None
    """Of the type with this number; None: of all."""
    since: Micros = NEVER
    until: Micros = OPEN
    """Exclusive; `OPEN`: up to now."""

    @property
    def window(self) -> Window:
        """The time that is asked about."""
        return Window(self.since, self.until)

    @property
    def at_any_time(self) -> Within:
        """The same, asked about now."""
        return self._replace(since=NEVER, until=OPEN)


class Bearers(NamedTuple):
    """The resources that a name means, more than one when it is ambiguous; and who else bore it."""

    numbers: Sequence[Number] = ()
    namesakes: Namesakes | None = None


def of_name(connection: Connection, word: str, within: Within) -> Bearers:
    """Who bears a name; if nobody does, who bore it last, of each type and platform one.

    Two that bear it make it ambiguous, of one type or of several. Of a time that is over it is who bore it as that
    ended, or last before; a name that nobody had by then means what it means now.
    """
    told = {"word": word, **within._asdict()}
    found = _bearing(connection, told, within) or _bore(connection, told, within)
    if not found and within.until != OPEN:
        return of_name(connection, word, within.at_any_time)
    if len(found) != 1:
        return Bearers(found)
    return Bearers(found, _namesakes(connection, found[0], told, within))


def _bearing(connection: Connection, told: Mapping[str, object], within: Within) -> list[Number]:
    """Who bears a name as the time ends."""
    found: list[Number] = []
    for condition, values in overlapping(NOW) if within.until == OPEN else holding(within.until - 1):
        found += _numbers(connection.execute(statement(_BEARING.format(condition)), {**told, **values}))
    return found


def _numbers(rows: Iterable[Any]) -> list[Number]:
    return [numbers_of(row.platform_id)(row.resource_id) for row in rows]


def _bore(connection: Connection, told: Mapping[str, object], within: Within) -> list[Number]:
    """Who bore a name last before the time ended, of each type and platform one; best in that time, else before it."""
    for window in dict.fromkeys((within.window, Window(NEVER, within.until))):
        rows: list[Any] = []
        for condition, values in overlapping(window):
            rows += connection.execute(statement(_BORE.format(condition)), {**told, **values})
        last: dict[tuple[int, int], Any] = {}
        for row in sorted(rows, key=lambda row: (row.until, row.resource_id), reverse=True):
            last.setdefault((row.platform_id, row.type_id), row)
        if last:
            return _numbers(last.values())
    return []


def _namesakes(connection: Connection, chosen: Number, told: Mapping[str, object], within: Within) -> Namesakes | None:
    """Who else bore the name in the time that is asked about."""
    last: dict[Number, Micros] = {}
    for condition, values in overlapping(within.window):
        for row in connection.execute(statement(_OTHERS.format(condition)), {**told, "chosen": chosen, **values}):
            number = numbers_of(row.platform_id)(row.resource_id)
            last[number] = max(row.until, last.get(number, row.until))
    if not last:
        return None
    others = sorted(last, key=lambda number: last[number], reverse=True)[: COUNTED + 1]
    shown = ({"platform": number.platform, "number": number} for number in others[:_SHOWN])
    uris = [connection.scalar(statement(_URI), values) for values in shown]
    return Namesakes(len(others), to_datetime(last[others[0]]), tuple(uris))


# The names that begin so have few bearers each: of these every fact is looked at.
_BY_THEN = "f.since < :until"
_THEN = f"{_BY_THEN} AND f.until >= :until"


def latest_of_slot(connection: Connection, beginning: str, within: Within) -> Sequence[Number]:
    """Of those whose names begin so: the one heard of last, if one lives of those; of several types, platforms: all."""
    told = {"word": beginning, "upper": beginning + UPPER, **within._asdict()}
    is_now = within.until == OPEN
    for condition in (f"f.node = {OPEN}", "1 = 1") if is_now else (_THEN, _BY_THEN):
        asked = statement(_SLOT.format(condition, _HEARD if is_now else "f.since"))
        found = connection.execute(asked, told).all()
        if found:
            several = len({(row.platform_id, row.type_id) for row in found}) > 1
            return list(dict.fromkeys(_numbers(found if several else found[:1])))
    return ()


def living_of_names(connection: Connection, beginning: str, within: Within) -> Sequence[Number]:
    """Those that bear a name that begins so."""
    told = {"word": beginning, "upper": beginning + UPPER, **within._asdict()}
    condition = f"f.node = {OPEN}" if within.until == OPEN else _THEN
    return _numbers(connection.execute(statement(_LIVING.format(condition)), told))


def gone_of_names(connection: Connection, beginning: str, within: Within) -> Sequence[Number]:
    """Those that bore names that begin so, of each name, type and platform the last."""
    told = {"word": beginning, "upper": beginning + UPPER, **within._asdict()}
    last: dict[tuple[int, int, int], Any] = {}
    for row in connection.execute(statement(_GONE), told):
        last.setdefault((row.id, row.platform_id, row.type_id), row)
    return list(dict.fromkeys(_numbers(last.values())))[:MOST]


def each_of_names(connection: Connection, names: Sequence[int], within: Within) -> set[Number]:
    """Of each name, type and platform those that bear it, or else the one that bore it last."""
    found: set[Number] = set()
    met: set[tuple[int, int, int]] = set()
    for row in connection.execute(statement(_BEAR), {"numbers": names, **within._asdict()}):
        of = row.value, row.platform_id, row.type_id
        if row.until >= within.until or of not in met:
            found.add(numbers_of(row.platform_id)(row.resource_id))
        met.add(of)
    later = set(names) - {value for value, _, _ in met}
    if later and within.until != OPEN:
        found |= each_of_names(connection, sorted(later), within.at_any_time)
    return found
