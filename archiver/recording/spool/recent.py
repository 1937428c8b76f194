"""The newest items of a spool, in memory: in steady state nothing is read back from the file."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from archiver.model import Item


class Group(NamedTuple):
    """Items with consecutive numbers, from `first` on."""

    first: int
    items: Sequence[Item]
    size: int
    """Bytes, as the limit counts them."""

    @property
    def last(self) -> int:
        """The number of the last item."""
        return self.first + len(self.items) - 1


class Recent:
    """Groups in the order of their numbers; what does not fit is left out, and read from the file when its turn comes.

    Not safe for several threads at once.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._groups: deque[Group] = deque()
        self._size = 0

    def remember(self, group: Group) -> None:
        """Keeps a group while there is room."""
        if self._size + group.size <= self._most_bytes:
            self._groups.append(group)
            self._size += group.size

    def forget(self) -> None:
        """Keeps nothing."""
        self._groups.clear()
        self._size = 0

    def renumber(self, skipped: int) -> None:
        """All have numbers that are so much higher."""
        self._groups = deque(group._replace(first=group.first + skipped) for group in self._groups)

    def first_after(self, after: int) -> int | None:
        """The number of the first item that is here and follows `after`; what does not is given up."""
        while self._groups and self._groups[0].last <= after:
            self._size -= self._groups.popleft().size
        return self._groups[0].first if self._groups else None

    def take(self, after: int, most: int, most_bytes: int) -> Group:
        """Items that follow number `after`, of which the first is here; as many as fit, at least one."""
        items: list[Item] = []
        size = 0
        for group in self._groups:
            if items and (group.first != after + 1 + len(items) or size + group.size > most_bytes):
                break
            items += group.items[after + 1 + len(items) - group.first :]
            size += group.size
            if len(items) >= most:
                break
        return Group(after + 1, items[:most], size)
