"""Pieces of the contract's JSON that stand in answers, and in what is told while it happens."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from archiver.model.moments import rfc3339

if TYPE_CHECKING:
    from archiver.model import Cause, Gap


def machine_value(value: Any) -> Any:
    """A value as JSON has it: instants in RFC 3339 UTC, tuples as lists."""
    if isinstance(value, datetime):
        return rfc3339(value)
    return list(value) if isinstance(value, tuple) else value


def cause(item: Cause | None) -> dict[str, Any] | None:
    """Why something stopped; null: it is no end, or nothing is known of it."""
    if item is None:
        return None
    actions = [each._asdict() | {"started_at": machine_value(each.started_at)} for each in item.actions]
    return {"kind": item.kind, "exit_code": item.exit_code, "actions": actions}


def gap(item: Gap) -> dict[str, Any]:
    """A gap as it stands in coverage."""
    return {
        "from": machine_value(item.since),
        "to": machine_value(item.until),
        "reason": item.reason,
        "kind": item.kind,
        "stream": item.stream,
        "proven": item.proven,
    }
