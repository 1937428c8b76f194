"""Of what kind the states of all platforms are, as the rows that a new archive begins with."""

from __future__ import annotations

from collections.abc import Mapping


def rows_of(kinds: Mapping[str, str]) -> list[dict[str, object]]:
    """The rows of `state_kinds` in a new archive."""
    return [{"state": state, "kind": kind} for state, kind in sorted(kinds.items())]
