"""Tells of failures that a stream may cause by the thousand, without a line for each."""

from __future__ import annotations

import logging
from collections import Counter

log = logging.getLogger(__name__)


class Failures:
    """Counts failures of a kind: tells of the first with its traceback, then of the 10th, the 100th and so on."""

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, str, int]] = Counter()

    def tell(self, what: str, error: Exception) -> None:
        """Writes down that `what` happened for the reason `error`; its kind is where it was raised."""
        kind = (what, type(error).__name__, _line(error))
        self._seen[kind] += 1
        times = self._seen[kind]
        if times == 1:
            log.error("%s", what, exc_info=error)
        elif str(times).rstrip("0") == "1":
            log.error("%s: %s, %d times by now", what, type(error).__name__, times)


def _line(error: Exception) -> int:
    place, line = error.__traceback__, 0
    while place is not None:
        line, place = place.tb_lineno, place.tb_next
    return line
