"""Whose words say what was under a resource, as far as it was known at some time."""

from __future__ import annotations

from archiver.model import Number, numbers_of
from archiver.queries.under import descend
from archiver.queries.windows import ALWAYS
from archiver.storage.reading import Connection
from archiver.storage.statements import by_platform, statement
from archiver.storage.words import TARGET

_NAMING = "SELECT m.list_id FROM parent_list_members m WHERE m.platform_id = :platform AND m.resource_id = :number"
_LISTED = "SELECT m.resource_id FROM parent_list_members m WHERE m.platform_id = :platform AND m.list_id IN :numbers"
_LISTING = "SELECT p.resource_id FROM present p WHERE p.platform_id = :platform AND p.list_id IN :numbers"
_RUNS = (
    f"SELECT f.resource_id FROM facts f WHERE f.platform_id = :platform AND f.what = {TARGET} AND f.value IN :numbers"
)


def speakers(connection: Connection, root: Number) -> set[Number]:
    """What was ever under a resource; what lists it, and is listed with it; and what was done to any of these.

    What was told later may have moved it elsewhere, from the beginning.
    """
    found = set(descend(connection, [root], ALWAYS))
    naming = connection.scalars(statement(_NAMING), {"platform": root.platform, "number": root})
    lists = list(map(numbers_of(root.platform), naming))
    for query, numbers in ((_LISTED, lists), (_LISTING, lists), (_RUNS, found)):
        for among in by_platform(sorted(numbers)):
            found.update(map(among.of, connection.scalars(statement(query), among.values())))
    return found
