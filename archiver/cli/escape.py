"""Text that others wrote, made harmless for a terminal or a spreadsheet."""

from __future__ import annotations

from archiver.codec.visible import escape as escape

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")


def csv_cell(text: str) -> str:
    """The text for a CSV cell: escaped, and with a leading `'` where a spreadsheet would read a formula (CWE-1236)."""
    safe = escape(text)
    return "'" + safe if text.startswith(_FORMULA) else safe
