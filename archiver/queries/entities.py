"""How the containers stand now of which some events tell."""

from __future__ import annotations

from collections.abc import Sequence

from archiver.model import Number, numbers_of
from archiver.model.entities import Entity
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import by_platform, chunks, statement
from archiver.storage.words import NO_RESOURCE

# By their numbers alone, which is all that is known of them: through an index that is not unique.
_ABOUT = (
    "SELECT DISTINCT e.platform_id, e.resource_id FROM events e"
    f" WHERE e.id IN :events AND e.resource_id <> {NO_RESOURCE}"
)
_CONTAINERS = (
    "SELECT r.id, r.uri, r.key, n.text AS name, s.text AS state, p.gone_at, i.text AS image, o.text AS slot"
    " FROM resources r JOIN event_types t ON t.id = r.type_id"
    " JOIN present p ON p.platform_id = r.platform_id AND p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id LEFT JOIN event_states s ON s.id = p.state_id"
    " LEFT JOIN texts i ON i.id = p.image_id LEFT JOIN texts o ON o.id = p.slot_id"
    " WHERE r.platform_id = :platform AND r.id IN :numbers AND t.text = 'container' ORDER BY r.id"
)


def containers_of(connection: Connection, events: Sequence[int]) -> list[Entity]:
    """The containers that events of these numbers are about, each once."""
    numbers: set[Number] = set()
    for part in chunks(events):
        rows = connection.execute(statement(_ABOUT), {"events": part})
        numbers.update(numbers_of(platform)(number) for platform, number in rows)
    return [
        Entity(row.uri, row.key, row.name, row.state, row.gone_at, row.image, row.slot)
        for among in by_platform(sorted(numbers))
        for row in connection.execute(statement(_CONTAINERS), among.values())
    ]
