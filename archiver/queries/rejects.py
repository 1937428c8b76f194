"""What could not become an event, and why: the last ones, or one with its bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archiver.errors import NoSuchReject
from archiver.model import TimeRange, to_datetime, to_micros
from archiver.model.rejects import KINDS, KeptReject, RejectKind
from archiver.storage.database.reading import Connection, Row
from archiver.storage.database.statements import statement
from archiver.storage.pages import Ask

_PAGE = 500
_KEPT = (
    "SELECT j.id, t.url, j.received_at, j.reason, length(j.payload) AS bytes, j.retried_at FROM rejects j"
    " LEFT JOIN sessions s ON s.id = j.session_id LEFT JOIN streams t ON t.id = s.stream_id"
)
_PAYLOAD = "SELECT j.payload FROM rejects j WHERE j.id = :number"
_NTH = "SELECT j.id FROM rejects j{} ORDER BY j.id DESC LIMIT :limit"


def last_rejects(ask: Ask, range: TimeRange, limit: int) -> Iterator[KeptReject]:
    """The last `limit` (0: all) that were received within a range, in the order of archiving, some at a time."""
    after, end = ask(_bounds, range, limit)
    while page := ask(_page, range, after, end):
        yield from page
        after = page[-1].id


def reject(connection: Connection, number: int) -> tuple[KeptReject, bytes]:
    """The one of a number, and its bytes. Raises NoSuchReject."""
    row = connection.execute(statement(f"{_KEPT} WHERE j.id = :number"), {"number": number}).one_or_none()
    if row is None:
        raise NoSuchReject(number=number)
    return _kept(row), bytes(connection.scalar(statement(_PAYLOAD), {"number": number}))


def _bounds(connection: Connection, range: TimeRange, limit: int) -> tuple[int, int]:
    """The numbers between which they are, the first not included."""
    found = connection.scalar("SELECT max(j.id) FROM rejects j") or 0
    if not limit:
        return 0, found
    where, values = _within(range)
    last = connection.scalars(statement(_NTH.format(where)), {"limit": limit, **values})
    return (last[-1] - 1, found) if last else (found, found)


def _within(range: TimeRange) -> tuple[str, dict[str, Any]]:
    ends = {"since": (">=", range.since), "until": ("<", range.until)}
    given = {name: (sign, to_micros(end)) for name, (sign, end) in ends.items() if end is not None}
    where = " AND ".join(f"j.received_at {sign} :{name}" for name, (sign, _) in given.items())
    return (f" WHERE {where}" if where else ""), {name: end for name, (_, end) in given.items()}


def _page(connection: Connection, range: TimeRange, after: int, end: int) -> list[KeptReject]:
    where, values = _within(range)
    place = f"{where} AND" if where else " WHERE"
    asked = statement(f"{_KEPT}{place} j.id > :after AND j.id <= :end ORDER BY j.id LIMIT {_PAGE}")
    return [_kept(row) for row in connection.execute(asked, {"after": after, "end": end, **values})]


def _kept(row: Row) -> KeptReject:
    retried_at = None if row.retried_at is None else to_datetime(row.retried_at)
    return KeptReject(
        row.id, row.url, to_datetime(row.received_at), kind_of_reject(row.reason), row.reason, row.bytes, retried_at
    )


def kind_of_reject(reason: str) -> RejectKind:
    """Of which kind a reject is, by its reason."""
    return next((kind for beginning, kind in KINDS if beginning in reason), "failed")
