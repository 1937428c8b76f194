"""What the platform's REST API does when it is told to: create, change, start, stop, cancel, terminate."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from archiver.simulator.service import creating, triggers
from archiver.simulator.service.representation import describe
from archiver.simulator.service.wanted import Wrong, body_of
from archiver.simulator.world.doing import POSSIBLE
from archiver.simulator.world.objects import Action, Caller, Resource, Service
from archiver.simulator.world.orders import NotNow, cancel, order, retry
from archiver.simulator.world.platform import Platform
from archiver.simulator.world.spelling import SUBSYSTEM

_ACTION_URI: Final = {"tutum": "X-Tutum-Action-URI", "dockercloud": "X-DockerCloud-Action-URI"}
_TOKEN: Final = re.compile(r"/api/v1/token/|/api/infra/v1/(?:[^/]+/)?token/")
_CALLED: Final = {"docker-upgrade": "upgrade"}
"""What the API calls otherwise."""
_NOT_POSTED: Final = {("nodecluster", "scale"), ("node", "upgrade"), ("nodecluster", "upgrade")}


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

    Both clients post what is new to a list and an action to the object's path, patch what is to be changed, and delete
    what is to terminate; a service is told its number first, by a patch, and then to scale, a cluster is only patched
    (python-tutum and python-dockercloud, `api/base.py`, `service.py`, `nodecluster.py`, `action.py`, `trigger.py`).
    """
    whole = request.path.rstrip("/") + "/"
    if request.method == "POST" and _TOKEN.fullmatch(whole):
        return Told(201, {"token": platform.new_uuid().replace("-", "")}, {})
    try:
        return _route(platform, request, whole, now)
    except Wrong as exc:
        return _refused(400, str(exc))
    except NotNow as exc:
        return _refused(409, str(exc))


def _route(platform: Platform, request: Request, whole: str, now: Callable[[], float]) -> Told:
    for type_ in SUBSYSTEM:
        collection = platform.spelling.collection(type_)
        if not whole.startswith(collection):
            continue
        key, _, rest = whole[len(collection) :].strip("/").partition("/")
        if not key:
            return _create(platform, request, type_, now)
        target = platform.find(type_, key)
        if target is None:
            return _refused(404, "Not found")
        if isinstance(target, Service) and rest.split("/")[0] == "trigger":
            return _trigger(platform, request, target, rest.split("/")[1:], now)
        return _do(platform, request, target, rest, now)
    return _refused(405, "Method not allowed")


def _create(platform: Platform, request: Request, type_: str, now: Callable[[], float]) -> Told:
    if request.method != "POST" or type_ not in creating.CREATABLE:
        return _refused(405, "Method not allowed")
    made, action = creating.create(platform, type_, body_of(request.body), request.caller, now())
    return _told(platform, 201, made, action)


def _do(platform: Platform, request: Request, target: Resource, verb: str, now: Callable[[], float]) -> Told:
    if isinstance(target, Action):
        return _do_again_or_not(platform, request, target, verb, now)
    if request.method == "PATCH" and not verb and target.type != "container":
        action = creating.change(platform, target, body_of(request.body), request.caller, now())
        return _told(platform, 202 if action.state == "Pending" else 200, target, action)
    if request.method == "DELETE" and not verb:
        verb = "terminate"
    elif request.method != "POST" or verb == "terminate" or (target.type, verb) in _NOT_POSTED:
        return _refused(405, "Method not allowed")
    verb = _CALLED.get(verb, verb)
    if verb not in POSSIBLE[target.type]:
        return _refused(405, "Method not allowed")
    return _told(platform, 202, target, order(platform, target, verb, request.caller, now()))


def _do_again_or_not(platform: Platform, request: Request, action: Action, verb: str, now: Callable[[], float]) -> Told:
    """Cancel an action, or do again what it did: the answer then is the new one, for whoever waits for its end."""
    if request.method != "POST" or verb not in ("cancel", "retry"):
        return _refused(405, "Method not allowed")
    if verb == "cancel":
        cancel(platform, action, now())
    else:
        action = retry(platform, action, request.caller, now())
    return _told(platform, 202, action, action)


def _trigger(platform: Platform, request: Request, service: Service, rest: list[str], now: Callable[[], float]) -> Told:
    if not rest:
        if request.method != "POST":
            return _refused(405, "Method not allowed")
        return Told(201, triggers.shown(service, triggers.create(platform, service, body_of(request.body))), {})
    trigger = triggers.find(service, rest[0])
    if trigger is None:
        return _refused(404, "Not found")
    if request.method == "DELETE" and len(rest) == 1:
        service.triggers.remove(trigger)
        return Told(204, {}, {})
    if request.method == "POST" and rest[1:] == ["call"]:
        return _told(platform, 202, service, triggers.call(platform, service, trigger, request.caller, now()))
    return _refused(405, "Method not allowed")


def _told(platform: Platform, status: int, shown: Resource, action: Action) -> Told:
    return Told(status, describe(platform, shown), {_ACTION_URI[platform.spelling.flavour]: action.uri})


def _refused(status: int, reason: str) -> Told:
    return Told(status, {"error": reason}, {})
