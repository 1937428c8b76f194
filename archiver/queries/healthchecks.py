"""Tells health checks apart, which a platform makes by the hour and hardly anybody asks about: listings fold them."""

from __future__ import annotations

from archiver.platforms.facts import HEALTHCHECK
from archiver.storage.database.reading import Connection

_ACTION = "SELECT a.id FROM event_actions a WHERE a.text = :word"
_NAME = "SELECT n.id FROM texts n WHERE n.text = :word"


def no_healthcheck(connection: Connection) -> str | None:
    """The condition that an event `e` is no health check; None where the archive knows of none."""
    number = connection.scalar(_ACTION, {"word": HEALTHCHECK})
    return None if number is None else f"(e.action_id IS NULL OR e.action_id <> {number})"


def healthcheck_name(connection: Connection) -> int | None:
    """The number of the name that actions have which are health checks; None where the archive knows of none."""
    number: int | None = connection.scalar(_NAME, {"word": HEALTHCHECK})
    return number
