"""What a stream told, among what all told: events of its sessions, and those that they told of as well."""

from __future__ import annotations

from collections.abc import Iterable

from archiver.codec.streams import meant
from archiver.errors import NoSuchStream
from archiver.model import Number, numbers_of
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import chunks, statement

_URLS = "SELECT t.id, t.url FROM streams t ORDER BY t.url"
_URLS_OF = "SELECT o.id, t.url FROM sessions o JOIN streams t ON t.id = o.stream_id WHERE o.id IN :numbers"
_OF_STREAM = "SELECT o.id FROM sessions o WHERE o.stream_id = {}"
_TOLD_AS_WELL = (
    "EXISTS (SELECT 1 FROM tellings t"
    " WHERE t.platform_id = e.platform_id AND t.event_id = e.id AND t.session_id IN ({}))"
)
_RESOURCES = (
    "SELECT p.platform_id, p.resource_id FROM present p"
    " WHERE p.platform_id = (SELECT t.platform_id FROM streams t WHERE t.id = :stream) AND p.last_at IS NOT NULL"
)


def number(connection: Connection, url: str) -> int:
    """The stream of a URL, as it is archived: without a key; the user may be left out where there is one of that URL.

    Raises NoSuchStream.
    """
    known: dict[str, int] = {row.url: row.id for row in connection.execute(statement(_URLS))}
    fitting = meant(url, known)
    if len(fitting) != 1:
        raise NoSuchStream(url=url, known=fitting or list(known))
    return known[fitting[0]]


def urls_of(connection: Connection, sessions: Iterable[int]) -> dict[int, str]:
    """The URL of the stream of each of some sessions."""
    found: dict[int, str] = {}
    for part in chunks(sessions):
        found.update((row.id, row.url) for row in connection.execute(statement(_URLS_OF), {"numbers": part}))
    return found


def told_by(stream: int, *, events: bool = True) -> str:
    """The condition that a row `e` of events (else of observations) was told by a stream, if not by it alone."""
    sessions = _OF_STREAM.format(int(stream))
    own = f"e.session_id IN ({sessions})"
    return f"({own} OR {_TOLD_AS_WELL.format(sessions)})" if events else own


def resources_of(connection: Connection, stream: int) -> list[Number]:
    """The resources of the platform that a stream tells of, as far as anything was told of them."""
    rows = connection.execute(statement(_RESOURCES), {"stream": stream})
    return [numbers_of(platform)(number) for platform, number in rows]
