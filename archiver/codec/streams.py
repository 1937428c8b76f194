"""The name of a stream: its URL, with the user whose account it is told of, and nothing else of a credential."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

_OF_ACCOUNTS = ("ws", "wss", "http", "https")
"""How the places of accounts, and their streams, begin."""
LONGEST_USER = 255
"""What is longer is no name of a user."""


def with_user(url: str, user: str | None) -> str:
    """A stream's URL, which has no user in it, with one."""
    scheme, found, rest = url.partition("://")
    return f"{scheme}://{quote(user, safe='')}@{rest}" if user and found else url


def without_user(url: str) -> str:
    """The name of a stream without the user; that of an engine, whose user is of the machine, as it is."""
    if not _is_of_account(url):
        return url
    scheme, _, rest = url.partition("://")
    place = re.match("[^/?#]*", rest)
    assert place is not None
    return f"{scheme}://{place[0].rpartition('@')[2]}{rest[place.end() :]}"


def has_user(url: str) -> bool:
    """Whether the name of a stream says whose account it is told of."""
    return without_user(url) != url


def meant(url: str, known: Iterable[str]) -> list[str]:
    """Those of the known streams that an URL names: itself; where it has no user, those of all users at it."""
    fitting = [each for each in known if url in (each, without_user(each))]
    return [url] if url in fitting else fitting


def _is_of_account(url: str) -> bool:
    return url.partition(":")[0].lower() in _OF_ACCOUNTS
