"""An answer as the contract's JSON has it, for whoever gives it: a shell, the served pages, an assistant's tools.

The values of a record, in the contract's order, are written once, here; the command line makes its columns of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from archiver.api.documents import cause as cause
from archiver.api.documents import gap as gap
from archiver.api.documents import machine_value as machine_value
from archiver.model.moments import seconds

if TYPE_CHECKING:
    from archiver.model import (
        Action,
        ArchivedEvent,
        Change,
        Coverage,
        Diff,
        Empty,
        Gap,
        History,
        Lane,
        Lanes,
        Resource,
        Span,
        Status,
        Timeline,
        TimeRange,
        TreeNode,
    )
    from archiver.model.nearby import Before, Nearby, Replaced
    from archiver.model.rejects import KeptReject

T = TypeVar("T")


class Field(NamedTuple, Generic[T]):
    """One value of a record: its name, and how to get it."""

    name: str
    value: Callable[[T], Any]
    extra: bool = False
    """Only in JSON, and only where there is a value: so that the lines of other formats stay as they are."""


def record(fields: Sequence[Field[T]], item: T) -> dict[str, Any]:
    """A record as JSON has it."""
    pairs = ((field, field.value(item)) for field in fields)
    return {field.name: machine_value(value) for field, value in pairs if value is not None or not field.extra}


# --- causes, spans and gaps ----------------------------------------------------------------------------------------


def span_seconds(span: Span) -> int | float | None:
    """How long a span lasted; None: it has not ended."""
    return None if span.until is None else seconds(span.until - span.since)


SPAN: list[Field[Span]] = [
    Field("state", lambda span: span.state),
    Field("since", lambda span: span.since),
    Field("until", lambda span: span.until),
    Field("seconds", span_seconds),
    Field("events", lambda span: span.events),
    Field("source", lambda span: span.source, extra=True),
    Field("certain", lambda span: span.certain),
    Field("seen_at", lambda span: span.seen_at, extra=True),
    Field("cause", lambda span: cause(span.cause), extra=True),
]


def span(item: Span) -> dict[str, Any]:
    """A span as `history` has it: with all its values, known or not."""
    return {field.name: machine_value(field.value(item)) for field in SPAN}


def coverage(item: Coverage) -> dict[str, Any]:
    """Coverage as it stands in every answer."""
    gaps = [gap(each) for each in item.gaps]
    return {"complete": item.complete, "seen_to": machine_value(item.seen_to), "gaps": gaps}


def range_(item: TimeRange) -> dict[str, Any]:
    """What was asked for; null: open."""
    return {"since": machine_value(item.since), "until": machine_value(item.until)}


def resource(item: Resource) -> dict[str, Any]:
    """What an answer is about."""
    named = {"uri": item.uri, "type": item.type, "name": item.name, "parents": list(item.parents)}
    return named if item.platform is None else named | {"platform": item.platform}


def head(history: History | Timeline) -> dict[str, Any]:
    """A history but for its spans, of which there may be more than fit into memory."""
    return {
        "resource": resource(history.resource),
        "range": range_(history.range),
        "coverage": coverage(history.coverage),
        "empty": history.empty,
        "notes": [
            {"at": machine_value(note.started_at), "text": note.name, "under": note.target, "by": note.by}
            for note in history.notes
        ],
    }


def _gap_seconds(gap: Gap) -> int | float | None:
    return seconds(gap.until - gap.since) if gap.since and gap.until else None


GAP: list[Field[Gap]] = [
    Field("stream", lambda gap: gap.stream),
    Field("since", lambda gap: gap.since),
    Field("until", lambda gap: gap.until),
    Field("seconds", _gap_seconds),
    Field("kind", lambda gap: gap.kind),
    Field("reason", lambda gap: gap.reason),
    Field("proven", lambda gap: gap.proven),
]
"""A gap as a record of its own, with the names of the view `gap_log`."""


def gaps_head(about: Resource | None, range: TimeRange, watched: Coverage) -> dict[str, Any]:
    """An answer about gaps, but for these."""
    subject = None if about is None else resource(about)
    end = {"complete": watched.complete, "seen_to": machine_value(watched.seen_to)}
    return {"resource": subject, "range": range_(range), **end}


def list_head(about: Sequence[Resource], range: TimeRange, watched: Coverage, empty: Empty | None) -> dict[str, Any]:
    """What stands with `--coverage` before a list of what was under some resources (none: of all)."""
    subjects = [resource(each) for each in about]
    head: dict[str, Any] = {"resource": subjects[0] if len(subjects) == 1 else None}
    head |= {"resources": subjects} if len(subjects) > 1 else {}
    return {**head, "range": range_(range), "coverage": coverage(watched), "empty": empty}


def replaced(item: Replaced | None) -> dict[str, Any] | None:
    """What a new container took the place of, and what was different."""
    if item is None:
        return None
    differs = [{"what": each.what, "before": each.before, "after": each.after} for each in item.differs]
    return {"uri": item.uri, "name": item.name, "why": item.why, "differs": differs}


STEP: list[Field[Nearby]] = [
    Field("change", lambda change: change.change),
    Field("uri", lambda change: change.uri or None),
    Field("type", lambda change: change.type),
    Field("name", lambda change: change.name),
    Field("before", lambda change: change.before),
    Field("after", lambda change: change.after),
    Field("at", lambda change: change.at),
    Field("certain", lambda change: change.certain),
    Field("cause", lambda change: cause(change.cause)),
    Field("action", lambda change: change.action),
    Field("by", lambda change: change.by),
    Field("replaced", lambda change: replaced(change.replaced), extra=True),
    Field("platform", lambda change: change.platform, extra=True),
]
NEARBY: list[Field[Nearby]] = [
    *STEP,
    Field("where", lambda change: change.where),
    Field("distance", lambda change: change.distance),
    Field("seconds_before", lambda change: change.seconds_before),
]


def before_head(item: Before) -> dict[str, Any]:
    """What changed before something, but for the changes."""
    return {
        "resource": resource(item.resource),
        "at": machine_value(item.at),
        "at_is": item.at_is,
        "range": range_(item.range),
        "coverage": coverage(item.coverage),
        "empty": item.empty,
        "left_out": item.left_out,
    }


# --- events and actions ---------------------------------------------------------------------------------------------


def _action_seconds(action: Action) -> int | float | None:
    return seconds(action.finished_at - action.started_at) if action.finished_at else None


ACTION: list[Field[Action]] = [
    Field("uri", lambda action: action.uri),
    Field("target", lambda action: action.target),
    Field("state", lambda action: action.state),
    Field("started_at", lambda action: action.started_at),
    Field("finished_at", lambda action: action.finished_at),
    Field("seconds", _action_seconds),
    Field("events", lambda action: action.events),
    Field("name", lambda action: action.name, extra=True),
    Field("target_name", lambda action: action.target_name, extra=True),
    Field("by", lambda action: action.by, extra=True),
]
EVENT: list[Field[ArchivedEvent]] = [
    Field("id", lambda event: event.id),
    Field("type", lambda event: event.type),
    Field("action", lambda event: event.action),
    Field("state", lambda event: event.state),
    Field("resource_uri", lambda event: event.resource_uri),
    Field("parents", lambda event: event.parents),
    Field("occurred_at", lambda event: event.occurred_at),
    Field("received_at", lambda event: event.received_at),
    Field("uuid", lambda event: event.uuid),
    Field("name", lambda event: event.name, extra=True),
    Field("time_source", lambda event: event.time_source, extra=True),
]


# --- rejects --------------------------------------------------------------------------------------------------------

REJECT: list[Field[KeptReject]] = [
    Field("id", lambda reject: reject.id),
    Field("stream", lambda reject: reject.stream),
    Field("received_at", lambda reject: reject.received_at),
    Field("kind", lambda reject: reject.kind),
    Field("reason", lambda reject: reject.reason),
    Field("bytes", lambda reject: reject.bytes),
    Field("retried_at", lambda reject: reject.retried_at),
]


def payload(data: bytes) -> dict[str, str]:
    """The bytes of a reject: as text, or in Base64 where they are none."""
    from base64 import b64encode  # hardly any answer needs it

    try:
        return {"payload": data.decode()}
    except UnicodeDecodeError:
        return {"payload_base64": b64encode(data).decode()}


# --- lanes ----------------------------------------------------------------------------------------------------------


def lanes(item: Lanes, dump: Callable[[Any], str]) -> Iterator[str]:
    """The pieces of the JSON text of a picture, a lane in each; `dump` writes a part of it as JSON."""
    about: dict[str, Any] = {"uri": None, "type": "platform", "name": None, "parents": []}
    if item.resource is not None:
        about = resource(item.resource)
    head = {"resource": about, "range": range_(item.range), "coverage": coverage(item.coverage), "empty": item.empty}
    yield dump(head)[:-1] + ', "lanes": ['
    for place, each in enumerate(item.lanes):
        yield (",\n  " if place else "\n  ") + dump(lane(each))
    yield "\n]}" if item.lanes else "]}"


def lane(item: Lane) -> dict[str, Any]:
    """A lane with all that became of it, and all that was done to it."""
    spans = [span(each) | {"kind": each.kind} for each in item.spans]
    own = {"uri": item.uri, "type": item.type, "name": item.name, "depth": item.depth}
    return own | {"spans": spans, "actions": [record(ACTION, each) for each in item.actions]}


# --- trees and standings --------------------------------------------------------------------------------------------

NODE: list[Field[TreeNode]] = [
    Field("uri", lambda node: node.uri),
    Field("type", lambda node: node.type),
    Field("name", lambda node: node.name),
    Field("state", lambda node: node.state),
    Field("since", lambda node: node.since),
    Field("gone_at", lambda node: node.gone_at),
    Field("certain", lambda node: node.certain),
    Field("image", lambda node: node.image),
    Field("tags", lambda node: list(node.tags) or None, extra=True),
    Field("platform", lambda node: node.platform, extra=True),
]


def tree(root: TreeNode, dump: Callable[[Any], str]) -> Iterator[str]:
    """The pieces of the JSON text of a tree, children within their parents; `dump` writes one node as JSON.

    No recursion, as a hostile stream may nest as deep as it likes.
    """
    waiting: list[TreeNode | str] = [root]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
            continue
        yield dump(record(NODE, item) | (_root(root) if item is root else {}))[:-1] + ', "children": ['
        waiting.append("]}")
        for position, child in reversed(list(enumerate(item.children))):
            waiting.append(child)
            if position:
                waiting.append(", ")


def _root(item: TreeNode) -> dict[str, Any]:
    """What the root alone says: of when the tree is, and how well that was watched."""
    watched = None if item.coverage is None else coverage(item.coverage)
    return {"at": machine_value(item.at), "coverage": watched, "empty": item.empty}


DIFFERENCE: list[Field[Change]] = [
    Field("change", lambda change: change.change),
    Field("uri", lambda change: change.uri),
    Field("type", lambda change: change.type),
    Field("name", lambda change: change.name),
    Field("before", lambda change: change.before),
    Field("after", lambda change: change.after),
    Field("at", lambda change: change.at),
    Field("certain", lambda change: change.certain),
    Field("cause", lambda change: cause(change.cause)),
    Field("platform", lambda change: change.platform, extra=True),
    Field("doubtful", lambda change: list(change.doubtful) or None, extra=True),
]


def diff_head(item: Diff) -> dict[str, Any]:
    """What was otherwise between two instants, but for the changes."""
    subject = None if item.resource is None else resource(item.resource)
    watched = {"coverage": coverage(item.coverage), "empty": item.empty}
    return {"resource": subject, "range": range_(item.range), **watched}


def status(item: Status) -> dict[str, Any]:
    """How things stand."""
    streams = [_values(stream._asdict()) for stream in item.streams]
    problems = [problem._asdict() for problem in item.problems]
    told = [_values(each._asdict()) for each in item.told]
    return _values(item._asdict()) | {"well": item.well, "problems": problems, "streams": streams, "told": told}


def _values(named: dict[str, Any]) -> dict[str, Any]:
    return {name: machine_value(value) for name, value in named.items()}
