"""Frames cut out of the bytes of a socket and joined to messages, within bounds a hostile server cannot move.

It overrides private parts of websocket-client 1.9 (`frame_buffer`, `continuous_frame`); a contract test names each of
them, so that an upgrade which moves one fails there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from websocket import ABNF, WebSocketProtocolException, WebSocketTimeoutException
from websocket._abnf import continuous_frame, frame_buffer

from archiver.codec.oversize import KEPT, Oversize

READ_AHEAD = 64 * 1024
PIECE = 64 * 1024
"""Longer frames are handed on in pieces of this size, as if the server had fragmented them."""
LONGEST_DECLARED = 256 * 1024 * 1024
MOST_FRAGMENTS = 16_384
LONGEST_CONTROL = 125
WHOLE = (0x80 | ABNF.OPCODE_TEXT, 0x80 | ABNF.OPCODE_BINARY)
"""First bytes of a message in one frame."""
PROTOCOL_ERROR = 1002
TOO_BIG = 1009


class Violation(WebSocketProtocolException):
    """The server broke the protocol or a bound, so that the connection cannot go on."""

    def __init__(self, reason: str, *, code: int = PROTOCOL_ERROR, kept: bytes = b"") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.kept = kept[:KEPT]


class Frames(frame_buffer):
    """Cuts frames out of what one read of the socket brought; judges each header before waiting for its payload."""

    def __init__(self, read: Callable[[int], bytes], tick: float) -> None:
        super().__init__(read, True)
        self.tick = tick
        self.data = b""
        self.at = 0
        self.gathered = bytearray()
        self.left = 0
        self.last_fin = 1
        self.broken = False
        """Whether a header was refused: where the next frame begins nobody knows then."""

    def short_cut(self, cap: int) -> tuple[int, bytes] | None:
        """Opcode and payload of the next message when it is one frame and already read; None: ask the library."""
        data, at = self.data, self.at
        if len(data) - at < 2 or data[at] not in WHOLE or self.left or self.header is not None:
            return None
        size, start = data[at + 1], at + 2
        if size == ABNF.LENGTH_7:
            size, start = int.from_bytes(data[at + 2 : at + 4]), at + 4
        elif size > ABNF.LENGTH_7:
            return None
        if size > cap or start + size > len(data):
            return None
        self.at = start + size
        return data[at] & 0x0F, data[start : start + size]

    def recv_strict(self, bufsize: int) -> bytes:
        end = self.at + bufsize
        if end > len(self.data):
            self._read_until(bufsize)
            end = bufsize
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def _read_until(self, size: int) -> None:
        """Read until `size` bytes are there; a timeout keeps what has come, so that the next call resumes."""
        self.gathered += self.data[self.at :]
        self.data, self.at = b"", 0
        until = time.monotonic() + self.tick
        while len(self.gathered) < size:
            self.gathered += self.recv(READ_AHEAD)
            # A server that drips bytes must not keep the caller from its other duties.
            if len(self.gathered) < size and time.monotonic() > until:
                raise WebSocketTimeoutException("the frame is not complete yet")
        self.data = bytes(self.gathered)
        self.gathered.clear()

    def recv_length(self) -> None:
        super().recv_length()
        self.broken = True
        self._judge()
        self.broken = False

    def _judge(self) -> None:
        """Raises Violation for a header that cannot be gone on with."""
        fin, rsv1, rsv2, rsv3, opcode, masked, _ = self.header  # type: ignore[misc]
        length: int = self.length  # type: ignore[assignment]
        if opcode not in ABNF.OPCODES:
            raise Violation(f"invalid opcode {opcode}", kept=self.raw())
        if rsv1 or rsv2 or rsv3:
            raise Violation("a reserved bit is set", kept=self.raw())
        if masked:
            raise Violation("a frame of the server is masked", kept=self.raw())
        if opcode >= ABNF.OPCODE_CLOSE:
            if length > LONGEST_CONTROL or not fin:
                what = f"control frame of {length} bytes" if fin else "a control frame is fragmented"
                raise Violation(what, kept=self.raw())
        elif length > LONGEST_DECLARED:
            raise Violation(f"message of {length} bytes announced", code=TOO_BIG, kept=self.buffered())
        elif length > PIECE:
            self.left = length - PIECE
            self.length = PIECE

    def recv_frame(self) -> ABNF:
        # A tick may have come between the header and the first piece.
        if self.left and self.header is None:
            return self._next_piece()
        frame = super().recv_frame()
        if self.left:
            self.last_fin, frame.fin = frame.fin, 0
        return frame

    def _next_piece(self) -> ABNF:
        size = min(self.left, PIECE)
        data = self.recv_strict(size)
        self.left -= size
        return ABNF(0 if self.left else self.last_fin, 0, 0, 0, ABNF.OPCODE_CONT, 0, data)

    def buffered(self) -> bytes:
        """At most 64 KiB of what was read and is not yet part of a frame."""
        return bytes(self.gathered[:KEPT]) or self.data[self.at : self.at + KEPT]

    def raw(self) -> bytes:
        """The current header's two first bytes and what follows its length: evidence of a frame that is refused."""
        fin, rsv1, rsv2, rsv3, opcode, masked, bits = self.header  # type: ignore[misc]
        first = fin << 7 | rsv1 << 6 | rsv2 << 5 | rsv3 << 4 | opcode
        return bytes((first, masked << 7 | bits)) + self.buffered()

    def halfway(self) -> bool:
        """True when the beginning of a frame was read and not its end."""
        return self.header is not None or self.left > 0 or bool(self.gathered) or self.at < len(self.data)

    def ready(self) -> bool:
        """True when the next frame can be had without reading the socket."""
        waiting = self.data[self.at : self.at + 10]
        there = len(self.data) - self.at
        if self.header is not None:
            return self.length is not None and there >= self.length
        if self.left:
            return there >= min(self.left, PIECE)
        if there < 2:
            return False
        bits = waiting[1] & 0x7F
        head = 2 + (2 if bits == 126 else 8 if bits == 127 else 0)
        length = int.from_bytes(waiting[2:head], "big") if bits >= 126 else bits
        return there >= head + min(length, PIECE)


class Messages(continuous_frame):
    """Joins fragments in linear time; keeps of a message over the cap only its beginning, length and hash."""

    def __init__(self, cap: int) -> None:
        super().__init__(True, True)
        self.cap = cap
        self.joined = bytearray()
        self.fragments = 0
        self.opcode = 0
        self.excess: Oversize | None = None
        self.refused: str | None = None

    def validate(self, frame: ABNF) -> None:
        if (frame.opcode == ABNF.OPCODE_CONT) != (self.recving_frames is not None):
            what = "a fragment without a beginning" if self.recving_frames is None else "a message within a message"
            raise Violation(what, kept=bytes(frame.data))  # type: ignore[arg-type]

    def add(self, frame: ABNF) -> None:
        data: bytes = frame.data  # type: ignore[assignment]
        if self.recving_frames is None:
            if frame.fin and len(data) <= self.cap:
                self.cont_data = [frame.opcode, data]
                return
            self.recving_frames = self.opcode = frame.opcode
            self.fragments = 0
        self._take(data)
        self.cont_data = self._whole() if frame.fin else [ABNF.OPCODE_CONT, b""]

    def _take(self, data: bytes) -> None:
        self.fragments += 1
        if self.excess is None and len(self.joined) + len(data) > self.cap:
            self.excess = Oversize(self.joined)
            self.joined.clear()
        if self.excess is None:
            self.joined += data
        else:
            self.excess.add(data)
        if self.fragments > MOST_FRAGMENTS:
            raise Violation(f"message of more than {MOST_FRAGMENTS} fragments", code=TOO_BIG)
        if self.excess is not None and self.excess.size > LONGEST_DECLARED:
            raise Violation(f"message of more than {LONGEST_DECLARED} bytes", code=TOO_BIG)

    def _whole(self) -> list[Any]:
        payload = self.unfinished()
        self.refused = self.excess.reason(self.cap) if self.excess is not None else None
        self.recving_frames = None
        self.excess = None
        self.joined.clear()
        return [self.opcode, payload]

    def is_fire(self, frame: ABNF) -> bool:
        return True

    def unfinished(self) -> bytes:
        """What is kept of the message under way."""
        return bytes(self.joined if self.excess is None else self.excess.kept)
