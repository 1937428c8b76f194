"""Numbers of rows in the tables that grow: each is unique in the archive, and knows the platform that it belongs to."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar


class Number(int):
    """The number of a resource, a list of parents, an event or an observation, and the platform whose part has it.

    As a number it is the whole identity, so it compares and hashes as one; a look-up names the platform as well, which
    is first in every key. Made by `numbers_of`: a class for each platform, so that of hundreds of thousands none is
    larger than a plain number.
    """

    __slots__ = ()
    platform: ClassVar[int] = 0
    """The number of its platform."""

    def __reduce__(self) -> Any:
        return _number, (self.platform, int(self))


@cache
def numbers_of(platform: int) -> type[Number]:
    """What makes numbers of a platform out of plain ones, as rows have them."""
    return type("Number", (Number,), {"__slots__": (), "__doc__": Number.__doc__, "platform": platform})


def _number(platform: int, number: int) -> Number:
    return numbers_of(platform)(number)
