"""The platform's REST API as a pure function: a path and a query in, a status and a JSON value out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode

from archiver.simulator.service import catalogue, triggers
from archiver.simulator.service.representation import describe, exported
from archiver.simulator.world.objects import Action, Cluster, Container, Node, Resource, Service, Stack
from archiver.simulator.world.platform import Platform
from archiver.simulator.world.spelling import SUBSYSTEM

Answer = tuple[int, dict[str, Any]]
"""HTTP status and body."""

_T = TypeVar("_T")
_LOGIN: Final = {"/auth/", "/api/v1/auth/"}
_DEFAULT_LIMIT: Final = 25
_MAX_LIMIT: Final = 1000
_FIELDS: Final = {
    "stack": {"uuid", "name"},
    "service": {"uuid", "state", "name", "stack", "stack__name"},
    "container": {"uuid", "state", "name", "service", "node", "service__stack__name"},
    "node": {"uuid", "state", "node_cluster", "node_type", "region", "docker_version"},
    "nodecluster": {"uuid", "state", "name", "region", "node_type"},
    "action": {"uuid", "state"},
}
_DATES: Final = {"start_date__gte", "start_date__lte", "end_date__gte", "end_date__lte"}
_NOT_FILTERS: Final = {"limit", "offset", "format", "user", "token", "auth"}


class BadQuery(ValueError):
    """A query the API does not take; its text goes into the answer."""


def reference(uri: str) -> tuple[str, str]:
    """The type and key at the end of a URI, whatever stands before them."""
    parts = uri.rstrip("/").split("/")
    return (parts[-2], parts[-1]) if len(parts) > 1 else ("", parts[-1])


def answer(platform: Platform, path: str, query: str = "", *, oldest_first: bool = False) -> Answer:
    """What the API says to GET `path`; actions are listed newest first, or `oldest_first`: both were seen.

    All else is listed in order of creation. Docker Cloud's client asks for `/auth/`, Tutum's for `/api/v1/auth/`.
    """
    whole = path.rstrip("/") + "/"
    if whole in _LOGIN:
        return 200, {}
    for type_ in SUBSYSTEM:
        collection = platform.spelling.collection(type_)
        if not whole.startswith(collection):
            continue
        key, _, rest = path[len(collection) :].strip("/").partition("/")
        if key:
            resource = platform.find(type_, key)
            return (404, {"error": "Not found"}) if resource is None else _inside(platform, resource, rest, query)
        try:
            return 200, _page(platform, type_, collection, parse_qsl(query), oldest_first)
        except BadQuery as exc:
            return 400, {"error": str(exc)}
    return _offer(platform, whole, query)


def _inside(platform: Platform, resource: Resource, rest: str, query: str) -> Answer:
    """An object, or what stands behind it: the triggers of a service, the file of a stack."""
    match resource, rest.split("/"):
        case _, [""]:
            return 200, describe(platform, resource)
        case Stack(), ["export"]:
            return 200, exported(resource)
        case Service() as service, ["trigger"]:
            fields = dict(parse_qsl(query))
            listed = [triggers.shown(service, one) for one in service.triggers if triggers.passes(one, fields)]
            return 200, _paged(listed, f"{service.uri}trigger/", [])
        case Service() as service, ["trigger", uuid]:
            trigger = triggers.find(service, uuid)
            if trigger is not None:
                return 200, triggers.shown(service, trigger)
    return 404, {"error": "Not found"}


def _offer(platform: Platform, path: str, query: str) -> Answer:
    for collection, entries in catalogue.collections(platform.spelling).items():
        if path == collection:
            try:
                return 200, _paged(entries, collection, parse_qsl(query))
            except BadQuery as exc:
                return 400, {"error": str(exc)}
        for entry in entries:
            if path == entry["resource_uri"]:
                return 200, entry
    return 404, {"error": "Not found"}


def _page(
    platform: Platform, type_: str, path: str, query: list[tuple[str, str]], oldest_first: bool
) -> dict[str, Any]:
    found = list(_select(platform, type_, dict(query)))
    if type_ == "action" and not oldest_first:
        found.reverse()
    return _paged(found, path, query, lambda resource: describe(platform, resource))


def _paged(
    found: list[_T], path: str, query: list[tuple[str, str]], show: Callable[[_T], object] = lambda entry: entry
) -> dict[str, Any]:
    fields = dict(query)
    limit, offset = _number(fields, "limit", _DEFAULT_LIMIT), _number(fields, "offset", 0)
    limit = min(limit or _MAX_LIMIT, _MAX_LIMIT)
    filters = [(name, value) for name, value in query if name not in _NOT_FILTERS]

    def link(at: int) -> str:
        return f"{path}?{urlencode([*filters, ('limit', limit), ('offset', at)])}"

    return {
        "meta": {
            "limit": limit,
            "next": link(offset + limit) if offset + limit < len(found) else None,
            "offset": offset,
            "previous": link(max(0, offset - limit)) if offset else None,
            "total_count": len(found),
        },
        "objects": [show(one) for one in found[offset : offset + limit]],
    }


def _number(fields: dict[str, str], name: str, default: int) -> int:
    text = fields.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise BadQuery(f"Invalid {name} provided. Please provide a positive integer.")
    return int(text)


# --- filters ----------------------------------------------------------------------------------------------------------


def _select(platform: Platform, type_: str, fields: dict[str, str]) -> Iterator[Resource]:
    asked = {name: value for name, value in fields.items() if name not in _NOT_FILTERS}
    tests = _action_tests(platform, asked) if type_ == "action" else []
    for name, value in asked.items():
        if name != "uuid__startswith" and name not in _FIELDS[type_]:
            raise BadQuery(f"The {type_} list cannot be filtered by {name}.")
        tests.append(_field_test(name, value))
    return (resource for resource in platform.objects(type_) if all(test(resource) for test in tests))


def _action_tests(platform: Platform, asked: dict[str, str]) -> list[Callable[[Resource], bool]]:
    """Take the filters only actions have out of `asked`."""
    uri, related = asked.pop("object", None), asked.pop("include_related", "false").lower() in ("true", "1")
    if uri is not None:
        if asked:
            raise BadQuery("The object filter can only be combined with include_related.")
        target = platform.find(*reference(uri))
        wanted = {id(resource) for resource in (_related(target) if related else [target]) if resource is not None}
        return [lambda resource: isinstance(resource, Action) and id(resource.target) in wanted]
    return [_date_test(platform, name, asked.pop(name)) for name in _DATES & asked.keys()]


def _related(target: Resource | None) -> list[Resource | None]:
    """The documented table: what `include_related` adds. A node does not bring its containers."""
    match target:
        case Container(service=service):
            return [target, service, service.stack]
        case Service(containers=containers, stack=stack):
            return [*containers, target, stack]
        case Stack(services=services):
            return [*services, *(c for service in services for c in service.containers), target]
        case Node(cluster=cluster):
            return [target, cluster]
        case Cluster(nodes=nodes):
            return [*nodes, target]
    return [target]


def _field_test(name: str, value: str) -> Callable[[Resource], bool]:
    if name == "uuid__startswith":
        return lambda resource: resource.uuid.startswith(value.lower())
    if name.endswith("stack__name"):
        return lambda resource: _name_of_stack(resource) == value
    key = reference(value)[1]
    if name in ("stack", "service", "node", "node_cluster"):
        field = "cluster" if name == "node_cluster" else name
        return lambda resource: key == getattr(getattr(resource, field), "uuid", None)
    if name in ("region", "node_type"):
        return lambda resource: key == getattr(getattr(resource, "cluster", resource), name)
    return lambda resource: str(getattr(resource, name)).lower() == value.lower()


def _name_of_stack(resource: Resource) -> str | None:
    service = resource.service if isinstance(resource, Container) else resource
    return service.stack.name if isinstance(service, Service) and service.stack is not None else None


def _date_test(platform: Platform, name: str, value: str) -> Callable[[Resource], bool]:
    bound = _date(value)
    field, _, order = name.partition("__")

    def test(resource: Resource) -> bool:
        at = resource.stopped if field == "end_date" else getattr(resource, "created", None)
        if at is None:
            return False
        moment = platform.spelling.moment(at).replace(microsecond=0)
        return moment >= bound if order == "gte" else moment <= bound

    return test


def _date(text: str) -> datetime:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except ValueError:
            continue
        return moment.replace(tzinfo=moment.tzinfo or UTC)
    raise BadQuery("A date is written as 'Mon, 13 Oct 2014 11:01:43 +0000' or 2014-10-13T11:01:43.")
