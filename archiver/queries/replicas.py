"""When containers began to run for a service, or ceased to."""

from __future__ import annotations

from collections.abc import Iterable

from archiver.model import Micros, Number
from archiver.queries.last_words import LAST_OF, LAST_OTHER, States, first_behind, last_of, last_words
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import statement
from archiver.storage.words import PARENT

_PLACES = (
    "SELECT f.since, f.until FROM facts f"
    " WHERE f.platform_id = :platform AND f.resource_id = :number AND f.value = :service"
    f" AND f.what = {PARENT} AND f.since <= :at ORDER BY f.since DESC"
)


def began_to_run(
    connection: Connection, numbers: Iterable[Number], service: Number, at: Micros, states: States
) -> dict[Number, Micros]:
    """Of containers that run for a service at an instant: since when each of them does."""
    numbers = list(numbers)
    others = last_of(connection, numbers, at, LAST_OTHER, states.running)
    began = first_behind(connection, numbers, others)
    found = {}
    for number in numbers:
        since, _ = _places(connection, number, service, at)[0]
        found[number] = max(since, began[number].place[0])
    return found


def ceased_to_run(
    connection: Connection, numbers: Iterable[Number], service: Number, at: Micros, states: States
) -> dict[Number, Micros]:
    """Of containers that do not run for a service at an instant: when each of those that ever did ceased to."""
    ends = {number: _ceased(connection, number, service, at, states.running) for number in numbers}
    return {number: end for number, end in ends.items() if end is not None}


def _ceased(connection: Connection, number: Number, service: Number, at: Micros, running: list[int]) -> Micros | None:
    """The end of the last stretch in which it ran and was there; it is stepped back from end to end."""
    for since, until in _places(connection, number, service, at):
        last = min(at, until - 1)
        while last >= since:
            word = last_words(connection, [number], last).get(number)
            if word is not None and word.state_id in running:
                return last + 1
            ran = last_of(connection, [number], last, LAST_OF, running)
            if not ran:
                return None
            last = first_behind(connection, [number], ran)[number].place[0] - 1
    return None


def _places(connection: Connection, number: Number, service: Number, at: Micros) -> list[tuple[Micros, Micros]]:
    """From when until when a container was directly under a service, the last first."""
    values = {"platform": number.platform, "number": number, "service": service, "at": at}
    return [(row.since, row.until) for row in connection.execute(statement(_PLACES), values)]
