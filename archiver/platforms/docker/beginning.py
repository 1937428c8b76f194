"""How a connection begins: what the engine remembers, where that goes on from, and who it is, if it says so at once."""

from __future__ import annotations

from collections.abc import Sequence

from archiver.model import Micros, now_micros
from archiver.platforms.docker.clock import SECOND
from archiver.platforms.docker.inbox import Arrival, Ended, Introduced, Json, Question, Recalled, Told, held
from archiver.platforms.docker.knowledge import Knowledge
from archiver.platforms.docker.memory import is_message, is_own, key_of, place, read
from archiver.platforms.docker.wires import Wires

_MOST_ASKED = 32


class Beginning:
    """The first moment of a connection, in which messages wait in memory: a second at most."""

    def __init__(self, knowledge: Knowledge, wires: Wires) -> None:
        self._know = knowledge
        self._wires = wires
        self._keys: set[str] = set()
        self._own = False
        self._size = 0
        self._recalled: Recalled | None = None
        self.past: list[Arrival] = []
        """What was told up to now."""
        self.held_back: list[bytes] = []
        """What of it the stream itself has not brought."""
        self._asked: set[Question] = set()
        self._open: set[Question] = set()
        self.told: list[Told] = []
        self.introduced: list[Introduced] = []
        self.ended: Ended | None = None

    def gather(self) -> None:
        """Waits until it is known where the stream goes on from and who the engine is, but not for long."""
        monotonic, pace = self._know.pace.monotonic, self._know.pace
        deadline = monotonic() + pace.hold
        quiet = False
        while self._may_wait() and not self._is_known(quiet) and (left := deadline - monotonic()) > 0:
            heard = self._wires.inbox.get(min(left, pace.quiet))
            quiet = heard is None
            if type(heard) is Arrival:
                self._add(heard)
            elif type(heard) is Introduced:
                self.introduced.append(heard)
                self._know.learn(heard)
                self._wires.memory.introduced.set()
            elif type(heard) is Recalled:
                self._recalled = heard
            elif type(heard) is Told:
                self.told.append(heard)
                self._open.discard(heard.question)
            elif type(heard) is Ended:
                self.ended = heard
        self._add_what_is_held_back()
        feed = self._wires.feed
        if self._know.clock.offset is None and feed.date is not None:
            self._know.clock.compare(feed.date, feed.asked_at, feed.opened_at, SECOND)

    def _may_wait(self) -> bool:
        return self.ended is None and self._size < self._know.limits.waiting

    def _add(self, arrival: Arrival) -> None:
        found = read(arrival.line, arrival.refused)
        self._size += held(arrival.line)
        self.past.append(arrival)
        self._keys.add(found.resume if found is not None else key_of(arrival.line))
        if found is not None:
            self._own = self._own or is_own(found.message)
            self._explain(found.message)

    def _explain(self, message: Json) -> None:
        """Asks whether an exec is a probe, while there is time anyway: later nobody will tell."""
        question = self._know.inventory.unknown_exec(message)
        if question is not None and question not in self._asked and len(self._asked) < _MOST_ASKED:
            self._asked.add(question)
            self._open.add(question)
            self._wires.stock.want(question, soon=True)
            self._wires.stock.start()

    def _is_known(self, quiet: bool) -> bool:
        resume = self._know.resume
        if not self.introduced or self._open:
            return False
        if resume in self._keys or (resume is None and self._own):
            return True
        if self._recalled is None:
            return False
        lines = self._recalled.lines
        if not lines:
            return quiet  # some engines do not tell all of it so
        return key_of(lines[-1]) in self._keys

    def _add_what_is_held_back(self) -> None:
        """What the engine remembers is told, even when something on the way holds its stream back."""
        lines = self._recalled.lines if self._recalled is not None else None
        if not lines or key_of(lines[-1]) in self._keys or self.ended is not None or self._know.resume in self._keys:
            return
        self.held_back = [line for line in lines if key_of(line) not in self._keys and is_message(line)]
        for line in self.held_back:
            self._add(Arrival(now_micros(), line))

    def place(self, opened_at: Micros) -> tuple[Sequence[Arrival], Micros]:
        """What is new, and from when on nothing is missing."""
        know = self._know
        found = place(self.past, know.resume)
        since = know.clock.ours(found.since) if found.since is not None else None
        unbroken = know.unbroken_since
        if unbroken is not None and opened_at - unbroken < know.pace.unbroken * SECOND:
            since = min(unbroken, since or unbroken)  # it had told nothing until then, and what it told since is here
        elif not found.found:
            know.inventory.observe_again()
        know.clock.begin()
        return found.fresh, min(opened_at, since or opened_at)
