"""A recorded stream, played back from a file of JSON Lines."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from archiver.codec.oversize import Oversize
from archiver.errors import BadInput
from archiver.model import Closed, Dialect, Item, Message, Opened, now_micros
from archiver.platforms.wire.connection import DEFAULT_CAP

CHUNK = 64 * 1024


class PlaybackSource:
    """Yields each line of a file as a message of one session of the stream `file:<name>`, then ends.

    `received_at` is the moment of reading; an event's own time is in its line. Empty lines are passed over; a line
    longer than `cap` bytes becomes a refused message, as it would on the wire.
    """

    def __init__(self, path: Path, *, dialect: Dialect = "tutum", cap: int = DEFAULT_CAP) -> None:
        self._path = path
        self._dialect = dialect
        self._cap = cap

    @property
    def stream(self) -> str:
        """What the archive calls this stream."""
        return f"file:{self._path.name}"

    def items(self, stop: threading.Event) -> Iterator[Item]:
        """The recorded messages, until the file ends or `stop` is set. Raises BadInput when the file cannot be read."""
        try:
            file = self._path.open("rb")
        except OSError as exc:
            raise BadInput(source=str(self._path), reason=exc.strerror or str(exc)) from exc
        session, stopped = secrets.token_hex(8), False
        with file:
            opened = now_micros()
            yield Opened(self.stream, session, self._dialect, opened, opened)
            for payload, refused in self._lines(file):
                yield Message(self.stream, session, self._dialect, now_micros(), payload, None, refused)
                if stop.is_set():
                    stopped = True
                    break
        reason = "stopped" if stopped else "end of the recording"
        yield Closed(self.stream, session, now_micros(), reason, "stopped")

    def _lines(self, file: BinaryIO) -> Iterator[tuple[bytes, str | None]]:
        while line := file.readline(self._cap + 1):
            if len(line) > self._cap and not line.endswith(b"\n"):
                excess = _rest(file, line)
                yield bytes(excess.kept), excess.reason(self._cap)
            elif payload := line.rstrip(b"\r\n"):
                yield payload, None


def _rest(file: BinaryIO, beginning: bytes) -> Oversize:
    """The line that began like this, read to its end with bounded memory."""
    excess = Oversize(beginning)
    while piece := file.readline(CHUNK):
        excess.add(piece.rstrip(b"\n"))
        if piece.endswith(b"\n"):
            break
    return excess
