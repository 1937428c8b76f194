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
_ESCAPED = r"\\(?:[tnr]|x[0-9a-f]{2}|u[0-9a-f]{4}|U000[0-9a-f]{5})"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_HASH = r"(?:.+\.)?(?:sha256:)?([0-9a-f]{64})"
"""Of an image of an engine that is known by its identity that stands before it."""
_TASK = r"[0-9a-z]{25}"
"""What Swarm calls its objects."""
_USUAL = r"/(?:api|docker)/v1/[a-z]+/[\w.:-]+/"


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
    """`type/key` of a URI, with a UUID cut to 8 characters, a hash or an id of Swarm to 12; any other URI as it is.

    It is a reference to the same.
    """
    parts = [part for part in uri.split("/") if part]
    if len(parts) < 2:
        return uri
    key = parts[-1]
    if re.fullmatch(_UUID, key, re.IGNORECASE):
        return f"{parts[-2]}/{key[:8]}"
    if (digest := re.fullmatch(_HASH, key)) is not None:
        return f"{parts[-2]}/{digest[1][:12]}"
    if re.fullmatch(_TASK, key):
        return f"{parts[-2]}/{key[:12]}"
    return f"{parts[-2]}/{key}" if re.fullmatch(_USUAL, uri) else uri


def unescape(text: str) -> str:
    """The text of which `escape` shows so much; a text that has such signs in it itself is taken for another."""
    return re.sub(_ESCAPED, _invisible, text)


def _invisible(found: re.Match[str]) -> str:
    sign = found.group()
    return next((char for char, shown in _SHORT.items() if shown == sign), None) or chr(int(sign[2:], 16))


def _visible(found: re.Match[str]) -> str:
    char = found.group()
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
