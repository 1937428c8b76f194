"""Reads the revision of an archive's tables, and says what to do where it is not the one this program needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from archiver.errors import SchemaNotAtHead

HEAD = "0002"
"""The revision this program needs: a constant, so that no command has to import Alembic to check."""
HALF_WAY = "0001 to 0002"
"""The revision of a PostgreSQL archive while it is being upgraded: version 0.1.0 takes it for a later one."""
OF_ITS_OWN = "give the archive a database of its own, or on PostgreSQL a schema (?options=-csearch_path%3Dname)"
"""What to do where another program has the names."""

_THERE = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'",
    "postgresql": "SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL",
}


def revision_of(database: str, scalar: Callable[[str], Any]) -> str | None:
    """The revision of an archive in a "sqlite" or "postgresql" database that `scalar` asks; None without tables."""
    if scalar(_THERE[database]) is None:
        return None
    revision: str | None = scalar("SELECT version_num FROM alembic_version")
    return revision


def not_at_head(revision: str | None, *, unknown: bool = False) -> SchemaNotAtHead:
    """The error for an archive that is of another revision; `unknown`: one that cannot be upgraded from."""
    if revision is None:
        return SchemaNotAtHead(current="no revision (empty)", head=HEAD, step="create it with: archiver db upgrade")
    if revision == HALF_WAY:
        step = "it is being upgraded; if nobody is at it, run again: archiver db upgrade"
        return SchemaNotAtHead(current=revision, head=HEAD, step=step)
    if not re.fullmatch(r"\d{4}", revision):
        step = f"the table alembic_version there is another program's: {OF_ITS_OWN}"
        return SchemaNotAtHead(current=revision, head=HEAD, step=step)
    if unknown or revision > HEAD:
        step = "this archiver does not know it: upgrade the archiver itself"
        return SchemaNotAtHead(current=revision, head=HEAD, step=step)
    return SchemaNotAtHead(current=revision, head=HEAD, step="run: archiver db upgrade")
