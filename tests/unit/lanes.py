"""Pictures for the tests of what is drawn: lanes of one afternoon."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from archiver.model import Action, Coverage, Gap, Lane, Lanes, Resource, Span, TimeRange

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SHOP = Resource(1, "/docker/v1/stack/shop/", "stack", "shop", "shop")
STREAM = "unix:///var/run/docker.sock"
KINDS = {"running": "up", "created": "starting", "exited": "down", "removed": "gone"}


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


def span(state: str, since: float, until: float | None = None, *, seen: tuple[float, ...] = (), note: str = "") -> Span:
    kind = KINDS.get(state.partition(" (")[0])
    until_at = None if until is None else at(until)
    return Span(state, at(since), until_at, 1, note=note, seen=tuple(map(at, seen)), kind=kind)


def gap(since: float | None, until: float | None, reason: str = "connection lost") -> Gap:
    return Gap(STREAM, None if since is None else at(since), None if until is None else at(until), reason, "lost")


def lane(name: str | None, *spans: Span, depth: int = 1, key: str = "c1", actions: tuple[Action, ...] = ()) -> Lane:
    return Lane(f"/docker/v1/container/{key}/", "container", name, depth, spans, actions)


def action(name: str, since: float, until: float | None = None) -> Action:
    ended = None if until is None else at(until)
    return Action(f"/docker/v1/action/{name}/", "/docker/v1/container/c1/", "Success", at(since), ended, 1, name)


def lanes(*found: Lane, gaps: tuple[Gap, ...] = (), until: float = 100) -> Lanes:
    top = Lane(SHOP.uri, "stack", "shop", 0, ())
    return Lanes(SHOP, TimeRange(at(0), at(until)), Coverage(gaps), (top, *found))
