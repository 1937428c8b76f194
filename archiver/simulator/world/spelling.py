"""How the two platforms spell URIs, times and events.

The shapes are those of the documented and captured events of Tutum (`date`) and Docker Cloud (`datetime`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final, Literal

Flavour = Literal["tutum", "dockercloud"]
"""Whose URIs and events the simulated platform speaks."""

SUBSYSTEM: Final = {
    "stack": "app",
    "service": "app",
    "container": "app",
    "node": "infra",
    "nodecluster": "infra",
    "action": "audit",
}
"""Which part of Docker Cloud's API an object type is found under."""

_BEGINNING: Final[dict[str, datetime]] = {
    "tutum": datetime(2015, 12, 7, 4, 1, 1, tzinfo=UTC),
    "dockercloud": datetime(2016, 2, 1, 16, 47, 28, tzinfo=UTC),
}


class Spelling:
    """One flavour, with the calendar date at which virtual time 0 stands.

    `pace` is how many virtual seconds pass in one second of the calendar: with it a platform that lives sixty times
    faster than life still dates its events by the wall clock. `bare` leaves uuid and time out, as early Tutum did.
    """

    def __init__(
        self,
        flavour: Flavour,
        *,
        namespace: str | None = None,
        start: datetime | None = None,
        pace: float = 1.0,
        bare: bool = False,
    ) -> None:
        self.flavour = flavour
        self.namespace = namespace if flavour == "dockercloud" else None
        self.start = (start or _BEGINNING[flavour]).astimezone(UTC)
        self._pace = pace
        self._bare = bare
        self._second = -1
        self._text = ""

    def collection(self, type_: str) -> str:
        """The path of the list of all objects of a type; actions are never namespaced."""
        if self.flavour == "tutum":
            return f"/api/v1/{type_}/"
        middle = f"{self.namespace}/" if self.namespace and type_ != "action" else ""
        return f"/api/{SUBSYSTEM[type_]}/v1/{middle}{type_}/"

    def anchor(self, at: float, moment: datetime) -> None:
        """Let virtual time `at` stand at a calendar date."""
        self.start = moment.astimezone(UTC) - timedelta(seconds=at / self._pace)
        self._second = -1

    def moment(self, at: float) -> datetime:
        """A virtual time as a calendar date, UTC."""
        return self.start + timedelta(seconds=at / self._pace)

    def rfc2822(self, at: float | None) -> str | None:
        """A virtual time as the REST API writes it, whole seconds."""
        return None if at is None else format_datetime(self.moment(at).replace(microsecond=0))

    def event(
        self, type_: str, action: str, uri: str, state: str, parents: list[str], uuid: str, at: float
    ) -> dict[str, Any]:
        """One event, with its keys in the order the platform was seen to write them."""
        if self.flavour == "tutum":
            event = {"state": state, "parents": parents, "action": action, "type": type_, "resource_uri": uri}
            if not self._bare:
                event["uuid"], event["date"] = uuid, self._iso(at)
            return event
        event = {"type": type_, "action": action, "parents": parents, "resource_uri": uri, "state": state}
        if not self._bare:
            event["uuid"], event["datetime"] = uuid, self._iso(at)
        return event

    def _iso(self, at: float) -> str:
        second = int(at / self._pace)
        if second != self._second:
            self._second = second
            moment = self.start.replace(microsecond=0) + timedelta(seconds=second)
            tail = "+00:00" if self.flavour == "tutum" else "Z"
            self._text = moment.strftime("%Y-%m-%dT%H:%M:%S") + tail
        return self._text
