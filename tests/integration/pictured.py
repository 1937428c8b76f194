"""A day of a small platform, as the tests of pictures draw it: a crash, want of memory, a deploy, a gap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archiver.model import Event, Record

from .archives import closed, event, opened, record, seen

HOUR = 3600.0
STACK = "/docker/v1/stack/shop/"
WEB, DB = "/docker/v1/service/web/", "/docker/v1/service/db/"
GAP = (5 * HOUR, 7 * HOUR)
"""When nobody was watching."""


def container(number: int) -> str:
    """The URI of one of the containers."""
    return f"/docker/v1/container/{number:064x}/"


def told(uri: str, state: str | None, hours: float, *parents: str, **more: Any) -> Event:
    """An event of an object, hours after the beginning."""
    kind, name = uri.split("/")[3], more.pop("name", None)
    found = event(uri, state, hours * HOUR, parents, "one" if hours < 5 else "two", type=kind, **more)
    return found._replace(name=name)


def day() -> list[Record]:
    """Everything that happened."""
    return [
        opened("one", 0),
        told(STACK, None, 0.01, name="shop"),
        told(WEB, "created", 0.02, STACK, name="shop_web"),
        told(DB, "created", 0.02, STACK, name="shop_db"),
        *_lived(1, WEB, 0.1, 3.0, "exited (1)", name="shop_web.1.a"),
        *_lived(2, WEB, 0.1, 8.4, "exited (0)", name="shop_web.2.b"),
        *_lived(3, WEB, 3.1, 8.6, "exited (0)", name="shop_web.1.c"),
        *_lived(4, DB, 0.1, 4.0, "exited (137)", name="shop_db.1.d", oom=True),
        told(container(5), "created", 4.1, DB, STACK, name="shop_db.1.e"),
        told(container(5), "running", 4.12, DB, STACK),
        closed("one", GAP[0], "connection lost"),
        opened("two", GAP[1]),
        seen(container(3), "running", GAP[1] + 60, (WEB, STACK), "two"),
        *_action("deploy", 8.3, 8.7, WEB, STACK),
        told(WEB, "updating", 8.31, STACK),
        *_lived(6, WEB, 8.45, None, "", name="shop_web.2.f"),
        *_lived(7, WEB, 8.65, None, "", name="shop_web.1.g"),
        told(WEB, "completed", 8.7, STACK),
        *_action("kill", 9.5, 9.5, container(7), WEB, STACK),
        told(container(7), "exited (137)", 9.5, WEB, STACK),
        told(container(7), "running", 9.52, WEB, STACK),
        closed("two", 10 * HOUR, "stopped"),
    ]


def _lived(
    number: int, service: str, since: float, until: float | None, end: str, *, name: str, oom: bool = False
) -> Iterator[Event]:
    uri = container(number)
    yield told(uri, "created", since, service, STACK, name=name)
    yield told(uri, "running", since + 0.02, service, STACK)
    if oom and until is not None:
        yield told(uri, None, until - 0.0001, service, STACK, action="oom")
    if until is not None:
        yield told(uri, end, until, service, STACK)
        yield told(uri, "removed", until + 0.05, service, STACK)


def _action(name: str, since: float, until: float, *parents: str) -> Iterator[Event]:
    uri = f"/docker/v1/action/{name}/"
    if until > since:
        yield told(uri, "In progress", since, *parents, name=name)
    yield told(uri, "Success", until, *parents, name=name)


def archived(url: str) -> str:
    """An archive with that day in it."""
    record(url, *day())
    return url
