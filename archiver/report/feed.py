"""The last actions as an Atom feed (RFC 4287), for whoever reads news of deploys where he reads other news."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape

from archiver.api.archive import Archive
from archiver.errors import ReferenceUnclear
from archiver.model import ArchivedEvent, rfc3339

ENTRIES = 50
_EVENTS = 500
"""Events that are looked through for so many actions: an action has few."""
_NOT_XML = re.compile(
    "[^\t\n\r\x20-\x7e\u0085\u00a0-\u200a\u2010-\u2027\u2030-\u205f\u2070-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U0010fffd]"
)
_EPOCH = "1970-01-01T00:00:00Z"


def atom(archive: Archive, under: str | None) -> Iterator[str]:
    """The feed, of the whole platform, or of what was under a resource. Raises NoSuchResource, AmbiguousReference."""
    root = None if under is None else archive.resolve(under)
    told = archive.events(types=["action"], under=root, limit=_EVENTS, healthchecks=False)
    last = {event.resource_uri: event for event in told if event.resource_uri}
    entries = sorted(last.values(), key=lambda event: (event.occurred_at, event.id), reverse=True)[:ENTRIES]
    title = "Actions" if root is None else f"Actions under {root.name or root.uri}"
    updated = rfc3339(entries[0].occurred_at) if entries else _EPOCH
    yield '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
    yield f"<title>{_text(title)}</title><id>{_id(root.uri if root else '')}</id><updated>{updated}</updated>\n"
    yield "<author><name>archiver</name></author>\n"
    yield from (_entry(event, _called(archive, event)) for event in entries)
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


def _entry(event: ArchivedEvent, target: str) -> str:
    what = event.name or "action"
    on = f" of {target}" if target else ""
    title = _text(f"{what}{on}: {event.state or event.action or 'told'}")
    said = _text(" ".join(filter(None, (event.resource_uri, *event.parents[:1], event.state))))
    return (
        f"<entry><title>{title}</title><id>{_id(event.resource_uri or '')}</id>"
        f"<updated>{rfc3339(event.occurred_at)}</updated>"
        f"<content>{said}</content></entry>\n"
    )


def _id(uri: str) -> str:
    """An identity that stays, and is a URI whatever the platform calls a URI."""
    return uuid5(NAMESPACE_URL, f"archiver:{uri}").urn


def _text(text: str) -> str:
    """Text for XML, which has no way to say what it does not allow."""
    return escape(_NOT_XML.sub("\ufffd", text))
