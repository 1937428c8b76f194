"""The view of tags: which one a resource bore, from when until when."""

from __future__ import annotations

from archiver.storage.schema import ASKED, OPEN, TAGS, TOLD
from archiver.storage.views.events import PLATFORM, PLATFORM_SAID, name_now
from archiver.storage.views.idioms import Idioms
from archiver.storage.views.view import View


def _member(say: Idioms, fact: str, alias: str) -> str:
    """Each tag of a fact; only of such a one, whatever is joined first, since no name need be a list."""
    listed = f"(SELECT b.text FROM texts b WHERE b.id = {fact}.value AND {fact}.what = {TAGS})"
    return f"{say.members(listed)} {alias}"


def _bears(say: Idioms, fact: str) -> str:
    """How many of a fact's tags are the one that is asked about.

    Counted, since PostgreSQL would make a join of EXISTS, for which it reads the tags of all.
    """
    return f"""(SELECT count(*) FROM (SELECT 1 AS one) one CROSS JOIN {_member(say, fact, f"{fact}_tag")}
        WHERE {fact}_tag.value = g.value)"""


def _resource_tags(say: Idioms) -> str:
    # All tags of a resource are one fact: of a tag that stays while others come and go, the first and the last count.
    # Each fact is looked up from the one beside it, so that many of one object cost no more each than few do.
    of_same = "{0}.platform_id = f.platform_id AND {0}.resource_id = f.resource_id AND {0}.what = " + str(TAGS)
    borne_before = f"""coalesce((SELECT CASE p.until WHEN f.since THEN {_bears(say, "p")} ELSE 0 END FROM facts p
      WHERE {of_same.format("p")} AND p.since < f.since ORDER BY p.since DESC LIMIT 1), 0)"""
    borne_behind = f"""coalesce((SELECT {_bears(say, "h")} FROM facts h
        WHERE {of_same.format("h")} AND h.since = l.until LIMIT 1), 0)"""
    until = f"""(SELECT l.until FROM facts l WHERE {of_same.format("l")} AND l.since >= f.since
      AND {borne_behind} = 0 ORDER BY l.since LIMIT 1)"""
    ended = f"CASE WHEN v.until_us < {OPEN} THEN v.until_us END"
    return f"""
SELECT r.uri AS uri, (SELECT t.text FROM event_types t WHERE t.id = r.type_id) AS type, {name_now("r.id")} AS name,
  v.tag AS tag, {say.instant("v.since_us")} AS since, {say.instant(ended)} AS until,
  CASE v.how WHEN {TOLD} THEN 'told' WHEN {ASKED} THEN 'asked' END AS how, v.since_us AS since_us,
  {ended} AS until_us, {PLATFORM.format("r")} AS platform
FROM (
SELECT f.platform_id AS platform_id, f.resource_id AS resource_id, g.value AS tag, f.since AS since_us, f.how AS how,
  {until} AS until_us
FROM facts f CROSS JOIN {_member(say, "f", "g")}
WHERE f.what = {TAGS} AND {borne_before} = 0
) v
JOIN resources r ON r.id = v.resource_id AND {say.likely("r.platform_id = v.platform_id", 0.9)}
"""


resource_tags = View(
    "resource_tags",
    "Which tags a resource bore, each from when until when",
    {
        "uri": "URI of the resource",
        "type": "Its type",
        "name": "The last name known of it",
        "tag": "The tag",
        "since": "Since when it bore it, UTC",
        "until": "Until when, UTC; NULL: it still does",
        "how": "told, or asked",
        "since_us": "Since when it bore it, in microseconds since 1970",
        "until_us": "Until when, in microseconds since 1970; NULL: it still does",
        "platform": PLATFORM_SAID,
    },
    _resource_tags,
)
