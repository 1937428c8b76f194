"""Text that others wrote, and what they named, as a person may see it: nothing hides in it, nothing acts."""

from __future__ import annotations

import re
from functools import cache

_UNSAFE = (
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # invisible fillers
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"  # zero width, separators, bidi
    "\ud800-\udfff"  # lone surrogates
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # invisible musical marks, tags, variation selectors
    "]"
)
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_HASH = r"(?:sha256:)?[0-9a-f]{64}"


def escape(text: str) -> str:
    """The text with every character that could act on a terminal, or hide, shown as `\\x1b` or `\\u202e`.

    Covers C0, DEL, C1, bidirectional and zero-width code points and lone surrogates; the result is one line.
    """
    if text.isascii() and text.isprintable():
        return text
    return _unsafe().sub(_visible, text)


@cache
def _unsafe() -> re.Pattern[str]:
    return re.compile(_UNSAFE)  # most answers are made of plain texts


def short_reference(uri: str) -> str:
    """`type/key` of a URI, with a UUID cut to 8 characters and a hash to 12; a URI of another shape as it is."""
    parts = [part for part in uri.split("/") if part]
    if len(parts) < 2:
        return uri
    key = parts[-1]
    if re.fullmatch(_UUID, key, re.IGNORECASE):
        return f"{parts[-2]}/{key[:8]}"
    if re.fullmatch(_HASH, key):
        return f"{parts[-2]}/{key.removeprefix('sha256:')[:12]}"
    return uri


def _visible(found: re.Match[str]) -> str:
    char = found.group()
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
