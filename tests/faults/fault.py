"""What a fault is, and the list of them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .bench import Bench

BOTH = ("sqlite", "postgresql")
SQLITE = ("sqlite",)
POSTGRES = ("postgresql",)


@dataclass(frozen=True, slots=True)
class Size:
    """How often things are done."""

    kills: int = 30
    stops: int = 10
    images: int = 150
    reconnects: int = 300
    bad_frames: int = 100_000
    turns: int = 3
    """Of whatever else is done again and again."""
    rate: float = 500.0
    """Events a second meanwhile."""
    patience: float = 60.0
    """Seconds that anything may take that has no deadline of its own."""
    thoroughly: int = 1
    """Whether the login is looked for in what other programs see, too: 1 or 0."""


FULL = Size(
    kills=1_000, stops=200, images=300, reconnects=10_000, bad_frames=1_000_000, turns=12, rate=1_000.0, patience=300.0
)
SHORT = Size(kills=2, stops=1, images=5, reconnects=20, bad_frames=2_000, turns=1, rate=500.0, thoroughly=0)
"""For `make test`."""


class Fault(NamedTuple):
    """One row of the table."""

    name: str
    done: str
    """What is done, in words."""
    holds: str
    """What must hold beside the four promises; "" for nothing more."""
    databases: tuple[str, ...]
    run: Callable[[Bench], str]
    """Does it, and says how often; raises what went wrong."""
    portion: tuple[str, int] | None = None
    """Which number of Size is done in portions of how many: each on an archive of its own, maybe at once."""

    def portions(self, size: Size) -> list[Size]:
        """The sizes of what is done by itself; of most it is all at once."""
        if self.portion is None:
            return [size]
        name, most = self.portion
        whole = getattr(size, name)
        count = max(1, -(-whole // most))
        return [replace(size, **{name: whole // count + (number < whole % count)}) for number in range(count)]


class Impossible(Exception):
    """This machine, or this user, cannot do it: said aloud, and in the table."""


FAULTS: dict[str, Fault] = {}


def fault(
    done: str, holds: str = "", databases: tuple[str, ...] = BOTH, portion: tuple[str, int] | None = None
) -> Callable[..., Callable[[Bench], str]]:
    """Puts a function into the list; its name is the fault's."""

    def put(run: Callable[[Bench], str]) -> Callable[[Bench], str]:
        name = run.__name__.replace("_", " ")
        FAULTS[name] = Fault(name, done, holds, databases, run, portion)
        return run

    return put
