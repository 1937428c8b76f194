"""Knows the number of each word of an open vocabulary, and gives one to each that is new.

Works inside the recorder's transaction, as `lookups` does; the cache is emptied (`forget`) after a rollback.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Table, select

from archiver.storage.bulk import chunks, insert_rows
from archiver.storage.numbers import Numbers


class Vocabulary:
    """One open vocabulary: text to number."""

    def __init__(self, table: Table, most: int, numbers: Numbers) -> None:
        self._table = table
        self._most = most
        self._numbers = numbers
        self.ids: dict[str | None, int | None] = {None: None}

    def learn(self, connection: Connection, texts: set[str | None]) -> None:
        """Makes sure that `ids` has every one of the texts."""
        missing = texts - self.ids.keys()
        if not missing:
            return
        if len(self.ids) > self._most:
            self.forget()
            missing = texts - {None}
        for part in chunks(missing):
            found = connection.execute(select(self._table.c.text, self._table.c.id).where(self._table.c.text.in_(part)))
            self.ids.update((text, number) for text, number in found)
        new = [text for text in missing if text not in self.ids]
        first = self._numbers.take(connection, self._table, len(new))
        rows = [(first + n, text) for n, text in enumerate(new)]
        insert_rows(connection, self._table, rows)
        self.ids.update((text, number) for number, text in rows)

    def numbers(self, connection: Connection, texts: Sequence[str | None]) -> list[int | None]:
        """The number of every text, in the order of the texts."""
        self.learn(connection, set(texts))
        return list(map(self.ids.__getitem__, texts))

    def forget(self) -> None:
        """Empties the cache."""
        self.ids = {None: None}
