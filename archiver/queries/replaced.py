"""What a new container took the place of, and what was different: its image, its configuration, or neither."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from archiver.codec.text import parse
from archiver.model import Micros, Number, numbers_of
from archiver.model.nearby import Differs, Replaced
from archiver.platforms.facts import COMPOSE_HASH, COMPOSE_IMAGE, received_message, text
from archiver.queries.windows import Window, overlapping
from archiver.storage.causes import SUCCEEDS_AFTER
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import Values, by_platform, statement
from archiver.storage.whole import whole_extra
from archiver.storage.words import IMAGE, PARENT, SLOT

_SLOTS = (
    "SELECT f.resource_id, f.value, f.since FROM facts f"
    f" WHERE f.platform_id = :platform AND f.resource_id IN :numbers AND f.what = {SLOT}"
)
# Of the same slot of the same service, not looked for among all that it ever had (+ 0); the last one made before it.
_BEFORE = (
    "SELECT o.resource_id, o.since FROM facts o"
    f" WHERE o.platform_id = :platform AND o.value = :slot AND o.what = {SLOT} AND {{}}"
    " AND o.since < :made AND o.resource_id <> :number"
    " AND EXISTS (SELECT 1 FROM facts g JOIN facts h ON h.platform_id = g.platform_id AND h.value + 0 = g.value + 0"
    " JOIN resources a ON a.platform_id = g.platform_id AND a.id = g.value JOIN event_types t ON t.id = a.type_id"
    f" WHERE g.platform_id = :platform AND g.resource_id = :number AND g.what = {PARENT}"
    f" AND h.platform_id = o.platform_id AND h.resource_id = o.resource_id AND h.what = {PARENT}"
    " AND t.text = 'service')"
)
_CALLED = (
    "SELECT r.id, r.uri, n.text AS name FROM resources r"
    " LEFT JOIN present p ON p.platform_id = r.platform_id AND p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id WHERE r.platform_id = :platform AND r.id = :number"
)
_IMAGES = (
    "SELECT n.text FROM facts f JOIN texts n ON n.id = f.value"
    f" WHERE f.platform_id = :platform AND f.resource_id = :number AND f.what = {IMAGE} ORDER BY f.since {{}} LIMIT 1"
)
_KEPT = (
    f"SELECT {whole_extra('e')} AS extra FROM events e"
    " WHERE e.platform_id = :platform AND e.resource_id = :number AND e.extra IS NOT NULL"
    " ORDER BY e.occurred_at, e.id LIMIT 1"
)
_LONGEST = 100


class _Made(NamedTuple):
    """What a container was made of, as far as it was told."""

    image: str
    digest: str
    configuration: str


def replaced(connection: Connection, numbers: Iterable[Number]) -> dict[int, Replaced]:
    """Of those containers that took the place of another: which one, and what was different."""
    found = predecessors(connection, numbers)
    return {number: compared(connection, before, number) for number, before in found.items()}


def predecessors(connection: Connection, numbers: Iterable[Number]) -> dict[Number, Number]:
    """Of those containers that took the place of another: which one."""
    found: dict[Number, Number] = {}
    for among in by_platform(sorted(set(numbers))):
        made: dict[Number, tuple[Micros, int]] = {}
        for row in connection.execute(statement(_SLOTS), among.values()):
            number, told = among.of(row.resource_id), (row.since, row.value)
            made[number] = min(made.get(number, told), told)
        for number, (since, slot) in made.items():
            before = _before(connection, number, slot, since)
            if before is not None:
                found[number] = before
    return found


def _before(connection: Connection, number: Number, slot: int, made: Micros) -> Number | None:
    """What filled the slot last, within an hour."""
    rows: list[Any] = []
    for condition, values in overlapping(Window(made - SUCCEEDS_AFTER, made)):
        query = statement(_BEFORE.format(condition.replace("f.", "o.")))
        rows += connection.execute(query, {**_of(number), "slot": slot, "made": made, **values})
    return None if not rows else numbers_of(number.platform)(max(rows, key=lambda row: row.since).resource_id)


def _of(number: Number) -> Values:
    return {"platform": number.platform, "number": number}


def compared(connection: Connection, before: Number, after: Number) -> Replaced:
    """What of a container is otherwise than of the one whose place it took."""
    called = connection.execute(statement(_CALLED), _of(before)).one()
    was, became = _made(connection, before, "DESC"), _made(connection, after, "")
    differs = [
        Differs(what, old or None, new or None)
        for what, old, new in zip(("image", COMPOSE_IMAGE, COMPOSE_HASH), was, became, strict=True)
        if old != new
    ]
    is_image = any(each.what != COMPOSE_HASH for each in differs)
    is_configuration = was.configuration != became.configuration
    why: str | None = " and ".join(
        name for name, is_so in (("image", is_image), ("configuration", is_configuration)) if is_so
    )
    if not why:
        why = "neither" if became.configuration else None
    return Replaced(called.uri, called.name, why, tuple(differs))  # type: ignore[arg-type]


def _made(connection: Connection, number: Number, order: str) -> _Made:
    image = connection.scalar(statement(_IMAGES.format(order)), _of(number))
    labels = _labels(connection, number)
    return _Made(image or "", *(text(labels, label)[:_LONGEST] for label in (COMPOSE_IMAGE, COMPOSE_HASH)))


def _labels(connection: Connection, number: Number) -> Mapping[str, object]:
    """What an engine told of a container when it was made; nothing of another platform."""
    row = connection.execute(statement(_KEPT), _of(number)).first()
    message = None if row is None else received_message("/docker/v1/", parse(row.extra))
    actor = message.get("Actor") if message else None
    attributes = actor.get("Attributes") if isinstance(actor, dict) else None
    return attributes if isinstance(attributes, dict) else {}
