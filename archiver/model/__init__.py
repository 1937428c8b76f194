"""The values that travel through the archiver, all frozen.

Instants on the way in (socket to row) are whole microseconds since 1970-01-01 UTC, type `Micros`; instants in answers
are `datetime` with zone UTC. All are named tuples: a dataclass costs every start of a command a millisecond more.
"""

from __future__ import annotations

from archiver.model.answers import (
    Action,
    ArchivedEvent,
    Coverage,
    Gap,
    History,
    Resource,
    Span,
    Status,
    StreamStatus,
    TimeRange,
    TreeNode,
    WholeEvent,
)
from archiver.model.items import (
    Alive,
    Closed,
    Condition,
    ConditionOf,
    Dialect,
    EndKind,
    Item,
    Message,
    Observed,
    Opened,
    kind_of_end,
)
from archiver.model.moments import EPOCH, MICROSECOND, Micros, iso, now_micros, to_datetime, to_micros
from archiver.model.records import (
    Batch,
    Event,
    EventColumns,
    Observation,
    Record,
    Reject,
    ResourceRef,
    Telling,
    TimeSource,
    Together,
)

__all__ = [
    "EPOCH",
    "MICROSECOND",
    "Action",
    "Alive",
    "ArchivedEvent",
    "Batch",
    "Closed",
    "Condition",
    "ConditionOf",
    "Coverage",
    "Dialect",
    "EndKind",
    "Event",
    "EventColumns",
    "Gap",
    "History",
    "Item",
    "Message",
    "Micros",
    "Observation",
    "Observed",
    "Opened",
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
    "Together",
    "TreeNode",
    "WholeEvent",
    "iso",
    "kind_of_end",
    "now_micros",
    "to_datetime",
    "to_micros",
]
