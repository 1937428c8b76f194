"""A note: what somebody writes into the archive from outside, as an event of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from archiver.codec.text import MAX_NAME, MAX_URI, MAX_WORD, dump, fits

if TYPE_CHECKING:
    from archiver.model import Event, Micros

NOTE = "note"
"""The type of these events. They are about no resource, came in no session, and name as parent what they are under."""
MAX_TEXT = 2000
"""Longest text, in bytes of UTF-8; it has a name's column."""
assert MAX_TEXT <= MAX_NAME
_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SAID = r"(?i)\b((?:[a-z0-9]+[_.-])*(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key)s?\s*[=:]\s*)[^\s,;]+"
"""A credential as people write it down. In a text of their own so much may be blanked; in what arrived, only URLs."""
_YEARS = range(-62_135_596_800_000_000, 253_402_300_800_000_000)
"""The microseconds of the years 1 to 9999."""


class Note(NamedTuple):
    """What is noted, before it is written."""

    text: str
    at: Micros
    uuid: str
    under: str | None = None
    """The URI of what it is about; None: of everything."""
    url: str | None = None
    by: str | None = None


def note_of(told: Mapping[str, Any]) -> Note:
    """The note on one line, without credentials. Raises ValueError in words, whatever is told."""
    at, uuid = told.get("at"), told.get("uuid")
    if type(at) is not int or at not in _YEARS:
        raise ValueError("a note has a time, in the years 1 to 9999")
    if type(uuid) is not str or not re.fullmatch(_UUID, uuid):
        raise ValueError("a note has a uuid")
    if (text := _line(told, "text", MAX_TEXT)) is None:
        raise ValueError("a note has a text")
    return Note(
        text, at, uuid, _fitting(told, "under", MAX_URI), _line(told, "url", MAX_URI), _line(told, "by", MAX_WORD)
    )


def _line(told: Mapping[str, Any], key: str, most: int) -> str | None:
    """A text on one line; None where there is none, or nothing in it."""
    value = told.get(key)
    if type(value) is not str:
        return _fitting(told, key, most)
    from archiver.codec.secrets import blanked_text  # who asks about notes writes none

    line = re.sub(_SAID, r"\1***", blanked_text(" ".join(value.split())))
    return _fitting({key: line}, key, most) if line else None


def _fitting(told: Mapping[str, Any], key: str, most: int) -> str | None:
    value = told.get(key)
    if value is None or (type(value) is str and fits(value, most)):
        return value
    raise ValueError(f"the {key} of a note is text that both databases can keep, of at most {most:,} bytes")


def note_event(note: Note, received_at: Micros) -> Event:
    """The event that is archived. Its text stands as a name, too, where questions and views find it."""
    from archiver.model import Event

    told = {"text": note.text, "url": note.url, "user": note.by}
    return Event(
        type=NOTE,
        action=None,
        state=None,
        resource_uri=None,
        parents=() if note.under is None else (note.under,),
        occurred_at=note.at,
        time_source="datetime",
        received_at=received_at,
        uuid=note.uuid,
        extra=dump({key: value for key, value in told.items() if value is not None}),
        name=note.text,
    )
