"""The resource and everything under it, as a table to join with."""

from __future__ import annotations

from sqlalchemy import CTE, literal, select

from archiver.storage.schema import Id, resource_parents


def members(resource_id: int) -> CTE:
    """One column, `id`: the number of a resource and of all that is under it at any distance, each once."""
    own = select(literal(resource_id, Id).label("id"))
    below = select(resource_parents.c.child_id).where(resource_parents.c.parent_id == resource_id)
    # Materialized: it decides how much is read, whatever the planner believes about the rest of the archive.
    return own.union_all(below).cte("members").prefix_with("MATERIALIZED")
