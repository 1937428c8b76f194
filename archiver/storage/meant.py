"""Keeps in mind whose an import is that names a place at which there are several accounts, and none of them.

What it tells shows that, once: its sessions here, else its words (`placing`). docs/archive.md says the rules
("Platforms").
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from archiver.codec.streams import without_user
from archiver.model import Opened
from archiver.platforms.facts import account
from archiver.storage.identities import is_of_several
from archiver.storage.schema import platforms
from archiver.storage.stream_rows import Stream, streams_of, streams_with

_p = platforms.c


class Meant:
    """Whose it is, by the place; its platform by the key: a number may never have been committed."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}

    def forget(self, place: str) -> None:
        """Another export begins."""
        self._keys.pop(place, None)

    def keep(self, connection: Connection, place: str, number: int) -> None:
        """Whoever names this place means that platform from now on."""
        self._keys[place] = connection.execute(select(_p.key).where(_p.id == number)).scalar_one()

    def platform(self, connection: Connection, place: str) -> int | None:
        """The platform that is meant; None where that is not known."""
        key = self._keys.get(place)
        return None if key is None else connection.scalar(select(_p.id).where(_p.key == key))

    def stream(self, connection: Connection, url: str) -> Stream | None:
        """The stream that is meant by an URL without a user; None where that is not known."""
        number = self.platform(connection, account(url) or "")
        told = [] if number is None else streams_of(connection, number)
        return next((stream for stream in told if without_user(stream.url) == url), None)

    def learn(self, connection: Connection, opened: Collection[Opened]) -> None:
        """Has sessions that are known say of whom the others are, where their stream names no user."""
        for url in {item.stream for item in opened if item.dialect == "tutum"}:
            place = account(url)
            if place is None or not is_of_several(connection, place):
                continue
            keys = [item.session for item in opened if item.stream == url]
            told = (stream for stream in streams_with(connection, keys) if without_user(stream.url) == url)
            number = next((stream.platform_id for stream in told), None)
            if number is not None:
                self.keep(connection, place, number)
