"""What the platform's REST API does when it is told to: start, stop, scale, redeploy, terminate."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from archiver.simulator.service.representation import describe
from archiver.simulator.world.objects import Caller, Resource, Service
from archiver.simulator.world.orders import VERBS, NotNow, order
from archiver.simulator.world.platform import Platform

_ACTION_URI: Final = {"tutum": "X-Tutum-Action-URI", "dockercloud": "X-DockerCloud-Action-URI"}
_MOST_CONTAINERS: Final = 100
_CHANGEABLE: Final = frozenset({"target_num_containers", "image"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request that is to change something."""

    method: str
    path: str
    body: bytes
    caller: Caller


class Told(NamedTuple):
    """HTTP status, body, and the header fields that come with them."""

    status: int
    body: dict[str, Any]
    fields: dict[str, str]


def obey(platform: Platform, request: Request, now: Callable[[], float]) -> Told:
    """What the API says to POST, PATCH and DELETE; `now` is the virtual time.

    Both clients post an action to the object's path, patch what is to be changed, and delete what is to terminate; a
    service is told its number first, by a patch, and then to scale (python-tutum and python-dockercloud, `api/base.py`
    and `api/service.py`).
    """
    whole = request.path.rstrip("/") + "/"
    for type_ in VERBS:
        collection = platform.spelling.collection(type_)
        if whole.startswith(collection) and (rest := whole[len(collection) :].strip("/")):
            key, _, verb = rest.partition("/")
            target = platform.find(type_, key)
            return _refused(404, "Not found") if target is None else _do(platform, request, target, verb, now)
    return _refused(405, "Method not allowed")


def _do(platform: Platform, request: Request, target: Resource, verb: str, now: Callable[[], float]) -> Told:
    if request.method == "PATCH" and not verb and isinstance(target, Service):
        return _change(platform, target, request.body)
    if request.method == "DELETE" and not verb:
        verb = "terminate"
    elif request.method != "POST" or verb == "terminate" or verb not in VERBS[target.type]:
        return _refused(405, "Method not allowed")
    try:
        action = order(platform, target, verb, request.caller, now())
    except NotNow as exc:
        return _refused(409, str(exc))
    return Told(202, describe(platform, target), {_ACTION_URI[platform.spelling.flavour]: action.uri})


def _change(platform: Platform, service: Service, body: bytes) -> Told:
    try:
        wanted = json.loads(body)
    except (ValueError, RecursionError):
        wanted = None
    if service.state in ("Terminating", "Terminated"):
        return _refused(409, f"Cannot change a service that is {service.state}.")
    if not isinstance(wanted, dict):
        return _refused(400, "The body must be a JSON object.")
    if unknown := sorted(map(str, wanted.keys() - _CHANGEABLE)):
        return _refused(400, f"This platform cannot change {unknown[0]}.")
    number, image = wanted.get("target_num_containers"), wanted.get("image", service.image)
    if number is not None and not (type(number) is int and 0 < number <= _MOST_CONTAINERS):
        return _refused(400, f"target_num_containers must be a number from 1 to {_MOST_CONTAINERS}.")
    if not isinstance(image, str) or not image:
        return _refused(400, "image must be the name of one.")
    service.target, service.image = number or service.target, image
    return Told(200, describe(platform, service), {})


def _refused(status: int, reason: str) -> Told:
    return Told(status, {"error": reason}, {})
