"""Finds the JSON objects in a stream of bytes, however their writer has set them apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from archiver.codec.oversize import Oversize

MAX_OPEN = 1000
"""How many brackets of an object may be open at once; what is nested deeper is taken for no JSON."""
MAX_BETWEEN = 1024
"""How many bytes of what may stand between two objects are held until it is known what follows."""

_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_NEWLINE, _QUOTE, _BACKSLASH, _MARK, _BRACE, _BRACKET, _COMMA, _COLON = b'\n"\\\x1e{[,:'
_CLOSES = {b"}"[0]: _BRACE, b"]"[0]: _BRACKET}
_AT_ONCE = 500
"""How many strings, or escapes of one, are passed over at once: a group that is repeated remembers each time."""
# Only of what is no group may a repetition be possessive: Python before 3.11.5 then goes on from where the group failed
# and not from where it began (python/cpython#106052).

# What may stand between two objects: lines and blanks, the commas and brackets of a list, record marks (RFC 7464).
_BETWEEN = re.compile(rb"[ \t\r\n,\[\]\x1e]*+(?:\xef\xbb\xbf[ \t\r\n,\[\]\x1e]*+){0,%d}" % _AT_ONCE)
_BLANKS = re.compile(rb"[ \t\r\n]*+")
_INSIDE = rb'[^"\\\n\x1e]*+(?:\\[^\n\x1e][^"\\\n\x1e]*+){0,%d}' % _AT_ONCE
_REST_OF_STRING = re.compile(_INSIDE)
_PLAIN = re.compile(
    rb'[^"{}\[\]\n\x1e]*+(?:"%s"[^"{}\[\]\n\x1e]*+){0,%d}' % (_INSIDE, _AT_ONCE)
)  # some whole strings, and what is around them
_ESCAPE = re.compile(rb"\\.")
_NO_BRACE = bytes(set(range(256)) - set(b'{}"\\'))


class JsonObjects:
    """Takes a stream piece by piece, and gives each JSON object as it was written as soon as its last brace is there.

    One object a line, objects glued together, lists of them, objects over many lines, CRLF, record marks, a byte order
    mark: the objects are the same. A line that begins with anything else is given as it is, for whoever says what is
    wrong with it. An object that its writer never finished ends where the next one begins a line. No more than `cap`
    bytes and the last piece are held; of what is longer the beginning is given, and why it is not whole.
    """

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._buffer = bytearray()
        self._reset()

    def _reset(self) -> None:
        self._at = 0
        """How far the buffer is read."""
        self._open = bytearray()
        """The brackets that are open; none when it is a line that is being read, or nothing."""
        self._in_line = self._in_string = self._begins_line = False
        self._last = 0
        """The last byte read that is no blank."""
        self._over: Oversize | None = None

    @property
    def held(self) -> int:
        """How many bytes wait for the rest of them."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[tuple[bytes, str | None]]:
        """What is complete with this piece, in order: its bytes, and why they are not all of it, or None."""
        *lines, rest = data.split(b"\n")
        for line in lines:
            if self._buffer or self._over is not None:
                yield from self._read(line + b"\n")
                continue
            text = line.strip(_BLANK)
            if len(line) <= self._cap and _is_one_object(text):
                yield text, None
            elif text:
                yield from self._read(line + b"\n")
        if rest:
            yield from self._read(rest)

    def end(self) -> Iterator[tuple[bytes, str | None]]:
        """What is left when no more comes: a line without its end, an object that is not complete."""
        if self._over is not None or not _BETWEEN.fullmatch(self._buffer):
            yield self._take(len(self._buffer))
        self._buffer.clear()

    def _read(self, piece: bytes) -> Iterator[tuple[bytes, str | None]]:
        self._buffer += piece
        while self._open or self._in_line or self._begin():
            end = self._end_of_line() if self._in_line else self._end_of_object()
            if end is not None:
                yield self._take(end)
            elif not self._in_line or self._at == len(self._buffer):
                break
        if (self._open or self._in_line) and len(self._buffer) > self._cap:
            self._put_away(self._at)

    def _begin(self) -> bool:
        """Whether something begins in the buffer; what stands before it is dropped."""
        buffer = self._buffer
        start = _BETWEEN.match(buffer).end()  # type: ignore[union-attr]
        if buffer[start : start + 1] == b"{":
            after = _BLANKS.match(buffer, start + 1).end()  # type: ignore[union-attr]
            if buffer[after : after + 1].startswith((b'"', b"}")):
                del buffer[:start]
                self._open.append(_BRACE)
                self._at, self._last = 1, _BRACE
                return True
            undecided = after == len(buffer)
        else:
            undecided = _BOM.startswith(buffer[start:])
        del buffer[: buffer.rfind(b"\n", 0, start) + 1]
        if undecided and len(buffer) <= MAX_BETWEEN:
            return False
        self._in_line = True
        return True

    def _end_of_line(self) -> int | None:
        end = self._buffer.find(b"\n", self._at)
        self._at = len(self._buffer)
        return None if end < 0 else end

    def _end_of_object(self) -> int | None:
        """Where the object ends, whole or not; None when that is not in the buffer, or when it turns out to be none."""
        buffer, size = self._buffer, len(self._buffer)
        while self._at < size:
            if self._in_string:
                if (end := self._end_of_string()) is None:
                    return None
                if buffer[end] != _QUOTE:  # no string goes on in the next line
                    return end + (buffer[end] == _BACKSLASH)
                self._in_string, self._last = False, _QUOTE
                self._at = end + 1
                continue
            end = _PLAIN.match(buffer, self._at).end()  # type: ignore[union-attr]
            if text := buffer[self._at : end].rstrip(_BLANK):
                self._last, self._begins_line = text[-1], False
            self._at = end
            if end == size:
                return None
            mark = buffer[end]
            if mark == _MARK or (mark == _BRACE and self._begins_line and not self._may_open()):
                return end  # another object begins here
            self._at = end + 1
            if mark == _NEWLINE:
                self._begins_line = True
                continue
            self._begins_line = False
            if mark == _QUOTE:
                self._in_string = True
                continue
            if not self._nest(mark):
                self._in_line = True
                return None
            self._last = mark
            if not self._open:
                return end + 1
        return None

    def _end_of_string(self) -> int | None:
        """Where the string ends, at its quote or where it breaks off; None when that is not in the buffer."""
        buffer, size = self._buffer, len(self._buffer)
        while True:
            end = self._at = _REST_OF_STRING.match(buffer, self._at).end()  # type: ignore[union-attr]
            if end == size or (buffer[end] == _BACKSLASH and end + 1 == size):
                return None
            if buffer[end] != _BACKSLASH or buffer[end + 1] in (_NEWLINE, _MARK):
                return end

    def _may_open(self) -> bool:
        """Whether the grammar of JSON has room for an object here."""
        return self._last in (_COLON, _BRACKET) or (self._last == _COMMA and self._open[-1] == _BRACKET)

    def _nest(self, mark: int) -> bool:
        """Opens or closes a bracket; False where none such can be."""
        if mark not in _CLOSES:
            self._open.append(mark)
            return len(self._open) <= MAX_OPEN
        return self._open.pop() == _CLOSES[mark]

    def _take(self, end: int) -> tuple[bytes, str | None]:
        """The object or line that ends here, out of the buffer."""
        if self._over is not None or end > self._cap:
            self._put_away(end)
        over = self._over
        payload = bytes(self._buffer[:end] if over is None else over.kept).strip(_BLANK)
        if over is None:
            del self._buffer[:end]
        self._reset()
        return payload, None if over is None else over.reason(self._cap)

    def _put_away(self, end: int) -> None:
        """Keeps of the buffer, up to here, no more than is kept of a message that is too long."""
        self._over = self._over or Oversize()
        self._over.add(self._buffer[:end])
        del self._buffer[:end]
        self._at -= end


def _is_one_object(line: bytes) -> bool:
    """Whether a line is plainly one object; a quick look, that may say no to what a close one would find to be one."""
    if not line.startswith(b'{"') or not line.endswith(b"}") or b"\x1e" in line:
        return False
    if line.count(b"{") == 1:
        return line.count(b"}") == 1
    braces = line.translate(None, _NO_BRACE)
    if b"\\" in braces:
        braces = _ESCAPE.sub(b"", line).translate(None, _NO_BRACE)
    outside = braces.split(b'"')
    return len(outside) % 2 == 1 and _ends_where_it_closes(b"".join(outside[::2]))


@lru_cache(maxsize=1024)
def _ends_where_it_closes(braces: bytes) -> bool:
    """Whether the first of these braces is closed by the last and by no other."""
    depth = 0
    for place, brace in enumerate(braces, 1):
        if brace not in b"{}":
            return False
        depth += 1 if brace == _BRACE else -1
        if depth <= 0:
            return depth == 0 and place == len(braces)
    return False
