"""Writes events as log records of OpenTelemetry: OTLP's JSON, names in camel case, 64-bit numbers as texts.

Logs data model: https://opentelemetry.io/docs/specs/otel/logs/data-model/ ; entity events: the specification's
`entities/entity-events.md` (in development).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archiver.model import ArchivedEvent, Micros, to_micros
from archiver.model.entities import Entity
from archiver.version import __version__

INFO = 9
"""SeverityNumber of what is neither a warning nor an error: a platform does not say how bad something is."""
SCOPE = "archiver"
_PLAIN = re.compile(r"[a-z][a-z0-9_]{0,40}")


class Names:
    """Names of events, of which there are few: a stream may invent as many types and actions as it likes."""

    def __init__(self, most: int = 200) -> None:
        self._most = most
        self._known: set[str] = set()

    def of(self, event: ArchivedEvent) -> str:
        """`archiver.container.update`; beyond so many, or of no plain words, `archiver.event`."""
        words = [event.type.lower(), *([event.action.lower().partition(":")[0]] if event.action else [])]
        name = ".".join([SCOPE, *words])
        if not all(_PLAIN.fullmatch(word) for word in words):
            return f"{SCOPE}.event"
        if name not in self._known:
            if len(self._known) >= self._most:
                return f"{SCOPE}.event"
            self._known.add(name)
        return name


def request(records: Sequence[Mapping[str, Any]], instance: str) -> bytes:
    """An ExportLogsServiceRequest of some records, of the archive that is called so."""
    about = {"service.name": SCOPE, "service.version": __version__, "service.instance.id": instance}
    scope = {"scope": {"name": SCOPE, "version": __version__}, "logRecords": list(records)}
    logs = {"resource": {"attributes": _attributes(about)}, "scopeLogs": [scope]}
    return json.dumps({"resourceLogs": [logs]}, ensure_ascii=True, separators=(",", ":")).encode()


def of_event(event: ArchivedEvent, names: Names) -> dict[str, Any]:
    """An event: when it happened, when it was received, and what it told; not what it said besides, as labels."""
    told = {
        "archiver.event.id": event.id,
        "archiver.event.type": event.type,
        "archiver.event.action": event.action,
        "archiver.event.state": event.state,
        "archiver.event.time_source": event.time_source,
        "archiver.resource.uri": event.resource_uri,
        "archiver.resource.name": event.name,
        "archiver.resource.parents": list(event.parents) or None,
        "log.record.uid": event.uuid,
    }
    words = [event.type, event.name or event.resource_uri, event.action, event.state]
    return {
        "timeUnixNano": _nanos(to_micros(event.occurred_at)),
        "observedTimeUnixNano": _nanos(to_micros(event.received_at)),
        "severityNumber": INFO,
        "severityText": "INFO",
        "eventName": names.of(event),
        "body": _value(" ".join(filter(None, words))),
        "attributes": _attributes(told),
    }


def of_entity(entity: Entity, now: Micros) -> dict[str, Any]:
    """How a container stands, or that it is no more: the conventions know containers, and nothing of services here."""
    told: dict[str, Any] = {"entity.type": "container", "entity.id": {"container.id": entity.key}}
    at, name = now, "entity.state"
    if entity.gone_at is not None:
        at, name = entity.gone_at, "entity.delete"
        told["entity.delete.reason"] = entity.state
    else:
        described = {
            "container.name": entity.name,
            "container.image.name": entity.image,
            "archiver.event.state": entity.state,
            "archiver.resource.uri": entity.uri,
            "archiver.resource.slot": entity.slot,
        }
        told["entity.description"] = {key: value for key, value in described.items() if value is not None}
        told["entity.report.interval"] = 0  # it is said when something is told of it, and not again
    return {
        "timeUnixNano": _nanos(at),
        "observedTimeUnixNano": _nanos(now),
        "severityNumber": INFO,
        "severityText": "INFO",
        "eventName": name,
        "attributes": _attributes(told),
    }


def rejected(answer: bytes) -> tuple[int, str]:
    """How many records a server did not want, of those in a request that it took, and why (partial success)."""
    try:
        found = json.loads(answer)["partialSuccess"]
        return int(found.get("rejectedLogRecords") or 0), str(found.get("errorMessage") or "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return 0, ""


def _nanos(moment: Micros) -> str:
    # An unsigned number of 64 bits: nothing happened before 1970 there, nor behind 2554.
    return str(min(max(moment, 0) * 1000, (1 << 64) - 1))


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items() if value is not None]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, Mapping):
        return {"kvlistValue": {"values": _attributes(value)}}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return {"arrayValue": {"values": [_value(each) for each in value]}}
    return {"stringValue": _text(value)}


def _text(value: str) -> str:
    # A lone surrogate is no UTF-8, and a server refuses the whole request for it.
    return value.encode("utf-8", "backslashreplace").decode("utf-8")
