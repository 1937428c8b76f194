"""The values that travel through the archiver, all frozen.

Instants on the way in (socket to row) are whole microseconds since 1970-01-01 UTC, type `Micros`; instants in answers
are `datetime` with zone UTC. All are named tuples: a dataclass costs every start of a command a millisecond more.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archiver.model.answers import (
        Action,
        ArchivedEvent,
        Coverage,
        Gap,
        History,
        Namesakes,
        Resource,
        Span,
        Timeline,
        TimeRange,
        TreeNode,
        WholeEvent,
    )
    from archiver.model.causes import Cause, CauseKind, Proof
    from archiver.model.differences import Change, ChangeKind, Diff
    from archiver.model.empty import Empty
    from archiver.model.ends import EndKind, kind_of_end
    from archiver.model.identity import ResourceRef
    from archiver.model.ids import Number, numbers_of
    from archiver.model.items import (
        Alive,
        Closed,
        Condition,
        ConditionOf,
        Dialect,
        Item,
        Message,
        Observed,
        Opened,
    )
    from archiver.model.lanes import Lane, Lanes
    from archiver.model.moments import (
        EPOCH,
        MICROSECOND,
        Micros,
        duration,
        iso,
        now_micros,
        rfc3339,
        seconds,
        to_datetime,
        to_micros,
    )
    from archiver.model.records import (
        Answers,
        Batch,
        Event,
        EventColumns,
        Listed,
        Observation,
        Platform,
        Record,
        Reject,
        Telling,
        TimeSource,
        Together,
    )
    from archiver.model.standing import Status, StreamStatus, ToldStatus

__all__ = [
    "EPOCH",
    "MICROSECOND",
    "Action",
    "Alive",
    "Answers",
    "ArchivedEvent",
    "Batch",
    "Cause",
    "CauseKind",
    "Change",
    "ChangeKind",
    "Closed",
    "Condition",
    "ConditionOf",
    "Coverage",
    "Dialect",
    "Diff",
    "Empty",
    "EndKind",
    "Event",
    "EventColumns",
    "Gap",
    "History",
    "Item",
    "Lane",
    "Lanes",
    "Listed",
    "Message",
    "Micros",
    "Namesakes",
    "Number",
    "Observation",
    "Observed",
    "Opened",
    "Platform",
    "Proof",
    "Record",
    "Reject",
    "Resource",
    "ResourceRef",
    "Span",
    "Status",
    "StreamStatus",
    "Telling",
    "TimeRange",
    "TimeSource",
    "Timeline",
    "Together",
    "ToldStatus",
    "TreeNode",
    "WholeEvent",
    "duration",
    "iso",
    "kind_of_end",
    "now_micros",
    "numbers_of",
    "rfc3339",
    "seconds",
    "to_datetime",
    "to_micros",
]

_OF = {
    "answers": "Action ArchivedEvent Coverage Gap History Namesakes Resource Span Timeline"
    " TimeRange TreeNode WholeEvent",
    "causes": "Cause CauseKind Proof",
    "differences": "Change ChangeKind Diff",
    "empty": "Empty",
    "ends": "EndKind kind_of_end",
    "identity": "ResourceRef",
    "ids": "Number numbers_of",
    "items": "Alive Closed Condition ConditionOf Dialect Item Message Observed Opened",
    "lanes": "Lane Lanes",
    "moments": "EPOCH MICROSECOND Micros duration iso now_micros rfc3339 seconds to_datetime to_micros",
    "records": "Answers Batch Event EventColumns Listed Observation Platform Record Reject Telling TimeSource Together",
    "standing": "Status StreamStatus ToldStatus",
}
"""Module -> its names that are asked for here."""
_MODULES = {name: module for module, names in _OF.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """A value out of its module, which is loaded when it is first asked for: no answer needs them all, and TAB none."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, getattr(import_module(f"{__name__}.{_MODULES[name]}"), name))
