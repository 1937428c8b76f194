"""Reads the URI of a resource: the same object has one (type, key) in every spelling of its URI."""

from __future__ import annotations

import re
from functools import lru_cache

from archiver.model import ResourceRef

# Tutum: /api/v1/<type>/<key>/; Docker Cloud: /api/<subsystem>/v1/[<namespace>/]<type>/<key>/; ours for Docker Engine:
# /docker/v1/<type>/<key>/. Host and trailing slash may be there or not.
_URI = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://[^/]*)?"
    r"/(?:api|docker)/(?:(?P<subsystem>app|infra|audit|repo)/)?v\d+/(?P<rest>[^?#]+?)/?(?:[?#].*)?",
    re.IGNORECASE | re.DOTALL,
)
_TYPES = frozenset({"stack", "service", "container", "node", "nodecluster", "action", "repository"})
# Docker Cloud puts these under a subsystem and never under a namespace, though their keys have several parts.
_FIRST = _TYPES | {"az", "region", "provider", "nodetype", "image"}
# Without the usual beginning, as tests and tools around Tutum write them.
_SHORT = re.compile(r"/(?P<type>[a-z]+)/(?P<key>[^/?#]+)/?", re.IGNORECASE)
_SIMPLE = re.compile(r"[A-Za-z0-9._-]+").fullmatch
_TUTUM = ["", "api", "v1"]
UNKNOWN = "resource"
"""The type of an object whose URI says nothing."""


@lru_cache(maxsize=8192)
def parse(uri: str) -> ResourceRef:
    """What a URI names; an URI of no known form is the key of a resource of type `UNKNOWN`.

    The answer depends on nothing but the URI, so that an event about an object and one that has it as a parent agree.
    """
    parts = uri.split("/")
    if len(parts) == 6 and parts[:3] == _TUTUM and parts[3] in _TYPES and _SIMPLE(parts[4]) and not parts[5]:
        # What nearly every event of Tutum has; the pattern below says the same, at five times the cost.
        return ResourceRef(parts[3], parts[4])
    found = _URI.fullmatch(uri)
    if found is None:
        short = _SHORT.fullmatch(uri)
        known = short is not None and short["type"].lower() in _TYPES
        return ResourceRef(short["type"].lower(), short["key"]) if short and known else ResourceRef(UNKNOWN, uri)
    segments = [part for part in found["rest"].split("/") if part]
    if found["subsystem"] and len(segments) > 2 and segments[0].lower() not in _FIRST:
        segments = segments[1:]  # the namespace of an organisation
    if len(segments) < 2:
        return ResourceRef(UNKNOWN, uri)
    return ResourceRef(segments[0].lower(), "/".join(segments[1:]))
