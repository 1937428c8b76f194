"""Hands items from the threads that receive to the one that spools; bounded, so that a slow disk slows the reading."""

from __future__ import annotations

import threading

from archiver.model import Item, Message, Observed

MOST_BYTES = 1 << 20
MOST_ITEMS = 20_000
LAST_ROOM = 16
"""How many times as much is taken at the end."""
_OVERHEAD = 200


class Handover:
    """A queue that is emptied all at once."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_items: int = MOST_ITEMS) -> None:
        self._most_bytes = most_bytes
        self._most_items = most_items
        self._items: list[Item] = []
        self._size = 0
        self.closed = False
        self._changed = threading.Condition()

    def put(self, item: Item) -> None:
        """Adds an item; waits while there is no room."""
        size = _OVERHEAD
        if type(item) is Message or type(item) is Observed:
            size += len(item.payload)
        with self._changed:
            while self._items and (self._size + size > self._most_bytes or len(self._items) >= self._most_items):
                self._changed.wait()
            self._items.append(item)
            self._size += size
            if len(self._items) == 1:
                self._changed.notify_all()

    def take_all(self, timeout: float) -> list[Item] | None:
        """Everything there is, waiting up to `timeout` seconds for the first; None once closed and empty."""
        with self._changed:
            if not self._items and not self.closed:
                self._changed.wait(timeout)
            if not self._items:
                return None if self.closed else []
            items, self._items, self._size = self._items, [], 0
            self._changed.notify_all()
            return items

    def make_room(self) -> None:
        """Takes more from now on: what is still to come is the last, and whoever brings it is waited for."""
        with self._changed:
            self._most_bytes *= LAST_ROOM
            self._most_items *= LAST_ROOM
            self._changed.notify_all()

    def close(self) -> None:
        """Says that nothing more will be put."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()
