"""Whose words say what was under a resource, as far as it was known at some time."""

from __future__ import annotations

from archiver.queries.under import descend
from archiver.queries.windows import ALWAYS
from archiver.storage.reading import Connection
from archiver.storage.statements import chunks, statement
from archiver.storage.words import TARGET

_NAMING = "SELECT m.list_id FROM parent_list_members m WHERE m.resource_id = :number"
_LISTED = "SELECT m.resource_id FROM parent_list_members m WHERE m.list_id IN :numbers"
_LISTING = "SELECT p.resource_id FROM present p WHERE p.list_id IN :numbers"
_RUNS = f"SELECT f.resource_id FROM facts f WHERE f.what = {TARGET} AND f.value IN :numbers"


def speakers(connection: Connection, root: int) -> set[int]:
    """What was ever under a resource; what lists it, and is listed with it; and what was done to any of these.

    What was told later may have moved it elsewhere, from the beginning.
    """
    found = set(descend(connection, [root], ALWAYS))
    lists = connection.scalars(statement(_NAMING), {"number": root})
    for query in (_LISTED, _LISTING):
        for part in chunks(lists):
            found.update(connection.scalars(statement(query), {"numbers": part}))
    for part in chunks(sorted(found)):
        found.update(connection.scalars(statement(_RUNS), {"numbers": part}))
    return found
