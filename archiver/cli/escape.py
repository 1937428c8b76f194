"""Text that others wrote, made harmless for a terminal or a spreadsheet."""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # invisible fillers
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"  # zero width, separators, bidi
    "\ud800-\udfff"  # lone surrogates
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # invisible musical marks, tags, variation selectors
    "]"
)
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")


def escape(text: str) -> str:
    """The text with every character that could act on a terminal, or hide, shown as `\\x1b` or `\\u202e`.

    Covers C0, DEL, C1, bidirectional and zero-width code points and lone surrogates; the result is one line.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_visible, text)


def csv_cell(text: str) -> str:
    """The text for a CSV cell: escaped, and with a leading `'` where a spreadsheet would read a formula (CWE-1236)."""
    safe = escape(text)
    return "'" + safe if text.startswith(_FORMULA) else safe


def _visible(found: re.Match[str]) -> str:
    char = found.group()
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
