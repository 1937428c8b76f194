"""What a listing may fold: events and actions that a platform makes by the hour and hardly anybody asks about."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from archiver.model import Resource
from archiver.queries.members import members
from archiver.storage.schema import event_actions, event_types, resources

NOISE = ("healthcheck",)
"""Action words (and names of actions) that are noise: Docker Engine tells of every run of a health check as an exec."""


def no_noise(connection: Connection, action_id: ColumnElement[Any]) -> ColumnElement[bool] | None:
    """The condition that an event is no noise; None where the archive knows of none."""
    numbers = connection.scalars(select(event_actions.c.id).where(event_actions.c.text.in_(NOISE))).all()
    return or_(action_id.is_(None), action_id.not_in(numbers)) if numbers else None


def is_noise(name: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition that an action of this name is noise."""
    return and_(name.is_not(None), name.in_(NOISE))


def noisy_actions(connection: Connection, resource: Resource) -> int:
    """How many actions under a resource are noise."""
    under = members(resource.id)
    action = select(event_types.c.id).where(event_types.c.text == "action").scalar_subquery()
    counted = (
        select(func.count())
        .select_from(under.join(resources, resources.c.id == under.c.id))
        .where(resources.c.type_id == action, is_noise(resources.c.name))
    )
    return connection.scalar(counted) or 0
