"""An incident as Markdown, for a post-mortem: what happened, why, who did it, and what nobody knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from archiver.cli import times
from archiver.cli.answers.reports import ratio
from archiver.cli.escape import escape
from archiver.cli.presentation import Presentation
from archiver.cli.words.causes import called, cause_words
from archiver.cli.words.changes import why_words
from archiver.cli.words.coverage import UNTOLD, is_inherited, is_watched, watched_line
from archiver.cli.words.namesakes import Namesakes
from archiver.cli.words.remarks import shown
from archiver.model import Gap
from archiver.model.empty import IN_WORDS
from archiver.model.incident import Incident
from archiver.model.nearby import Nearby
from archiver.model.reports import Available, Restart, Subject

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&])")
MANY = 500
"""So many changes the timeline shows; what is left out is counted."""


def lines(presentation: Presentation, incident: Incident) -> Iterator[str]:
    """The lines of the document."""
    names = _Names(presentation, incident)
    what = "everything" if incident.resource is None else incident.resource.name or incident.resource.uri
    since, until = (presentation.instant(end) for end in incident.range)
    yield f"# Incident: {text(what)}, {since} to {until}"
    yield ""
    yield f"{text(watched_line(presentation, incident.availability))}."
    nothing = "Nothing." if incident.coverage.complete else f"Nothing is known: {IN_WORDS['gap']}."
    yield from _section("What stopped and never came back", _missing(presentation, incident, names), nothing)
    yield from _section("What stopped and came back", _restarts(presentation, incident, names), nothing)
    yield from _section("How available it was", _availability(incident, names), nothing)
    yield from _section("Timeline", _timeline(presentation, incident, names), nothing)
    yield from _section("Who did it", _doers(incident), nothing)
    yield from _section("When nobody was watching", _gaps(presentation, incident))
    yield from _section("What is not known", _unknown(presentation, incident, names))


def text(value: object) -> str:
    """A text from outside in Markdown: nothing in it is markup, and nothing acts on a terminal."""
    return _SPECIAL.sub(r"\\\1", escape(str(value)))


def _section(title: str, found: Iterator[str], nothing: str = "Nothing.") -> Iterator[str]:
    yield from ("", f"## {title}", "")
    first = next(found, None)
    if first is None:
        yield nothing
        return
    yield first
    yield from found


def _missing(presentation: Presentation, incident: Incident, names: _Names) -> Iterator[str]:
    rows = [row for row in incident.restarts.rows if row.started_at is None]
    yield from _stops(presentation, "| stopped | what | why | exit |", rows, names)


def _restarts(presentation: Presentation, incident: Incident, names: _Names) -> Iterator[str]:
    rows = [row for row in incident.restarts.rows if row.started_at is not None]
    yield from _stops(presentation, "| stopped | down | what | why | exit |", rows, names)


def _stops(presentation: Presentation, head: str, rows: Sequence[Restart], names: _Names) -> Iterator[str]:
    if rows:
        yield from (head, "|" + "---|" * (head.count("|") - 1))
    for row in rows:
        down = [] if row.down_seconds is None else [times.duration(timedelta(seconds=row.down_seconds))]
        code = "" if row.cause.exit_code is None else str(row.cause.exit_code)
        cells = (
            presentation.instant(row.stopped_at),
            *down,
            names.called(row.subject),
            text(cause_words(row.cause)),
            code,
        )
        yield f"| {' | '.join(cells)} |"


def _availability(incident: Incident, names: _Names) -> Iterator[str]:
    rows: tuple[Available, ...] = incident.availability.rows
    if rows and (total := incident.availability.total) is not None:
        yield f"- **all together: {ratio(total)}**"
    for row in rows:
        if row.down_seconds or row.planned_seconds or row.unknown_seconds:
            parts = (("down", row.down_seconds), ("planned", row.planned_seconds), ("not known", row.unknown_seconds))
            said = [f"{times.duration(timedelta(seconds=length))} {name}" for name, length in parts if length]
            yield f"- {names.called(row.subject)}: {', '.join(said)}"


def _timeline(presentation: Presentation, incident: Incident, names: _Names) -> Iterator[str]:
    for change in incident.changes[:MANY]:
        yield f"- {presentation.instant(change.at)} {_change(change, names)}"
    if len(incident.changes) > MANY:
        yield f"- ... {len(incident.changes) - MANY:,} more changes are left out"


def _change(change: Nearby, names: _Names) -> str:
    what = names.called(_changed(change))
    if change.change == "note":
        by, about = f" by {text(change.by)}" if change.by else "", f" on {what}" if change.uri else ""
        link = f" ({text(change.action)})" if change.action else ""
        return f"**note: {text(change.after or '')}**{about}{by}{link}"
    if change.change == "action":
        by = f" by {text(change.by)}" if change.by else ""
        return f"**{text(_done(change))}** on {what}{by}"
    said = f"{what}: {change.change} {_word(change.before)} → {_word(change.after)}"
    why = why_words(change)
    return f"{said} ({text(why)})" if why else said


def _done(change: Nearby) -> str:
    """What was done, or noted."""
    return called(None if change.after is None else str(change.after), change.action or "")


def _word(value: Any) -> str:
    if value is None:
        return "(nothing)"
    return text(", ".join(value) if isinstance(value, tuple) else value)


def _changed(change: Nearby) -> Subject:
    return Subject(change.uri, change.type, change.name, change.platform)


class _Names:
    """How the things in the document are called."""

    def __init__(self, presentation: Presentation, incident: Incident) -> None:
        rows: tuple[Restart | Available, ...] = (*incident.restarts.rows, *incident.availability.rows)
        subjects = [*(row.subject for row in rows), *map(_changed, incident.changes[:MANY])]
        self._namesakes = Namesakes(subjects, typed=True)
        self._presentation = presentation._replace(short=True)

    def called(self, subject: Subject | None) -> str:
        """What something is called, as Markdown."""
        if subject is None:
            return ""
        if not subject.name:
            return text(subject.uri)
        name, key = f"{text(subject.type)} {text(subject.name)}", self._namesakes.key(self._presentation, subject)
        return f"{name} ({text(key)})" if key else name


def _doers(incident: Incident) -> Iterator[str]:
    by: dict[str, list[str]] = {}
    for change in incident.changes:
        if change.change in ("action", "note") and change.by:
            by.setdefault(change.by, []).append(_done(change))
    for name, done in sorted(by.items()):
        yield f"- {text(name)}: {text(', '.join(sorted(set(done))))}"
    nobody = sum(1 for change in incident.changes if change.change == "action" and not change.by)
    if nobody:
        more = "more " if by else ""
        yield f"- nobody says who did {nobody:,} {more}{'action' if nobody == 1 else 'actions'}"


def _gaps(presentation: Presentation, incident: Incident) -> Iterator[str]:
    if not is_watched(incident.coverage):
        yield "- Nobody wrote it down: what stands here was imported."
        return
    if is_inherited(incident.availability):
        yield f"- not in this stretch; {UNTOLD}, and is not known until it was told again"
    for gap in incident.coverage.gaps:
        yield f"- {_end(presentation, gap, gap.since)} to {_end(presentation, gap, gap.until)}: {text(gap.reason)}"


def _end(presentation: Presentation, gap: Gap, moment: Any) -> str:
    return presentation.instant(moment) if moment else "the beginning" if gap.since is None else "now"


def _unknown(presentation: Presentation, incident: Incident, names: _Names) -> Iterator[str]:
    for note in {note.parts: note for note in (*incident.restarts.notes, *incident.availability.notes)}.values():
        yield f"- {shown(presentation, note, names.called, text)}"
    unknown = sum(1 for row in incident.restarts.rows if row.cause.kind == "unknown")
    if unknown:
        yield f"- why {unknown:,} of the stops came: nobody was watching"
