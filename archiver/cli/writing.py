"""Where answers go: lines to standard output or a file, and what happens when nobody reads them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO


class Part(str):
    """The beginning of a line that goes on with what is written next."""

    __slots__ = ()


def write_lines(lines: Iterable[str], out: TextIO | None = None, *, flush: bool = False) -> int:
    """Writes lines, says how many; raises `CannotWrite`. `flush`: each at once, for a reader who is waiting."""
    target = out or sys.stdout
    count = 0
    for line in lines:
        is_part = type(line) is Part
        count += not is_part
        with writing("the output"):
            if target is None:
                raise ValueError("standard output is closed")
            target.write(line if is_part else line + "\n")
            if flush:
                target.flush()
    return count


def wait_for_reader(seconds: float) -> None:
    """Waits, with nothing to write; raises BrokenPipeError as soon as whoever reads the output has gone."""
    import select

    poll = select.poll()
    if sys.stdout is not None:
        poll.register(sys.stdout.fileno(), 0)  # an error or a hang-up is told without being asked for
    if poll.poll(seconds * 1000):
        raise BrokenPipeError


class writing:
    """Makes the errors of writing to a target ours; a reader that went away stays `BrokenPipeError`."""

    def __init__(self, target: str) -> None:
        self.target = target

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (OSError, ValueError)) and not isinstance(error, BrokenPipeError):
            from archiver.errors import CannotWrite

            reason = getattr(error, "strerror", None) or str(error)
            raise CannotWrite(target=self.target, reason=reason) from error
