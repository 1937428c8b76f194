"""What Compose deployed: the containers of a service that it recreated, what was different, and how that went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from archiver.model import EPOCH, Micros, Number, Resource, Span, TimeRange, numbers_of, to_datetime, to_micros
from archiver.model.nearby import Replaced
from archiver.model.reports import Deploy, Subject
from archiver.platforms.facts import is_compose_service
from archiver.queries.asked import Asked
from archiver.queries.containers import CONTAINER, KindOf, kinds
from archiver.queries.history import timeline
from archiver.queries.neighbours import members
from archiver.queries.platforms import several
from archiver.queries.references import type_number
from archiver.queries.replaced import compared, predecessors
from archiver.queries.stays import Stay, stays
from archiver.queries.story import earlier, later
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import by_platform, statement
from archiver.storage.pages import Ask

TOGETHER = timedelta(minutes=10)
"""Containers of a service recreated so soon one after the other are one deploy; each has so long to fare well."""
_EDGES = 6
"""So many times as long before and behind a range it is looked for what belongs to a deploy within it."""

_FIRST_HEARD = (
    "SELECT p.platform_id, p.resource_id, p.first_at FROM present p"
    " WHERE p.type_id = :type AND p.first_at >= :since AND p.first_at < :until"
)
_FIRST_HEARD_OF = (
    "SELECT p.platform_id, p.resource_id, p.first_at FROM present p WHERE p.platform_id = :platform"
    " AND p.resource_id IN :numbers AND +p.type_id = :type AND p.first_at >= :since AND p.first_at < :until"
)
_GONE = "SELECT p.gone_at FROM present p WHERE p.platform_id = :platform AND p.resource_id = :number"
_CALLED = (
    "SELECT r.id, r.uri, r.key, n.text AS name FROM resources r"
    " LEFT JOIN present p ON p.platform_id = r.platform_id AND p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id WHERE r.platform_id = :platform AND r.id IN :numbers"
)


class _Recreated(NamedTuple):
    """A container that took the place of another, which was still there, or otherwise made."""

    number: Number
    at: datetime
    stay: Stay
    """Where it was made."""
    before: str | None
    """The image of the other."""
    replaced: Replaced

    @property
    def service(self) -> Subject:
        """Of which service it is; where nobody told its name, that which its slots have."""
        found, slot = self.stay.places["service"], self.stay.slot or ""
        return found if found.name else found._replace(name=slot.rpartition("-")[0] or None)


class _Fared(NamedTuple):
    """How a new container fared."""

    name: str
    up: datetime | None
    """When it ran first."""
    failed: datetime | None
    """When it crashed, or ended without ever having run."""
    is_up: bool
    """Whether it was up at last."""
    certain: bool | None


def recreations(ask: Ask, asked: Asked) -> list[Deploy]:
    """The deploys by Compose that began below a resource within a range, as far as anybody told of its labels."""
    found = [some for some in _together(_about(ask, asked)) if asked.since <= some[0].at < asked.end]
    kind, names = ask(kinds), ask(several)
    called = ask(_resources, [each.number for some in found for each in some])
    return [
        _deploy(some, [_fared(ask, called[each.number], each.at, asked.now, kind) for each in some], asked.now, names)
        for some in found
    ]


def _about(ask: Ask, asked: Asked) -> list[_Recreated]:
    """Those within a range, and before and behind it as far as they may belong to the same deploys; in their order."""
    since, until = asked.range.since, asked.end
    found = ask(_recreated, asked.resource, asked.range, until)
    for _ in range(_EDGES):
        if since is None or not any(each.at - since <= TOGETHER for each in found):
            break
        since, end = earlier(since, TOGETHER), since
        found += ask(_recreated, asked.resource, TimeRange(since, end), end)
    for _ in range(_EDGES):
        if until >= asked.now or not any(until - each.at <= TOGETHER for each in found):
            break
        begin, until = until, min(later(until, TOGETHER), asked.now)
        found += ask(_recreated, asked.resource, TimeRange(begin, until), until)
    return sorted(found, key=lambda each: (each.number.platform, each.service.uri or "", each.at, each.number))


def _recreated(connection: Connection, root: Resource | None, range: TimeRange, end: datetime) -> list[_Recreated]:
    made = _made(connection, root, range, end)
    places = stays(connection, list(made))
    stood = {number: places[number].at(to_datetime(made[number])) for number in made if number in places}
    ours = [number for number, stay in stood.items() if stay.slot is not None and _is_ours(stay)]
    others = predecessors(connection, ours)
    before = stays(connection, list(others.values()))
    found = []
    for number, other in others.items():
        instead = compared(connection, other, number)
        if _was_there(connection, other, made[number]) or instead.why in _OTHERWISE:
            image = before[other].at(to_datetime(made[number])).image if other in before else None
            found.append(_Recreated(number, to_datetime(made[number]), stood[number], image, instead))
    return found


_OTHERWISE = frozenset({"image", "configuration", "image and configuration"})
"""What makes it a deploy though the other one was removed before: else it may be scaled down and up again."""


def _is_ours(stay: Stay) -> bool:
    service = stay.places.get("service")
    return service is not None and service.uri is not None and is_compose_service(service.uri)


def _made(connection: Connection, root: Resource | None, range: TimeRange, end: datetime) -> dict[Number, Micros]:
    """The containers below a resource that were first heard of within a range, and when."""
    if (kind := type_number(connection, CONTAINER)) is None:
        return {}
    values = {"type": kind, "since": to_micros(range.since or EPOCH), "until": to_micros(end)}
    if root is None:
        rows = list(connection.execute(statement(_FIRST_HEARD), values))
    else:
        below = by_platform(sorted(members(connection, root, TimeRange(range.since, end))))
        asked = statement(_FIRST_HEARD_OF)
        rows = [row for among in below for row in connection.execute(asked, among.values(**values))]
    return {numbers_of(platform)(number): first for platform, number, first in rows}


def _was_there(connection: Connection, other: Number, at: Micros) -> bool:
    """Whether a container had not been removed by an instant."""
    gone = connection.scalar(statement(_GONE), {"platform": other.platform, "number": other})
    return gone is None or gone > at


def _resources(connection: Connection, numbers: Iterable[Number]) -> dict[Number, Resource]:
    return {
        among.of(row.id): Resource(among.of(row.id), row.uri, CONTAINER, row.key, row.name)
        for among in by_platform(sorted(numbers))
        for row in connection.execute(statement(_CALLED), among.values())
    }


# --- which belong together -------------------------------------------------------------------------------------------


def _together(found: Iterable[_Recreated]) -> Iterator[list[_Recreated]]:
    """Those of one service, one soon after the other and each slot once, are a deploy."""
    some: list[_Recreated] = []
    for each in found:
        if some and not _goes_on(some, each):
            yield some
            some = []
        some.append(each)
    if some:
        yield some


def _goes_on(some: Sequence[_Recreated], each: _Recreated) -> bool:
    last = some[-1]
    same = (last.number.platform, last.service.uri) == (each.number.platform, each.service.uri)
    return same and each.at - last.at <= TOGETHER and each.stay.slot not in {other.stay.slot for other in some}


# --- how it went -----------------------------------------------------------------------------------------------------


def _fared(ask: Ask, container: Resource, at: datetime, now: datetime, kind: KindOf) -> _Fared:
    """How a container fared for some minutes since it was made."""
    spans = list(timeline(ask, container, TimeRange(at, later(at, TOGETHER)), now).spans)
    ups = [span.since for span in spans if kind(span.state) == "up"]
    crashes = [span.since for span in spans if _is_crash(span)]
    ended = spans[-1].since if spans and not ups and kind(spans[-1].state) in ("down", "gone") else None
    sure = [span.certain for span in spans]
    certain = False if False in sure else None if None in sure or not sure else True
    is_up = bool(spans) and kind(spans[-1].state) == "up"
    name = container.name or container.uri
    return _Fared(name, min(ups, default=None), min(crashes, default=ended), is_up, certain)


def _is_crash(span: Span) -> bool:
    """Whether something ended as nobody wanted it; what does its work and ends well is as it should be."""
    return span.cause is not None and span.cause.kind in ("crash", "oom") and span.cause.exit_code != 0


def _deploy(some: Sequence[_Recreated], fared: Sequence[_Fared], now: datetime, names: Mapping[int, str]) -> Deploy:
    service, began = some[0].service, some[0].at
    ups = [each.up for each in fared if each.up is not None]
    failed = [each.failed for each in fared if each.failed is not None]
    is_late = now - some[-1].at > TOGETHER
    finished, result = None, "open"
    if failed or (is_late and len(ups) < len(fared)):
        finished, result = min(failed, default=None), "failed"
    elif len(ups) == len(fared):
        finished, result = max(ups), "ok"
    recovered = max(ups) if len(ups) == len(fared) and (result == "ok" or all(each.is_up for each in fared)) else None
    sure = [each.certain for each in fared]
    why = dict.fromkeys(each.replaced.why for each in some if each.replaced.why is not None)
    return Deploy(
        service._replace(platform=names.get(some[0].number.platform)),
        None,
        began,
        finished,
        _seconds(began, finished),
        result,  # type: ignore[arg-type]
        some[-1].before,
        some[-1].stay.image,
        _seconds(began, recovered),
        None,
        False if False in sure else None if None in sure else True,
        _widest(why),
        len(some),
        tuple([each.name for each in fared if each.failed is not None or (each.up is None and is_late)]),
    )


def _widest(why: Iterable[str]) -> str | None:
    """Why several were recreated: each reason that any of them had."""
    words = {word for each in why for word in each.split(" and ")}
    if not words - {"neither"}:
        return "neither" if words else None
    return " and ".join(word for word in ("image", "configuration") if word in words)


def _seconds(since: datetime, until: datetime | None) -> float | None:
    return None if until is None else (until - since).total_seconds()
