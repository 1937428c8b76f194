"""The addresses of a service that do something with it when they are called: made, listed, called and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from archiver.simulator.service.wanted import Wrong
from archiver.simulator.world.objects import Action, Caller, Service, Trigger
from archiver.simulator.world.orders import order
from archiver.simulator.world.platform import Platform

_OPERATIONS: Final = {"REDEPLOY": "redeploy", "SCALEUP": "scale"}
_MOST: Final = 100


def shown(service: Service, trigger: Trigger) -> dict[str, Any]:
    """A trigger as the API shows it."""
    uri = f"{service.uri}trigger/{trigger.uuid}/"
    return {
        "uuid": trigger.uuid,
        "name": trigger.name,
        "operation": trigger.operation,
        "resource_uri": uri,
        "url": f"{uri}call/",
    }


def find(service: Service, uuid: str) -> Trigger | None:
    """The trigger with a uuid."""
    return next((trigger for trigger in service.triggers if trigger.uuid == uuid), None)


def passes(trigger: Trigger, fields: Mapping[str, str]) -> bool:
    """Whether a list that is filtered by these fields of a query names it."""
    return (
        trigger.uuid.startswith(fields.get("uuid__startswith", "")) and fields.get("name", trigger.name) == trigger.name
    )


def create(platform: Platform, service: Service, given: dict[str, Any]) -> Trigger:
    """A new trigger; without an operation it redeploys. Raises `Wrong`."""
    name, operation = given.get("name", ""), given.get("operation", "REDEPLOY")
    if not isinstance(name, str) or operation not in _OPERATIONS:
        raise Wrong(f"A trigger has a name, and one of these operations: {', '.join(_OPERATIONS)}.")
    if len(service.triggers) >= _MOST:
        raise Wrong(f"A service has at most {_MOST} triggers.")
    trigger = Trigger(platform.new_uuid(), name, operation)
    service.triggers.append(trigger)
    return trigger


def call(platform: Platform, service: Service, trigger: Trigger, caller: Caller, at: float) -> Action:
    """Do what a trigger is for. Raises `NotNow`."""
    verb = _OPERATIONS[trigger.operation]
    action = order(platform, service, verb, caller, at)
    if verb == "scale":
        service.target = (len(service.containers) if service.target is None else service.target) + 1
    return action
