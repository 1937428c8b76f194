"""The view of sessions: from when until when each watched, and how far those before it had."""

from __future__ import annotations

from archiver.storage.views.idioms import Idioms
from archiver.storage.views.view import View
from archiver.storage.words import OPEN, SILENT_SECONDS

LOOK_BACK = 16
"""Of the sessions of a stream so many are looked at to see whether one that began earlier was still watching."""


def _session_log(say: Idioms) -> str:
    def watched_to(session: str) -> str:
        alive = (
            f"{session}.closed_at IS NULL"
            f" AND {say.micros(f'{session}.last_seen_at')} > {say.now} - {SILENT_SECONDS * 1_000_000}"
        )
        ended = say.micros(f"coalesce({session}.closed_at, {session}.last_seen_at)")
        return f"CASE WHEN {alive} THEN {OPEN} ELSE {ended} END"

    return f"""
SELECT s.id AS id, s.stream_id AS stream_id, s.covered_from AS covered_from,
  {say.micros("s.covered_from")} AS covered_us, {watched_to("s")} AS watched_us,
  (SELECT max(o.watched_us) FROM (SELECT {watched_to("b")} AS watched_us FROM sessions b
    WHERE b.stream_id = s.stream_id AND b.covered_from <= s.covered_from
      AND (b.covered_from < s.covered_from OR b.id < s.id)
    ORDER BY b.covered_from DESC LIMIT {LOOK_BACK}) o) AS before_us
FROM sessions s
"""


session_log = View(
    "session_log",
    "Every session: from when until when it watched, and until when those did that began before it",
    {
        "id": "Number of the session",
        "stream_id": "Number of the stream",
        "covered_from": "From when on it watched, UTC",
        "covered_us": "From when on it watched, in microseconds since 1970",
        "watched_us": f"Until when, in microseconds since 1970; {OPEN}: it still does",
        "before_us": "Until when those of its stream watched that began before it (of the last 16 the longest);"
        " NULL: it is the first. Less than covered_us: nobody was watching just before it",
    },
    _session_log,
    is_part=True,
)


def of_session(session: str, column: str) -> str:
    """A column of the view for a row of the table: looked up, since SQLite writes out a view that is joined LEFT."""
    return f"(SELECT b.{column} FROM session_log b WHERE b.id = {session}.id)"


def ends_gap(session: str) -> str:
    """That nobody was watching the stream just before a session began to."""
    return f"""(SELECT coalesce(b.before_us, {-OPEN}) < b.covered_us FROM session_log b WHERE b.id = {session}.id)"""


def reached(stream: str, which: str = "b.id > 0") -> str:
    """How far of a stream's sessions that watched longest did, in microseconds; NULL: there is none."""
    return f"""(SELECT max(o.watched_us) FROM (SELECT b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = {stream} AND {which} ORDER BY b.covered_from DESC LIMIT {LOOK_BACK}) o)"""


def reaching(stream: str, which: str = "b.id > 0") -> str:
    """The number of that session: to be joined where what it says is asked for more than once."""
    return f"""(SELECT o.id FROM (SELECT b.id AS id, b.watched_us AS watched_us FROM session_log b
        WHERE b.stream_id = {stream} AND {which} ORDER BY b.covered_from DESC LIMIT {LOOK_BACK}) o
      ORDER BY o.watched_us DESC LIMIT 1)"""


def earlier_than(session: str) -> str:
    """That a session b began before another one."""
    return (
        f"b.covered_from <= {session}.covered_from AND (b.covered_from < {session}.covered_from OR b.id < {session}.id)"
    )
