"""The connections of one session: the stream, and beside it those on which questions are asked."""

from __future__ import annotations

import time

from archiver.model import Micros, now_micros
from archiver.platforms.docker.feed import Feed
from archiver.platforms.docker.inbox import Inbox
from archiver.platforms.docker.knowledge import Knowledge
from archiver.platforms.docker.memory import Memory
from archiver.platforms.docker.pulse import Pulses
from archiver.platforms.docker.stock import Stock

_END_SECONDS = 0.5


class Wires:
    """All of them lead into one inbox."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = know = knowledge
        self.inbox = Inbox(know.limits.waiting)
        self.pulses = Pulses("docker-pulse", know.api(), self.inbox, know.pace)
        self.memory = Memory(know.api(), self.inbox, know.pace, know.limits, self._their_now)
        self.feed = Feed(
            know.endpoint, know.way, know.pace.patience, know.limits, self.inbox, know.resume, self.memory.compare
        )
        self.stock = Stock(know.api(), self.inbox, know.pace)
        self._beside = (self.pulses, self.memory, self.stock)
        self.cut_short = False
        """Whether the stream was ended while it still brought something."""

    def open(self) -> None:
        """Opens the stream, and then begins to ask beside it. Raises `FAILURES` when there is no stream."""
        self.feed.open()
        if self.feed.is_podmans:
            self.memory.trust_no_end(self._knowledge.resume)
        self.pulses.start()
        self.memory.start()

    def hear_out(self) -> None:
        """Asks nothing more, reads what the engine has told by now, and ends the stream; from another thread."""
        self._ask_no_more()
        pace = self._knowledge.pace
        self.cut_short = not self.feed.falls_silent(pace.quiet, pace.last_words)
        self.feed.hang_up()

    def hang_up(self) -> None:
        """Ends whatever waits for the engine, from any thread."""
        self._ask_no_more()
        self.feed.hang_up()

    def _ask_no_more(self) -> None:
        self.inbox.closed.set()
        for asking in self._beside:
            asking.hang_up()

    def close(self) -> None:
        """Gives everything back."""
        self.hang_up()
        self.feed.close()
        deadline = time.monotonic() + _END_SECONDS
        for asking in self._beside:
            asking.end(deadline - time.monotonic())

    def _their_now(self) -> Micros:
        """The engine's clock at this moment, or a second later."""
        clock, date = self._knowledge.clock, self.feed.date
        if clock.offset is None and date is not None:
            return now_micros() - self.feed.opened_at + date + 1_000_000
        return clock.theirs(now_micros())
