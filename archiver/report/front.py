"""The first page of what is served: what lives, how well it was watched of late, and which questions there are."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import escape
from urllib.parse import quote

from archiver.api.archive import Archive
from archiver.codec.visible import short_reference
from archiver.model import TimeRange, rfc3339
from archiver.report.paths import PATHS

SHOWN = 200
"""Resources that are listed."""
_DAY = timedelta(days=1)

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "table{border-collapse:collapse}td{padding:.1rem 1.5rem .1rem 0;vertical-align:top}code{font-size:.9em}"
    "input{font:inherit;width:20rem;max-width:100%}"
)
KIND = "text/html; charset=utf-8"
POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def trouble(reason: str, hint: str) -> Iterator[str]:
    """A page that says what is wrong."""
    yield from _head()
    yield f'<p><strong>{escape(reason)}</strong><p>{escape(hint)}<p><a href="./">What there is</a></body></html>\n'


def _head() -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>archiver</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{_STYLE}</style></head><body><h1>archiver</h1>"


def page(archive: Archive) -> Iterator[str]:
    """The page, in pieces of text."""
    yield from _head()
    yield from _standing(archive)
    yield '<form action="timeline"><label>Timeline of '
    yield '<input name="ref" placeholder="name, URI, type/key"></label></form>'
    yield '<p><a href="timeline?since=1d">Timeline of everything since yesterday</a></p>'
    yield from _tops(archive)
    yield "<h2>Questions</h2>"
    yield "<p>Each is answered in JSON, as the command of its name does with <code>-o json</code>.</p><table>"
    for name, path in PATHS.items():
        takes = f"?{'&'.join(f'{each}=' for each in path.takes)}" if path.takes else ""
        yield f"<tr><td><code>/api/{name}{escape(takes)}</code><td>{escape(path.about)}\n"
    yield "<tr><td><code>/api/follow?after=</code>"
    yield "<td>What is archived, as it comes: server-sent events, each with a cursor.\n"
    yield '<tr><td><code><a href="feed.atom">/feed.atom?under=</a></code><td>The last actions, for a news reader.\n'
    yield '<tr><td><code><a href="deploys.atom">/deploys.atom?under=</a></code>'
    yield "<td>The deploys of the last month, and what came of each, likewise.\n"
    yield "</table></body></html>\n"


def _standing(archive: Archive) -> Iterator[str]:
    now = datetime.now(UTC)
    status, watched = archive.status(), archive.coverage(TimeRange(now - _DAY, now))
    last = rfc3339(status.last_event_at) if status.last_event_at else "none yet"
    gaps = len(watched.gaps)
    said = "watched throughout" if watched.complete else "1 gap" if gaps == 1 else f"{gaps} gaps"
    yield f"<p>{status.events:,} events, the last at {last}. The last 24 hours: {said}, "
    yield f"heard until {rfc3339(watched.seen_to) if watched.seen_to else 'never'}.</p>\n"


def _tops(archive: Archive) -> Iterator[str]:
    """What stands above all else, with what is under it counted."""
    found = archive.tree().children
    if not found:
        return
    yield "<h2>What lives</h2><table>"
    for node in found[:SHOWN]:
        ref = quote(node.uri or "", safe="")
        name = escape(node.name or short_reference(node.uri or ""))
        yield f'<tr><td>{escape(node.type)}<td><a href="timeline?ref={ref}">{name}</a>'
        yield f"<td>{escape(node.state or '')}<td>{f'{len(node.children)} under it' if node.children else ''}"
        yield f'<td><a href="api/tree?ref={ref}">tree</a> <a href="api/actions?ref={ref}">actions</a>\n'
    yield f"</table>{'<p>... and more.</p>' if len(found) > SHOWN else ''}"
