"""What is known of Tutum and Docker Cloud from their documentation: what a state ends, and what belongs to what."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from archiver.codec.streams import with_user
from archiver.codec.text import MAX_NAME, MAX_WORD, dump, fits, parse
from archiver.codec.uris import parse as resource_of

GONE = frozenset({"terminated"})
"""States, in lower case, after which a resource is no more."""

VANISHED = "Terminated"
"""The state of what its lists do not show any more."""

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

CARRYING = frozenset({"node", "nodecluster"})
"""Types that others run on and are no part of: what is done to a machine (upgraded, checked) stops what is on it only
where that says so itself."""

UNDONE = frozenset({"failed", "canceled"})
"""States, in lower case, of an action that came to nothing."""

LAGS = 60
"""For how many seconds after an event the REST API may still show what was before it: it is another service, with
copies and caches of its own, and says nowhere how old an answer is."""

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

AUDIT = "/api/audit/"
"""What stands in the path of each of Docker Cloud's streams."""
_ALIKE = {"wss": "https", "https": "https", "ws": "http", "http": "http"}
_USUAL = {"https": 443, "http": 80}


def account(url: str) -> str | None:
    """What identifies the account behind a stream: where its platform is, and whose it is, where its name tells.

    That is the namespace, where Docker Cloud's path has one: an organisation's objects live in the organisation,
    whoever of it listens; else the user. Never anything of a key. None for an URL that names no host.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    scheme = _ALIKE.get(parts.scheme)
    if scheme is None or not host:
        return None
    owner = namespace_in(parts.path) or unquote(parts.username or "")
    host = f"[{host}]" if ":" in host else host
    place = f"{scheme}://{host}" + ("" if port in (None, _USUAL[scheme]) else f":{port}")
    return with_user(place, owner)


def namespace_in(path: str) -> str | None:
    """The namespace in the path of a stream: /api/audit/v1/[namespace/]events."""
    found = [part for part in path.partition(AUDIT)[2].split("/") if part]
    return found[1] if len(found) == 3 and found[1].replace("-", "").replace("_", "").isalnum() else None


TAGGED = '"tags":'
"""Stands in what is kept of each word that says which tags an object bears."""


def tags_of(uri: str | None, extra: str) -> str | None:
    """All the tags that a word says an object bears, as a JSON list; None when it does not say, or more than fit.

    `tags` is a list of objects with a name, or of names; an empty one says that there is none. Of images, which an
    engine tags one by one, no word says all.
    """
    value = None if uri is None or resource_of(uri).type == "image" else parse(extra)
    told = value.get("tags") if type(value) is dict else None
    if type(told) is not list:
        return None
    names = [each.get("name") if type(each) is dict else each for each in told]
    text = dump(sorted({name for name in names if type(name) is str and fits(name, MAX_WORD)}))
    return text if len(text) <= MAX_NAME else None
