"""What of a JSON document may go into a text column, and what must stay in `extra`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

MAX_WORD = 255
"""Longest type, action, state, uuid or name, in characters."""
MAX_URI = 2048
"""Longest URI, in characters."""
MAX_PARENTS = 1000
"""Most parents of one event that get rows of their own."""


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


# One decoder for all: json.loads builds a new one per call when it is given parse_constant.
_scan: Callable[[str, int], tuple[Any, int]] = vars(json.JSONDecoder(parse_constant=_no_constant))["scan_once"]
_encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


def parse(text: str) -> Any:
    """The JSON value of a text. Raises ValueError for what is no JSON (NaN too), RecursionError when it is too deep."""
    try:
        value, end = _scan(text, 0)
    except StopIteration as exc:
        raise ValueError(f"no JSON value at character {exc.value}") from exc
    if end != len(text):
        raise ValueError(f"text after the JSON value, at character {end}")
    return value


def dump(value: Any) -> str:
    """A JSON value as ASCII text, which any database takes. Raises ValueError for numbers beyond JSON (1e400)."""
    return _encode(value)


def is_clean(text: str) -> bool:
    """Whether both databases can keep a text as it is: no NUL, no lone surrogate."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
