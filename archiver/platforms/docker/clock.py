"""Compares an engine's clock with ours, and says by how much what it dates is to be corrected."""

from __future__ import annotations

from datetime import datetime

from archiver.model import Micros, to_micros

SECOND = 1_000_000
TOLERATED = 2 * SECOND
"""A clock that is off by less is taken at its word."""
_DISORDER = SECOND // 10
"""Engines date a message before they send it, so those of one moment may change places."""


class Clock:
    """An engine's clock, as far as it is known.

    Events and observations must be dated by one clock, or the one would undo the other. That is the engine's own while
    it is nearly right, so that its messages keep their times to the microsecond; else ours.
    """

    def __init__(self) -> None:
        self.offset: Micros | None = None
        """By how much the engine's clock is ahead of ours; None while that is not known."""
        self._error: Micros = 0
        self._dated: Micros = 0

    def compare(self, told: Micros, asked: Micros, came: Micros, resolution: Micros = 0) -> None:
        """Takes note of the time that the engine `told`, to a `resolution`, between `asked` and `came`."""
        offset, error = told + resolution // 2 - (asked + came) // 2, (came - asked + resolution) // 2
        if resolution and abs(offset) <= error:
            offset = error = 0  # nothing shows that they differ
        self.offset, self._error = offset, error

    def differs(self, told: Micros, at: Micros) -> bool:
        """Whether a time to the second, asked for at `at`, shows that the clock was set meanwhile."""
        return abs(told + SECOND // 2 - at - (self.offset or 0)) > TOLERATED

    @property
    def ahead(self) -> Micros:
        """What is to be taken from the engine's times; 0 while its clock is nearly right."""
        return self.offset if self.offset is not None and abs(self.offset) >= TOLERATED else 0

    def ours(self, told: Micros) -> Micros:
        """A time of the engine's, as its events are dated."""
        return told - self.ahead

    def theirs(self, at: Micros) -> Micros:
        """An instant by our clock as the engine's shows it."""
        return at + (self.offset or 0)

    def asked(self, at: Micros) -> Micros:
        """When a question of ours was asked at the earliest, as the engine's events are dated."""
        return at + (self.offset or 0) - self.ahead - self._error

    def came(self, at: Micros) -> Micros:
        """When an answer was given at the latest, as the engine's events are dated."""
        return at + (self.offset or 0) - self.ahead + self._error

    def ahead_of(self, told: Micros, received: Micros) -> Micros:
        """What is to be taken from the time of a message of the engine's own that just came, so that order is kept.

        When its clock is set back, or far ahead, in the middle of a session, the message is dated when it came.
        """
        ahead = self.ahead
        if told - ahead < self._dated - _DISORDER:
            ahead = told - max(received, self._dated + 1)
        elif told - ahead > received + TOLERATED:
            ahead = told - received
        self._dated = max(self._dated, told - ahead)
        return ahead

    def begin(self) -> None:
        """Forgets the order of what came in an earlier session."""
        self._dated = 0


def moment(text: object) -> Micros | None:
    """An engine's way to write an instant, as microseconds; None for what is none, as the year 1 for 'never'."""
    if type(text) is not str:
        return None
    try:
        found = to_micros(datetime.fromisoformat(text))
    except (ValueError, TypeError, OverflowError):  # TypeError: it has no time zone
        return None
    return found if found > 0 else None
