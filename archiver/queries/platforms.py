"""The platforms of an archive, and which of them a name means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from archiver.codec.streams import meant
from archiver.errors import NoSuchPlatform
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import statement

if TYPE_CHECKING:
    from archiver.model import Dialect, Number, Platform

_PLATFORMS = "SELECT p.id, p.key, p.name, p.dialect FROM platforms p ORDER BY p.id"
_IDENTITIES = "SELECT i.platform_id, i.key FROM platform_identities i ORDER BY i.key"
_STREAMS = "SELECT t.platform_id, t.url, t.dialect FROM streams t ORDER BY t.id"
_KEY_OF = "SELECT p.key FROM platforms p WHERE p.id = :platform"
_NAMES = "SELECT p.id, p.name FROM platforms p"
_MEANT = (
    "SELECT p.id FROM platforms p WHERE p.name = :name"
    " UNION ALL SELECT p.id FROM platforms p WHERE p.key = :name"
    " UNION ALL SELECT i.platform_id FROM platform_identities i WHERE i.key = :name"
    " UNION ALL SELECT t.platform_id FROM streams t WHERE t.url = :name AND t.platform_id IS NOT NULL"
)


def known(connection: Connection) -> dict[int, Platform]:
    """Every platform by its number, in the order in which they were first heard of."""
    from archiver.model import Platform  # an answer that only names them loads no records

    identities: dict[int, list[str]] = {}
    for number, key in connection.execute(_IDENTITIES):
        identities.setdefault(number, []).append(key)
    streams: dict[int | None, list[tuple[str, Dialect]]] = {}
    for number, url, dialect in connection.execute(_STREAMS):
        streams.setdefault(number, []).append((url, dialect))
    return {
        row.id: Platform(
            row.key, row.name, row.dialect, tuple(identities.get(row.id, ())), tuple(streams.get(row.id, ()))
        )
        for row in connection.execute(_PLATFORMS)
    }


def key_of(connection: Connection, resource: Number) -> str:
    """The key of the platform of a resource, given by its number."""
    key: str = connection.scalar(statement(_KEY_OF), {"platform": resource.platform})
    return key


def names(connection: Connection) -> dict[int, str]:
    """What each platform is called."""
    return dict(connection.execute(_NAMES))


def several(connection: Connection) -> dict[int, str]:
    """What each platform is called where there are several; where there is one, nothing says so."""
    found = names(connection)
    return found if len(found) > 1 else {}


def of_resources(connection: Connection, resources: Iterable[Number]) -> dict[int, str]:
    """What the platform of each of some resources is called, where there are several; else of none."""
    called = several(connection)
    return {number: called[number.platform] for number in resources} if called else {}


def number(connection: Connection, name: str) -> int:
    """The platform of a name, a key, an identity, or the URL of a stream that tells of it.

    Raises NoSuchPlatform.
    """
    found: int | None = connection.scalar(statement(_MEANT), {"name": name})
    if found is None:
        streams = {row.url: row.platform_id for row in connection.execute(_STREAMS) if row.platform_id is not None}
        of = {streams[url] for url in meant(name, streams)}
        found = next(iter(of)) if len(of) == 1 else None
    if found is None:
        raise NoSuchPlatform(name=name, known=sorted(names(connection).values()))
    return found
