"""Which words of an open vocabulary are meant: a word, its family (`exited` is `exited (137)` too), or all others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from archiver.storage.database.reading import Connection

NOT = "!"
"""Before a word: any other."""


def only_others(texts: Sequence[str]) -> bool:
    """Whether the words only say what is not wanted."""
    return all(text.startswith(NOT) for text in texts)


def wanted(connection: Connection, table: str, column: str, texts: Sequence[str]) -> str | None:
    """The condition that a column refers to one of the words, and to none with a `!`; None when no row can fulfil it.

    Words are compared in whatever case the platform writes them (Not running, Not Running); `*` and `?` stand for any.
    """
    known = [(row.id, row.text.lower()) for row in connection.execute(f"SELECT w.id, w.text FROM {table} w")]
    named = [text.lower() for text in texts if not text.startswith(NOT)]
    others = [text.lower().removeprefix(NOT).strip() for text in texts if text.startswith(NOT)]
    refused = [number for number, word in known if any(means(text, word) for text in others)]
    if not named:
        return f"{column} IS NOT NULL" + (f" AND {column} NOT IN {_list(refused)}" if refused else "")
    kept = {number for number, word in known if any(means(text, word) for text in named)} - set(refused)
    return f"{column} IN {_list(kept)}" if kept else None


def means(text: str, word: str) -> bool:
    """Whether a word, both in lower case, is what a text means: itself, one of its family, or what fits its pattern."""
    if text == word or word.startswith(f"{text} ("):
        return True
    return not {"*", "?"}.isdisjoint(text) and fnmatchcase(word, text.replace("[", "[[]"))


def _list(numbers: Iterable[int]) -> str:
    # Written into the statement: a stream may invent more words than a statement may have parameters.
    return f"({', '.join(map(str, sorted(numbers)))})"
