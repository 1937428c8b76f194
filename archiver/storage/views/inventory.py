"""The view of all resources: what each is called, where it belongs, and whether it lives."""

from __future__ import annotations

from archiver.storage.schema import OPEN
from archiver.storage.views.events import PLATFORM, PLATFORM_SAID
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.places import NAMES, listed, place_then
from archiver.storage.views.view import View


def _inventory(say: Idioms) -> str:
    def word(column: str) -> str:
        return f"(SELECT b.text FROM texts b WHERE b.id = p.{column})"

    def place(name: str) -> str:
        return place_then(name, "r.id", str(OPEN))

    names = {
        "name": word("name_id"),
        "stack": place("stack"),
        "service": place("service"),
        "slot": word("slot_id"),
        "node": place("node"),
        "image": word("image_id"),
    }
    return f"""
SELECT r.uri AS uri, t.text AS type,
  {listed(names)},
  {say.instant("p.first_at")} AS first_seen_at, {say.instant("p.last_at")} AS last_seen_at,
  CASE WHEN p.gone_at IS NULL THEN 1 ELSE 0 END AS live,
  p.first_at AS first_seen_us, p.last_at AS last_seen_us, {PLATFORM.format("r")} AS platform
FROM present p
JOIN resources r ON r.platform_id = p.platform_id AND r.id = p.resource_id
JOIN event_types t ON t.id = p.type_id
"""


inventory = View(
    "inventory",
    "Every resource that was ever heard of, with its name and its place",
    {
        "uri": "URI of the resource",
        "type": "Its type",
        **NAMES,
        "first_seen_at": "When it was first heard of, UTC",
        "last_seen_at": "When it was last told or asked about, UTC; NULL: only others ever named it",
        "live": "1: it lives, as far as known; 0: it is gone",
        "first_seen_us": "When it was first heard of, in microseconds since 1970",
        "last_seen_us": "When it was last told or asked about, in microseconds since 1970",
        "platform": PLATFORM_SAID,
    },
    _inventory,
)
