"""A report as the contract's JSON has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from archiver.errors import UsageError
from archiver.model import TimeRange
from archiver.model.reports import Available, Per, Report, Restart, Restarts, Watched
from archiver.report import documents
from archiver.report.documents import Field

if TYPE_CHECKING:
    from archiver.api.archive import Archive, Ref


PER = {
    "availability": ("day", "slot", "service", "node", "image"),
    "restarts": ("day", "slot", "service", "node", "image", "container"),
    "deploys": (),
    "flaps": (),
    "changes": (),
    "coverage": ("day",),
}
"""The reports, and by what each may be sliced."""


def asked(archive: Archive, name: str, ref: Ref | None, range: TimeRange, per: str | None) -> Report:
    """The report that somebody asks for by words. Raises UsageError for one that there is not."""
    if name not in PER:
        raise UsageError(reason=f"there is no report {name[:100]!r}", hint=f"there are: {', '.join(PER)}")
    if per is not None and per not in PER[name]:
        hint = f"there are: {', '.join(PER[name])}" if PER[name] else "leave per out"
        raise UsageError(reason=f"{name} is not sliced by {per[:100]!r}", hint=hint)
    return archive.report(name, ref, range, per=cast("Per | None", per))


def head(report: Report) -> dict[str, Any]:
    """A report but for its rows."""
    total = report.total
    summed = {} if total is None else {"total": documents.record(_AVAILABLE, total)}
    return {
        "report": report.report,
        "resource": None if report.resource is None else documents.resource(report.resource),
        "range": documents.range_(report.range),
        "per": report.per,
        "zone": report.zone,
        "coverage": documents.coverage(report.coverage),
        "empty": report.empty,
        "notes": list(report.notes),
        **summed,
    }


def document(report: Report) -> dict[str, Any]:
    """A report, whole."""
    shown = fields(report)
    return {**head(report), "rows": [documents.record(shown, row) for row in report.rows]}


def fields(report: Report) -> list[Field[Any]]:
    """What its rows have, in the contract's order: first the day, or what the row is about."""
    by_day = report.per == "day"
    if report.report == "coverage":
        return [*([_DAY] if by_day else []), *_WATCHED]
    if report.report == "changes":
        return list(documents.STEP)
    if report.report in _PLAIN:
        return [*_SUBJECT, *_PLAIN[report.report]]
    own: list[Field[Any]] = list(_AVAILABLE)
    if report.report == "restarts":
        own = list(_RESTART if report.per is None else _RESTARTS)
    return [*([_DAY] if by_day else _SUBJECT), *own]


def _of_subject(name: str) -> Callable[[Any], Any]:
    return lambda row: None if row.subject is None else getattr(row.subject, name)


def _number(name: str) -> Field[Any]:
    """A number of seconds or of times, whole where it is one."""

    def value(row: Any) -> Any:
        found = getattr(row, name)
        return int(found) if isinstance(found, float) and found.is_integer() else found

    return Field(name, value)


def _part(name: str) -> Field[Available]:
    def value(row: Available) -> float | None:
        part: float | None = getattr(row, name)
        return None if part is None else round(part, 6)

    return Field(name, value)


_DAY: Field[Any] = Field("day", lambda row: row.day)
_SUBJECT: list[Field[Any]] = [
    *[Field(name, _of_subject(name)) for name in ("uri", "type", "name")],
    Field("platform", _of_subject("platform"), extra=True),
]
_AVAILABLE: list[Field[Available]] = [
    *map(_number, ("up_seconds", "down_seconds", "planned_seconds", "unknown_seconds")),
    *map(_part, ("availability", "worst", "best")),
]
_RESTART: list[Field[Restart]] = [
    Field("slot", lambda row: row.slot),
    Field("stopped_at", lambda row: row.stopped_at),
    Field("started_at", lambda row: row.started_at),
    _number("down_seconds"),
    Field("cause", lambda row: documents.cause(row.cause)),
    Field("certain", lambda row: row.certain),
]
_RESTARTS: list[Field[Restarts]] = [
    *map(_number, ("restarts", "told", "forced", "crash", "oom", "unknown", "down_seconds", "not_back"))
]
_WATCHED: list[Field[Watched]] = [
    Field("stream", lambda row: row.stream),
    *map(_number, ("watched_seconds", "unwatched_seconds", "gaps", "longest_seconds")),
]
_DEPLOY: list[Field[Any]] = [
    Field("action", lambda row: row.action),
    Field("started_at", lambda row: row.started_at),
    Field("finished_at", lambda row: row.finished_at),
    _number("seconds"),
    Field("result", lambda row: row.result),
    Field("image_before", lambda row: row.image_before),
    Field("image_after", lambda row: row.image_after),
    _number("recovered_seconds"),
    Field("by", lambda row: row.by),
    Field("certain", lambda row: row.certain),
    Field("why", lambda row: row.why),
    Field("containers", lambda row: row.containers),
    Field("not_up", lambda row: row.not_up),
]
_FLAP: list[Field[Any]] = [
    Field("since", lambda row: row.since),
    Field("until", lambda row: row.until),
    _number("seconds"),
    _number("changes"),
    Field("certain", lambda row: row.certain),
]
_PLAIN = {"deploys": _DEPLOY, "flaps": _FLAP}
