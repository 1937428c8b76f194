"""Hands a history to the recorder as receivers and imports do, and empties an archive for the next one."""

from __future__ import annotations

import random
from collections import Counter

from sqlalchemy import Engine, delete, insert, select, update

from archiver.storage import schema
from archiver.storage.limits import CacheLimits
from archiver.storage.recorder import Recorder, Whose

from .histories import IMPORT_TO, History, parts
from .platforms import IDENTITIES

_TINY = CacheLimits(3, 3, 3, 3, 3)
"""Caches that remember nearly nothing, so that what is not in them is looked up."""


def write(url: str, history: History, seed: int = 0) -> None:
    """Archives a history: by one recorder or by many, with caches of any size, now and then handed over twice."""
    pick = random.Random(seed)
    reached: Counter[str | None] = Counter()
    limits = pick.choice([None, None, _TINY])
    anew = pick.choice([0.0, 0.0, 0.0, 0.3])
    recorder = Recorder(url, None, limits)
    try:
        for batch in history:
            if pick.random() < anew:
                recorder.close()
                recorder = Recorder(url, None, limits)
            recorder.receiver, recorder.whose = batch.receiver, Whose()
            if batch.receiver is None or batch.receiver.startswith(IMPORT_TO):
                if batch.receiver is not None:
                    recorder.whose = Whose(IDENTITIES[int(batch.receiver.removeprefix(IMPORT_TO))])
                recorder.record(batch.records)
                continue
            reached[batch.receiver] += len(batch.records)
            for _ in range(pick.choice([1, 1, 1, 2])):
                recorder.record(batch.records, reached[batch.receiver])
    finally:
        recorder.close()


def empty(engine: Engine, beginning: list[tuple[object, ...]]) -> None:
    """Takes everything out of an archive but what it had in the `beginning` (`properties`)."""
    with engine.begin() as connection:
        for table in reversed(schema.metadata.sorted_tables):
            if table not in (schema.numbers, schema.state_kinds, schema.days):
                connection.execute(delete(table))
        connection.execute(update(schema.numbers).values(last=0))
        for key, value in beginning:
            connection.execute(insert(schema.archive_properties).values(key=key, value=value))


def properties(engine: Engine) -> list[tuple[object, ...]]:
    """What a new archive knows of itself."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*schema.archive_properties.c))]


def records(history: History) -> int:
    """How many records a history has."""
    return sum(len(parts(record)) for batch in history for record in batch.records)
