"""The resource and everything under it, as a table to join with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, Select, literal, select

from archiver.storage.schema import Id, resource_parents, resources


def members(*resource_ids: int) -> CTE:
    """One column, `id`: the numbers of some resources and of all that is under them at any distance, each once."""
    if len(resource_ids) == 1:
        own: Select[Any] = select(literal(resource_ids[0], Id).label("id"))
        below = select(resource_parents.c.child_id).where(resource_parents.c.parent_id == resource_ids[0])
        both = own.union_all(below)  # nothing is under itself
    else:
        own = select(resources.c.id).where(resources.c.id.in_(resource_ids))
        both = own.union(select(resource_parents.c.child_id).where(resource_parents.c.parent_id.in_(resource_ids)))
    # Materialized: it decides how much is read, whatever the planner believes about the rest of the archive.
    return both.cte("members").prefix_with("MATERIALIZED")
