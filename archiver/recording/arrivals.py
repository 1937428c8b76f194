"""Keeps events that are dated by their arrival in the order of it, though the clock was set back between them."""

from __future__ import annotations

from collections.abc import Sequence

from archiver.model import Event, Item, Micros, Record

_STEP: Micros = 1_000_000
"""What arrives so much before the one ahead of it arrived by another clock; threads are out of step by less."""


class Arrivals:
    """What arrives while the clock repeats a time that it has shown before happened at the end of that time.

    So a state that is told later stays the later one; when it was received is told as the clock had it.
    """

    def __init__(self) -> None:
        self._latest: dict[str, Micros] = {}

    def ordered(self, items: Sequence[Item], records: list[Record]) -> list[Record]:
        """The records of some items; `records` is used up."""
        for place, record in enumerate(records):
            if type(record) is Event and record.time_source == "received":
                stream = items[place].stream
                latest = self._latest.get(stream, 0)
                if record.occurred_at < latest - _STEP:
                    records[place] = record._replace(occurred_at=latest)
                elif record.occurred_at > latest:
                    self._latest[stream] = record.occurred_at
        return records
