"""What the platform does when somebody tells it to from outside, by its REST API."""

from __future__ import annotations

from archiver.simulator.world import works
from archiver.simulator.world.objects import Action, Caller, Container, Life, Resource, Service, Stack
from archiver.simulator.world.operations import title
from archiver.simulator.world.platform import Platform

_RUNS = frozenset({"Running", "Partly running"})
_RESTS = frozenset({"Stopped", "Not running", "Not Running", "Partly running"})
_STANDS = _RUNS | _RESTS
_FROM = {"start": _RESTS, "stop": _RUNS, "redeploy": _STANDS, "scale": _RUNS, "terminate": _STANDS}
_LOOK_AGAIN = 0.2
"""How often, in virtual seconds, an action looks whether its turn has come."""

VERBS = {
    "stack": frozenset({"start", "stop", "redeploy", "terminate"}),
    "service": frozenset({"start", "stop", "redeploy", "scale", "terminate"}),
    "container": frozenset({"start", "stop", "redeploy", "terminate"}),
}
"""What can be done with objects of a type."""


class NotNow(ValueError):
    """The state of the object does not allow it; the text says so."""


def order(p: Platform, target: Resource, verb: str, caller: Caller, at: float) -> Action:
    """The action by which the platform does what it is told; `at` is the virtual time of that.

    What is under way with its stack is brought to an end first. Raises `NotNow`.
    """
    stack = _stack_of(target)
    if not stack.busy and target.state not in _FROM[verb]:
        raise NotNow(f"Cannot {verb} a {target.type} that is {target.state}.")
    p.pass_to(at)
    action = p.new_action(target, title(target, verb), verb, caller)
    p.change(action, "Pending")
    p.spawn(_in_turn(p, action, verb, stack))
    return action


def _stack_of(target: Resource) -> Stack:
    match target:
        case Container(service=service):
            return service.stack
        case Service(stack=stack):
            return stack
        case Stack():
            return target
    raise TypeError(f"nothing is done with a {target.type}")


def _in_turn(p: Platform, action: Action, verb: str, stack: Stack) -> Life:
    while stack.busy:
        yield _LOOK_AGAIN
    stack.busy = True
    yield p.pause(0.1, 1)
    p.change(action, "In progress")
    yield p.pause(0.1, 1.5)
    possible = action.target.state in _FROM[verb]
    if possible:
        yield from _work(p, action.target, verb)
    p.change(action, "Success" if possible else "Failed")
    stack.busy = False


def _work(p: Platform, target: Resource, verb: str) -> Life:
    match target:
        case Stack():
            return _on_stack(p, target, verb)
        case Service():
            return works.then_derive(p, _on_service(p, target, verb), target.stack)
        case Container():
            return works.then_derive(p, _on_container(p, target, verb), target.service)
    raise TypeError(f"nothing is done with a {target.type}")


def _on_stack(p: Platform, stack: Stack, verb: str) -> Life:
    if verb == "terminate":
        return works.take_down(p, stack)
    first, each, last = {
        "start": ("Starting", works.start_service, "Running"),
        "stop": ("Stopping", works.stop_service, "Stopped"),
        "redeploy": ("Redeploying", works.renew_service, "Running"),
    }[verb]
    return works.through(p, stack, first, each, last)


def _on_service(p: Platform, service: Service, verb: str) -> Life:
    if verb == "scale":
        size = len(service.containers) if service.target is None else service.target
        return works.scale_service(p, service, size)
    if verb == "terminate":
        return _leave(p, service)
    work = {"start": works.start_service, "stop": works.stop_service, "redeploy": works.renew_service}[verb]
    return work(p, service)


def _leave(p: Platform, service: Service) -> Life:
    yield from works.end_service(p, service)
    service.stack.services.remove(service)


def _on_container(p: Platform, container: Container, verb: str) -> Life:
    work = {
        "start": works.start,
        "stop": works.stop,
        "redeploy": works.renew_container,
        "terminate": works.end_container,
    }[verb]
    return work(p, container)
