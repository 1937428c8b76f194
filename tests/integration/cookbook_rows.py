"""What each query of the cookbook finds in its archive (`cookbook_archive`), reckoned by hand."""

from __future__ import annotations

from typing import Any

from .cookbook_archive import ENGINE, clock, docker

Rows = list[tuple[Any, ...]]


def at(text: str) -> str:
    return f"2024-11-25T{text if len(text) == 8 else text + ':00'}.000000Z"


def ms(text: str) -> int:
    return clock(text) // 1000


VALUES = {
    "stack": docker("stack/shop"),
    "container": docker("container/db"),
    "moved": docker("container/job"),
    "flapping": docker("container/cron"),
    "node": docker("node/alpha"),
    "service": docker("service/web"),
    "slot": "shop_web.1",
    "from": at("08:00"),
    "time": at("20:00"),
    "from_us": str(clock("08:00")),
    "time_us": str(clock("20:00")),
    "at": at("09:10"),
    "day": "2024-11-25",
}
"""What stands in the places of <stack> and the like."""

OTHERS: dict[str, dict[str, str]] = {
    "What changed between two instants": {"from": at("10:59"), "time": at("11:01")},
    "What happened under a stack, to what was under it then": {"from": at("14:59"), "time": at("15:01")},
    "What happened in a range of time to what was under a stack then": {"from": at("14:59"), "time": at("15:01")},
    "Which states began in a range of time under a stack": {"from": at("14:59"), "time": at("15:01")},
    "Which actions began in a range of time on a stack and on what was under it": {
        "from": at("10:59"),
        "time": at("14:00"),
    },
}
"""Other values, of single queries."""

ROWS: dict[str, Rows] = {
    "What is there and does not run": [("container", "cron", "exited (2)", at("16:03:30"))],
    "The present state of everything under a stack": [
        ("container", "db-1", "running", at("15:00:04")),
        ("container", "web-1", "running", at("11:00:10")),
        ("service", "shop_db", "created", at("08:00:01")),
        ("service", "shop_web", "completed", at("11:00:40")),
    ],
    "The whole stack as it stood at an instant": [
        ("container", "db-1", "paused", at("09:00")),
        ("container", "web-0", "running", at("08:10")),
        ("service", "shop_db", "created", at("08:00:01")),
        ("service", "shop_web", "created", at("08:00:01")),
    ],
    "Which image each container of a stack runs": [
        ("db-1", "postgres:15", "alpha", at("08:05")),
        ("web-1", "nginx:1.25", "alpha", at("11:00:08")),
    ],
    "What took the place of what": [
        ("web-0", "nginx:1.24", at("08:10"), at("11:00:05"), 0),
        ("web-1", "nginx:1.25", at("11:00:08"), at("12:30:10"), 1),
    ],
    "What runs and belongs to no stack": [("cron", "beta"), ("job", "beta"), ("report", "beta")],
    "Of what nothing is known, and of what only what somebody imported": [
        ("container", "report", "running", 0),
        ("stack", "shop", None, None),
    ],
    "What changed between two instants": [
        (at("10:59:50"), "image", "shop_web", "nginx:1.24", "nginx:1.25"),
        (at("10:59:50"), "state", "shop_web", "created", "updating"),
        (at("10:59:50"), "tags", "shop_web", '["prod","web"]', '["prod"]'),
        (at("11:00"), "state", "web-0", "running", "exited (0)"),
        (at("11:00:05"), "vanished", "web-0", "exited (0)", "removed"),
        (at("11:00:08"), "appeared", "web-1", None, "created"),
        (at("11:00:10"), "state", "web-1", "created", "running"),
        (at("11:00:40"), "state", "shop_web", "updating", "completed"),
    ],
    "The story of one container, with how sure it is": [
        ("created", "starting", at("08:05"), 60, 1, 1),
        ("running", "up", at("08:06"), 3240, 1, 1),
        ("paused", "down", at("09:00"), 1200, 1, 1),
        ("running", "up", at("09:20"), 2400, 1, 1),
        ("exited (1)", "down", at("10:00"), 30, 1, 1),
        ("running", "up", at("10:00:30"), 7170, 1, 1),
        ("running", "up", at("12:00"), 1800, 0, 0),
        ("running", "up", at("12:30"), 10, 0, 1),
        ("running", "up", at("12:30:10"), 8992, 1, 1),
        ("exited (0)", "down", at("15:00:02"), 2, 1, 1),
        ("running", "up", at("15:00:04"), 17996, 1, 1),
    ],
    "What is known of a container only from before a gap": [
        ("running", at("12:00"), at("12:30"), 0),
        ("running", at("12:30"), at("12:30:10"), 1),
    ],
    "From when until when a node is proven not to have changed": [(at("08:00:01"), at("12:30:10"), 16209)],
    # db-1 was paused for 1200 s and down for 30 and 2, web-0 for 5; created were db-1 for 60 s and web-1 for 2. Up were
    # db-1 for 39798 s, web-0 for 10200 and web-1 for 30580; and both were assumed to be for 1810.
    "How long what is in a stack was up and down within a range": [
        ("down", 1, 1237),
        ("starting", 1, 62),
        ("up", 0, 3620),
        ("up", 1, 80578),
    ],
    "Which containers restarted, and why": [
        ("db-1", at("10:00"), 30, "crash", 1),
        ("web-0", at("11:00"), 10, "told", 0),
        ("db-1", at("15:00:02"), 2, "told", 0),
        ("cron", at("16:00:30"), 30, "crash", 2),
        ("cron", at("16:01:30"), 30, "crash", 2),
        ("cron", at("16:02:30"), 30, "crash", 2),
    ],
    "Which containers of a stack were restarted most": [("db-1", 2, 1), ("web-0", 1, 0)],
    "What ended with an exit code that is not 0": [
        (at("10:00"), "db-1", "exited (1)"),
        (at("16:00:30"), "cron", "exited (2)"),
        (at("16:01:30"), "cron", "exited (2)"),
        (at("16:02:30"), "cron", "exited (2)"),
        (at("16:03:30"), "cron", "exited (2)"),
    ],
    "What cannot hold itself up": [("cron", at("16:00"), at("16:03:30"), 8)],
    "What was deployed, how it ended, and what was different": [
        ("shop_web", at("10:59:50"), 50, "ok", "nginx:1.24", "nginx:1.25"),
    ],
    "Every container that ever ran on a node, and when": [
        ("db-1", at("08:05"), None),
        ("web-0", at("08:10"), at("11:00:05")),
        ("job", at("08:30"), at("13:00")),
        ("web-1", at("11:00:08"), None),
    ],
    "Which tags a service bore, and until when": [
        ("shop_web", "prod", at("08:00:01"), None, "asked"),
        ("shop_web", "web", at("08:00:01"), at("10:59:50"), "asked"),
    ],
    "What moved": [(at("13:00"), "job", docker("node/alpha"), docker("node/beta"))],
    "What a container was under at an instant": [(docker("node/alpha"), "node", at("08:30"), at("13:00"), "told")],
    "What was removed": [(at("11:00:05"), "web-0", "shop")],
    # 39798 / (39798 + 1290), with 16210 s that nobody knows; the life of web-0 was watched, and ended as told.
    # A pause of 1200 s, 60 s between its making and its start, and 30 s after a crash were nobody's wish.
    "How available what is in a stack was on a day, and how sure that is": [
        ("db-1", 39798, 1290, 2, 16210, 97, 69, 98),
        ("web-0", 10200, 0, 5, 0, 100, 100, 100),
        ("web-1", 30580, 2, 0, 16210, 100, 65, 100),
    ],
    "Every action on a stack and on all that was under it": [
        (at("10:59:50"), "update", "shop_web", "Success"),
        (at("10:59:59"), "kill", "web-0", "Success"),
        (at("13:29:50"), "scale", "shop_web", "Failed"),
        (at("15:00"), "kill", "db-1", "Success"),
        (at("15:00:03"), "stop", "db-1", "Success"),
        (at("15:00:05"), "restart", "db-1", "Success"),
    ],
    "Actions a day, and how they ended": [("2024-11-25", "Failed", 1), ("2024-11-25", "Success", 5)],
    "The slowest actions": [("scale", "Failed", 10), ("update", "Success", 0)],
    "What failed, and what it was to be done to": [(at("13:29:50"), "scale", "service", "shop_web")],
    "What became of things within a minute of an action on them": [
        ("update", at("10:59:50"), "shop_web", "updating"),
        ("update", at("11:00:40"), "shop_web", "completed"),
        ("kill", at("11:00"), "web-0", "exited (0)"),
        ("kill", at("11:00:05"), None, "removed"),
        ("kill", at("15:00:02"), "db-1", "exited (0)"),
        ("kill", at("15:00:04"), "db-1", "running"),
        ("stop", at("15:00:04"), "db-1", "running"),
    ],
    "Actions as annotations of Grafana": [
        (ms("10:59:50"), ms("10:59:50"), "update shop_web", "action,success,shop"),
        (ms("10:59:59"), ms("10:59:59"), "kill web-0", "action,success,shop"),
        (ms("13:29:50"), ms("13:30"), "scale shop_web", "action,failed,shop"),
        (ms("15:00"), ms("15:00"), "kill db-1", "action,success,shop"),
        (ms("15:00:03"), ms("15:00:03"), "stop db-1", "action,success,shop"),
        (ms("15:00:05"), ms("15:00:05"), "restart db-1", "action,success,shop"),
    ],
    "What happened under a stack, to what was under it then": [
        (at("15:00"), "action", "kill", "Success"),
        (at("15:00:02"), "container", "db-1", "exited (0)"),
        (at("15:00:03"), "action", "stop", "Success"),
        (at("15:00:04"), "container", "db-1", "running"),
        (at("15:00:05"), "action", "restart", "Success"),
    ],
    "What happened in a range of time to what was under a stack then": [
        (at("15:00"), "action", "kill", "Success"),
        (at("15:00:02"), "container", "db-1", "exited (0)"),
        (at("15:00:03"), "action", "stop", "Success"),
        (at("15:00:04"), "container", "db-1", "running"),
        (at("15:00:05"), "action", "restart", "Success"),
    ],
    "Which states began in a range of time under a stack": [
        (at("15:00"), "action", None, "Success"),
        (at("15:00:02"), "container", "db-1", "exited (0)"),
        (at("15:00:03"), "action", None, "Success"),
        (at("15:00:04"), "container", "db-1", "running"),
        (at("15:00:05"), "action", None, "Success"),
    ],
    "Which actions began in a range of time on a stack and on what was under it": [
        (at("10:59:50"), "update", "Success"),
        (at("10:59:59"), "kill", "Success"),
        (at("13:29:50"), "scale", "Failed"),
    ],
    "What an event itself names as parents": [
        (at("08:30"), 0, docker("node/alpha")),
        (at("13:00"), 0, docker("node/beta")),
    ],
    # db-1 told eight times, web-0 three, web-1 and job twice each, cron eight times.
    "Events a day, by type": [
        ("2024-11-25", "action", 7),
        ("2024-11-25", "container", 23),
        ("2024-11-25", "service", 2),
    ],
    "What happened in the last day, by type": [],
    "What the columns do not hold": [(at("10:00"), "db-1", "1")],
    "When nobody was, the longest first": [
        (ENGINE, at("20:00"), None, None, "stopped"),
        (ENGINE, at("12:00"), at("12:30"), 1800, "connection reset by peer"),
    ],
    "How long in all, and why": [(ENGINE, "lost", 1, 1800), (ENGINE, "stopped", 1, None)],
    # From 08:00 to midnight but for half an hour, and for four hours after 20:00.
    "How much of a day somebody was": [(ENGINE, 41400, 16200, 2, 14400)],
    "A container in the state timeline of Grafana": [
        (ms("08:30"), "running"),
        (ms("12:00"), None),
        (ms("12:30"), "running ?"),
        (ms("12:30:10"), "running"),
        (ms("20:00"), None),
    ],
}
