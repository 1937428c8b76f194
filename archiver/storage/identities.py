"""Finds platforms by what they identify themselves with, and keeps that.

Works inside the recorder's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, insert, select

from archiver.codec.streams import has_user, without_user
from archiver.storage.schema import platform_identities, platforms

_p, _i = platforms.c, platform_identities.c


def by_identity(connection: Connection, identities: str | Collection[str]) -> int | None:
    """The platform that has any of these identities; the first that is known decides."""
    asked = [identities] if isinstance(identities, str) else list(identities)
    if not asked:
        return None
    found = connection.execute(select(_p.key, _p.id).where(_p.key.in_(asked))).all()  # named before it was heard of
    found = [*found, *connection.execute(select(_i.key, _i.platform_id).where(_i.key.in_(asked)))]
    known = {key: number for key, number in found}
    return next((known[key] for key in asked if key in known), None)


def at_place(connection: Connection, identity: str) -> set[int]:
    """The platforms of all accounts at the place that an identity names without an account."""
    place = identity.partition("://")[2]
    if not place or has_user(identity):
        return set()
    named = select(_i.key, _i.platform_id).where(_i.key.endswith(f"@{place}", autoescape=True))
    return {number for key, number in connection.execute(named) if without_user(key) == identity}


def is_of_several(connection: Connection, identity: str) -> bool:
    """Whether an identity is a place at which there are several accounts, and nobody without a name."""
    return by_identity(connection, identity) is None and len(at_place(connection, identity)) > 1


def keep_identities(connection: Connection, number: int, identities: Iterable[str]) -> None:
    """Keeps those identities of a platform that no platform has yet."""
    wanted = list(identities)
    if wanted:
        known = set(connection.scalars(select(_i.key).where(_i.key.in_(wanted))))
        for key in dict.fromkeys(key for key in wanted if key not in known):
            connection.execute(insert(platform_identities).values(key=key, platform_id=number))
