"""What tables of changes say in the same words: why something changed, and who did it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archiver.cli.escape import escape
from archiver.cli.listing.columns import Column
from archiver.cli.presentation import NOTHING
from archiver.cli.words.causes import cause_words
from archiver.cli.words.replaced import replaced_words
from archiver.model.nearby import Nearby


def why_words(change: Nearby) -> str:
    """Why something stopped, or in whose place it is; not escaped."""
    return ", ".join(filter(None, (cause_words(change.cause), replaced_words(change.replaced))))


def with_kinds(columns: Sequence[Column[Any]]) -> list[Column[Any]]:
    """The columns where a cell is a word: of a cause its kind."""
    kind: Column[Any] = Column("cause", lambda row: row.cause and row.cause.kind, table=False)
    return [kind if column.machine and column.name == "cause" else column for column in columns]


WHY: Column[Nearby] = Column(
    "why", lambda row: None, lambda _, row: escape(why_words(row)) or NOTHING, machine=False, wraps=True
)
BY: Column[Any] = Column("by", lambda row: row.by, machine=False, wraps=True)
"""Who did it, as far as a source says so; never what was done."""
