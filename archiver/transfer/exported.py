"""Adds what an export holds to an archive: each item as often as the export has it, and no more often."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from archiver.model import Batch, EventColumns
from archiver.storage.inventory import KINDS, Inventory, Numbers
from archiver.storage.recorder import Recorded, Recorder
from archiver.transfer.reader import Part


class ExportImport:
    """One export on its way into an archive.

    Every item is known by its uuid or by what it says. Only what an earlier import of the same export has reached needs
    no comparison: so a mirror costs what is new. That the export's archive was put back by hand, which does not change
    its generation, shows in the last item that would be skipped: then all that follows is compared.
    """

    def __init__(self, recorder: Recorder, number: int, name: str | None) -> None:
        self.number = number
        self._recorder = recorder
        self._name = name
        self._inventory, self._reached = recorder.take_stock(name)
        self._seen = {kind: Numbers() for kind in KINDS}
        self._last: dict[str, int] = {}
        self._disordered = False
        self._known: dict[str, int | None] = {kind: reached.known for kind, reached in self._reached.items()}

    def record(self, part: Part) -> Recorded:
        """Archives what of some items is not there."""
        if part.name != self._name:  # a second export has got between the lines of this one
            self._name = None
        skipped, repeated, others = self._sorted_out(part)
        looked_at = skipped if self._is_disordered(part) else skipped[-1:]
        if skipped and not self._recorder.holds(picked(part.records, looked_at)):
            self._reached[part.kind] = self._reached[part.kind]._replace(known=0, alone=0)
            self._inventory.look_at_all(part.kind)
            self._name = None
            others, skipped = sorted(others + skipped), []
        done = [self._recorder.record(picked(part.records, others), inventory=self._inventory)] if others else []
        done += [self._recorder.record(picked(part.records, repeated), inventory=Inventory())] if repeated else []
        self._advance(part.kind, part.numbers)
        return Recorded(
            sum(one.events for one in done),
            sum(one.rejects for one in done),
            sum(one.duplicates for one in done) + (len(skipped) if part.kind == "event" else 0),
        )

    def _sorted_out(self, part: Part) -> tuple[list[int], list[int], list[int]]:
        """Places of what an earlier import has reached, of what this one has had before, and of everything else."""
        reached, seen = self._reached[part.kind], self._seen[part.kind]
        events = part.records.only_events if part.kind == "event" else None
        skipped: list[int] = []
        repeated: list[int] = []
        others: list[int] = []
        for place, number in enumerate(part.numbers):
            named = events is not None and events.uuid[place] is not None
            if number <= reached.alone or (named and number <= reached.known):
                skipped.append(place)
            elif number in seen:
                repeated.append(place)
            else:
                seen.add(number)
                others.append(place)
        return skipped, repeated, others

    def _is_disordered(self, part: Part) -> bool:
        """Whether lines have been moved about: then those of another export may be among them."""
        numbers = [self._last.get(part.kind, 0), *part.numbers]
        if any(later <= earlier for earlier, later in pairwise(numbers)):
            self._disordered = True
        self._last[part.kind] = numbers[-1]
        return self._disordered

    def _advance(self, kind: str, numbers: Sequence[int]) -> None:
        """Notes up to which number every item is archived; where one was left out, nothing more is noted."""
        known = self._known[kind]
        if known is None:
            return
        for number in sorted(numbers):
            if number == known + 1:
                known = number
            elif number > known:
                self._known[kind] = None
                return
        self._known[kind] = known

    def finish(self) -> None:
        """Keeps in mind how far the export is archived."""
        if self._name is not None:
            known = {kind: upto for kind, upto in self._known.items() if upto}
            if known:
                self._recorder.remember(self._name, known)


def picked(records: Batch, places: Sequence[int]) -> Batch:
    """The records at these places, which ascend."""
    if len(places) == len(records):
        return records
    columns = records.only_events
    if columns is None:
        everything = list(records)
        return Batch([everything[place] for place in places])
    return Batch(EventColumns._make([[column[place] for place in places] for column in columns]))
