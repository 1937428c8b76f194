"""What of a JSON document may go into a text column, and what must stay in `extra`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

MAX_WORD = 255
"""Longest type, action, state or uuid, in bytes of UTF-8."""
MAX_URI = 2048
"""Longest URI, in bytes of UTF-8: PostgreSQL indexes no text beyond 2,704 bytes."""
MAX_NAME = MAX_URI
"""Longest name, in bytes of UTF-8: Compose has made names of hundreds (docker/compose#13391)."""
MAX_PARENTS = 1000
"""Most parents of one event that get rows of their own."""
MAX_DEPTH = 64
"""How deep lists and objects may be nested in what is kept: whoever reads it later may have less stack than we."""


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Of a key that is there twice only the last value would be left."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen = set[str]()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:50]!a} is there twice")
    return found


# One decoder for all: json.loads builds a new one per call when it is given parse_constant.
_scan: Callable[[str, int], tuple[Any, int]] = vars(json.JSONDecoder(parse_constant=_no_constant))["scan_once"]
_scan_once: Callable[[str, int], tuple[Any, int]] = vars(
    json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_each_once)
)["scan_once"]
_encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


def parse(text: str, scan: Callable[[str, int], tuple[Any, int]] = _scan) -> Any:
    """The JSON value of a text. Raises ValueError for what is no JSON (NaN too), RecursionError when it is too deep."""
    try:
        value, end = scan(text, 0)
    except StopIteration as exc:
        raise ValueError(f"no JSON value at character {exc.value}") from exc
    if end != len(text):
        raise ValueError(f"text after the JSON value, at character {end}")
    return value


def parse_whole(text: str) -> Any:
    """As `parse`, where nothing may be lost: raises ValueError also where an object has a key twice."""
    value = parse(text)
    # A quote and a colon stand behind each key, unless there are blanks between: mostly, to count them is enough.
    if type(value) is dict and not (" :" in text or "\n" in text or "\t" in text or "\r" in text):
        most = text.count('":')
        if most == len(value) or most == _keys(value):
            return value
    return parse(text, _scan_once)


def _keys(value: Any) -> int:
    """How many keys all objects in a value have."""
    if type(value) is dict:
        return len(value) + sum(_keys(each) for each in value.values() if type(each) in (dict, list))
    return sum(_keys(each) for each in value if type(each) in (dict, list))


def parse_from(text: str, start: int) -> tuple[Any, int]:
    """The JSON value that begins at a character, and where it ends. Raises as `parse` does."""
    try:
        return _scan(text, start)
    except StopIteration as exc:
        raise ValueError(f"no JSON value at character {exc.value}") from exc


def repeated(text: str, start: int) -> str | None:
    """That an object of the JSON value that begins at a character has a key twice; None: none has, or it is no JSON."""
    try:
        _scan_once(text, start)
    except (json.JSONDecodeError, StopIteration, RecursionError):
        return None
    except ValueError as exc:
        return str(exc)
    return None


def dump(value: Any) -> str:
    """A JSON value as ASCII text, which any database takes. Raises ValueError for numbers beyond JSON (1e400)."""
    return _encode(value)


def keep(value: Any) -> str:
    """A JSON value as ASCII text for a column. Raises ValueError as `dump` does, and when it is nested too deep."""
    text = _encode(value)
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise ValueError(f"JSON nested deeper than {MAX_DEPTH} levels")
    return text


_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{}\]]')


def _depth(text: str) -> int:
    """How deep lists and objects are nested in a JSON text."""
    deepest = depth = 0
    for found in _BRACKETS.finditer(text):
        mark = found[0]
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "}]":
            depth -= 1
    return deepest


def fits(text: str, limit: int) -> bool:
    """Whether a column takes a text as it is: not empty, clean, at most `limit` bytes of UTF-8."""
    return 0 < len(text) <= limit and is_clean(text) and (text.isascii() or len(text.encode()) <= limit)


def is_clean(text: str) -> bool:
    """Whether both databases can keep a text as it is: no NUL, no lone surrogate."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
