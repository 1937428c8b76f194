"""Reads the URL of a PostgreSQL archive as libpq does, and says how it may be shown."""

from __future__ import annotations

import re
from typing import NamedTuple

# Patterns are compiled, and what quotes is loaded, when such a URL is read: most archives are files.
_SCHEME = r"(?i:postgres(?:ql)?(?:\+\w+)?:)(?P<slashes>//)?"
_HOST = r"(?:\[[^]/?@]*\]|[^]\[:/?@,]*)(?::\d*)?"
_TAIL = rf"(?P<hosts>{_HOST}(?:,{_HOST})*)(?P<name>/[^?@]*)?(?:\?(?P<query>(?:[^=&@]+=.*)?))?"
# PostgreSQL manual, "Connection URIs"; but an @ in a database's name must be quoted, as it may be a password's.
_QUOTED = rf"(?s:(?:(?P<user>[^:/@]*)(?::(?P<password>[^/@]*))?@)?{_TAIL})"
# libpq would take a part of such a password for a host or a port, and name that in its messages.
_UNQUOTED = rf"(?s:(?P<user>[^:/]*):(?P<password>.*?)@{_TAIL})"

_SHOWN = {"application_name", "dbname", "host", "hostaddr", "options", "port", "service", "sslmode", "user"}
_SECRET = {"password", "sslpassword"}

UNREADABLE = "not a URL; in names and passwords @ is written %40, / %2F, : %3A, % %25"


class _Parts(NamedTuple):
    """What stands between the scheme and the end, with the percent signs that are there."""

    user: str | None
    password: str | None
    tail: str
    hosts: str
    name: str
    query: str


def is_postgres(text: str) -> bool:
    """Whether this is meant as the URL of a PostgreSQL archive, in any of the ways to write that."""
    return text[:8].lower() == "postgres" and re.match(_SCHEME, text) is not None


def libpq_url(text: str) -> str:
    """A URL that libpq reads as its writer meant it. Raises ValueError, with words that quote nothing of it."""
    found = _read(text)
    if found is None:
        raise ValueError(UNREADABLE)
    from urllib.parse import quote

    user = "" if found.user is None else quote(found.user, safe="%")
    password = "" if found.password is None else f":{quote(found.password, safe='%')}"
    return f"postgresql://{user}{password}{'' if found.user is None else '@'}{found.tail}"


def shown_url(text: str) -> str:
    """The URL as it may be printed, without a password however that is written; any other text as it is."""
    if not is_postgres(text):
        return text
    found = _read(text)
    if found is None:
        return "postgresql://(not a URL)"
    user = "" if found.user is None else f"{found.user}@" if found.password is None else f"{found.user}:***@"
    pairs = [_shown_pair(*pair.partition("=")[::2]) for pair in found.query.split("&")]
    query = "&".join(filter(None, pairs))
    return f"postgresql://{user}{found.hosts}{found.name}{query and '?'}{query}"


def _read(text: str) -> _Parts | None:
    scheme = re.match(_SCHEME, text)
    if scheme is None or scheme["slashes"] is None:
        return None
    rest = text[scheme.end() :]
    parts = re.fullmatch(_QUOTED, rest) or re.fullmatch(_UNQUOTED, rest)
    if parts is None:
        return None
    tail = rest[parts.start("hosts") :]
    return _Parts(parts["user"], parts["password"], tail, parts["hosts"], parts["name"] or "", parts["query"] or "")


def _shown_pair(key: str, value: str) -> str:
    # What is no word of libpq's may be the rest of a password that was not quoted.
    from urllib.parse import unquote

    known = unquote(key)
    return f"{key}=***" if known in _SECRET else f"{key}={value}" if known in _SHOWN else ""
