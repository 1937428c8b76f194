"""Keeps every distinct list of parents once, and knows the number of each and the members behind it.

Works inside the recorder's transaction, as `lookups` does; the cache is emptied (`forget`) after a rollback.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from sqlalchemy import Connection, select

from archiver.storage import schema
from archiver.storage.bulk import Row, chunks, insert_rows
from archiver.storage.limits import CacheLimits
from archiver.storage.numbers import Numbers

Members = tuple[int, ...]
"""The numbers of the resources in a list, in its order; one that is told twice stands there twice."""

_DIGEST_BYTES = 16


def digest(members: Members) -> bytes:
    """What tells a list from all others: 128 bits, by which no two lists will ever meet."""
    return blake2b(",".join(map(str, members)).encode(), digest_size=_DIGEST_BYTES).digest()


class Lists:
    """The numbers of lists and their members, remembered across batches within fixed bounds."""

    def __init__(self, limits: CacheLimits, numbers: Numbers) -> None:
        self._most = limits.lists
        self._numbers = numbers
        self._ids: dict[Members, int] = {}
        self._members: dict[int, Members] = {}
        self._weight = 0

    def forget(self) -> None:
        """Empties the cache."""
        self._ids.clear()
        self._members.clear()
        self._weight = 0

    def numbers(self, connection: Connection, platform: int, members: Sequence[Members]) -> list[int | None]:
        """The number of every list of a platform, in their order, made where there is none; an empty list has none."""
        wanted = [found for found in dict.fromkeys(members) if found]
        missing = [found for found in wanted if found not in self._ids]
        if missing:
            if self._is_full(missing):
                missing = wanted
            digests = {digest(found): found for found in missing}
            self._find(connection, platform, digests)
            self._make(
                connection, platform, [(told, found) for told, found in digests.items() if found not in self._ids]
            )
        return list(map(self._ids.get, members))

    def members(self, connection: Connection, platform: int, list_ids: Iterable[int]) -> Mapping[int, Members]:
        """What stands in each of these lists of a platform."""
        wanted = set(list_ids)
        missing = wanted - self._members.keys()
        if missing:
            found = _read(connection, platform, missing)
            if self._is_full(found.values()):
                found |= _read(connection, platform, wanted - missing)
            for number, members in found.items():
                self._remember(number, members)
        return {number: self._members[number] for number in wanted}

    def _find(self, connection: Connection, platform: int, digests: Mapping[bytes, Members]) -> None:
        table = schema.parent_lists
        for part in chunks(digests):
            found = select(table.c.digest, table.c.id)
            found = found.where(table.c.platform_id == platform, table.c.digest.in_(part))
            for known, number in connection.execute(found):
                self._remember(number, digests[bytes(known)])

    def _make(self, connection: Connection, platform: int, new: Sequence[tuple[bytes, Members]]) -> None:
        if not new:
            return
        lists: list[Row] = []
        places: list[Row] = []
        for number, (told, members) in enumerate(new, self._numbers.take(connection, schema.parent_lists, len(new))):
            lists.append((number, platform, told))
            places += [(platform, number, position, member) for position, member in enumerate(members)]
            self._remember(number, members)
        insert_rows(connection, schema.parent_lists, lists)
        insert_rows(connection, schema.parent_list_members, places)

    def _remember(self, number: int, members: Members) -> None:
        self._ids[members] = number
        self._members[number] = members
        self._weight += weight(members)

    def _is_full(self, more: Iterable[Members]) -> bool:
        """Whether the cache had no room for so many more; then it is empty now."""
        if not self._ids or self._weight + sum(map(weight, more)) <= self._most:
            return False
        self.forget()
        return True


def _read(connection: Connection, platform: int, list_ids: Iterable[int]) -> dict[int, Members]:
    c = schema.parent_list_members.c
    found: dict[int, list[int]] = {}
    for part in chunks(list_ids):
        rows = select(c.list_id, c.resource_id).where(c.platform_id == platform, c.list_id.in_(part))
        for number, member in connection.execute(rows.order_by(c.list_id, c.position)):
            found.setdefault(number, []).append(member)
    return {number: tuple(members) for number, members in found.items()}


def weight(members: Members) -> int:
    """What a list counts against the limit: one, unless somebody sends parents by the hundred."""
    return 1 + len(members) // 10
