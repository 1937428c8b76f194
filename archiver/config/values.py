"""How a raw value becomes a setting's; each way raises ValueError with words for the reader."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from archiver.storage.database.address import is_postgres, libpq_url
from archiver.storage.database.sqlite_url import sqlite_file, sqlite_url

LOG_LEVELS = ("debug", "info", "warning", "error")
DEFAULT_AUTH = "header"
DEFAULT_SPOOL_LIMIT = "1 GiB"
DEFAULT_HOOK_LIMIT = 10
_SIZE = r"(\d{1,15})\s*(?:([kmgt])(i?b?)|b)?"


def text_of(raw: Any) -> str:
    """A text or a path, without what surrounds it."""
    if not isinstance(raw, (str, os.PathLike)):
        raise ValueError(f"it must be a text, not {kind_of(raw)}")
    text = str(raw).strip()
    if not text or "\0" in text:
        raise ValueError("it is empty")
    return text


def texts_of(raw: Any) -> tuple[str, ...]:
    """Texts from a list, or from one text with spaces between them."""
    if isinstance(raw, str):
        return tuple(raw.split())
    if isinstance(raw, (list, tuple)):
        return tuple(text_of(item) for item in raw)
    raise ValueError(f"it must be a list of texts, not {kind_of(raw)}")


def flag_of(raw: Any) -> bool:
    """True or false, as files and environments write it."""
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.strip().lower() in ("1", "true", "yes", "on"):
        return True
    if isinstance(raw, str) and raw.strip().lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("it must be true or false")


def parse_size(raw: Any) -> int:
    """A number of bytes from 1000, 500k, 1GiB or 2GB; only a suffix that ends in a bare B counts in thousands."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        size = raw
    else:
        match = re.fullmatch(_SIZE, text_of(raw), re.IGNORECASE)
        if match is None:
            raise ValueError("it must be a number of bytes, such as 500MiB or 2G")
        number, letter, tail = match.groups()
        base = 1000 if (tail or "").lower() == "b" else 1024
        size = int(number) * base ** ("kmgt".index(letter.lower()) + 1 if letter else 0)
    if size <= 0:
        raise ValueError("it must be more than 0 bytes")
    return size


def api_or_none(raw: Any) -> str | None:
    """The URL of a REST API, or `none`; credentials have no place in it."""
    if raw is None:
        return None
    if "@" in (text := text_of(raw)):
        raise ValueError("it holds credentials; those of the stream are used")
    return text


def one_of(*allowed: str) -> Callable[[Any], str]:
    """How one of these words is read."""

    def choose(raw: Any) -> str:
        if (text := text_of(raw).lower()) not in allowed:
            raise ValueError(f"it must be one of {', '.join(allowed)}")
        return text

    return choose


def auth_way(raw: Any) -> str:
    """How credentials travel."""
    if raw == DEFAULT_AUTH:
        return DEFAULT_AUTH
    from archiver.platforms.wire.address import AUTH_WAYS

    return one_of(*AUTH_WAYS)(raw)


def kind_of(raw: Any) -> str:
    """What a value is, in words for the reader."""
    names: dict[type, str] = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a table",
    }
    return names.get(type(raw), type(raw).__name__)


def database_url(raw: Any) -> str:
    """A URL that storage can read, from a URL or a plain path."""
    text = text_of(raw)
    if is_postgres(text):
        return libpq_url(text)
    return sqlite_url(str(Path(sqlite_file(text)).absolute()))


def path_of(raw: Any, home: Path) -> Path:
    """A whole path; `~/` is the home folder."""
    text = text_of(raw)
    return (home / text[2:] if text.startswith("~/") else Path(text)).absolute()


def path_or_none(raw: Any, home: Path) -> Path | None:
    """The same, where there is one."""
    return None if raw is None else path_of(raw, home)


def address_or_none(raw: Any) -> tuple[str, int] | None:
    """Host and port: 127.0.0.1:9464, [::1]:9464; without a host, this machine's own address."""
    if raw is None:
        return None
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]*)):(\d{1,5})", text_of(raw))
    if found is None or int(found[3]) > 65_535:
        raise ValueError("it must be an address and a port, such as 127.0.0.1:9464")
    return found[1] or found[2] or "127.0.0.1", int(found[3])


def count_of(raw: Any) -> int:
    """A number of times, at least one."""
    number = int(raw) if isinstance(raw, str) and raw.strip().isdecimal() and len(raw) < 10 else raw
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 10**9:
        raise ValueError("it must be a number from 1 on")
    return number


def receiver_or_none(raw: Any) -> str | None:
    """Where a server is to be told: a URL, or `@FILE` with one in it."""
    if raw is None:
        return None
    from archiver.model.hooks import webhook

    return webhook(text_of(raw))


def headers_of(raw: Any) -> Mapping[str, str]:
    """Headers of HTTP from a table, or from `name=value,name=value` as OpenTelemetry has it, percent-encoded."""
    if isinstance(raw, str):
        from urllib.parse import unquote

        pairs = [pair.partition("=") for pair in raw.split(",") if pair.strip()]
        raw = {name.strip(): unquote(value.strip()) for name, _, value in pairs}
    if not isinstance(raw, Mapping):
        raise ValueError(f"it must be a table of names and values, not {kind_of(raw)}")
    for name, value in raw.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", name):
            raise ValueError("a header has no such name")
        if not isinstance(value, str) or not value.isascii() or not value.isprintable():
            raise ValueError(f"the header {name} has no text in ASCII")
    return dict(raw)
