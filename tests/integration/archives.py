"""What the tests of storage and queries share: events as they come on the wire, and plain SQL."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from archiver.api.archive import Archive
from archiver.model import Closed, Event, Message, Micros, Observation, Opened, Record, TimeRange, to_micros
from archiver.platforms.decoders import decode
from archiver.storage.database.engine import reading_engine
from archiver.storage.recorder import Recorded, Recorder

START = to_micros(datetime(2016, 2, 1, 12, 0, tzinfo=UTC))
SECOND = 1_000_000
STREAM = "ws://stream.example/v1/events"


LABELLED = json.dumps({"labels": {"com.example.a": "v" * 250}, "n": 1}, separators=(",", ":"))
"""An `extra` of which the labels are shared."""


def uri(ref: str) -> str:
    """container/1 as the platform spells it; what is a URI already stays as it is."""
    return ref if ref.startswith("/") else f"/api/v1/{ref}/"


def at(second: float) -> datetime:
    return datetime.fromtimestamp(START / SECOND + second, UTC)


def micros(second: float) -> Micros:
    return START + int(second * SECOND)


def wire(ref: str, state: str | None = None, second: float = 0, parents: Sequence[str] = (), **more: Any) -> bytes:
    """One event as JSON; `second` counts from START."""
    value = {"type": ref.partition("/")[0], "action": "update", "resource_uri": uri(ref), "state": state}
    value |= {"parents": [uri(parent) for parent in parents], "datetime": at(second).isoformat()} | more
    return json.dumps({key: found for key, found in value.items() if found is not None}).encode()


def event(
    ref: str,
    state: str | None = None,
    second: float = 0,
    parents: Sequence[str] = (),
    session: str | None = None,
    **more: Any,
) -> Event:
    payload = wire(ref, state, second, parents, **more)
    decoded = decode(Message(STREAM, session, "tutum", micros(second), payload))
    assert isinstance(decoded, Event), decoded
    return decoded


def seen(
    ref: str, state: str | None, second: float, parents: Sequence[str] = (), session: str | None = None
) -> Observation:
    return Observation(uri(ref), state, None, tuple(map(uri, parents)), micros(second), None, session)


def opened(session: str, second: float, covered_from: float | None = None, stream: str = STREAM) -> Opened:
    return Opened(stream, session, "tutum", micros(second), micros(second if covered_from is None else covered_from))


def closed(session: str, second: float, reason: str = "cut", stream: str = STREAM) -> Closed:
    return Closed(stream, session, micros(second), reason, "lost")


def record(url: str, *records: Record, receiver: str | None = None, upto: int | None = None) -> Recorded:
    with Recorder(url, receiver) as recorder:
        return recorder.record(records, upto)


def rows(url: str, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    engine = reading_engine(url)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]
    finally:
        engine.dispose()


def export(url: str) -> list[str]:
    with Archive.open(url) as archive:
        return list(archive.export())


def exported(url: str, kind: str) -> list[dict[str, Any]]:
    """The lines of an export that are of one kind: session, event, observation, reject."""
    return [line for line in map(json.loads, export(url)) if line["archiver"] == kind]


def rejected(url: str) -> list[tuple[str, bytes]]:
    """Reason and bytes of every reject."""
    return [(line["reason"], base64.b64decode(line["payload"])) for line in exported(url, "reject")]


def between(since: float | None, until: float | None) -> TimeRange:
    return TimeRange(None if since is None else at(since), None if until is None else at(until))
