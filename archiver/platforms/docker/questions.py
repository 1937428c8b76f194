"""What an engine can be asked about its objects, and what makes it worth asking."""

from __future__ import annotations

from urllib.parse import quote

from archiver.platforms.docker.inbox import Question

CONTAINERS = Question("container", "", "/containers/json?all=1")
LISTS = tuple(
    Question(kind, "", path)
    for kind, path in {"network": "/networks", "volume": "/volumes", "image": "/images/json"}.items()
)
LISTS_OF_MANAGER = tuple(Question(kind, "", f"/{kind}s") for kind in ("node", "service", "secret", "config"))
_SWARM = frozenset({"create", "update"})
ASKED_ON = {
    "container": frozenset({"create", "rename", "update"}),
    "network": frozenset({"create"}),
    "volume": frozenset({"create"}),
    # To pull names the tag alone: which image that is, only the engine can say, and only while it is there.
    "image": frozenset({"pull"}),
    **dict.fromkeys(("node", "service", "secret", "config"), _SWARM),
}
"""What is told of an object that makes it worth asking about, by its type."""


def about(kind: str, key: str) -> Question:
    """The question about one object."""
    if kind == "image":
        return Question(kind, key, f"/images/{quote(key, safe='/:@', errors='replace')}/json")
    segment = quote(key, safe="", errors="replace")
    return Question(kind, key, f"/containers/{segment}/json" if kind == "container" else f"/{kind}s/{segment}")
