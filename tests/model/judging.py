"""Judges an archive: writes a history into it, asks everything, and says what is not as the model has it."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable

from sqlalchemy import Engine

from archiver.storage.database.engine import writing_engine

from . import answers, tables, views
from .histories import History
from .replay import Archived
from .shrinking import as_python, smallest
from .writing import empty, properties, write


class Judge:
    """One archive, which is emptied for each history."""

    def __init__(self, url: str, asked: int | None = None) -> None:
        """Questions are put about so many of its objects; None: about all."""
        self.url = url
        self._asked = asked
        self._engine: Engine = writing_engine(self.url)
        self._beginning = properties(self._engine)

    def close(self) -> None:
        """Gives the connection back."""
        self._engine.dispose()

    def differences(self, history: History, seed: int = 0) -> list[str]:
        """What is not as the model has it, once the history is written; none when all is well."""
        try:
            self.write(history, seed)
            return self.compared(Archived(history), seed)
        except Exception:  # noqa: BLE001 - whatever fails is a difference, and has a smallest history
            return [traceback.format_exc(limit=-6)]

    def write(self, history: History, seed: int = 0) -> None:
        """Makes this history all that the archive holds."""
        self.empty()
        write(self.url, history, seed)

    def empty(self) -> None:
        """Takes everything out of the archive."""
        empty(self._engine, self._beginning)

    def compared(self, expected: Archived, seed: int = 0) -> list[str]:
        """What the archive holds and answers otherwise than is expected."""
        with self._engine.connect() as connection:
            found = [*tables.differences(connection, expected), *views.differences(connection, expected)]
        return [*found, *answers.differences(self.url, expected, seed, self._asked)]


def require(history: History, differences: Callable[[History], list[str]]) -> None:
    """Fails with the smallest history that differs, where this one does."""
    found = differences(history)
    if found:
        kinds = set(map(_kind, found))
        small = smallest(history, lambda tried: not kinds.isdisjoint(map(_kind, differences(tried))))
        lines = [*(differences(small) or found), "", "HISTORY: History = " + as_python(small)]
        raise AssertionError("\n".join(lines))


def _kind(difference: str) -> str:
    """What was answered otherwise, whatever it was about: a smaller history may be wrong in another way."""
    return re.split(r"\bResourceRef|\d|:", difference, maxsplit=1)[0]
