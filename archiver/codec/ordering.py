"""In which order people look for things: by name, with the numbers in it as numbers."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"([0-9]+)")


def by_name(name: str | None, *rest: object) -> tuple[object, ...]:
    """A key to sort by: `web-2` stands before `web-10`, what has no name after what has; of one name by the `rest`."""
    parts: list[str | tuple[int, str]] = [*_DIGITS.split(name or "")]  # every other one is of digits
    parts[1::2] = [(len(digits), digits) for digits in (str(each).lstrip("0") for each in parts[1::2])]
    return (not name, parts, name or "", *rest)
