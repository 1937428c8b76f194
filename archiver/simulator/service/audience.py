"""The clients that hear the stream, and what was sent to them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from archiver.simulator.service.connection import Connection, frame

Item = tuple[str, Mapping[str, Any] | None]
"""A message's text, and the event it is, if it is one."""


def text_of(event: Mapping[str, Any]) -> str:
    """An event as it stands on the wire."""
    return json.dumps(event, separators=(",", ":"))


class Audience:
    """Everybody in it gets the same messages in the same order; who is too slow is cut off and leaves."""

    def __init__(self, *, record: bool, greet: bool) -> None:
        self.changed = threading.Condition()
        """Notified when a client comes or goes and when something was sent."""
        self.sent = 0
        self.texts: list[str] = []
        self._record, self._greet = record, greet
        self._clients: list[Connection] = []
        self._last: Item | None = None
        self._in_order = threading.RLock()

    def __len__(self) -> int:
        return len(self._clients)

    def enter(self, client: Connection) -> None:
        """Take a client in: it hears a greeting, and everything from here on."""
        with self.changed:
            if self._greet:
                client.offer(frame('{"type":"auth"}'))
            self._clients.append(client)
            self.changed.notify_all()

    def leave(self, client: Connection) -> None:
        """Forget a client, if it was there."""
        with self.changed:
            if client in self._clients:
                self._clients.remove(client)
            self.changed.notify_all()

    def broadcast(self, items: list[Item], patience: float) -> int:
        """Send messages to every client; returns how many were sent, none when nobody is there."""
        with self._in_order:
            clients = self._present()
            if not clients:
                return 0
            self._last = items[-1]
            with self.changed:
                self.sent += len(items)
                if self._record:
                    self.texts.extend(text for text, _ in items)
                self.changed.notify_all()
            frames = [frame(text) for text, _ in items]
            whole = b"".join(frames)
            for client in clients:
                data = whole
                if client.filter:
                    data = b"".join(f for f, (_, e) in zip(frames, items, strict=True) if client.filter.passes(e))
                if data and not client.offer(data, patience):
                    self.leave(client)
        return len(items)

    def repeat(self, patience: float) -> None:
        """Send the last message once more."""
        if self._last is not None:
            self.broadcast([self._last], patience)

    def write(self, data: bytes, patience: float) -> None:
        """Write bytes to every client's socket as they are."""
        with self._in_order:
            for client in self._present():
                if not client.offer(data, patience):
                    self.leave(client)

    def dismiss(self, how: Callable[[Connection], None]) -> None:
        """Do something to every client after which it hears nothing more."""
        with self._in_order:
            for client in self._present():
                how(client)
                self.leave(client)

    def _present(self) -> list[Connection]:
        with self.changed:
            return list(self._clients)
