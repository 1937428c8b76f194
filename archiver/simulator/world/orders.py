"""What the platform does when somebody tells it to from outside, by its REST API."""

from __future__ import annotations

from typing import Final

from archiver.simulator.world.acting import LOOK_AGAIN, carry_out, whole_of
from archiver.simulator.world.doing import POSSIBLE, work_on
from archiver.simulator.world.objects import Action, Caller, Life, Resource
from archiver.simulator.world.operations import title
from archiver.simulator.world.platform import Platform

_CANCELABLE: Final = frozenset({"Pending", "In progress"})
_RETRIABLE: Final = frozenset({"Success", "Failed", "Canceled"})


class NotNow(ValueError):
    """The state of the object does not allow it; the text says so."""


def order(p: Platform, target: Resource, verb: str, caller: Caller, at: float) -> Action:
    """The action by which the platform does what it is told; `at` is the virtual time of that.

    What is under way with the whole that the object is part of is brought to an end first. Raises `NotNow`.
    """
    if not whole_of(target).busy and not _possible(target, verb):
        raise NotNow(f"Cannot {verb} a {target.type} that is {target.state}.")
    p.pass_to(at)
    action = p.new_action(target, title(target, verb), verb, caller)
    p.change(action, "Pending")
    p.spawn(_in_turn(p, action))
    return action


def note(p: Platform, target: Resource, verb: str, caller: Caller, at: float) -> Action:
    """The action that stands for what was done at once, when it was told: it has succeeded already."""
    p.pass_to(at)
    action = p.new_action(target, title(target, verb), verb, caller)
    p.change(action, "Success")
    p.spawn(_nothing())
    return action


def cancel(p: Platform, action: Action, at: float) -> None:
    """Let an action not begin, or let it come to a rest where it is. Raises `NotNow`."""
    if not can_be_canceled(action):
        raise NotNow(f"Cannot cancel an action that is {action.state}.")
    p.pass_to(at)
    p.change(action, "Canceled" if action.state == "Pending" else "Canceling")
    p.spawn(_nothing())


def retry(p: Platform, action: Action, caller: Caller, at: float) -> Action:
    """Do again what an action was to do, as another action. Raises `NotNow`."""
    if not can_be_retried(action):
        raise NotNow(f"Cannot retry an action that is {action.state}.")
    return order(p, action.target, action.verb, caller, at)


def can_be_canceled(action: Action) -> bool:
    """Whether it has not ended, nor is canceled already."""
    return action.state in _CANCELABLE


def can_be_retried(action: Action) -> bool:
    """Whether it has ended, and was no order that is given only once."""
    return action.state in _RETRIABLE and action.verb in POSSIBLE[action.target.type]


def _possible(target: Resource, verb: str) -> bool:
    return target.state in POSSIBLE[target.type][verb]


def _in_turn(p: Platform, action: Action) -> Life:
    whole = whole_of(action.target)
    while whole.busy and action.state != "Canceled":
        yield LOOK_AGAIN
    if action.state == "Canceled":
        return
    whole.busy = True
    yield from _begin(p, action)
    whole.busy = False


def _begin(p: Platform, action: Action) -> Life:
    yield p.pause(0.1, 1)
    if action.state == "Canceled":
        return
    p.change(action, "In progress")
    yield p.pause(0.1, 1.5)
    if action.state == "Canceling":
        p.change(action, "Canceled")
    elif _possible(action.target, action.verb):
        yield from carry_out(p, action, work_on(p, action.target, action.verb))
    else:
        p.change(action, "Failed")


def _nothing() -> Life:
    """What was told is heard at the next step: there has to be one."""
    yield from ()
