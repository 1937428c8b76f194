"""Knows whose every stream is, and makes the row of a platform when it is first heard of.

docs/archive.md says the rules ("Platforms"). Works inside the recorder's transaction.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select, update

from archiver.codec.streams import has_user, without_user
from archiver.model import Dialect, Opened, Platform
from archiver.platforms.facts import account, identities_of_engine
from archiver.storage.identities import at_place, by_identity, is_of_several, keep_identities
from archiver.storage.meant import Meant
from archiver.storage.numbers import Numbers
from archiver.storage.schema import platform_identities, platforms, streams
from archiver.storage.stream_rows import (
    Stream,
    heard_on,
    is_heard,
    known_stream,
    new_stream,
)
from archiver.storage.words import IMPORTED

_STREAM = "stream:"
_UNCLAIMED = (f"{IMPORTED}:", _STREAM)
"""How the key of a platform begins that has not said yet who it is."""
_ACCOUNTS = ("http://", "https://")
"""How the key of an account begins."""
_p, _i, _s = platforms.c, platform_identities.c, streams.c


class Platforms:
    """The platforms of an archive, and of which of them its streams tell."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self.meant = Meant()
        """Whose an import is that does not say it."""

    # --- streams ---

    def opened(
        self, connection: Connection, item: Opened, receiver_id: int | None, *, together: bool = False
    ) -> Stream:
        """The stream of a session that was opened; `together`: as `of_stream` has it.

        Who logs in to a stream of which nobody knew whose it was goes on with it, and it has his name from now on; but
        not while somebody else listens to it. A receiver (None: an import) that does not say who it is is none of those
        who do.
        """
        found = self.heard_on(connection, item.stream, receiver_id)
        stream = found or new_stream(connection, self._numbers, item.stream, item.dialect)
        if item.dialect == "tutum":  # an engine says by itself who it is
            if stream.url != item.stream and has_user(item.stream):
                connection.execute(update(streams).where(_s.id == stream.id).values(url=item.stream))
                stream = stream._replace(url=item.stream)
            beside = known_stream(connection, without_user(item.stream))
            # Its row may be there, without a platform: of trouble with it, before anybody could listen.
            is_apart = beside is not None and (found is None or beside.id != stream.id)
            self.of_stream(connection, stream, together=together, apart=is_apart)
        return stream

    def heard_on(self, connection: Connection, url: str, receiver_id: int | None) -> Stream | None:
        """The stream that a receiver (None: an import) listens to; None: one of its own, which is not there yet."""
        found = heard_on(connection, url, receiver_id)
        return self.meant.stream(connection, url) if found is None and receiver_id is None else found

    def of_stream(self, connection: Connection, stream: Stream, *, together: bool = False, apart: bool = False) -> int:
        """The platform that a stream tells of; where it was not known, it is now.

        `together`: what is not known otherwise is all of one platform, as it was where nobody kept platforms.
        `apart`: what is there without a name is somebody else's.
        """
        known = account(stream.url) if stream.dialect == "tutum" else None
        if stream.platform_id is not None:
            if known:
                self._introduce(connection, stream.platform_id, known)
            return stream.platform_id
        identities = [known] if known else []
        look_up = by_identity if apart else self._by_account
        number = look_up(connection, known) if known else None
        if number is None and (together or (stream.dialect == "tutum" and not known) or _is_recording(stream.url)):
            number = self.default(connection, stream.dialect)
        if number is None:
            key, name = (identities[0], _name(identities[0])) if identities else (f"{_STREAM}{stream.url}", stream.url)
            number = self.claimed(connection, stream.dialect, key, name)
        elif identities:
            self._claim(connection, number, identities[0], _name(identities[0]))
        keep_identities(connection, number, identities)
        self._give(connection, stream.id, number)
        return number

    def _by_account(self, connection: Connection, identity: str) -> int | None:
        """The platform of an account; where that is new, and another's words are there without a name, it is his."""
        number = by_identity(connection, identity)
        if number is None and (nobodys := without_user(identity)) != identity:
            number = by_identity(connection, nobodys)
            if number is not None:
                self._introduce(connection, number, identity)
        return number

    def _of_place(self, connection: Connection, identity: str) -> int | None:
        """The same, of what is not listened to just now: what names no account is of the only one at its place."""
        nobodys = by_identity(connection, without_user(identity))
        is_theirs = nobodys is not None and is_heard(connection, _s.platform_id == nobodys)
        look_up = by_identity if is_theirs else self._by_account
        number = look_up(connection, identity)
        of = at_place(connection, identity) if number is None else set()
        return next(iter(of)) if len(of) == 1 else number

    def _introduce(self, connection: Connection, number: int, identity: str) -> None:
        """Says whose a platform is that was known by its place alone, as long as nobody had named himself."""
        nobodys = without_user(identity)
        if identity != nobodys and by_identity(connection, nobodys) == number:
            connection.execute(delete(platform_identities).where(_i.key == nobodys))
            named = {"key": identity, "name": self._free(connection, _name(identity), number)}
            connection.execute(update(platforms).where(_p.id == number, _p.key == nobodys).values(named))
        keep_identities(connection, number, [identity])

    def identify(self, connection: Connection, stream: Stream, told: str, *, together: bool) -> None:
        """Takes in who the platform of a stream says it is: that may be one that is known by now."""
        identities, name = identities_of_engine(told)
        if not identities:
            return
        number = by_identity(connection, identities)
        own = stream.platform_id
        if number is None and own is not None and (together or self._is_unclaimed(connection, own)):
            number = own
        if number is None and together:
            number = self.default(connection, stream.dialect)
        if number is None:
            number = self.claimed(connection, stream.dialect, identities[0], name)
        else:
            self._claim(connection, number, identities[0], name)
        keep_identities(connection, number, identities)
        if number != own:
            self._give(connection, stream.id, number)

    def _give(self, connection: Connection, stream_id: int, number: int) -> None:
        connection.execute(update(streams).where(_s.id == stream_id).values(platform_id=number))

    # --- platforms ---

    def default(self, connection: Connection, dialect: Dialect) -> int:
        """Where a recording goes that does not say whose it is: to the only platform there is, else to one for such."""
        key, known = f"{IMPORTED}:{dialect}", self.speaking(connection, dialect)
        if len(known) == 1:
            return next(iter(known))
        for number, there in known.items():
            if there == key:
                return number
        return self._make(connection, key, IMPORTED, dialect)

    def named(self, connection: Connection, name: str) -> int:
        """The platform of a stream, a key, an identity or a name; one of that name is made where there is none."""
        known = self.known_as(connection, name)
        if known is None and name.startswith(_ACCOUNTS):
            known = self._make(connection, name, _name(name), "tutum")
        return known or self._make(connection, name, name, None)

    def known_as(self, connection: Connection, name: str) -> int | None:
        """The same, where there is one."""
        stream = known_stream(connection, name)
        if stream is not None:
            return self.of_stream(connection, stream)
        return self._of_key(connection, name) or connection.scalar(select(_p.id).where(_p.name == name))

    def _of_key(self, connection: Connection, key: str, identities: Collection[str] = ()) -> int | None:
        """The platform of a key, or of what had it, or is meant by it; or which has any of these identities."""
        known = connection.scalar(select(_p.id).where(_p.key == key)) or by_identity(connection, identities)
        known = known or self.meant.platform(connection, key)
        return known or self._of_place(connection, key) or self._of_nobody(connection, key)

    def _of_nobody(self, connection: Connection, key: str) -> int | None:
        """The platform that had a key as long as its stream did not say whose it was."""
        stream = known_stream(connection, key.removeprefix(_STREAM)) if key.startswith(_STREAM) else None
        return None if stream is None else stream.platform_id

    def restore(self, connection: Connection, found: Platform) -> None:
        """Has the platform that an export describes, with its streams; made where nothing of it is known.

        Of a place at which there are several accounts nothing is made: its sessions, or events, say of whom it is.
        """
        self.meant.forget(found.key)
        number = self._of_key(connection, found.key, found.identities)
        if number is None and is_of_several(connection, found.key):
            return
        if number is None:
            adopted = None if found.key.startswith(_UNCLAIMED) else self._adopted(connection, found.dialect)
            number = adopted or self._make(connection, found.key, found.name, found.dialect)
            if adopted:
                self._claim(connection, number, found.key, found.name)
        keep_identities(connection, number, found.identities)
        for url, dialect in found.streams:
            there = heard_on(connection, url) or new_stream(connection, self._numbers, url, dialect)
            if there.platform_id is None:
                self._give(connection, there.id, number)

    def speaking(self, connection: Connection, dialect: Dialect | None) -> dict[int, str]:
        """The platforms of which a dialect is, or may be, spoken, and their keys."""
        found = select(_p.id, _p.key).where((_p.dialect == dialect) | _p.dialect.is_(None)).order_by(_p.id)
        return {number: key for number, key in connection.execute(found)}

    def _adopted(self, connection: Connection, dialect: Dialect | None) -> int | None:
        """What was imported before anybody knew whose it was, where there is nothing else that it could be of."""
        known = self.speaking(connection, dialect)
        if len(known) == 1:
            (number, key), *_ = known.items()
            return number if key == f"{IMPORTED}:{dialect}" else None
        return None

    def claimed(self, connection: Connection, dialect: Dialect, key: str, name: str) -> int:
        """A platform that nobody knew so far: that of the recordings, where there is no other, or a new one."""
        number = self._adopted(connection, dialect)
        if number is None:
            return self._make(connection, key, name, dialect)
        self._claim(connection, number, key, name)
        return number

    def _claim(self, connection: Connection, number: int, key: str, name: str) -> None:
        """Gives key and name to a platform that had none of its own."""
        if self._is_unclaimed(connection, number):
            named = {"key": key, "name": self._free(connection, name, number)}
            connection.execute(update(platforms).where(_p.id == number).values(named))

    def _is_unclaimed(self, connection: Connection, number: int) -> bool:
        return str(connection.scalar(select(_p.key).where(_p.id == number))).startswith(_UNCLAIMED)

    def _make(self, connection: Connection, key: str, name: str, dialect: Dialect | None) -> int:
        number = self._numbers.take(connection, platforms, 1)
        row = {"id": number, "key": key, "name": self._free(connection, name, number), "dialect": dialect}
        connection.execute(insert(platforms).values(row))
        return number

    def _free(self, connection: Connection, name: str, number: int) -> str:
        """The name, with a number behind it where another platform is called so."""
        taken = connection.scalar(select(_p.id).where(_p.name == name, _p.id != number))
        return name if taken is None else f"{name} ({number})"


def _name(identity: str) -> str:
    """What people call an account: where it is, without how it is spoken to."""
    return identity.partition("://")[2]


def _is_recording(url: str) -> bool:
    return url.startswith("file:")
