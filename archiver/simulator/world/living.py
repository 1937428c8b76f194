"""A world brought to life: the platform with its scenario, and the events it makes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from archiver.simulator.world import scenario
from archiver.simulator.world.platform import Platform, World


def live_in(world: World) -> Platform:
    """A platform on which the usual things happen."""
    return Platform(world, scenario.begin)


def generate(seed: int = 1, count: int | None = None, **what: Any) -> Iterator[dict[str, Any]]:
    """The first `count` events (None: endless) of the life of `World(seed=seed, **what)`, from its first node on.

    A stack brings about 12 objects: 850 stacks make a population of some 10,000. With `churn=0` that population is
    deployed once, then only crashes and recovers, so that every later event is about an object already seen.
    """
    return islice((event for _, event in live_in(World(seed=seed, **what)).events()), count)
