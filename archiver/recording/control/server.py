"""Takes requests over the daemon's socket, and keeps them until the recorder has a moment for each."""

from __future__ import annotations

import logging
import os
import queue
import select
import socket
import stat
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from archiver.errors import ArchiverError
from archiver.recording.control.hearing import Hearing
from archiver.recording.control.place import new_socket, short_name, socket_beside
from archiver.recording.control.words import NotUnderstood, decoded, encoded

log = logging.getLogger(__name__)

MOST_WAITING = 16
"""Requests that wait; who comes then is told to come again."""
REQUEST_SECONDS = 2.0
"""How long somebody may take to say what he wants."""
_CREDENTIALS = struct.Struct("3i")
"""Process, user and group of the other end (`SO_PEERCRED`, unix(7))."""


class Request:
    """What somebody asked for, and the line on which he waits for the answer."""

    def __init__(self, line: socket.socket, wanted: dict[str, Any]) -> None:
        line.setblocking(False)  # nobody waits for who asks
        self._line = line
        self.wanted = wanted

    @property
    def is_wanted(self) -> bool:
        """Whether somebody still waits: who has gone may have asked again elsewhere.

        Who only says no more, as `nc -N` does after what it was given, waits all the same.
        """
        poll = select.poll()
        poll.register(self._line, 0)
        return not poll.poll(0)

    def go_on(self) -> None:
        """Says that it is being done, and takes longer."""
        self._send(b"\n")

    def answer(self, value: dict[str, Any]) -> None:
        """Gives the answer; never waits for who does not read it."""
        self._send(encoded({"answer": value}))
        self._line.close()

    def refuse(self, error: BaseException) -> None:
        """Says in words why it was not done."""
        self._send(encoded(_in_words(error)))
        self._line.close()

    def leave(self) -> None:
        """Hangs up: whoever asked does it himself now."""
        self._line.close()

    def _send(self, data: bytes) -> None:
        with suppress(OSError):
            self._line.send(data)


def _in_words(error: BaseException) -> dict[str, Any]:
    if isinstance(error, ArchiverError):
        return {"error": str(error), "hint": error.next_step, "code": error.exit_code}
    text = str(error) if isinstance(error, NotUnderstood) else type(error).__name__
    return {"error": text, "hint": "", "code": 1}


class Control:
    """The socket of one daemon; whoever holds the spool has it, so that what else lies in its place is stale.

    Where it cannot be made, the daemon records without it, and the log says so.
    """

    def __init__(self, spool: Path, understood: Callable[[dict[str, Any]], None], wake: Callable[[], None]) -> None:
        """`understood` raises where a request cannot be done; `wake` is called when there is one, from a thread."""
        self._path = socket_beside(spool)
        self._understood = understood
        self._wake = wake
        self._waiting: queue.Queue[Request] = queue.Queue(MOST_WAITING)
        self._listening: socket.socket | None = None
        self._closed = threading.Event()

    def open(self) -> None:
        """Begins to take requests."""
        line = new_socket()
        try:
            with suppress(FileNotFoundError):
                if not stat.S_ISSOCK(self._path.lstat().st_mode):
                    raise OSError("something that is no socket is in its place")
                self._path.unlink()
            # Linux makes the file with the mode of the socket; elsewhere the folder is closed until it has it.
            os.fchmod(line.fileno(), 0o600)
            with short_name(self._path) as name:
                line.bind(name)
            os.chmod(self._path, 0o600)
            line.listen(MOST_WAITING)
        except OSError as error:
            line.close()
            log.warning("no way to ask this daemon for anything: %s: %s", self._path, error.strerror or error)
            return
        self._listening = line
        threading.Thread(target=self._serve, args=(line,), name="control", daemon=True).start()

    def close(self) -> None:
        """Takes no more; who waits is hung up on."""
        self._closed.set()
        line, self._listening = self._listening, None
        if line is not None:
            with suppress(OSError):
                self._path.unlink()
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)  # that wakes who listens, and closes it
        while (request := self.next()) is not None:
            request.leave()

    def next(self) -> Request | None:
        """The next request for which somebody still waits; None when there is none."""
        while True:
            try:
                request = self._waiting.get_nowait()
            except queue.Empty:
                return None
            if request.is_wanted:
                return request
            request.leave()

    def _serve(self, listening: socket.socket) -> None:
        hearing = Hearing(listening, REQUEST_SECONDS, _admit, self._closed.is_set)
        try:
            while not self._closed.is_set():
                try:
                    self._hear(hearing)
                except OSError as error:
                    if not self._closed.wait(0.2):
                        log.debug("the control socket: %s", error)
        finally:
            hearing.close()

    def _hear(self, hearing: Hearing) -> None:
        for line, said in hearing.heard():
            try:
                if isinstance(said, Exception):
                    raise said
                self._take(line, said)
            except Exception as error:  # noqa: BLE001 - whatever somebody says, the next one is heard
                Request(line, {}).refuse(error)

    def _take(self, line: socket.socket, said: bytes) -> None:
        wanted = decoded(said)
        self._understood(wanted)
        request = Request(line, wanted)
        try:
            self._waiting.put_nowait(request)
        except queue.Full:
            raise NotUnderstood(f"{MOST_WAITING} others wait already; ask again later") from None
        self._wake()
        if self._closed.is_set():  # whoever closed it may have looked before this one came
            self.close()


def _admit(line: socket.socket) -> None:
    if not is_allowed(line):
        raise NotUnderstood("you are not the user that the daemon runs as")


def is_allowed(line: socket.socket) -> bool:
    """Whether the other end is root, or the user or of the group as which this process runs; True where nobody says."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True  # the file's mode lets nobody else connect
    _, user, group = _CREDENTIALS.unpack(line.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size))
    return user in (0, os.geteuid()) or group == os.getegid()
