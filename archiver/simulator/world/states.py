"""Which states the platform's objects have and which state may follow which."""

from __future__ import annotations

from typing import Final

_RESTS: Final = frozenset({"Running", "Partly running", "Stopped"})
"""Where a change ends: as it was meant to, or wherever it was when somebody canceled it."""

_SERVICE: Final[dict[str | None, frozenset[str]]] = {
    None: frozenset({"Not running"}),
    "Not running": frozenset({"Starting", "Terminating"}),
    "Starting": _RESTS,
    "Running": frozenset({"Partly running", "Stopped", "Scaling", "Redeploying", "Stopping", "Terminating"}),
    "Partly running": frozenset(
        {"Running", "Stopped", "Starting", "Scaling", "Redeploying", "Stopping", "Terminating"}
    ),
    "Scaling": _RESTS,
    "Redeploying": _RESTS,
    "Stopping": _RESTS,
    "Stopped": frozenset({"Running", "Partly running", "Starting", "Redeploying", "Terminating"}),
    "Terminating": _RESTS | {"Terminated"},
    "Terminated": frozenset(),
}

TRANSITIONS: Final[dict[str, dict[str | None, frozenset[str]]]] = {
    "stack": {
        None: frozenset({"Not Running"}),
        "Not Running": frozenset({"Starting", "Terminating"}),
        "Starting": _RESTS,
        "Running": frozenset({"Partly running", "Stopped", "Redeploying", "Stopping", "Terminating"}),
        "Partly running": frozenset({"Running", "Stopped", "Starting", "Redeploying", "Stopping", "Terminating"}),
        "Redeploying": _RESTS,
        "Stopping": _RESTS,
        "Stopped": frozenset({"Running", "Partly running", "Starting", "Redeploying", "Terminating"}),
        "Terminating": _RESTS | {"Terminated"},
        "Terminated": frozenset(),
    },
    "service": _SERVICE,
    "container": {
        None: frozenset({"Starting"}),
        "Starting": frozenset({"Running"}),
        "Running": frozenset({"Stopping", "Stopped"}),
        "Stopping": frozenset({"Stopped"}),
        "Stopped": frozenset({"Starting", "Terminating"}),
        "Terminating": frozenset({"Terminated"}),
        "Terminated": frozenset(),
    },
    "nodecluster": {
        None: frozenset({"Init"}),
        "Init": frozenset({"Deploying", "Terminating"}),
        "Deploying": frozenset({"Deployed"}),
        "Deployed": frozenset({"Scaling", "Terminating", "Empty cluster"}),
        "Scaling": frozenset({"Deployed", "Empty cluster"}),
        "Empty cluster": frozenset({"Scaling", "Terminating"}),
        "Terminating": frozenset({"Terminated", "Deployed", "Empty cluster"}),
        "Terminated": frozenset(),
    },
    "node": {
        None: frozenset({"Deploying"}),
        "Deploying": frozenset({"Deployed"}),
        "Deployed": frozenset({"Unreachable", "Upgrading", "Terminating"}),
        "Unreachable": frozenset({"Deployed"}),
        "Upgrading": frozenset({"Deployed"}),
        "Terminating": frozenset({"Terminated"}),
        "Terminated": frozenset(),
    },
    "action": {
        None: frozenset({"Pending", "Success"}),
        "Pending": frozenset({"In progress", "Canceled"}),
        "In progress": frozenset({"Success", "Failed", "Canceling"}),
        "Canceling": frozenset({"Canceled"}),
        "Success": frozenset(),
        "Failed": frozenset(),
        "Canceled": frozenset(),
    },
}
"""What the simulated platform does; None stands before the first state. The real services had more ways than these."""

PENDING_ACTION: Final = frozenset({"Pending", "In progress", "Canceling"})
"""The states of an action that has not ended."""
