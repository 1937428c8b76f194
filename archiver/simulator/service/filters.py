"""Which events a client of the stream asked for (Docker Cloud's stream filters)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from archiver.simulator.service.rest import reference


class Filter:
    """The filters of one connection's query: `type`, `object` and `parents` (or `parent`), each comma-joined."""

    def __init__(self, query: str) -> None:
        fields = parse_qs(query)

        def values(*names: str) -> list[str]:
            return [part for name in names for text in fields.get(name, []) for part in text.split(",") if part]

        self._types = set(values("type"))
        self._objects = {reference(uri) for uri in values("object")}
        self._parents = {reference(uri) for uri in values("parents", "parent")}

    def __bool__(self) -> bool:
        return bool(self._types or self._objects or self._parents)

    def passes(self, event: Mapping[str, Any] | None) -> bool:
        """True for an event that was asked for, and for whatever is not an event (None)."""
        if event is None:
            return True
        return (
            (not self._types or event.get("type") in self._types)
            and (not self._objects or reference(event.get("resource_uri") or "") in self._objects)
            and (not self._parents or any(reference(uri) in self._parents for uri in event.get("parents") or ()))
        )
