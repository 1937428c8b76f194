"""How long a server asks to be left alone."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from archiver.model import Micros, to_micros


def seconds_of(retry_after: str, now: Micros) -> float:
    """How long a Retry-After asks for: seconds, or a date (RFC 9110, 10.2.3); 0 when it cannot be read."""
    text = retry_after.strip()
    if text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, (to_micros(parsedate_to_datetime(text)) - now) / 1e6)
    except (ValueError, OverflowError, TypeError):
        return 0.0
