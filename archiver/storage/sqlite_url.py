"""Says which file a SQLite archive is, given as a path or as a URL."""

from __future__ import annotations

import os
import re
from urllib.parse import unquote

from archiver.storage.address import is_postgres

_SQLITE = re.compile(r"sqlite(?:\+\w+)?:(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_OTHER = re.compile(r"(?P<scheme>[^/]*)://")
_FILE_URI = re.compile(r"file:/*(?P<path>.*)", re.IGNORECASE | re.DOTALL)
# libpq's other way to write it, and a URL without its beginning: as the name of a file either would be shown whole.
_LIKE_POSTGRES = re.compile(r"password\s*=|^[^/]*:[^/]*@")


def sqlite_file(text: str) -> str:
    """The file that is meant; `~` is the user's home folder, in a path and at the beginning of a URL's path.

    A path is taken as it stands. The path of a URL begins behind the third slash and ends before a question mark; `%41`
    in it is `A`, as in any URL. Raises ValueError, in words for who wrote it.
    """
    path = _written(text)
    if not path or path == ":memory:" or "\0" in path:
        raise ValueError("a SQLite archive is a file, and it names none")
    if not path.startswith("~"):
        return path
    found = os.path.expanduser(path)
    if found.startswith("~"):
        raise ValueError(f"no home folder is known for {path.partition('/')[0]}; give the whole path")
    return found


def sqlite_url(path: str) -> str:
    """The URL of a file, which `sqlite_file` reads back; a name need not be UTF-8."""
    return "sqlite:///" + "".join(map(_quoted, path))


def _quoted(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # a byte that is no UTF-8, as Python reads names of files
        return f"%{ord(char) - 0xDC00:02X}"
    return {"%": "%25", "?": "%3F"}.get(char, char)


def _written(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty")
    if (url := _SQLITE.fullmatch(text)) is not None:
        return _of_url(url["rest"])
    if (uri := _FILE_URI.fullmatch(text)) is not None:
        raise ValueError(f"it is written as a path, or {sqlite_url('/' + uri['path'])}")
    if is_postgres(text):
        raise ValueError("it is a PostgreSQL database, and no file")
    if (other := _OTHER.match(text)) is not None:
        where = f", not in {other['scheme']!r}" if other["scheme"].isalnum() else ""
        raise ValueError(f"archives live in SQLite or PostgreSQL{where}")
    if _LIKE_POSTGRES.search(text):
        raise ValueError("it looks like a PostgreSQL database; that is written postgresql://user:password@host/name")
    return text


def _of_url(rest: str) -> str:
    if not rest.startswith("///"):
        path = rest.partition("?")[0].lstrip("/")
        meant = f"sqlite:///{path}" + (f", or sqlite:////{path} from the root" if path else "FILE")
        raise ValueError(f"the URL of a file has three slashes: {meant}")
    return unquote(rest[3:].partition("?")[0], errors="surrogateescape")
