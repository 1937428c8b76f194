"""Which words of an open vocabulary are meant: a word, its family (`exited` is `exited (137)` too), or all others."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, select

NOT = "!"
"""Before a word: any other."""


def only_others(texts: Sequence[str]) -> bool:
    """Whether the words only say what is not wanted."""
    return all(text.startswith(NOT) for text in texts)


def wanted(
    connection: Connection, table: Table, column: ColumnElement[Any], texts: Sequence[str]
) -> ColumnElement[bool] | None:
    """The condition that a column refers to one of the words, and to none with a `!`; None when no row can fulfil it.

    Words are compared in whatever case the platform writes them (Not running, Not Running); `*` and `?` stand for any.
    """
    known = [(row.id, row.text.lower()) for row in connection.execute(select(table.c.id, table.c.text))]
    named = [text.lower() for text in texts if not text.startswith(NOT)]
    others = [text.lower().removeprefix(NOT).strip() for text in texts if text.startswith(NOT)]
    refused = [number for number, word in known if any(_means(text, word) for text in others)]
    if not named:
        return and_(column.is_not(None), column.not_in(_list(refused))) if refused else column.is_not(None)
    kept = {number for number, word in known if any(_means(text, word) for text in named)} - set(refused)
    return column.in_(_list(sorted(kept))) if kept else None


def _means(text: str, word: str) -> bool:
    if text == word or word.startswith(f"{text} ("):
        return True
    return not {"*", "?"}.isdisjoint(text) and fnmatchcase(word, text.replace("[", "[[]"))


def _list(numbers: list[int]) -> Any:
    # Written into the statement: a stream may invent more words than a statement may have parameters.
    return bindparam(None, numbers, expanding=True, literal_execute=True)
