"""The last actions and deploys as Atom feeds (RFC 4287), for whoever reads of them where he reads other news."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape

from archiver.api.archive import Archive
from archiver.errors import ReferenceUnclear
from archiver.model import ArchivedEvent, Resource, TimeRange, rfc3339
from archiver.model.reports import Deploy

ENTRIES = 50
_EVENTS = 500
"""Events that are looked through for so many actions: an action has few."""
_MONTH = timedelta(days=30)
_NOT_XML = re.compile(
    "[^\t\n\r\x20-\x7e\u0085\u00a0-\u200a\u2010-\u2027\u2030-\u205f\u2070-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U0010fffd]"
)
_EPOCH = "1970-01-01T00:00:00Z"


class Entry(NamedTuple):
    """What happened, of which one is told once."""

    title: str
    uri: str
    """What stays the same of it, whatever else is told later."""
    updated: datetime
    said: str


def actions(archive: Archive, under: str | None) -> Iterator[str]:
    """The last actions, of everything, or of what was under a resource. Raises NoSuchResource, AmbiguousReference."""
    root = None if under is None else archive.resolve(under)
    told = archive.events(types=["action"], under=root, limit=_EVENTS, healthchecks=False)
    last = {event.resource_uri: event for event in told if event.resource_uri}
    newest = sorted(last.values(), key=lambda event: (event.occurred_at, event.id), reverse=True)[:ENTRIES]
    return _atom("Actions", "", root, [_action(event, _called(archive, event)) for event in newest])


def deploys(archive: Archive, under: str | None) -> Iterator[str]:
    """The deploys of the last month and what came of each. Raises as `actions` does."""
    root = None if under is None else archive.resolve(under)
    found = archive.report("deploys", root, TimeRange(datetime.now(UTC) - _MONTH, None)).rows
    rows = sorted((row for row in found if isinstance(row, Deploy)), key=_told_last, reverse=True)
    return _atom("Deploys", "deploys:", root, list(map(_deploy, rows[:ENTRIES])))


def _atom(title: str, kind: str, root: Resource | None, entries: Sequence[Entry]) -> Iterator[str]:
    whole = title if root is None else f"{title} under {root.name or root.uri}"
    updated = rfc3339(entries[0].updated) if entries else _EPOCH
    yield '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
    yield f"<title>{_text(whole)}</title><id>{_id(kind + (root.uri if root else ''))}</id>"
    yield f"<updated>{updated}</updated>\n"
    yield "<author><name>archiver</name></author>\n"
    for entry in entries:
        yield f"<entry><title>{_text(entry.title)}</title><id>{_id(entry.uri)}</id>"
        yield f"<updated>{rfc3339(entry.updated)}</updated><content>{_text(entry.said)}</content></entry>\n"
    yield "</feed>\n"


def _called(archive: Archive, event: ArchivedEvent) -> str:
    """What people call that which an action is of; where it has no name, or it is not known which is meant, its URI."""
    if not event.parents:
        return ""
    with suppress(ReferenceUnclear):
        target = archive.resolve(event.parents[0])
        if target.name:
            return f"{target.type} {target.name}"
    return event.parents[0]


def _action(event: ArchivedEvent, target: str) -> Entry:
    on = f" of {target}" if target else ""
    title = f"{event.name or 'action'}{on}: {event.state or event.action or 'told'}"
    said = " ".join(filter(None, (event.resource_uri, *event.parents[:1], event.state)))
    return Entry(title, event.resource_uri or "", event.occurred_at, said)


def _deploy(row: Deploy) -> Entry:
    subject = row.subject
    images = [image for image in (row.image_before, row.image_after) if image]
    of = " to ".join(dict.fromkeys(images))
    title = f"{subject.type} {subject.name or subject.uri}: deploy {row.result}{f', {of}' if of else ''}"
    said = [
        subject.uri,
        row.action,
        f"began {rfc3339(row.started_at)}",
        f"took {row.seconds:g} s" if row.seconds else None,
    ]
    said += [f"by {row.by}" if row.by else None, f"not up: {', '.join(row.not_up)}" if row.not_up else None]
    identity = f"deploy:{subject.platform or ''}:{subject.uri}:{rfc3339(row.started_at)}"
    return Entry(title, identity, _told_last(row), "; ".join(filter(None, said)))


def _told_last(row: Deploy) -> datetime:
    return row.finished_at or row.started_at


def _id(uri: str) -> str:
    """An identity that stays, and is a URI whatever the platform calls a URI."""
    return uuid5(NAMESPACE_URL, f"archiver:{uri}").urn


def _text(text: str) -> str:
    """Text for XML, which has no way to say what it does not allow."""
    return escape(_NOT_XML.sub("\ufffd", text))
