"""Says which file a SQLite archive is, and how an archive is called in messages."""

from __future__ import annotations

import os
from pathlib import Path

from archiver.errors import ConfigurationWrong
from archiver.storage.database.address import is_postgres, shown_url
from archiver.storage.database.sqlite_url import sqlite_file


def sqlite_name(text: str) -> str:
    """The name that a SQLite archive goes by, which may be a link. Raises ConfigurationWrong for any other database."""
    try:
        return sqlite_file(text)
    except ValueError as error:
        raise ConfigurationWrong(setting="database", reason=str(error), origin="--database") from error


def sqlite_path(text: str) -> Path:
    """The file of a SQLite archive, its one name: whatever links lead to it, lock and log lie beside the file itself.

    Raises ConfigurationWrong when there is none.
    """
    return Path(os.path.realpath(sqlite_name(text)))


def database_name(text: str) -> str:
    """How an archive is called in messages: its file, or its URL without a password."""
    return shown_url(text) if is_postgres(text) else sqlite_name(text)
