"""Says which file a SQLite archive is, given as a path or as a URL."""

from __future__ import annotations

import os
import re

from archiver.storage.database.address import is_postgres

_SQLITE = r"(?is:sqlite(?:\+\w+)?:(?P<rest>.*))"
_OTHER = r"(?P<scheme>[^/]*)://"
_FILE_URI = r"(?is:file:/*(?P<path>.*))"
# libpq's other way to write it, and a URL without its beginning: as the name of a file either would be shown whole.
_LIKE_POSTGRES = r"password\s*=|^[^/]*:[^/]*@"


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


def file_uri(path: str, parameters: str) -> str:
    """The URI by which SQLite itself opens a file (https://sqlite.org/uri.html), whatever bytes its name is of."""
    plain = [chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in os.fsencode(path)]
    return f"file:{''.join(plain)}?{parameters}"


_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._~")


def _quoted(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # a byte that is no UTF-8, as Python reads names of files
        return f"%{ord(char) - 0xDC00:02X}"
    return {"%": "%25", "?": "%3F"}.get(char, char)


def _written(text: str) -> str:
    if not text.strip():
        raise ValueError("it is empty")
    if (url := re.fullmatch(_SQLITE, text)) is not None:
        return _of_url(url["rest"])
    if (uri := re.fullmatch(_FILE_URI, text)) is not None:
        raise ValueError(f"it is written as a path, or {sqlite_url('/' + uri['path'])}")
    if is_postgres(text):
        raise ValueError("it is a PostgreSQL database, and no file")
    if (other := re.match(_OTHER, text)) is not None:
        where = f", not in {other['scheme']!r}" if other["scheme"].isalnum() else ""
        raise ValueError(f"archives live in SQLite or PostgreSQL{where}")
    if re.search(_LIKE_POSTGRES, text):
        raise ValueError("it looks like a PostgreSQL database; that is written postgresql://user:password@host/name")
    return text


def _of_url(rest: str) -> str:
    if not rest.startswith("///"):
        path = rest.partition("?")[0].lstrip("/")
        meant = f"sqlite:///{path}" + (f", or sqlite:////{path} from the root" if path else "FILE")
        raise ValueError(f"the URL of a file has three slashes: {meant}")
    path = rest[3:].partition("?")[0]
    if "%" not in path:
        return path
    from urllib.parse import unquote

    return unquote(path, errors="surrogateescape")
