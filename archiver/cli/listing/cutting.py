"""Texts in so many cells of a terminal: how many they take, what is cut of them, where they go on in the next line."""

from __future__ import annotations

import re
from collections.abc import Iterator


def cut(text: str, room: int, *, ascii: bool = False) -> str:
    """A text in so many cells: what is too much goes from its middle, as the end of an id tells more than that.

    Of a type before a name or a key it goes from the type, of a name before its key from the name.
    """
    if width(text) <= room:
        return text
    mark = ".." if ascii else "…"
    if (found := re.fullmatch(_INSTANT, text)) is not None:
        return next((short for short in _shorter(mark, *found.groups()) if len(short) <= room), text[-room:])
    if (found := re.fullmatch(_CLOCK, text)) is not None and len(found[1]) <= room:
        return found[1]
    if (found := re.fullmatch(_TYPED, text)) is not None:
        kind, rest = found.groups()
        if (left := room - width(rest) - len(mark)) >= _KIND_LEFT:
            return _beginning(kind, left) + mark + rest
        if re.fullmatch(KEYED, rest[1:]) is not None and len(mark) + width(rest) - 1 <= room:
            return mark + rest[1:]
    if (found := re.fullmatch(_NAMED, text)) is not None:
        name, kind, key = found.groups()
        if (left := room - width(name) - width(key) - len(mark)) >= _KIND_LEFT:
            return name + _beginning(kind, left) + mark + key
    if (found := re.fullmatch(KEYED, text)) is not None:
        name, key = found.groups()
        if (left := room - width(key) - len(mark)) >= _KIND_LEFT:
            return _beginning(name, left) + mark + key
    tail = (room - len(mark) + 1) // 2
    head = room - len(mark) - tail
    return _beginning(text, head) + mark + _beginning(text[::-1], tail)[::-1]


_TYPED = r"([a-z]+)([ /][^ ].*)"
KEYED = r"(.+)( \([0-9a-f]{8,12}(?:, .*)?\))"
"""A name with the beginning of its key, which alone tells it from its namesakes (`namesakes.told_apart`)."""
_NAMED = r"([^ ].*  )([a-z]+)(/[^ /]+)"
_KIND_LEFT = 2
_CLOCK = r"([0-9]{2}:[0-9]{2}:[0-9]{2})\.[0-9]+"
_INSTANT = r"([0-9]{4}-)([0-9-]{5} )([0-9]{2}:[0-9]{2})(:[0-9]{2})(?:\.[0-9]+)?(Z|[+-][0-9:]{5})?"


def _shorter(mark: str, year: str, day: str, clock: str, second: str, zone: str | None) -> Iterator[str]:
    """An instant in ever fewer cells: what is far from the clock goes first, and of the clock the seconds last."""
    yield f"{year}{day}{clock}{second}{zone or ''}"
    yield f"{mark}{day}{clock}{second}{zone or ''}"
    yield f"{mark}{day}{clock}{second}"
    yield f"{mark}{clock}{second}{zone or ''}"
    yield f"{mark}{clock}{second}"
    yield f"{mark}{clock}"


def untyped(text: str) -> int:
    """So many cells a name or a key takes when of the type before it as much is cut as can be."""
    whole, found = width(text), re.fullmatch(_TYPED, text)
    if (named := re.fullmatch(_NAMED, text)) is not None:
        return min(whole, width(named[1] + named[3]) + _KIND_LEFT + len(".."))
    if found is None or found[2].startswith(" ("):
        return whole
    least = len("..") - 1 if re.fullmatch(KEYED, found[2][1:]) else _KIND_LEFT + len("..")
    return min(whole, width(found[2]) + least)


def wrapped(text: str, room: int) -> list[str]:
    """A text in lines of so many cells; a word that is longer than a line goes on in the next."""
    if width(text) <= room:
        return [text]
    lines = [""]
    for word in text.split():
        if lines[-1] and width(lines[-1]) + 1 + width(word) <= room:
            lines[-1] += f" {word}"
            continue
        lines.append(word)
        while width(lines[-1]) > room and (begun := _beginning(lines[-1], room)):
            lines[-1:] = [begun, lines[-1][len(begun) :]]
    return lines[1:] or [text]


def _beginning(text: str, room: int) -> str:
    end = taken = 0
    for char in text:
        taken += width(char)
        if taken > room:
            break
        end += 1
    return text[:end]


def width(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)
