"""The states of Docker's objects as a machine: what a message changes depends on what its object was before."""

from __future__ import annotations

from archiver.platforms.docker.facts import REMOVED

_STEPS_OF_ACTION = ("Pending", "In progress")
_RUNNING = "running"
_PAUSED = "paused"
_DEAD = ("exited", "restarting", "dead", "removing")
_BEGINNINGS = frozenset({"create", "import", "load", "pull"})
"""Verbs by which something that only has a name is there again after its end."""
_NOT_ON = {
    "dead": frozenset({"create", "pause", "unpause", "health_status"}),
    _PAUSED: frozenset({"create", "health_status"}),
    _RUNNING: frozenset({"create", "unpause"}),
}
"""Verbs that tell a container in such a state nothing: they are late."""


def after(kind: str, known: str | None, verb: str, told: str | None) -> str | None:
    """The state that a message changes its object to; None when it changes nothing.

    `known` is the object's state before, `told` what the message would mean by itself. An engine promises no order
    between what its parts tell (moby/moby#36233): whatever comes late neither revives what is removed nor starts what
    has ended; of a container only `start` does.
    """
    if told is None or known is None or told == known:
        return told
    if kind == "action":
        return None if _rank(told) <= _rank(known) else told
    if known == REMOVED:
        return told if verb == "start" or (kind != "container" and verb in _BEGINNINGS) else None
    if kind == "container":
        return None if verb in _NOT_ON.get(_phase(known), ()) else told
    return None if verb == "create" else told


def is_over(state: str | None) -> bool:
    """Whether an object in this state neither runs nor is there to be used: an end, that of a container's run too."""
    return state is not None and (state == REMOVED or _phase(state) == "dead")


def _phase(state: str) -> str:
    """Health and exit code apart, what a container does in a state as `docker ps` words it."""
    word = state.partition(" ")[0]
    return "dead" if word in _DEAD else word


def _rank(state: str) -> int:
    """How far an action has come: an end is final."""
    return _STEPS_OF_ACTION.index(state) if state in _STEPS_OF_ACTION else len(_STEPS_OF_ACTION)
