"""The archive of the cookbook: one day of a small shop, of which everything can be reckoned by hand.

On 25 November 2024 somebody watches from 08:00 to 12:00 and from 12:30 to 20:00.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from archiver.model import Closed, Event, Micros, Observation, Opened, Record, to_micros

ENGINE = "unix:///var/run/docker.sock"
ALPHA, BETA = "node/alpha", "node/beta"
WEB = ("service/web", "stack/shop", ALPHA)
DB = ("service/db", "stack/shop", ALPHA)


def clock(text: str) -> Micros:
    """An instant of that day, HH:MM or HH:MM:SS."""
    return to_micros(datetime.fromisoformat(f"2024-11-25T{text}").replace(tzinfo=UTC))


def docker(ref: str) -> str:
    return f"/docker/v1/{ref}/"


def told(
    ref: str, state: str | None, at: str, parents: tuple[str, ...] = (), session: str | None = "", **more: Any
) -> Any:
    """An event, heard in the session of its time."""
    if session == "":
        session = "morning" if at < "12:15" else "evening"
    kind, above = ref.partition("/")[0], tuple(map(docker, parents))
    found = Event(kind, "update", state, docker(ref), above, clock(at), "datetime", clock(at), None, None, session)
    return found._replace(**more)


def asked(ref: str, state: str | None, at: str, parents: tuple[str, ...] = (), **more: Any) -> Observation:
    session = "morning" if at < "12:15" else "evening"
    found = Observation(docker(ref), state, None, tuple(map(docker, parents)), clock(at), None, session)
    return found._replace(**more)


UPDATED = '{"updated":"2024-11-20T10:00:00Z"}'
"""What the swarm says of a node that has not changed since."""


def records() -> Iterator[Record]:
    # Recorded the day before the shop was watched, by somebody who kept no sessions.
    yield told("container/report", "running", "07:00", (BETA,), None, name="report")
    yield Opened(ENGINE, "morning", "docker", clock("08:00"), clock("08:00"))
    yield from morning()
    yield Closed(ENGINE, "morning", clock("12:00"), "connection reset by peer", "lost")
    yield Opened(ENGINE, "evening", "docker", clock("12:30"), clock("12:30"))
    yield from evening()
    yield Closed(ENGINE, "evening", clock("20:00"), "stopped", "stopped")


def morning() -> Iterator[Record]:
    yield asked("stack/shop", None, "08:00:01", name="shop")
    yield asked(ALPHA, "ready", "08:00:01", name="alpha", extra=UPDATED)
    yield asked(BETA, "ready", "08:00:01", name="beta")
    web = {"name": "shop_web", "image": "nginx:1.24", "extra": '{"tags":["prod","web"]}'}
    yield asked("service/web", "created", "08:00:01", ("stack/shop",), **web)
    yield asked("service/db", "created", "08:00:01", ("stack/shop",), name="shop_db", image="postgres:15")
    yield told("container/db", "created", "08:05", DB, name="db-1", image="postgres:15", slot="shop_db.1")
    yield told("container/db", "running", "08:06", DB, name="db-1")
    yield told("container/web0", "running", "08:10", WEB, name="web-0", image="nginx:1.24", slot="shop_web.1")
    yield told("container/job", "running", "08:30", (ALPHA,), name="job")
    # A pause, which is no restart.
    yield told("container/db", "paused", "09:00", DB)
    yield told("container/db", "running", "09:20", DB)
    # It crashes, and is started again.
    yield told("container/db", "exited (1)", "10:00", DB, extra='{"exit_code":1}')
    yield told("container/db", "running", "10:00:30", DB)
    # The deploy of a new image.
    yield told("action/deploy", "Success", "10:59:50", ("service/web", "stack/shop"), name="update")
    yield told("service/web", "updating", "10:59:50", ("stack/shop",), image="nginx:1.25", extra='{"tags":["prod"]}')
    yield told("action/kill-web", "Success", "10:59:59", ("container/web0", *WEB), name="kill")
    yield told("container/web0", "exited (0)", "11:00", WEB)
    yield told("container/web0", "removed", "11:00:05", WEB)
    yield told("container/web1", "created", "11:00:08", WEB, name="web-1", image="nginx:1.25", slot="shop_web.1")
    yield told("container/web1", "running", "11:00:10", WEB, name="web-1")
    yield told("service/web", "completed", "11:00:40", ("stack/shop",))


def evening() -> Iterator[Record]:
    yield asked(ALPHA, "ready", "12:30:10", extra=UPDATED)
    yield asked("container/web1", "running", "12:30:10", WEB)
    yield asked("container/db", "running", "12:30:10", DB)
    yield asked("container/job", "running", "12:30:10", (ALPHA,))
    yield told("container/job", "running", "13:00", (BETA,))
    yield told("action/scale", "Pending", "13:29:50", ("service/web", "stack/shop"), name="scale")
    yield told("action/scale", "Failed", "13:30", ("service/web", "stack/shop"), name="scale")
    # Somebody restarts it.
    yield told("action/kill", "Success", "15:00", ("container/db", *DB), name="kill")
    yield told("container/db", "exited (0)", "15:00:02", DB)
    yield told("action/stop", "Success", "15:00:03", ("container/db", *DB), name="stop")
    yield told("container/db", "running", "15:00:04", DB)
    yield told("action/restart", "Success", "15:00:05", ("container/db", *DB), name="restart")
    # One that cannot hold itself up.
    for number in range(8):
        state = "exited (2)" if number % 2 else "running"
        yield told("container/cron", state, f"16:0{number // 2}:{30 * (number % 2):02}", (BETA,), name="cron")
