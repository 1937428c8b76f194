"""The references on a command line: one, or several by patterns, by number or from standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from archiver.errors import BadInput

_LONGEST = 4096
"""Characters of a line of standard input; no reference is longer."""


def is_one(refs: Sequence[str]) -> bool:
    """Whether no more than one resource can be meant, and so the answer is that about one."""
    return len(refs) == 1 and refs[0] != "-" and not set(refs[0]) & set("*?[")


def spelt_out(refs: Sequence[str]) -> Iterator[str]:
    """The references, with those of standard input in the place of `-`. Raises BadInput where that cannot be read."""
    for ref in refs:
        if ref == "-":
            yield from _read()
        else:
            yield ref


def _read() -> Iterator[str]:
    if sys.stdin is None:
        raise BadInput(source="-", reason="standard input is closed", hint="give the references as arguments")
    try:
        while line := sys.stdin.readline(_LONGEST + 1):
            if len(line) > _LONGEST:
                raise BadInput(source="-", reason="a line is too long for a reference", hint="one reference a line")
            if ref := line.strip():
                yield ref
    except UnicodeDecodeError as error:
        raise BadInput(source="-", reason="it is not UTF-8", hint="one reference a line") from error
