"""Dates a server's signs of life by when they were given, and not by when somebody came to read them."""

from __future__ import annotations

import time
from typing import NamedTuple

from archiver.model import Micros

HOLD = 5.0
"""For so many seconds what waited is read before anything is sent."""
MOST_PINGS = 16
"""How many unanswered pings are remembered."""


def elapsed() -> float:
    """Seconds that only grow, those of a machine that slept included (clock_gettime(2), CLOCK_BOOTTIME)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class _Moment(NamedTuple):
    """One instant by two clocks."""

    tick: float
    at: Micros


class Liveness:
    """Until when a server is known to have been there.

    What is read was said after the last moment at which nothing was waiting to be read. While that is a short time
    ago, reading proves life now. After a stretch in which nobody looked (the process was stopped, the machine slept,
    the consumer let us wait) what waits, or is still on its way, may be old, and its sender long gone: only a pong to a
    ping that was sent afterwards proves anything.
    """

    def __init__(self, tick: float, at: Micros, *, unwatched: float, patience: float) -> None:
        """`unwatched`: the longest time in seconds between two looks that is none of those stretches.

        `patience`: after so many seconds without an answer to its pings, a server that talks is taken to know no pong.
        """
        self._unwatched = unwatched
        self._patience = patience
        self._proven = self._said_after = _Moment(tick, at)
        self._looked = tick
        self._pings: dict[int, _Moment] = {}
        self._number = 0
        self._asked: float | None = None
        self._doubted_since = tick
        self._quiet = True
        self.doubted = False
        """True while what is read proves nothing."""
        self.ponged = False
        """Whether the server has ever answered a ping."""
        self.awake_since = tick
        """Since when (monotonic) the socket has been looked at without such a stretch."""

    @property
    def at(self) -> Micros:
        """The last instant (wall clock) at which the server is known to have been there."""
        return self._proven.at

    @property
    def tick(self) -> float:
        """The same by the monotonic clock."""
        return self._proven.tick

    @property
    def heard_to(self) -> Micros:
        """The last instant (wall clock) up to which all that the server said is known to have been read."""
        return self._said_after.at

    def read(self, tick: float, at: Micros, *, drained: bool) -> None:
        """Bytes were read; `drained`: no more were waiting."""
        self._look(tick)
        if tick - self._said_after.tick > self._unwatched:
            self._doubt(tick)
            if drained and self._knows_no_pong(tick):
                self._said_after = _Moment(tick, at)
            return
        self.doubted = False
        self._proven = _Moment(tick, at)
        if drained:
            self._said_after = self._proven

    def silent(self, tick: float, at: Micros) -> None:
        """The socket was looked at for a while, and nothing came."""
        self._look(tick)
        self._quiet = True
        if not self.doubted:  # on a machine that wakes up the network is not there yet, and what was sent is on its way
            self._said_after = _Moment(tick, at)

    def pinged(self, tick: float, at: Micros) -> bytes:
        """The payload of a ping that is about to be sent: its number."""
        self._number += 1
        if self._asked is None:
            self._asked = tick
        self._pings[self._number] = _Moment(tick, at)
        self._pings.pop(self._number - MOST_PINGS, None)
        return b"%d" % self._number

    def pong(self, payload: bytes) -> None:
        """A pong was read. It proves life when its ping was sent, and that what follows was said after that."""
        number = int(payload) if len(payload) < 20 and payload.isdigit() else 0
        sent = self._pings.get(number)
        if sent is None:
            return
        self._pings = {other: moment for other, moment in self._pings.items() if other > number}
        self.ponged = True
        self._said_after = max(self._said_after, sent)
        self._proven = max(self._proven, sent)
        if self._asked is not None and sent.tick >= self._asked:
            self.doubted = False

    def must_ask(self, tick: float) -> bool:
        """Whether a ping is due at once."""
        return self.doubted and self._asked is None and self.may_send(tick)

    def may_send(self, tick: float) -> bool:
        """Whether it is time to send anything.

        A host whose program has hung up answers what is sent to it with a reset, and throws away what it had still to
        deliver. So what waited is read first, until it ends or for a while.
        """
        if tick - self._looked > self._unwatched:
            return False  # first it is looked what waits
        return not self.doubted or self._quiet or tick - self._doubted_since > HOLD

    def _look(self, tick: float) -> None:
        if tick - self._looked > self._unwatched:
            self.awake_since = tick
            self.doubted = False
            self._doubt(tick)
        self._looked = tick

    def _doubt(self, tick: float) -> None:
        if not self.doubted:
            self.doubted = True
            self._doubted_since = tick
            self._asked = None
            self._quiet = False

    def _knows_no_pong(self, tick: float) -> bool:
        return not self.ponged and self._asked is not None and tick - self._asked > self._patience
