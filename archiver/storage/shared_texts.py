"""Keeps once what events and observations repeat in their `extra`, as codec.sharing divides it.

Works inside the recorder's transaction, as `lists` does; the cache is emptied (`forget`) after a rollback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from sqlalchemy import Connection, select

from archiver.codec.sharing import LEAST, Divided, divided
from archiver.storage import schema
from archiver.storage.bulk import chunks, insert_rows
from archiver.storage.limits import CacheLimits
from archiver.storage.numbers import Numbers

_DIGEST_BYTES = 16


class Kept(NamedTuple):
    """Columns of the tables in which texts are shared."""

    extra: Sequence[str | None]
    shared_id: Sequence[int | None]
    shared_too_id: Sequence[int | None]


def digest(text: str) -> bytes:
    """What tells a text from all others: 128 bits, by which no two will ever meet."""
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()


class SharedTexts:
    """The numbers of shared texts, remembered across batches within a fixed bound: a digest each."""

    def __init__(self, limits: CacheLimits, numbers: Numbers) -> None:
        self._most = limits.shared
        self._numbers = numbers
        self._ids: dict[tuple[int, bytes], int] = {}

    def forget(self) -> None:
        """Empties the cache."""
        self._ids.clear()

    def divided(self, connection: Connection, platforms: Sequence[int | None], extras: Sequence[str | None]) -> Kept:
        """What stays in the rows, in the order of the texts, once what they share is in rows of its own."""
        nothing: list[int | None] = [None] * len(extras)
        found = {
            place: parts
            for place, text in enumerate(extras)
            if text is not None and len(text) >= LEAST and (parts := divided(text)) is not None
        }
        if not found:
            return Kept(extras, nothing, nothing)
        kept, first, second = list(extras), nothing, list(nothing)
        by_platform: dict[int, dict[int, Divided]] = {}
        for place, parts in found.items():
            by_platform.setdefault(platforms[place] or 0, {})[place] = parts
        for platform, some in by_platform.items():
            numbers = self._of(connection, platform, {text for parts in some.values() for text in parts.shared})
            for place, parts in some.items():
                kept[place] = parts.kept
                first[place] = numbers[parts.shared[0]]
                second[place] = numbers[parts.shared[1]] if len(parts.shared) > 1 else None
        return Kept(kept, first, second)

    def _of(self, connection: Connection, platform: int, texts: Iterable[str]) -> dict[str, int]:
        """The number of each text of a platform, made where there is none."""
        wanted = {(platform, digest(text)): text for text in texts}
        if missing := wanted.keys() - self._ids.keys():
            if self._ids and len(self._ids) + len(missing) > self._most:
                self.forget()
                missing = set(wanted)
            self._find(connection, platform, [told for _, told in missing])
            new = {key: text for key, text in wanted.items() if key not in self._ids}
            first = self._numbers.take(connection, schema.shared_texts, len(new))
            rows = [(number, *key, text) for number, (key, text) in enumerate(new.items(), first)]
            insert_rows(connection, schema.shared_texts, rows)
            self._ids.update(zip(new, range(first, first + len(new)), strict=True))
        return {text: self._ids[key] for key, text in wanted.items()}

    def _find(self, connection: Connection, platform: int, digests: Sequence[bytes]) -> None:
        c = schema.shared_texts.c
        for part in chunks(digests):
            asked = select(c.digest, c.id).where(c.platform_id == platform, c.digest.in_(part))
            for known, number in connection.execute(asked):
                self._ids[platform, bytes(known)] = number
