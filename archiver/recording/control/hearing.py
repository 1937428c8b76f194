"""Hears all who talk to a daemon's socket, at once: what one of them is slow to say keeps nobody waiting."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Iterator

from archiver.recording.control.words import MOST_BYTES, NotUnderstood, TooLong, first_line

MOST_TALKING = 64
"""Who comes then takes the place of who has talked longest, who is told so."""

Heard = tuple[socket.socket, bytes | Exception]
"""Somebody's line, and what he said, or why nobody listens to him."""


class Hearing:
    """One listening socket, and everybody who has come and not said yet what he wants.

    Each has `seconds` for one line; `admit` raises for who is not to be heard. It is over when that says so, and the
    listening socket is shut down. One thread uses it.
    """

    def __init__(
        self,
        listening: socket.socket,
        seconds: float,
        admit: Callable[[socket.socket], None],
        over: Callable[[], bool],
    ) -> None:
        listening.setblocking(False)
        self._listening = listening
        self._seconds = seconds
        self._admit, self._over = admit, over
        self._talking: dict[socket.socket, tuple[bytearray, float]] = {}
        """What each has said, and until when he may go on; who came first is first."""
        self._selector = selectors.DefaultSelector()
        self._selector.register(listening, selectors.EVENT_READ)

    def heard(self) -> Iterator[Heard]:
        """Everybody in the order in which they have said it. Raises OSError when nobody can be taken in."""
        while not self._over():
            yield from self._late()
            for key, _ in self._selector.select(self._patience()):
                line = key.fileobj
                assert isinstance(line, socket.socket)
                yield from self._greet() if line is self._listening else self._listen(line)

    def close(self) -> None:
        """Hangs up on everybody."""
        for line in (*self._talking, self._listening):
            line.close()
        self._talking.clear()
        self._selector.close()

    def _patience(self) -> float | None:
        first = next(iter(self._talking.values()), None)
        return None if first is None else max(0.0, first[1] - time.monotonic())

    def _greet(self) -> Iterator[Heard]:
        try:
            line, _ = self._listening.accept()
        except BlockingIOError:
            return
        line.setblocking(False)
        try:
            self._admit(line)
        except NotUnderstood as error:
            yield line, error
            return
        if len(self._talking) >= MOST_TALKING:
            yield self._done(next(iter(self._talking)), NotUnderstood("many others talk; ask again later"))
        self._talking[line] = bytearray(), time.monotonic() + self._seconds
        self._selector.register(line, selectors.EVENT_READ)

    def _listen(self, line: socket.socket) -> Iterator[Heard]:
        if line not in self._talking:
            return  # his place was taken just now
        said, _ = self._talking[line]
        try:
            piece = line.recv(MOST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        said += piece
        try:
            whole = first_line(said, ended=not piece)
        except TooLong as error:
            yield self._done(line, error)
            return
        if whole is not None:
            yield self._done(line, whole)

    def _late(self) -> Iterator[Heard]:
        now = time.monotonic()
        for line in [line for line, (_, until) in self._talking.items() if until <= now]:
            yield self._done(line, NotUnderstood(f"a request is to be said within {self._seconds:g} s"))

    def _done(self, line: socket.socket, what: bytes | Exception) -> Heard:
        del self._talking[line]
        self._selector.unregister(line)
        return line, what
