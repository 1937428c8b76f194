"""Writes an answer to a file that is there when all of it is, and not before."""

from __future__ import annotations

import os
import secrets
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from archiver.cli.output import write_lines, writing


def write_file(path: Path, lines: Iterable[str]) -> int:
    """Writes lines to a file that takes its name only when all of it is on disk; says how many there were."""
    path = path.resolve()  # a link stays a link
    if path.exists() and not path.is_file():
        return _write_into(path, lines)
    # A name that nobody else comes upon: process numbers recur, in containers every time.
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    with writing(str(path)):
        out = unfinished.open("x", encoding="utf-8", newline="\n")
    try:
        with ended_by_sigterm(), writing(str(path)), out:
            count = write_lines(lines, out)
            out.flush()
            os.fsync(out.fileno())
        with writing(str(path)):
            unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
    return count


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends what is within as Ctrl-C does, so that nothing half done is left behind."""

    def end(_number: int, _frame: object) -> NoReturn:
        sys.exit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _write_into(path: Path, lines: Iterable[str]) -> int:
    """Writes lines into what is no file of its own: a device, a named pipe."""
    with writing(str(path)), path.open("w", encoding="utf-8", newline="\n") as out:
        return write_lines(lines, out)
