"""What somebody noted from outside (`archiver note`): of a range of time, and what each is about."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from archiver.codec.notes import NOTE
from archiver.codec.text import parse
from archiver.model import Action, Number, TimeRange, numbers_of
from archiver.model.nearby import Nearby, Where
from archiver.queries.neighbours import Place, above_of
from archiver.queries.platforms import of_resources
from archiver.queries.references import type_number
from archiver.queries.windows import Window
from archiver.storage.database.reading import Connection, Row, instant
from archiver.storage.database.statements import by_platform, statement
from archiver.storage.pages import Ask
from archiver.storage.whole import whole_extra
from archiver.storage.words import NO_RESOURCE

_PAGE = 1_000
_MOST = 100
"""So many notes stand beside a history: the last ones."""
_FAR = 99
"""How many steps away is what is said of everything."""
# By the index of resource and time: of what is about no resource there is little. No stream can tell a note.
_NOTES = (
    "SELECT e.platform_id, e.id, e.occurred_at, e.parent_list_id, n.text,"
    f" {whole_extra('e')} AS extra FROM platforms b"
    " CROSS JOIN events e LEFT JOIN texts n ON n.id = e.name_id"
    f" WHERE e.platform_id = b.id AND e.resource_id = {NO_RESOURCE} AND e.session_id IS NULL"
    " AND e.type_id = :type{} ORDER BY e.occurred_at, e.id"
    f" LIMIT {_PAGE}"
)
_MEMBERS = (
    "SELECT m.list_id, m.platform_id, m.resource_id, r.uri, t.text AS type, n.text AS name FROM parent_list_members m"
    " JOIN resources r ON r.platform_id = m.platform_id AND r.id = m.resource_id"
    " JOIN event_types t ON t.id = r.type_id"
    " LEFT JOIN present p ON p.platform_id = r.platform_id AND p.resource_id = r.id"
    " LEFT JOIN texts n ON n.id = p.name_id WHERE m.platform_id = :platform AND m.list_id IN :numbers"
)


class Noted(NamedTuple):
    """A note as it is archived; `about` None: everything."""

    id: int
    at: datetime
    text: str
    about: Number | None
    uri: str | None
    type: str | None
    name: str | None
    by: str | None
    url: str | None
    platform: str | None = None
    """Of what it is about, where the archive has several."""


def notes(ask: Ask, range: TimeRange, about: Collection[int] | None = None) -> Iterator[Noted]:
    """The notes of a range on any of these resources (None: on any) and on everything, the oldest first."""
    kind = ask(type_number, NOTE)
    place: Row | None = None
    while kind is not None:
        page, rows = ask(_page, kind, range, place)
        yield from (note for note in page if about is None or note.about is None or note.about in about)
        if len(rows) < _PAGE:
            return
        place = rows[-1]


def _page(connection: Connection, kind: int, range: TimeRange, place: Row | None) -> tuple[list[Noted], Sequence[Row]]:
    where = ("" if range.since is None else " AND e.occurred_at >= :since") + (
        "" if range.until is None else " AND e.occurred_at < :until"
    )
    values: dict[str, Any] = {"type": kind, **range._asdict()}
    if place is not None:
        where += " AND e.occurred_at >= :at AND (e.occurred_at > :at OR e.id + 0 > :last)"
        values |= {"at": place.occurred_at, "last": place.id}
    rows = connection.execute(statement(_NOTES.format(where)), values).all()
    above: dict[int, Row] = {}
    lists = {numbers_of(row.platform_id)(row.parent_list_id) for row in rows if row.parent_list_id is not None}
    for among in by_platform(lists):
        above.update((row.list_id, row) for row in connection.execute(statement(_MEMBERS), among.values()))
    platforms = of_resources(connection, {_subject(about) for about in above.values()})
    return [_noted(row, above.get(row.parent_list_id), platforms) for row in rows], rows


def _subject(about: Row) -> Number:
    return numbers_of(about.platform_id)(about.resource_id)


def _noted(row: Row, about: Row | None, platforms: Mapping[int, str]) -> Noted:
    said = parse(row.extra) if row.extra else {}
    by, url = (said.get(key) if type(said.get(key)) is str else None for key in ("user", "url"))
    told = row.text or str(said.get("text", ""))
    noted = Noted(row.id, instant(row.occurred_at), told, None, None, None, None, by, url)
    if about is None:
        return noted
    subject = {"about": _subject(about), "uri": about.uri, "type": about.type, "name": about.name}
    return noted._replace(**subject, platform=platforms.get(about.resource_id))


# --- as questions want them -----------------------------------------------------------------------------------------


def as_actions(found: Iterator[Noted]) -> Iterator[Action]:
    """Notes as what was done: without a URI, like all that no platform calls an action."""
    for note in found:
        yield _as_action(note, f"note: {note.text}")


def _as_action(note: Noted, called: str) -> Action:
    return Action(None, note.uri, "Success", note.at, note.at, 1, called, note.name, note.by)


def beside(ask: Ask, number: Number, range: TimeRange) -> tuple[Action, ...]:
    """The last notes of a range on a resource, on what it was under in it, and on everything; the oldest first.

    Each is called by its text alone.
    """
    if ask(type_number, NOTE) is None:
        return ()
    about = {number} | ask(above_of, number, Window.of(range))
    return tuple([_as_action(note, note.text) for note in deque(notes(ask, range, about), maxlen=_MOST)])


def nearby(ask: Ask, places: Mapping[Number, Place], range: TimeRange, at: datetime) -> Iterator[Nearby]:
    """Notes of a range, which has both ends, on some resources and on everything, as changes seen from an instant."""
    for note in notes(ask, range, places):
        yield as_change(note, None if note.about is None else places[note.about], at)


def as_change(note: Noted, place: Place | None, at: datetime) -> Nearby:
    """A note on something at a place (None: on everything) as a change seen from an instant."""
    everything: Where = "above"
    ago = (at - note.at).total_seconds()
    what = (note.uri or "", note.type or "platform", note.name)
    where = place or Place(everything, _FAR)
    change = Nearby("note", *what, None, note.text, note.at, True, None, note.url, note.by, *where, ago)
    return change._replace(platform=note.platform)
