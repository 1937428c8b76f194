"""Whose words say what was under a resource, as far as it was known at some time, or to somebody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from archiver.model import Number, numbers_of
from archiver.queries.neighbours import above_all, above_of
from archiver.queries.under import descend
from archiver.queries.windows import ALWAYS
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import Among, by_platform, statement
from archiver.storage.words import NO_RESOURCE, TARGET

_NAMING = "SELECT m.list_id FROM parent_list_members m WHERE m.platform_id = :platform AND m.resource_id = :number"
_LISTED = "SELECT m.resource_id FROM parent_list_members m WHERE m.platform_id = :platform AND m.list_id IN :numbers"
_LISTING = "SELECT p.resource_id FROM present p WHERE p.platform_id = :platform AND p.list_id IN :numbers"
_RUNS = (
    f"SELECT f.resource_id FROM facts f WHERE f.platform_id = :platform AND f.what = {TARGET} AND f.value IN :numbers"
)


_SIZE = 500
"""Resources of which all words are read at once."""
_PLATFORM = "SELECT t.platform_id FROM streams t WHERE t.id = :stream"
_NEXT = (
    "SELECT p.resource_id FROM present p WHERE p.platform_id = :platform AND p.resource_id > :after"
    " AND p.last_at IS NOT NULL ORDER BY p.resource_id LIMIT :size"
)
_WIDE = "nodecluster"
"""What has too much under it to be looked at for the sake of one of these."""
_NOT_WIDE = (
    "SELECT r.id FROM resources r JOIN event_types t ON t.id = r.type_id"
    f" WHERE r.platform_id = :platform AND r.id IN :numbers AND t.text <> '{_WIDE}'"
)


def speakers(connection: Connection, *roots: Number) -> set[Number]:
    """What was ever under some resources; what lists one, and is listed with it; and what was done to any of these.

    What was told later may have moved it elsewhere, from the beginning.
    """
    found = set(descend(connection, roots, ALWAYS))
    lists = [
        numbers_of(root.platform)(number)
        for root in roots
        for number in connection.scalars(statement(_NAMING), {"platform": root.platform, "number": root})
    ]
    for query, numbers in ((_LISTED, lists), (_LISTING, lists), (_RUNS, found)):
        found |= _found(connection, query, numbers)
    return found


def around(connection: Connection, root: Number) -> set[Number]:
    """Whose words say what happened to a resource and why: the same of it, and of all that it was ever under.

    Also what was done to what any of these was under, which may have stopped it.
    """
    near = _found(connection, _NOT_WIDE, above_of(connection, root, ALWAYS)) | {root}
    above = above_all(connection, speakers(connection, *sorted(near)), ALWAYS)
    return above | _found(connection, _RUNS, above)


def by_page(_connection: Connection, *, numbers: Iterable[Number]) -> Iterator[Among]:
    """Some resources, so many at a time as one question may name."""
    return by_platform(sorted(numbers))


def told_of(connection: Connection, *, stream: int) -> Iterator[Among]:
    """Whose words a stream may have told, as `by_page`: all on its platform; what is of no resource, too."""
    platform = connection.scalar(statement(_PLATFORM), {"stream": stream})
    numbers: Sequence[int] = [] if platform is None else [NO_RESOURCE]
    while numbers:
        yield Among(platform, numbers)
        values = {"platform": platform, "after": numbers[-1], "size": _SIZE}
        numbers = connection.scalars(statement(_NEXT), values)


def _found(connection: Connection, query: str, numbers: Iterable[Number]) -> set[Number]:
    return {
        among.of(number)
        for among in by_platform(sorted(numbers))
        for number in connection.scalars(statement(query), among.values())
    }
