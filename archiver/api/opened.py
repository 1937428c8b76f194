"""An archive that is open, and the references and streams that questions to it name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Self

from archiver.model import Number, Resource, TimeRange
from archiver.queries.reader import Reader

ALWAYS = TimeRange()
Ref = str | Resource
"""What names a resource: a reference, or the resource as `Archive` gave it."""


class Opened:
    """A connection to an archive; what asks it by kinds of questions stands on this."""

    def __init__(self, url: str) -> None:
        """Opens an archive by its URL; a plain path is a SQLite file.

        Raises DatabaseMissing, DatabaseUnreachable, or SchemaNotAtHead when it is of another revision.
        """
        self._url = url
        self._reader = Reader(url)

    def close(self) -> None:
        """Gives the connection back."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def resolve_all_of(connection: Any, refs: Ref | Sequence[Ref], range: TimeRange = ALWAYS) -> list[Resource]:
    """The resources; a single text is a reference, in a list it may be a pattern."""
    from archiver.queries.patterns import resolve_all
    from archiver.queries.references import resolve

    if isinstance(refs, str):
        return [resolve(connection, refs, None, range)]
    return [refs] if isinstance(refs, Resource) else resolve_all(connection, refs, None, range)


def one(connection: Any, ref: Ref | None, range: TimeRange) -> Resource | None:
    """The resource of a reference; None: none is meant."""
    return None if ref is None else resolve_all_of(connection, ref, range)[0]


def numbers_of(connection: Any, refs: Ref | Sequence[Ref] | None, range: TimeRange = ALWAYS) -> list[Number] | None:
    """The numbers of the resources; None: none is meant."""
    return None if refs is None else [resource.id for resource in resolve_all_of(connection, refs, range)]


def stream_number(connection: Any, url: str | None) -> int | None:
    """The number of the stream of a URL; None: none is meant. Raises NoSuchStream."""
    from archiver.queries.telling import number

    return None if url is None else number(connection, url)


def platform_number(connection: Any, name: str | None) -> int | None:
    """The number of the platform of a name, key or stream; None: none is meant. Raises NoSuchPlatform."""
    from archiver.queries.platforms import number

    return None if name is None else number(connection, name)


def now() -> datetime:
    """The instant up to which an answer knows."""
    return datetime.now(UTC)
