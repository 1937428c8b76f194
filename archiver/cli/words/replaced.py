"""What a new container took the place of, and what was different, in few words for a person."""

from __future__ import annotations

from archiver.model.nearby import Replaced

_DIGITS = 19
"""So much of a digest is shown: what it is of, and as many digits as people compare."""


def replaced_words(replaced: Replaced | None) -> str:
    """In whose place it is, and what became another one; not escaped."""
    if replaced is None:
        return ""
    instead = f"instead of {replaced.name or replaced.uri}"
    if replaced.why is None:
        return instead
    if replaced.why == "neither":
        return f"{instead}: neither image nor configuration changed"
    shown = [f"{_called(each.what)} {_short(each.before)} -> {_short(each.after)}" for each in replaced.differs]
    return f"{instead}: {', '.join(shown)}"


def _called(what: str) -> str:
    return {"image": "image", "com.docker.compose.image": "image's digest"}.get(what, "configuration")


def _short(value: str | None) -> str:
    return "-" if value is None else value if "/" in value or len(value) <= _DIGITS else value[:_DIGITS]
