"""Puts any number of numbers of rows into their order, in bounded memory: they lie in a file meanwhile."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from tempfile import TemporaryFile
from typing import IO

from archiver.model import Number, numbers_of

PART = 100_000
"""So many are held at once."""
_READ = 2_000
"""So many of each part are read at once."""
_EACH = 2 * array("q").itemsize
"""Bytes that a number takes with its platform."""


class Ordered:
    """Numbers in their order, to be gone through once; closed, nothing is left of them."""

    def __init__(self, numbers: Iterable[Number], part: int = PART) -> None:
        self._parts: list[tuple[int, int]] = []
        """Where in the file each part begins, and where it ends; within it the numbers are in their order."""
        self._file: IO[bytes] = TemporaryFile(prefix="archiver-")  # noqa: SIM115 - it is closed with this
        rest = iter(numbers)
        while held := sorted(islice(rest, part)):
            begin = self._file.tell()
            array("q", [value for number in held for value in (number, number.platform)]).tofile(self._file)
            self._parts.append((begin, self._file.tell()))

    def __iter__(self) -> Iterator[Number]:
        return merge(*(self._of(begin, end) for begin, end in self._parts))

    def _of(self, begin: int, end: int) -> Iterator[Number]:
        while begin < end:
            self._file.seek(begin)
            read = array("q")
            read.frombytes(self._file.read(min(_READ * _EACH, end - begin)))
            begin += len(read) * read.itemsize
            for number, platform in zip(read[::2], read[1::2], strict=True):
                yield numbers_of(platform)(number)

    def close(self) -> None:
        """Gives the room back."""
        self._file.close()
