"""Keeps how far each spool, file or export has been archived, within the recorder's transaction."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from archiver.model import iso, now_micros
from archiver.storage.clock import archive_clock
from archiver.storage.inventory import KINDS, Inventory, Reached
from archiver.storage.numbers import Numbers
from archiver.storage.schema import receivers

FINISHED = 1 << 62
"""The position of a receiver from which nothing more can come: a file that was imported to its end."""
_ALONE = ":alone"
"""Behind a receiver's key: up to where the archive holds nothing but what came from there."""

_c = receivers.c


def new_generation() -> str:
    """What the numbers given from a restore on are told apart by from those that the archive gave before it."""
    return f"{iso(now_micros())} {secrets.token_hex(8)}"


class Position(NamedTuple):
    """The row of a receiver."""

    number: int
    upto: int
    """Everything of it up to this number is in the archive."""
    duplicates: int


class Positions:
    """The rows of receivers; who reads one keeps it locked to the end of the transaction."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def of(self, connection: Connection, key: str | None) -> Position:
        """How far a receiver's records are archived; its row is made where there is none."""
        found = select(_c.id, _c.position, _c.duplicates).where(_c.key == key).with_for_update()
        there = connection.execute(found).one_or_none()
        if there is not None:
            return Position(*there)
        new = Position(self._numbers.take(connection, receivers, 1), 0, 0)
        row = {"id": new.number, "key": key, "position": 0, "duplicates": 0}
        connection.execute(insert(receivers).values(row | {"updated_at": archive_clock(connection)}))
        return new

    def move(self, connection: Connection, position: Position) -> None:
        """Writes down how far a receiver's records are archived now."""
        moved = {
            "position": position.upto,
            "duplicates": position.duplicates,
            "updated_at": archive_clock(connection),
        }
        connection.execute(update(receivers).where(_c.id == position.number).values(moved))

    def finished_at(self, connection: Connection, key: str) -> datetime | None:
        """When a receiver reached its end, UTC; None when it has not."""
        return connection.scalar(select(_c.updated_at).where(_c.key == key, _c.position >= FINISHED))

    def take_stock(self, connection: Connection, export: str | None) -> tuple[Inventory, dict[str, Reached]]:
        """What the archive holds now, and how far an export known by that name is archived, for each kind."""
        keys = [f"{export}:{kind}{which}" for kind in KINDS for which in ("", _ALONE)] if export else []
        found = {key: at for key, at in connection.execute(select(_c.key, _c.position).where(_c.key.in_(keys)))}
        reached = {
            kind: Reached(found.get(f"{export}:{kind}", 0), found.get(f"{export}:{kind}{_ALONE}", 0)) for kind in KINDS
        }
        alone = {kind: part.alone for kind, part in reached.items()}
        return Inventory(self._last(connection), alone), reached

    def remember(self, connection: Connection, export: str, known: Mapping[str, int]) -> None:
        """Keeps in mind that an export is archived up to a number, for each kind."""
        last = self._last(connection)
        for kind, upto in known.items():
            self._advance(connection, f"{export}:{kind}", upto)
            if last[kind] == upto:  # every item has a row of its own: so there is none of anything else
                self._advance(connection, f"{export}:{kind}{_ALONE}", upto)

    def _last(self, connection: Connection) -> dict[str, int]:
        return {kind: self._numbers.last(connection, table) for kind, table in KINDS.items()}

    def _advance(self, connection: Connection, key: str, upto: int) -> None:
        there = self.of(connection, key)
        if there.upto < upto:
            self.move(connection, there._replace(upto=upto))
