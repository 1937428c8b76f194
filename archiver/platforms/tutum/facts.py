"""What is known of Tutum and Docker Cloud from their documentation: what a state ends, and what belongs to what."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

GONE = frozenset({"terminated"})
"""States, in lower case, after which a resource is no more."""

KINDS = {
    "init": "starting",
    "deploying": "starting",
    "starting": "starting",
    "redeploying": "starting",
    "upgrading": "starting",
    "running": "up",
    "started": "up",
    "partly running": "up",
    "scaling": "up",
    "deployed": "up",
    "partly deployed": "up",
    "not running": "down",
    "stopping": "down",
    "stopped": "down",
    "terminating": "down",
    "unreachable": "down",
    "empty cluster": "down",
    "terminated": "gone",
}
"""Of what kind a state is, in lower case: up, down, starting or gone. What runs in part, or is scaled, serves; what is
told to stop does not. Actions have no kind."""

UNSETTLED = ("pending", "in progress", "canceling")
"""States of an action that has not ended, in lower case."""

ENDED = frozenset({"stopped"})
"""States, in lower case, of a container that is there and does not run."""

LEAVING = frozenset({"stopping", "terminating"})
"""States through which an object goes that was told to end."""

SPARING = ("create", "deploy", "exec", "start", "up")
"""Actions, by the last word of their name in lower case, that stop nothing. Of one without a name nobody knows."""

UNDONE = frozenset({"failed", "canceled"})
"""States, in lower case, of an action that came to nothing."""

BELONGS_TO = {
    "container": ("service", "stack", "node", "nodecluster"),
    "service": ("stack",),
    "node": ("nodecluster",),
}
"""What is under what by the nature of the platform ("Parents" of an event in the documentation)."""

OUTLIVED = frozenset(BELONGS_TO) & {high for above in BELONGS_TO.values() for high in above}
"""Types to which others belong and that belong to something themselves: service, node. Their end is told before the
ends of what is in them, and that is a part of the same story."""

LINGERS = 3600
"""For how many seconds after its end such an object is still where it was. `docker stack rm` removes a service first
and stops its containers then: each has ten seconds before it is killed, or as many minutes as its service gives it.
An hour is longer than that takes, and short enough to say nothing of the day after."""

SINGLE = frozenset({"service", "stack", "node", "nodecluster"})
"""Types of which an object has one parent at a time."""

SPECIFIC = {"container": 0, "service": 1, "node": 1, "stack": 2, "nodecluster": 2}
"""How specific a type is, the most specific first: an action applies to the most specific object that its event names,
and the other parents are that object's ancestors."""

_ALIKE = {"wss": "https", "https": "https", "ws": "http", "http": "http"}
_USUAL = {"https": 443, "http": 80}


def account(url: str) -> str | None:
    """What identifies the account behind a stream: where its platform is, and the user's name where the URL has it.

    Never anything of a key. None for an URL that names no host.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    scheme = _ALIKE.get(parts.scheme)
    if scheme is None or not host:
        return None
    user = f"{unquote(parts.username)}@" if parts.username else ""
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{user}{host}" + ("" if port in (None, _USUAL[scheme]) else f":{port}")
