"""Compares what was heard of an engine with what it remembers: coverage is checked, and not believed.

An engine gives a listener that is slow a tenth of a second, and then leaves the message out without a word (moby's
pubsub, 1,024 waiting). Proxies hold back what they should pass on. Its memory of 256 messages shows both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archiver.model import Micros
from archiver.platforms.docker.inbox import Arrival, Recalled
from archiver.platforms.docker.memory import is_message, is_own, key_of, moment_of, read
from archiver.platforms.docker.pace import DockerPace

WHOLE = 256
"""Messages that an engine remembers; an answer with fewer is all that it has told since it started."""
_MOST_HEARD = 16_384
_MOST_EARLY = 10_000
_NANO = 1_000_000_000
_LONGEST = 60.0
"""Seconds after which a stream that goes on and on is believed to bring no more of what it should have brought."""
_DIGITS = 20


class Shown(NamedTuple):
    """What a comparison showed that the stream should have brought."""

    missing: list[bytes]
    proven_to: Micros | None
    """Until when all was heard, where more may be missing than is remembered; None where nothing else is."""
    again: Micros | None
    """From when on everything is known again then, by the engine's clock; None: only from the comparison on."""
    asked: Micros
    """When the engine was asked, by our clock."""
    at_the_end: bool
    """Whether it is the last messages that are missing."""
    after_silence: bool
    """Whether the stream had long been silent: then they may just be held back on the way."""


class Doubt(NamedTuple):
    """Nobody listened for a while, and what the engine told then may have been left out."""

    since: Micros
    """Since when, by our clock."""
    noticed: Micros
    resume: str | None
    """The last message that was delivered before."""


@dataclass(slots=True)
class _Comparison:
    """An answer that waits for what the stream may bring yet."""

    began: float
    """When the answer came; like all that follows without another word, by the monotonic clock."""
    moved: float
    """When the stream last brought what was missing."""
    asked: Micros
    missing: dict[str, bytes]
    last: str
    reaches_back: bool
    """Whether nothing lies between it and the answer before."""
    late: bool
    """Whether nobody had compared, or listened, for so long that what lies between may have been left out without a
    trace."""
    again: Micros | None


class Proof:
    """What was heard of late, and the answers that it is being compared with."""

    def __init__(self, pace: DockerPace) -> None:
        self._pace = pace
        self._asked_at = self._told_at = pace.monotonic()
        self._new: set[int] = set()
        self._old: set[int] = set()
        self._early: set[str] = set()
        self._waiting: deque[_Comparison] = deque()
        self._last: tuple[int, str] | None = None
        """The last message of the answer before: one that has it, too, leaves nothing out between the two."""
        self._newest = 0
        """The latest time that a message gave, by the engine's clock, in nanoseconds."""
        self._proven_to: Micros = 0
        self._compared_at = pace.monotonic()
        self.doubt: Doubt | None = None
        """What is not known of until the engine's memory, asked after that, has been compared."""

    def begin(self, past: Sequence[Arrival], at: Micros) -> None:
        """Takes in what the stream began with, of which nothing is missing."""
        self._proven_to = at
        for arrival in past:
            self._hear(key_of(arrival.line), arrival.line)
        if past:
            self._last = hash(past[-1].line), key_of(past[-1].line)

    def is_wanted(self, now: float) -> bool:
        """Whether it is time to ask: after a silence, and from time to time."""
        silent = now - max(self._told_at, self._asked_at) >= self._pace.proof_every
        if not silent and now - self._asked_at < self._pace.compared_every:
            return False
        self._asked_at = now
        return True

    def lapsed(self, since: Micros, noticed: Micros, resume: str | None) -> None:
        """Takes note that nobody listened for a while, and after which message."""
        if (before := self.doubt) is not None:
            since, resume = before.since, before.resume
        self.doubt = Doubt(since, noticed, resume)

    def recalled(self, recalled: Recalled) -> None:
        """Takes in what the engine remembers; the stream gets a moment to bring it."""
        if lines := recalled.lines:
            self._compare(lines, recalled.asked, reaches_back=self._reaches_back(lines))
        elif lines is not None:
            self.settled(recalled.asked)

    def settled(self, asked: Micros) -> Doubt | None:
        """Ends the doubt that an answer to a question of that time ends, and gives it."""
        doubt = self.doubt
        if doubt is None or asked < doubt.noticed:
            return None
        self.doubt = None
        return doubt

    def recalled_from_log(self, recalled: Recalled, resume: str | None) -> None:
        """The same of an engine that keeps a log, which it was asked for from the last message on."""
        keys = [key_of(line) for line in recalled.lines or ()]
        if resume is None or resume in keys:  # else this answer shows nothing: it is not of the same time
            after = len(keys) - keys[::-1].index(resume) if resume is not None else 0
            if lines := (recalled.lines or [])[after:]:
                self._compare(lines, recalled.asked, reaches_back=True)
            elif recalled.lines is not None:
                self.settled(recalled.asked)

    def _compare(self, lines: list[bytes], asked: Micros, *, reaches_back: bool) -> None:
        now = self._pace.monotonic()
        missing = {}
        for line in lines:
            if self._was_heard(hash(line)) or not is_message(line):
                continue
            if not self._was_heard(hash(key := key_of(line))):
                missing[key] = line
        late = now - self._compared_at > 2 * self._pace.compared_every or self.doubt is not None
        self._compared_at = now
        self._last = hash(lines[-1]), (last := key_of(lines[-1]))
        again = None if reaches_back else _first_moment(lines)
        self._waiting.append(_Comparison(now, now, asked, missing, last, reaches_back, late, again))

    def _reaches_back(self, lines: list[bytes]) -> bool:
        if self._last is None:
            return len(lines) < WHOLE
        hashed, key = self._last
        return any(hash(line) == hashed for line in lines) or any(key_of(line) == key for line in lines)

    def due(self, now: float) -> Iterator[Shown]:
        """What the comparisons showed that have waited long enough for the stream; what is missing is to be delivered
        before the next is looked at."""
        while self._waiting and self._is_over(self._waiting[0], now):
            one = self._waiting.popleft()
            self.settled(one.asked)
            proven_to, self._proven_to = self._proven_to, one.asked
            if one.missing or (one.late and not one.reaches_back):
                unproven = None if one.reaches_back else proven_to
                silent = one.began - self._told_at >= self._pace.proof_every
                yield Shown(list(one.missing.values()), unproven, one.again, one.asked, one.last in one.missing, silent)

    def _is_over(self, one: _Comparison, now: float) -> bool:
        if not one.missing:
            return True
        settle = self._pace.in_transit
        if now - one.moved < settle:
            return False
        told = one.last not in one.missing or self._newest > nano_of(one.last) + settle * _NANO
        return told or now - self._told_at >= settle or now - one.began >= _LONGEST

    def delivered(self, key: str, line: bytes) -> bool:
        """Takes note of a message; whether it was delivered early, out of the memory, and is now to be left out."""
        self._hear(key, line)
        self._newest = max(self._newest, nano_of(key))
        for one in self._waiting:
            if one.missing.pop(key, None) is not None:
                one.moved = self._pace.monotonic()
        if key not in self._early:
            return False
        self._early.discard(key)
        return True

    def told(self, now: float) -> None:
        """Takes note that the stream has brought something."""
        self._told_at = now

    def delivered_early(self, lines: Iterable[bytes]) -> None:
        """Takes note of what was delivered out of the memory: the stream may bring it yet."""
        if len(self._early) < _MOST_EARLY:
            self._early |= {key_of(line) for line in lines}

    def _hear(self, key: str, line: bytes) -> None:
        if len(self._new) >= _MOST_HEARD:
            self._old, self._new = self._new, set()
        self._new.add(hash(line))
        self._new.add(hash(key))

    def _was_heard(self, hashed: int) -> bool:
        return hashed in self._new or hashed in self._old


def _first_moment(lines: Sequence[bytes]) -> Micros | None:
    """When the first message was told; those of a swarm are dated by the change that they tell of."""
    found = (read(line) for line in lines)
    return next((moment_of(one.message) for one in found if one is not None and is_own(one.message)), None)


def nano_of(key: str | None) -> int:
    """The time of the message known by this key, by the engine's clock; 0 where it has none."""
    nano = (key or "").partition(":")[0]
    return int(nano) if nano.isdecimal() and len(nano) < _DIGITS else 0
