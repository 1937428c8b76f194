"""Makes up histories of few objects that say much, in their order and then late: each from a seed."""

from __future__ import annotations

import random

from archiver.model import Event, Observation, Record

from .histories import Batch, History, at

_FEW = (
    ("container/1",),
    ("container/1", "service/1"),
    ("container/1", "container/2", "volume/1"),
    ("service/1", "node/1"),
)
_ABOVE = {
    "container": ("service", "stack", "node", "volume"),
    "service": ("stack",),
    "volume": ("node",),
    "node": ("nodecluster",),
}
_STATES = ("Running", "running", "Stopped", "Starting", None)
_ENDS = ("Terminated", "removed")


class Maker:
    """Makes up one history."""

    def __init__(self, seed: int) -> None:
        self._random = pick = random.Random(seed)
        self._refs = pick.choice(_FEW)
        self._ends = pick.choice([0, 0, 0.1, 0.3])
        self._listed = pick.choice([0.3, 0.9, 1])
        self._named = pick.choice([0.2, 0.9])
        self._observed = pick.choice([0, 0, 0.3])
        self._left_out = pick.choice([0, 0.3])
        self._doubled = pick.choice([0, 0.3])
        self._span = pick.choice([12, 40])

    def history(self) -> History:
        """What comes at once, mostly in order; then late words, a few in each batch; then some of the last instants."""
        pick = self._random
        told = [self._word(0), *(self._word(self._when()) for _ in range(pick.choice([6, 12, 20])))]
        if pick.random() < 0.7:
            told.sort(key=_instant)
        parts = [told] if pick.random() < 0.6 else [told[:3], told[3:]]
        parts += [
            [self._word(self._when()) for _ in range(pick.choice([1, 1, 2, 4]))] for _ in range(pick.choice([1, 2, 4]))
        ]
        if pick.random() < 0.4:
            parts.append([self._word(pick.choice([0, self._span, self._span + 1])) for _ in range(2)])
        return tuple([Batch(None, tuple(part)) for part in parts])

    def _when(self) -> int:
        return self._random.randrange(self._span)

    def _word(self, second: int) -> Record:
        pick = self._random
        ref = pick.choice(self._refs)
        kind, uri = ref.partition("/")[0], f"/api/v1/{ref}/"
        state = pick.choice(_ENDS if pick.random() < self._ends else _STATES)
        parents = tuple(self._parents(ref)) if pick.random() < self._listed else ()
        name = pick.choice(["a", "b"]) if pick.random() < self._named else None
        image = pick.choice(["x", "y"]) if pick.random() < self._named / 2 else None
        when = at(second)
        if pick.random() < self._observed:
            return Observation(uri, state, name, parents, when, None, image=image)
        return Event(kind, "update", state, uri, parents, when, "datetime", when, None, None, None, name, image)

    def _parents(self, ref: str) -> list[str]:
        pick, found = self._random, []
        for kind in _ABOVE[ref.partition("/")[0]]:
            if pick.random() >= self._left_out:
                found.append(f"{kind}/{pick.choice('112')}")
            if kind == "volume" and pick.random() < self._doubled:
                found.append("volume/2")
        return [f"/api/v1/{parent}/" for parent in found]


def _instant(record: Record) -> int:
    assert isinstance(record, Event | Observation)
    return record.occurred_at if isinstance(record, Event) else record.observed_at


def lasting(seed: int) -> History:
    """The history of a seed."""
    return Maker(seed).history()
