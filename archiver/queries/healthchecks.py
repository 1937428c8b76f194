"""Tells health checks apart, which a platform makes by the hour and hardly anybody asks about: listings fold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from archiver.model import Resource
from archiver.platforms.docker.facts import HEALTHCHECK
from archiver.queries.under import members
from archiver.storage.schema import event_actions, event_types, resources


def no_healthcheck(connection: Connection, action_id: ColumnElement[Any]) -> ColumnElement[bool] | None:
    """The condition that an event is no health check; None where the archive knows of none."""
    numbers = connection.scalars(select(event_actions.c.id).where(event_actions.c.text == HEALTHCHECK)).all()
    return or_(action_id.is_(None), action_id.not_in(numbers)) if numbers else None


def is_healthcheck(name: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition that an action of this name is a health check."""
    return and_(name.is_not(None), name == HEALTHCHECK)


def healthcheck_actions(connection: Connection, roots: Sequence[Resource]) -> int:
    """How many actions under some resources are health checks."""
    under = members(*(root.id for root in roots))
    action = select(event_types.c.id).where(event_types.c.text == "action").scalar_subquery()
    counted = (
        select(func.count())
        .select_from(under.join(resources, resources.c.id == under.c.id))
        .where(resources.c.type_id == action, is_healthcheck(resources.c.name))
    )
    return connection.scalar(counted) or 0
