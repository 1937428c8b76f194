"""Makes a history small that shows a difference, and writes it as Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from archiver.model import Event, Observation, Record

from .histories import Batch, History, parts

Differs = Callable[[History], bool]


def smallest(history: History, differs: Differs, *, tries: int = 400) -> History:
    """The smallest that still differs, found by leaving out as long as something can be left out."""
    budget = _Budget(tries)
    while (smaller := _smaller(history, differs, budget)) is not None:
        history = smaller
    return history


@dataclass
class _Budget:
    left: int


def _smaller(history: History, differs: Differs, budget: _Budget) -> History | None:
    for candidate in _candidates(history):
        if budget.left <= 0:
            return None
        budget.left -= 1
        if differs(candidate):
            return candidate
    return None


def _candidates(history: History) -> Iterator[History]:
    """With less in it: first whole batches, then records, then batches joined, then what single records say."""
    for place in range(len(history)):
        yield history[:place] + history[place + 1 :]
    for place, batch in enumerate(history):
        for number, record in enumerate(batch.records):
            rest = (*batch.records[:number], *batch.records[number + 1 :])
            yield _with(history, place, Batch(batch.receiver, rest))
            for part in parts(record) if len(parts(record)) > 1 else ():
                yield _with(history, place, Batch(batch.receiver, (*rest[:number], part, *rest[number:])))
    for place in range(1, len(history)):
        before, batch = history[place - 1], history[place]
        if before.receiver == batch.receiver:
            joined = Batch(batch.receiver, before.records + batch.records)
            yield (*history[: place - 1], joined, *history[place + 1 :])
    for place, batch in enumerate(history):
        for number, record in enumerate(batch.records):
            for plainer in _plainer(record):
                records = (*batch.records[:number], plainer, *batch.records[number + 1 :])
                yield _with(history, place, Batch(batch.receiver, records))


def _with(history: History, place: int, batch: Batch) -> History:
    middle = (batch,) if batch.records else ()
    return (*history[:place], *middle, *history[place + 1 :])


def _plainer(record: Record) -> Iterator[Record]:
    if not isinstance(record, Event | Observation):
        return
    for number in range(len(record.parents)):
        yield record._replace(parents=record.parents[:number] + record.parents[number + 1 :])
    for field in (
        "name",
        "image",
        "slot",
        "state",
        "extra",
        "session",
        *(("uuid", "action") if isinstance(record, Event) else ()),
    ):
        if getattr(record, field) is not None:
            yield record._replace(**{field: None})


def as_python(history: History) -> str:
    """The history as a literal, to be put into a test."""
    lines = ["("]
    for batch in history:
        lines.append(f"    Batch({batch.receiver!r}, (")
        lines += [f"        {record!r}," for record in batch.records]
        lines.append("    )),")
    return "\n".join([*lines, ")"])
