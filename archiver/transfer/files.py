"""Reads a file as the plain UTF-8 text it stands for: compressed or not, in whatever encoding."""

from __future__ import annotations

import codecs
import io
import os
import select
import stat
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Protocol

from archiver.errors import BadInput

PIECE = 256 * 1024
"""How many bytes are read at once."""
PAUSE = 1.0
"""After so many seconds of silence what a pipe gave is handed on."""

_GZIP, _ZSTD, _BZIP2, _XZ = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\x00"
_OTHERS = {
    b"PK\x03\x04": ("a zip archive", "unzip -p FILE | archiver import -"),
    b"SQLite format 3\x00": ("a SQLite database", "archiver --database FILE export | archiver import -"),
    b"\x04\x22\x4d\x18": ("compressed by lz4", "lz4 -dc FILE | archiver import -"),
    b"\x1f\x9d": ("compressed by compress", "zcat FILE | archiver import -"),
    b"PGDMP": ("a dump of pg_dump", "restore it with pg_restore"),
}
_HEAD = 16
_ENCODINGS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


class _Hash(Protocol):
    def update(self, data: Any, /) -> None: ...


def is_regular(file: BinaryIO) -> bool:
    """Whether a file can be read twice."""
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode) and file.seekable()
    except (OSError, ValueError):
        return False


def plain_pieces(
    file: BinaryIO, source: str, *, limit: int | None = None, digest: _Hash | None = None, pauses: bool = False
) -> Iterator[bytes]:
    """The text of a file, from where it stands, in pieces; of the file no more than `limit` bytes, all into `digest`.

    With `pauses` an empty piece whenever nothing came for a second: what is there need not wait longer. Raises
    BadInput, in which the file is called `source`, for what is damaged or needs another program first.
    """
    raw = io.BufferedReader(_Raw(file, limit, digest), PIECE)
    try:
        yield from _decoded(_unpacked(raw, source, file if pauses else None))
    except (EOFError, zlib.error) as exc:
        raise BadInput(source=source, reason=f"its compressed data is damaged: {exc}") from exc
    except OSError as exc:
        raise BadInput(source=source, reason=exc.strerror or str(exc)) from exc


def _chunks(raw: Any, pausing: BinaryIO | None) -> Iterator[bytes]:
    """The bytes as they come; of a pipe that pauses, before it is waited for more, an empty one."""
    while chunk := raw.read1(PIECE):
        yield chunk
        if pausing is not None and not _is_ready(pausing):
            yield b""


def _is_ready(file: BinaryIO) -> bool:
    """Whether something comes within a second, an end too; also where that cannot be asked."""
    try:
        waiting = select.poll()
        waiting.register(file, select.POLLIN)
        return bool(waiting.poll(PAUSE * 1000))
    except (OSError, ValueError):  # no descriptor, or one that cannot be waited for
        return True


class _Raw(io.RawIOBase):
    """The bytes of a file as they stand there."""

    def __init__(self, file: BinaryIO, limit: int | None, digest: _Hash | None) -> None:
        self._read: Callable[[int], bytes] = getattr(file, "read1", file.read)
        self._left = limit
        self._digest = digest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        wanted = len(buffer) if self._left is None else min(len(buffer), self._left)
        data = self._read(wanted) if wanted else b""
        if self._left is not None:
            self._left -= len(data)
        if self._digest is not None:
            self._digest.update(data)
        buffer[: len(data)] = data
        return len(data)


def _unpacked(raw: Any, source: str, pausing: BinaryIO | None) -> Iterator[bytes]:
    head = raw.peek(_HEAD)
    if len(head) < _HEAD:  # a pipe gives what is there, and may give a byte at a time
        head = raw.read(_HEAD)
        raw = io.BufferedReader(_Raw(_Joined(head, raw), None, None), PIECE)
    for magic, (what, hint) in _OTHERS.items():
        if head.startswith(magic):
            raise BadInput(source=source, reason=f"it is {what}", hint=hint)
    chunks = _chunks(raw, pausing)
    if head.startswith(_GZIP):
        yield from _inflated(chunks)
    elif head.startswith((_BZIP2, _XZ, _ZSTD)):
        new, damaged = _unpacker(head, source)
        try:
            yield from _decompressed(chunks, new, damaged)
        except damaged as exc:
            raise BadInput(source=source, reason=f"its compressed data is damaged: {exc}") from exc
    else:
        yield from chunks


class _Joined(io.BytesIO):
    """What was read ahead, then the rest."""

    def __init__(self, head: bytes, rest: io.BufferedReader) -> None:
        super().__init__(head)
        self._rest = rest

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(size) or self._rest.read1(-1 if size is None else size)


def _inflated(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What gzip compressed, in one member or several, with zeros between them; an empty chunk is handed on.

    Not by `gzip.GzipFile`, which waits for more where it has something to give.
    """
    member: Any = None
    begun = False
    for chunk in chunks:
        if not chunk:
            yield b""
        data, piece = chunk, b""
        while data or len(piece) == PIECE:
            if member is None:
                data = data.lstrip(b"\0") if begun else data
                if not data:
                    break
                member, begun = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16), True
            piece = member.decompress(data, PIECE)
            if piece:
                yield piece
            data = member.unconsumed_tail
            if member.eof:
                data, piece, member = member.unused_data, b"", None
    if member is not None:
        raise EOFError(_CUT_OFF)


_CUT_OFF = "it ends before the end of what was compressed"


def _decompressed(
    chunks: Iterator[bytes], new: Callable[[], Any], damaged: tuple[type[Exception], ...]
) -> Iterator[bytes]:
    """What was compressed, in one stream or several; an empty chunk is handed on. What follows that is none is left."""
    stream, fed, gave, whole = new(), False, False, False
    for chunk in chunks:
        if not chunk:
            yield b""
            continue
        data = chunk.lstrip(b"\0") if whole and not fed else chunk  # what fills up between two streams
        while stream is not None and (data or not stream.needs_input):
            fed = fed or bool(data)
            try:
                piece = stream.decompress(data, PIECE)
            except damaged:
                if not whole or gave:
                    raise
                stream, fed = None, False
                break
            data, gave = b"", gave or bool(piece)
            if piece:
                yield piece
            if stream.eof:
                data = stream.unused_data.lstrip(b"\0")
                stream, fed, gave, whole = new(), False, False, True
    if fed:
        raise EOFError(_CUT_OFF)


def _unpacker(head: bytes, source: str) -> tuple[Callable[[], Any], tuple[type[Exception], ...]]:
    """What decompresses a stream that begins so, and what it raises for what is none."""
    if head.startswith(_BZIP2):
        import bz2

        return bz2.BZ2Decompressor, (OSError,)
    if head.startswith(_XZ):
        import lzma

        return lzma.LZMADecompressor, (lzma.LZMAError,)
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]  # Python 3.14
    except ImportError:
        raise BadInput(
            source=source,
            reason="it is compressed by zstd, which Python reads from 3.14 on",
            hint="unpack it on the way: zstd -dc FILE | archiver import -",
        ) from None
    return zstd.ZstdDecompressor, (zstd.ZstdError,)


def _decoded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    first = b""
    while len(first) < 4 and (more := next(pieces, None)) is not None:
        first += more
        if not more and not first:  # a pause, before there is anything
            yield b""
    encoding = _encoding(first)
    if encoding is None:
        if first:
            yield first
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    yield decoder.decode(first).encode()
    for piece in pieces:
        yield decoder.decode(piece).encode()
    yield decoder.decode(b"", True).encode()


def _encoding(head: bytes) -> str | None:
    """UTF-16 or UTF-32 by its mark, or by the zeros of its first characters; None for everything else."""
    for mark, encoding in _ENCODINGS:
        if head.startswith(mark):
            return encoding
    if len(head) >= 4 and head[0] and head[2] and not head[1] and not head[3]:
        return "utf-16-le"
    if len(head) >= 4 and head[1] and head[3] and not head[0] and not head[2]:
        return "utf-16-be"
    return None
