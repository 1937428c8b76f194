"""Tells health checks apart, which a platform makes by the hour and hardly anybody asks about: listings fold them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select

from archiver.platforms.docker.facts import HEALTHCHECK
from archiver.storage.schema import event_actions, texts


def no_healthcheck(connection: Connection, action_id: ColumnElement[Any]) -> ColumnElement[bool] | None:
    """The condition that an event is no health check; None where the archive knows of none."""
    numbers = connection.scalars(select(event_actions.c.id).where(event_actions.c.text == HEALTHCHECK)).all()
    return or_(action_id.is_(None), action_id.not_in(numbers)) if numbers else None


def healthcheck_name(connection: Connection) -> int | None:
    """The number of the name that actions have which are health checks; None where the archive knows of none."""
    return connection.scalar(select(texts.c.id).where(texts.c.text == HEALTHCHECK))
