"""What a reference may mean, where that is several resources: what tells one from another, and how to name it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from archiver.cli import times
from archiver.errors import AmbiguousReference, Candidate


def lines(error: AmbiguousReference) -> Iterator[str]:
    """A line for each: its URI, then its type, name and state; in UTC, since nobody has said yet in which zone."""
    widest = max(len(each.uri) for each in error.known)
    for each in error.known:
        yield f"{each.uri:{widest}}  {', '.join(_said(each))}"


def how_to_name(error: AmbiguousReference) -> str:
    """What to do about it."""
    if error.platforms:
        return "say with --platform NAME which platform it is on"
    return "name the one you mean by its URI, by type/key, or by as much of its key as no other begins with"


def _said(each: Candidate) -> Iterator[str]:
    yield f"{each.type} {each.name}" if each.name else each.type
    if each.state is not None:
        yield each.state if each.since is None else f"{each.state} since {_time(each.since)}"
    yield "only named by others" if each.heard_at is None else f"last heard of {_time(each.heard_at)}"
    if each.platform is not None:
        yield f"on {each.platform}"


def _time(moment: datetime) -> str:
    return times.human(moment, UTC)
