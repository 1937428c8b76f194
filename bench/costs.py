"""What processes cost: wall and CPU time of a command and all that it starts, of a PostgreSQL server, and memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Literal

TICK = 1 / os.sysconf("SC_CLK_TCK")


Clock = Literal["wall", "cpu"]
"""What is taken for the time of a thing: the wall's, or on a machine that others use as well, the CPU's."""


@dataclass
class Cost:
    """Seconds on the wall and seconds of the CPU, of all processes together."""

    wall: float = 0.0
    cpu: float = 0.0

    def by(self, clock: Clock) -> float:
        """Seconds of one of them."""
        return self.wall if clock == "wall" else self.cpu

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.wall - other.wall, self.cpu - other.cpu)

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.wall + other.wall, self.cpu + other.cpu)


def middle(costs: list[Cost]) -> Cost:
    """The median of each."""
    return Cost(median(cost.wall for cost in costs), median(cost.cpu for cost in costs))


@contextmanager
def spent_here() -> Iterator[Cost]:
    """What this process spends within the block."""
    cost, began, spent = Cost(), perf_counter(), process_time()
    yield cost
    cost.wall, cost.cpu = perf_counter() - began, process_time() - spent


def spent_with_children() -> float:
    """Seconds of CPU so far of this process, and of those that it has started and waited for."""
    return sum(os.times()[:4])


class Postgres:
    """The CPU time of a server on this machine: of the postmaster, of all it has started, and of those that ended."""

    def __init__(self, connection: Any) -> None:
        """`connection` is one of psycopg's; its backend's parent is the postmaster."""
        (backend,) = connection.execute("SELECT pg_backend_pid()").fetchone()
        self._connection = connection
        self._postmaster = _Process.of(backend).parent

    def cpu(self) -> float:
        """Seconds until now, what has been written brought to its place included: a later CHECKPOINT would pay it."""
        self._connection.execute("CHECKPOINT")
        server = [one for one in _processes() if one.number == self._postmaster or one.parent == self._postmaster]
        return sum(one.own for one in server) + sum(one.ended for one in server if one.number == self._postmaster)

    @contextmanager
    def spent(self) -> Iterator[Cost]:
        """The CPU time that the server spends within the block."""
        cost, before = Cost(), self.cpu()
        yield cost
        cost.cpu = self.cpu() - before


@dataclass(frozen=True, slots=True)
class _Process:
    """What /proc tells of one process; seconds of CPU."""

    number: int
    parent: int
    own: float
    ended: float
    """Of its children that it has waited for."""

    @classmethod
    def of(cls, number: int) -> _Process:
        # proc(5): the name in brackets may hold anything; state and parent follow it, the times are fields 14 to 17.
        told = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        own, system, children, children_system = (int(ticks) * TICK for ticks in told[11:15])
        return cls(number, int(told[1]), own + system, children + children_system)


def _processes() -> list[_Process]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                found.append(_Process.of(int(entry.name)))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def tree(root: int) -> list[int]:
    """A process and all that it has started, and they."""
    everything, found = _processes(), [root]
    for number in found:
        found += [one.number for one in everything if one.parent == number]
    return found


def cpu(root: int) -> float:
    """Seconds of CPU that a process has taken so far, with all that it has started."""
    wanted = set(tree(root))
    return sum(one.own + one.ended for one in _processes() if one.number in wanted)


def memory(root: int) -> float:
    """MiB of a process and all that it has started; what several share is counted once (PSS); 0 when it has ended."""
    return sum(_proportional(number) for number in tree(root))


def _proportional(process: int) -> float:
    try:
        told = Path(f"/proc/{process}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in told.splitlines() if line.startswith("Pss:")), 0.0)
