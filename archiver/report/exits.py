"""Where what ran ended, and whether for want of memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archiver.queries.causes import is_stop, stays_ended
from archiver.queries.causing import OUT_OF_MEMORY
from archiver.report.pieces import Piece


def exits(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces of a lane with which what was not down ends."""
    before = None
    for piece in pieces:
        if piece.begins:
            if is_stop(before, piece.span.state):
                yield piece
            before = before if stays_ended(before, piece.span.state) else piece.span.state


def is_oom(piece: Piece) -> bool:
    """Whether a piece begins for want of memory."""
    return piece.begins and piece.span.note == OUT_OF_MEMORY
