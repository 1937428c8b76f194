"""Reads a list of the REST API page by page, and says whether it was whole: pages shift while objects come and go."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from archiver.platforms.tutum.rest import Question, Rest, RestFailed
from archiver.platforms.tutum.showing import key_of
from archiver.platforms.wire.fetch import TooLong

_OVERLAP = 5
"""So many objects of a page are asked for again with the next: where none of them comes, the list has shifted."""
_BEGINNINGS = 3
_MOST_OF_PAGE = 1000
"""A server that does not keep to what it is asked for may give so many objects at once."""


class Page(NamedTuple):
    """Objects of a page, by their keys, and when they were asked for."""

    rows: dict[str, Mapping[str, Any]]
    when: Question


class _Shifted(Exception):
    """What lies between two pages may have been missed."""


class Listing:
    """One list. What its pages say counts as it comes; what is missing in it counts only where it was `whole`."""

    def __init__(self, rest: Rest, kind: str, filters: Mapping[str, str], most: int) -> None:
        self._rest, self._kind, self._filters, self._most = rest, kind, filters, most
        self.path = rest.api.path(kind)
        self.keys: set[str] = set()
        self.whole = False
        self.asked: Question | None = None
        """When the list was begun that was whole."""

    def pages(self, stop: threading.Event) -> Iterator[Page]:
        """All pages, some of them twice. Raises RestFailed when not all can be had, Stopped."""
        for left in reversed(range(_BEGINNINGS)):
            self.keys, self.asked = set(), None
            try:
                yield from self._through(stop)
            except _Shifted as exc:
                if not left:
                    raise RestFailed(self.path, str(exc), answered=True) from None
            else:
                self.whole = True
                return

    def _through(self, stop: threading.Event) -> Iterator[Page]:
        offset, limit, last = 0, self._rest.pace.page, list[str]()
        while True:
            try:
                asked = self._rest.get(self.path, {**self._filters, "limit": limit, "offset": offset}, stop)
            except TooLong as exc:
                if limit == 1:
                    raise RestFailed(self.path, f"one object is too long: {exc}") from None
                limit //= 2
                continue
            self.asked = self.asked or asked.when
            objects, total, more = self._read(asked.value, offset)
            if len(objects) > max(limit, _MOST_OF_PAGE):
                raise RestFailed(self.path, f"a page of {limit} entries has {len(objects)}")
            keys = [key_of(self._kind, row) for row in objects]
            rows = {key: row for key, row in zip(keys, objects, strict=True) if key is not None}
            if last and rows.keys().isdisjoint(last):
                raise _Shifted("it changed while it was read")
            is_news = not rows.keys() <= self.keys
            self.keys |= rows.keys()
            yield Page(rows, asked.when)
            if None in keys:
                raise RestFailed(self.path, "an entry names no object of this type")
            if not more:
                break
            if not is_news:
                raise RestFailed(self.path, "its pages repeat" if objects else "a page is empty before the end")
            if len(self.keys) > self._most:
                raise RestFailed(self.path, f"it has more than {self._most} entries")
            overlap = min(_OVERLAP, len(objects) - 1)
            offset += len(objects) - overlap
            last = [key for key in keys[len(keys) - overlap :] if key is not None] if overlap else []
        if len(self.keys) < total:
            raise _Shifted(f"it has {total} entries, and shows {len(self.keys)}")

    def _read(self, value: Any, offset: int) -> tuple[list[Any], int, bool]:
        """The objects of a page, how many the whole list has, and whether there is another page."""
        meta, objects = (value.get(name) for name in ("meta", "objects")) if type(value) is dict else (None, None)
        if type(meta) is not dict or type(objects) is not list:
            raise RestFailed(self.path, "the answer is no list")
        if meta.get("offset", offset) != offset:
            raise RestFailed(self.path, "the answer is another page than the one that was asked for")
        total = meta.get("total_count")
        if type(total) is not int or total < 0:
            if "next" not in meta:
                raise RestFailed(self.path, "the answer does not say whether there is more")
            total = 0
        more = meta["next"] is not None if "next" in meta else offset + len(objects) < total
        return objects, total, more
