"""Blanks credentials in text that is kept or shown: what stands in URLs and in headers of a log."""

from __future__ import annotations

import re
from collections.abc import Mapping

BLANK = b"***"
_OURS = ("ARCHIVER_", "TUTUM_", "DOCKERCLOUD_", "PG", "CREDENTIALS_DIRECTORY")
"""What our own variables begin with, those of libpq too, and where systemd puts credentials."""

_WORDS = rb"token|auth|key|pass|passw(?:or)?d|passwd|pwd|jwt|sig|secret|signature|credentials?"
_HINTS = re.compile(
    rb"(?i):(?:\\?/){1,2}[^/\s]*@|[?&;](?:user|[a-z_.-]*(?:token|auth|key|pass|pwd|jwt|sig|secret|signature|credential))|authorization"
)
# Each begins with what stands in a text once or twice, and goes on with what cannot hold another beginning: a text of
# a million letters takes no longer than one of a million slashes.
_USERINFO = re.compile(
    rb"(:(?:\\?/){2})"
    rb"(?!(?:user(?::(?:password|key))?|[^/\\\s\"'<>?#:@]*:\*\*\*)@)"  # an example, or blanked already
    # Here a name alone is no secret, but a key by its looks; elsewhere it may be.
    rb"(?:(?<!ssh://)(?<!postgresql://)(?<!wss://)(?<!ws://)|(?=[^/\\\s\"'<>?#:@]*:)"
    rb"|(?=(?:[0-9A-Fa-f-]{32,}|dckr_[a-z]+_[^/\\\s\"'<>?#:@]*)@))"
    rb"[^/\\\s\"'<>?#]+@"
)
_USERINFO_OF_A_PATH = re.compile(rb"(:\\?/)[^/\\\s\"'<>?#:@]+:[^/\\\s\"'<>?#]+@")
"""As the URL reads that somebody took for the name of a file."""
_QUERY = re.compile(rb"(?i)([?&;](?:user(?:name)?|[a-z0-9_.-]*(?:%s))=)[^&;\s\"'<>#\\]+" % _WORDS)
_HEADER = re.compile(
    rb"(?i)(authorization[\"']?\s*[:=]\s*(?:u?[\"'])?)"
    rb"(?!(?:[a-z]+\s+)?\*\*\*(?![^\s:\"',;}\\]))"  # it is blanked already
    rb"(?:(basic|bearer|apikey|token|digest)\s+)?[^\s\"',;}\\]+"
)
_PARAMETER = re.compile(rb"(?i)[a-z0-9_.-]*(?:%s)" % _WORDS)


def blanked(data: bytes) -> bytes:
    """The bytes with user and password of URLs, secrets of their queries, and Authorization headers written as ***."""
    if not _HINTS.search(data):
        return data
    data = _USERINFO.sub(rb"\1" + BLANK + b"@", data)
    data = _USERINFO_OF_A_PATH.sub(rb"\1" + BLANK + b"@", data)
    data = _QUERY.sub(rb"\1" + BLANK, data)
    return _HEADER.sub(rb"\1\2 " + BLANK, data)


def blanked_text(text: str) -> str:
    """The same of a text, whatever characters it holds."""
    data = text.encode("utf-8", "surrogatepass")
    found = blanked(data)
    return text if found is data else found.decode("utf-8", "surrogatepass")


def environment_for_others(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a program of somebody else: our own settings and logins are not its business."""
    return {name: value for name, value in environ.items() if not name.startswith(_OURS)}


def is_secret(parameter: str) -> bool:
    """Whether a parameter of a URL's query, by its name, holds a secret."""
    return _PARAMETER.fullmatch(parameter.encode("utf-8", "surrogatepass")) is not None
