"""The rules that say why something stopped: from its states, and from the actions of the same time and place.

The view `restarts` says the same in SQL (`storage.views.causes`); a test compares the two on random histories.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from archiver.model import Cause, CauseKind, Micros, Number
from archiver.platforms.facts import DEADLY, LEAVING, OF_ENGINES, SPARING
from archiver.storage.causes import (
    ALL_GONE,
    AT_ONCE,
    GRACE,
    KILLED,
    SLACK,
    STOPPED,
    TOLD_AFTER,
    UNFINISHED,
)
from archiver.storage.words import OPEN

_CODE = re.compile(r"^exited \((\d{1,9})\)$", re.ASCII)
_NEVER_RAN = frozenset({"created"})
PLANNED: frozenset[CauseKind] = frozenset({"told", "forced"})
"""What stopped for one of these was meant to."""


class Deed(NamedTuple):
    """An action on an object, or on what it was under."""

    id: Number
    since: Micros
    until: Micros
    """`OPEN`: no end was told."""
    uri: str
    name: str | None
    failed: bool = False
    signal: str = ""
    """The signal that a `kill` sent, as a number; empty: not told."""
    of_carrier: bool = False
    """Whether it was done to what the object only runs on."""

    @property
    def is_engines(self) -> bool:
        """Whether an engine tells of it, when it is done."""
        return self.uri.startswith(OF_ENGINES)


class Stop(NamedTuple):
    """An end, and what else the archive knows of it."""

    at: Micros
    exit_code: int | None
    announced: bool
    """It went through a state of what was told to end."""
    ran_since: Micros
    """When it had begun to run: what was told before belongs to an earlier end."""
    next: Micros
    """When it ended again, or `OPEN`: what is told from then on belongs to that."""
    out_of_memory: bool
    unwatched: bool
    """Nobody was listening when an action could have been told that explains it."""


class Why(NamedTuple):
    """The kind of the cause, and the deeds that prove it (one), or may be it (more)."""

    kind: CauseKind
    deeds: tuple[Deed, ...] = ()


def is_stop(before: str | None, state: str) -> bool:
    """Whether a state that follows on another one is an end; of the first state of an object nobody knows."""
    if before is None or not is_down(state) or is_down(before):
        return False
    return not (family(before) in _NEVER_RAN and family(state) in ALL_GONE)


def stays_ended(before: str | None, state: str) -> bool:
    """Whether a state is on the way from one end to the next: what has stopped, and is told to go, does not run."""
    return before is not None and is_down(before) and is_announced(state)


def is_wanted(cause: Cause) -> bool:
    """Whether nobody need look after a stop: it was meant to be, or it ended well by itself."""
    return cause.kind in PLANNED or cause.exit_code == 0


def is_down(state: str) -> bool:
    """Whether what is in a state does not run any more."""
    return family(state) in STOPPED or family(state) in ALL_GONE


def is_gone(state: str) -> bool:
    """Whether what is in a state is no more."""
    return state.lower() in ALL_GONE


def is_announced(state: str | None) -> bool:
    """Whether what is in a state was told to end."""
    return (state or "").lower() in LEAVING


def family(state: str) -> str:
    """A state in lower case, without what stands in brackets behind it."""
    return state.lower().partition(" (")[0]


def exit_code(state: str) -> int | None:
    """The exit code that a state tells: `exited (137)`."""
    found = _CODE.search(state.lower())
    return int(found[1]) if found else None


def why(stop: Stop, deeds: Sequence[Deed]) -> Why:
    """Why something stopped, by the actions on it and on what it was under, of any time."""
    told = _by_engine(stop, [deed for deed in deeds if deed.is_engines])
    told += _under_way(stop, [deed for deed in deeds if _ran_over(stop, deed)])
    if stop.out_of_memory and (not told or stop.exit_code in (None, KILLED)):
        return Why("oom")
    if told or stop.announced:
        return Why("forced" if stop.exit_code == KILLED and _had_grace(stop, told, deeds) else "told", tuple(told))
    return Why("unknown" if stop.unwatched else "crash")


def _by_engine(stop: Stop, deeds: Collection[Deed]) -> list[Deed]:
    """What an engine tells of one command is many actions: the widest of them stands for all.

    A `restart` has its `stop` with it, or, with Podman, nothing but itself: behind a `kill` it starts what has ended.
    """
    stops = [deed for deed in deeds if deed.name == "stop" and (_follows(stop, deed) or _precedes(stop, deed))]
    kills = _kills(stop, deeds)
    restarts = [deed for deed in deeds if deed.name == "restart" and _follows(stop, deed)]
    if not stops:
        restarts = [deed for deed in restarts if not kills and deed.since - stop.at <= AT_ONCE]
    if found := restarts or stops:
        return found
    matching = [deed for deed in kills if deed.signal and deed.signal == _sent(stop)]
    return matching or kills


def _kills(stop: Stop, deeds: Collection[Deed]) -> list[Deed]:
    """The signals that may have ended it."""
    return [deed for deed in deeds if deed.name == "kill" and _precedes(stop, deed) and _is_deadly(stop, deed)]


def _is_deadly(stop: Stop, deed: Deed) -> bool:
    return not deed.signal or deed.signal in DEADLY or deed.signal == _sent(stop)


def _sent(stop: Stop) -> str:
    """The signal that ended it, where the exit code says that one did."""
    return "" if stop.exit_code is None else str(stop.exit_code - 128)


def _precedes(stop: Stop, deed: Deed) -> bool:
    return max(stop.ran_since, stop.at - GRACE) <= deed.since <= stop.at


def _follows(stop: Stop, deed: Deed) -> bool:
    return stop.at < deed.since <= stop.at + TOLD_AFTER and deed.since < stop.next


def _had_grace(stop: Stop, told: Collection[Deed], deeds: Collection[Deed]) -> bool:
    """Whether it was asked to end before it was killed: not where somebody killed it straight away."""
    if any(deed.name != "kill" or not deed.is_engines for deed in told):
        return True
    return any(deed.signal not in ("", "9") for deed in _kills(stop, deeds) if deed.is_engines)


def _under_way(stop: Stop, told: list[Deed]) -> list[Deed]:
    """Where any of what ran about an end was under way when it came, without what was told to be over before."""
    if any(deed.since <= stop.at <= deed.until for deed in told):
        return [deed for deed in told if deed.until >= stop.at]
    return told


def _ran_over(stop: Stop, deed: Deed) -> bool:
    """Whether an action that takes its time ran when the end came, and does not spare what it is about."""
    if deed.is_engines or ((deed.failed or deed.of_carrier) and not stop.announced) or deed.since > stop.at + SLACK:
        return False
    ended = deed.since + UNFINISHED if deed.until == OPEN else deed.until
    return ended >= stop.at - SLACK and (deed.name or "").lower().rpartition(" ")[2] not in SPARING
