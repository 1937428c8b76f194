"""Reads the URI of a resource: the same object has one (type, key) in every spelling of its URI."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from archiver.model import ResourceRef

# Tutum: /api/v1/<type>/<key>/; Docker Cloud: /api/<subsystem>/v1/[<namespace>/]<type>/<key>/; ours for Docker Engine:
# /docker/v1/<type>/<key>/. Host, /api, the version's minor number and trailing slash may be there or not, slashes may
# be doubled (clients asked for cloud.docker.com//api/audit/...).
# Patterns are compiled when they are needed: who asks about one object in the usual spelling needs none.
_URI = (
    r"(?is)(?:[a-z][a-z0-9+.-]*://[^/?#]*|[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?)?"
    r"/+(?:(?P<root>api|docker)/+)?(?:(?P<subsystem>app|infra|audit|repo)/+)?v\d+(?:\.\d+)*/+(?P<rest>[^?#]+)(?:[?#].*)?"
)
_TYPES = frozenset({"stack", "service", "container", "node", "nodecluster", "action", "repository"})
_OF_ONE_SEGMENT = _TYPES - {"repository"}
"""Types whose keys have one segment: what follows it belongs to the object (its logs, its tags) and is no object."""
# Docker Cloud puts these under a subsystem and never under a namespace, though their keys have several parts.
_OF_SEVERAL = frozenset({"repository", "az", "region", "provider", "nodetype", "image"})
# Which types each part of Docker Cloud's API has (docker/docs, `apidocs/cloud-api-source`). Its events show actions
# under app as well; images are Tutum's, and known nowhere else.
_OF_SUBSYSTEM = {
    "app": frozenset({"stack", "service", "container", "action", "image"}),
    "infra": frozenset({"node", "nodecluster", "az", "region", "provider", "nodetype"}),
    "audit": frozenset({"action"}),
    "repo": frozenset({"repository"}),
}
# Without the usual beginning, as tests and tools around Tutum write them.
_SHORT = r"(?i)/+(?P<type>[a-z]+)/+(?P<key>[^/?#]+)/*(?:/(?:logs|tags)(?:/[^?#]*)?)?(?:[?#].*)?"
_UUID = r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_SIMPLE = re.compile(r"[a-z0-9._-]+").fullmatch
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
        # What nearly every event of Tutum has; the patterns below say the same, at five times the cost.
        return ResourceRef(parts[3], parts[4])
    pattern = _compiled(_URI)
    found = pattern.fullmatch(uri)
    if found is not None and (found["root"] or "").lower() == "docker":
        return _of_docker(found["rest"], uri)
    plain = uri.replace("%2f", "/").replace("%2F", "/")
    if plain != uri:
        found = pattern.fullmatch(plain)
    ref = _short(plain) if found is None else _of_tutum(found)
    return ref or ResourceRef(UNKNOWN, uri)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _is_uuid(text: str) -> bool:
    return _compiled(_UUID).fullmatch(text) is not None


def _of_docker(rest: str, uri: str) -> ResourceRef:
    """Our own URIs have one spelling."""
    segments = [part for part in rest.split("/") if part]
    if len(segments) < 2:
        return ResourceRef(UNKNOWN, uri)
    return ResourceRef(segments[0].lower(), "/".join(segments[1:]))


def _of_tutum(found: re.Match[str]) -> ResourceRef | None:
    segments = [part for part in found["rest"].split("/") if part]
    if found["subsystem"] and len(segments) > 2 and _has_namespace(found["subsystem"].lower(), segments):
        segments = segments[1:]
    if len(segments) < 2:
        return None
    kind, key = segments[0].lower(), segments[1]
    if not found["root"] and kind not in _TYPES | _OF_SEVERAL:
        return None
    if _is_uuid(key):
        return ResourceRef(kind, key.lower())
    return ResourceRef(kind, key if kind in _OF_ONE_SEGMENT else "/".join(segments[1:]))


def _has_namespace(subsystem: str, segments: list[str]) -> bool:
    """Whether the first segment is a user or an organisation, who may be called like a type."""
    first, second, types = segments[0].lower(), segments[1].lower(), _OF_SUBSYSTEM[subsystem]
    if _is_uuid(second):
        return False  # an object, and what belongs to it
    if first in _OF_SEVERAL and first in types and first != "provider":
        # A key of two words and more may begin with any word, but no object of these types has a uuid in it.
        return second in types and _is_uuid(segments[2])
    if first in _OF_ONE_SEGMENT | _OF_SEVERAL:
        return second in types
    return True


def _short(uri: str) -> ResourceRef | None:
    found = _compiled(_SHORT).fullmatch(uri)
    if found is None or found["type"].lower() not in _TYPES:
        return None
    key = found["key"]
    return ResourceRef(found["type"].lower(), key.lower() if _is_uuid(key) else key)
