"""Blanks credentials in text that is to be kept: what stands in URLs and in headers of a log."""

from __future__ import annotations

import re

BLANK = b"***"

_HINTS = re.compile(
    rb"(?i):(?:\\?/){2}[^/\s]*@|[?&;](?:user|[a-z_.-]*(?:token|auth|key|passw|pwd|secret|signature|credential))|authorization"
)
_USERINFO = re.compile(rb"(?i)([a-z][a-z0-9+.-]*:(?:\\?/){2})[^/\\\s\"'<>?#]+@")
_QUERY = re.compile(
    rb"(?i)([?&;](?:user(?:name)?|[a-z0-9_.-]*(?:token|auth|key|passw(?:or)?d|passwd|pwd|secret|signature|credentials?))=)"
    rb"[^&;\s\"'<>#\\]+"
)
_HEADER = re.compile(
    rb"(?i)(authorization[\"']?\s*[:=]\s*(?:u?[\"'])?)(?:(basic|bearer|apikey|token|digest)\s+)?[^\s\"',;}\\]+"
)


def blanked(data: bytes) -> bytes:
    """The bytes with user and password of URLs, secrets of their queries, and Authorization headers written as ***."""
    if not _HINTS.search(data):
        return data
    data = _USERINFO.sub(rb"\1" + BLANK + b"@", data)
    data = _QUERY.sub(rb"\1" + BLANK, data)
    return _HEADER.sub(rb"\1\2 " + BLANK, data)
