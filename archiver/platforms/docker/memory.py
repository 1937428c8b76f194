"""What an engine remembers of what it told: asks for it, and finds in it where a stream goes on."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

from archiver.codec.framing import JsonObjects
from archiver.codec.text import parse
from archiver.model import Micros, now_micros
from archiver.platforms.docker.asking import Asking
from archiver.platforms.docker.facts import identity, text
from archiver.platforms.docker.http import FAILURES, Api, Limits
from archiver.platforms.docker.inbox import Arrival, Inbox, Json, Recalled, held
from archiver.platforms.docker.marks import ServerSent
from archiver.platforms.docker.pace import DockerPace
from archiver.platforms.docker.podman import as_dockers, is_podmans

_GARBAGE = 1000
_PIECE = 64 << 10
_YEAR_10000 = 253_402_300_800


class Memory(Asking):
    """Asks an engine what it remembers up to now, once at first and then whenever it is wanted.

    Engines that know no end of such an answer, or whose clock makes them wait for it, stream on instead: their answer
    ends with the first silence.
    """

    def __init__(self, api: Api, inbox: Inbox, pace: DockerPace, limits: Limits, now: Callable[[], Micros]) -> None:
        super().__init__("docker-memory", api, inbox, pace)
        self._limits = limits
        self._now = now
        self._wanted: str | None = "0"
        self._ends = True
        self.introduced = threading.Event()
        """Set as soon as the engine's clock is known; it is not waited for long."""

    def trust_no_end(self, resume: str | None) -> None:
        """Asks without an end, and after the last message only: what Podman is asked up to an instant, it cuts off."""
        self._ends = False
        self.want(resume)

    def want(self, resume: str | None) -> None:
        """Asks once more, for what was told after the message known as `resume`."""
        nano = (resume or "").partition(":")[0]
        # A little earlier: that message is to be among the answer.
        self._wanted = f"{max(0, int(nano) // 1_000_000_000 - 1)}" if nano.isdecimal() and len(nano) < 20 else "0"
        self._wake.set()

    def compare(self) -> None:
        """Asks for all of it, where it is short: as much has passed as it should be compared with."""
        if self._ends:
            self.want(None)

    def _run(self) -> None:
        self.introduced.wait(self._pace.quiet)
        while not self._over:
            since, self._wanted = self._wanted, None
            if since is not None:
                asked = now_micros()
                self._inbox.put(Recalled(self._recall(since), asked))
            self._pause(None)

    def _recall(self, since: str) -> list[bytes] | None:
        now = self._now()
        path = f"/events?since={since}"
        if self._ends:
            path += f"&until={now // 1_000_000}.{now % 1_000_000:06d}000"
        try:
            answer = self._api.get(path, self._pace.patience, self._pace.quiet)
        except FAILURES:
            return None
        if answer.status != 200:
            return None
        return last_lines(answer.body, self._limits)


def last_lines(body: bytes, limits: Limits) -> list[bytes]:
    """The messages in an answer; of those that take more memory than may wait, the last."""
    objects, size = JsonObjects(limits.message), 0
    lines: deque[bytes] = deque()
    pieces = (objects.feed(body[at : at + _PIECE]) for at in range(0, len(body), _PIECE))
    for line, _ in ServerSent().off(chain(chain.from_iterable(pieces), objects.end())):
        lines.append(line)
        size += held(line)
        while size > limits.waiting and len(lines) > 1:
            size -= held(lines.popleft())
    return list(lines)


class Place(NamedTuple):
    """Where a stream goes on after what was delivered of it before."""

    fresh: Sequence[Arrival]
    """What is new."""
    since: Micros | None
    """From when on nothing is missing, by the engine's clock; None: only from now on."""
    found: bool
    """Whether the last message that was delivered is among what the engine remembers."""


class Read(NamedTuple):
    """A message as JSON."""

    message: Json
    resume: str
    """What it is known by when the stream is opened again."""


def read(line: bytes, refused: str | None = None) -> Read | None:
    """What a line of the stream says; None for what the decoder is to reject."""
    if refused is not None:
        return None
    try:
        found = parse(line.decode())
        if type(found) is not dict:
            return None
        message = as_dockers(found) if is_podmans(found) else found
        return Read(message, f"{found.get('timeNano')}:{identity(found)}")
    except (ValueError, RecursionError):
        return None


def key_of(line: bytes) -> str:
    """What a line of the stream or of the memory is known by: as a value, whatever its spelling, where it is one."""
    found = read(line)
    return found.resume if found is not None else repr(line[:_GARBAGE])


def place(past: Sequence[Arrival], resume: str | None) -> Place:
    """Where to go on in what was told up to now, after the message known as `resume`."""
    heard = [read(arrival.line, arrival.refused) for arrival in past]
    known = [None if found is None else found.resume for found in heard]
    position = _last(known, resume)
    if position is None and resume is not None:
        # What a message is known by may have changed with the version of the archiver; its time has not.
        nano = resume.partition(":")[0]
        position = _last([None if one is None else one.partition(":")[0] for one in known], nano)
    if position is not None:
        last = heard[position]
        assert last is not None
        return Place(past[position + 1 :], moment_of(last.message), True)
    # A message of the swarm carries the time of the change, and an engine that has just started may tell of changes
    # from before its end. One of the engine's own carries the time at which it was told: that proves something.
    own = (found.message for found in heard if found is not None and is_own(found.message))
    first = next(own, None)
    return Place(past, moment_of(first) if first else None, False)


def _last(known: Sequence[str | None], wanted: str | None) -> int | None:
    if wanted is None or wanted == "None":
        return None
    return next((at for at in reversed(range(len(known))) if known[at] == wanted), None)


def moment_of(message: Json) -> Micros | None:
    """When a message says that it was told, by the engine's clock."""
    for key, per_second in (("timeNano", 1_000_000_000), ("time", 1)):
        found = message.get(key)
        if type(found) is int and 0 < found < _YEAR_10000 * per_second:
            return found * 1_000_000 // per_second
    return None


def is_own(message: Json) -> bool:
    """Whether a message is about the engine's own objects; old engines knew no others."""
    return text(message, "scope") in ("", "local")


def is_message(line: bytes) -> bool:
    """Whether it is something told, and not an error in the place of the answer."""
    found = read(line)
    return found is not None and moment_of(found.message) is not None
