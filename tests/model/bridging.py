"""Makes up histories of few objects that are asked about on both sides of many gaps: each from a seed."""

from __future__ import annotations

import random

from archiver.model import Closed, Event, Observation, Opened, Record

from .histories import MARKED, History, at, cut
from .platforms import ACCOUNTS

_REFS = ("container/1", "container/2", "service/1", "volume/1")
_STATES = ("Running", "Running", "Running", "running", "Stopped", "Terminated", None)


class Maker:
    """Makes up one history: one receiver of one stream, or of two, which watch now and then."""

    def __init__(self, seed: int) -> None:
        self._random = pick = random.Random(seed)
        self._streams = pick.choice([ACCOUNTS[:1], ACCOUNTS])
        self._refs = pick.sample(_REFS, pick.choice([1, 1, 2]))
        self._told = pick.choice([0, 0.1, 0.3])
        self._lives = pick.choice([MARKED[:1], MARKED])
        self._states = pick.choice([_STATES[:1], _STATES])

    def history(self) -> History:
        """Some sessions with what was asked in each; then some late words."""
        pick, now = self._random, 0.0
        records: list[tuple[str | None, Record]] = []
        for number in range(pick.choice([2, 4, 7])):
            stream, key = pick.choice(self._streams), f"session {number}"
            records.append(("receiver", Opened(stream, key, "tutum", at(now), at(now))))
            for _ in range(pick.choice([1, 2, 3])):
                now += pick.choice([0, 0.5, 2])
                records.append(("receiver", self._word(key, now)))
            now += pick.choice([0, 1, 5])
            records.append(("receiver", Closed(stream, key, at(now), "it was lost", "lost")))
            now += pick.choice([0, 0.5, 3, 20])
        late = [("receiver", self._word("session 0", pick.random() * now)) for _ in range(pick.choice([0, 0, 1, 2]))]
        return cut(pick, [*records, *late])

    def _word(self, session: str, now: float) -> Record:
        pick = self._random
        uri, state = f"/api/v1/{pick.choice(self._refs)}/", pick.choice(self._states)
        when = at(now)
        if pick.random() < self._told:
            kind = uri.split("/")[3]
            return Event(kind, "update", state, uri, (), when, "datetime", when, None, None, session)
        return Observation(uri, state, None, (), when, pick.choice([*self._lives, *self._lives, None]), session)


def bridging(seed: int) -> History:
    """The history of a seed."""
    return Maker(seed).history()
