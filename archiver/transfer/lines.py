"""Reads the lines of an export, whose format `transfer.format` says."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from archiver.codec.events import decode_object
from archiver.codec.observation import observe
from archiver.codec.text import MAX_URI, dump, fits, is_clean, parse
from archiver.model import (
    Alive,
    Closed,
    Condition,
    Message,
    Micros,
    Observed,
    Opened,
    Platform,
    Record,
    Reject,
    Telling,
    iso,
    kind_of_end,
    now_micros,
    to_micros,
)
from archiver.platforms.docker.images import made_of, with_texts
from archiver.platforms.docker.messages import kept_source
from archiver.transfer.format import (
    CONDITIONS,
    COUNTED,
    COUNTED_FIRST,
    COUNTED_THEN,
    DIALECTS,
    END_KINDS,
    FORMAT,
    INSTANTS,
    TEXTS,
)

W = TypeVar("W")
_DAY = 86_400 * 1_000_000
"""As far ahead of ours the clock may be by which a session was recorded."""


class LaterFormat(Exception):
    """An export of a format that came after this program."""


class Line(NamedTuple):
    """What a line says."""

    kind: str
    number: int = 0
    """0 for what has none."""
    records: Sequence[Record] = ()
    """Of a first or last line none."""
    platform: str | None = None
    """The key of the platform, where it says that itself."""


class Export:
    """Where in an export, or in several one after the other, its reader is; its lines may come in any order."""

    def __init__(self) -> None:
        self.part = 0
        """Which of several exports."""
        self._begin()

    def _begin(self) -> None:
        self.name: str | None = None
        """What tells it from all others; None where that is not certain."""
        self._heads = self._promised = self._ends = 0
        self._expected: Counter[str] = Counter()
        self._seen: Counter[str] = Counter()

    def read(self, line: bytes) -> Line | None:
        """What a line says.

        None for a line that only looks like one of an export. Raises ValueError, KeyError and their like for one that
        makes no sense, and LaterFormat.
        """
        value = parse(line.decode())
        kind = value["archiver"]
        if kind == "export":
            self._read_head(value)
            return Line(kind)
        if kind == "end":
            named = COUNTED if "platforms" in value else COUNTED_THEN if "tellings" in value else COUNTED_FIRST
            self._expected.update({found: _count(value[name]) for found, name in named.items()})
            self._ends += 1
            return Line(kind)
        if kind in _UNNUMBERED:
            found = Line(kind, 0, _UNNUMBERED[kind](value))
        elif kind in NUMBERED:
            told = _READERS[kind](value, b"\\u" not in line and line.isascii())
            found = Line(kind, _number(value["id"]), [told], _text(value.get("platform")))
        else:
            return None
        if self._promised and self._ends and self.lacks() is None:  # this is of one that lacks its first line
            self._begin()
            self.part += 1
        self._seen[kind] += 1
        return found

    def _read_head(self, value: dict[str, Any]) -> None:
        archive, generation = _text(value["archive"]), _text(value.get("generation") or None)
        if type(form := value.get("format", 1)) is not int or form > FORMAT:
            raise LaterFormat(f"{form!r:.20}")
        if self._heads and self.lacks() is None:  # else this line may have got between those of one export
            self._begin()
        if not self._heads:
            self.part += 1 if not self._seen and not self._ends else 0
            self.name = None if self._seen or self._ends or archive is None else f"export:{archive}:{generation or ''}"
        else:
            self.name = None
        self._heads += 1
        self._promised += "generation" in value

    def lacks(self) -> str | None:
        """What of it is not there, in words; None when all is, or nothing is known of it."""
        short = {kind: (self._seen[kind], count) for kind, count in self._expected.items() if self._seen[kind] < count}
        if short:
            return ", ".join(
                f"{seen:,} of {count:,} {COUNTED[kind]} are there" for kind, (seen, count) in short.items()
            )
        return "its last line is missing" if self._ends < self._promised else None


def _number(found: Any) -> int:
    if type(found) is not int or not 0 < found < 1 << 62:
        raise ValueError(f"its number is {found!r}")
    return found


def _count(found: Any) -> int:
    if type(found) is not int or not 0 <= found < 1 << 62:
        raise ValueError(f"a count is {found!r}")
    return found


def _session(value: dict[str, Any]) -> list[Record]:
    if (latest := max(_micros(value[name]) for name in INSTANTS if value.get(name) is not None)) > now_micros() + _DAY:
        raise ValueError(f"nobody can have watched until {iso(latest)}, which is yet to come")
    stream, session, dialect = _known(value["stream"]), _known(value["session"]), _one_of(DIALECTS, value["dialect"])
    accepted_at = None if value.get("authenticated_at") is None else _micros(value["authenticated_at"])
    told: list[Record] = [
        Opened(stream, session, dialect, _micros(value["opened_at"]), _micros(value["covered_from"]), accepted_at),
        Alive(stream, session, _micros(value["last_seen_at"])),
    ]
    if value["closed_at"] is not None:
        reason = _said(value["reason"])
        kind = _one_of(END_KINDS, value["kind"]) if value.get("kind") is not None else kind_of_end(reason)
        told.append(Closed(stream, session, _micros(value["closed_at"]), reason, kind))
    return told


def _platform(value: dict[str, Any]) -> list[Record]:
    dialect = None if value["dialect"] is None else _one_of(DIALECTS, value["dialect"])
    streams = [(_known(stream["url"]), _one_of(DIALECTS, stream["dialect"])) for stream in value["streams"]]
    identities = tuple(map(_known, value["identities"]))
    return [Platform(_known(value["key"]), _known(value["name"]), dialect, identities, tuple(streams))]


def _condition(value: dict[str, Any]) -> list[Record]:
    dialect, about = _one_of(DIALECTS, value["dialect"]), _one_of(CONDITIONS, value["about"])
    at = _micros(value["found_at"])
    return [Condition(_known(value["stream"]), dialect, at, about, _said(value["value"]))]


def _telling(value: dict[str, Any]) -> list[Record]:
    uuid, session = _known(value["uuid"]), _known(value["session"])
    platform = _text(value.get("platform"))
    return [Telling(_micros(value["occurred_at"]), uuid, session, _micros(value["received_at"]), platform)]


def _event(value: dict[str, Any], clean: bool) -> Record:
    message = Message("", _text(value["session"]), "tutum", _micros(value["received_at"]), b"")
    event = decode_object(value["event"], message, clean=clean)
    if isinstance(event, Reject):
        raise ValueError(event.reason)
    source = kept_source(event.time_source, event.resource_uri, event.extra)
    if source != event.time_source:
        event = event._replace(time_source=source)
    name, image, slot = (_text(value.get(key)) for key in TEXTS)
    if image is None and slot is None:  # version 0.1.0 did not look at them
        image, slot = made_of(event.resource_uri, event.extra)
    return event if name is image is slot is None else event._replace(name=name, image=image, slot=slot)


def _observation(value: dict[str, Any], _clean: bool) -> Record:
    facts = {key: value[key] for key in ("uri", "state", "name", "parents", "extra")}
    facts |= {key: value[key] for key in ("image", "slot") if key in value}
    session = _text(value["session"])  # none of what an imported message told
    found = observe(Observed("", session or "", "tutum", _micros(value["observed_at"]), dump(facts).encode()))
    if isinstance(found, Reject):
        raise ValueError(found.reason)
    if found.image is None and found.slot is None:
        found = with_texts(found)
    return found._replace(session=session, inferred=value.get("own") is not True)


def _reject(value: dict[str, Any], _clean: bool) -> Record:
    payload = base64.b64decode(value["payload"], validate=True)
    return Reject(payload, _said(value["reason"]), _micros(value["received_at"]), _text(value["session"]))


def _text(value: Any) -> str | None:
    return None if value is None else _known(value)


def _known(value: Any) -> str:
    """A text that identifies something; raises ValueError for anything else."""
    if type(value) is not str or not fits(value, MAX_URI):
        raise ValueError("one of its texts is none, or one that no column takes")
    return value


def _said(value: Any) -> str:
    """A reason, in whatever words; raises ValueError for anything else."""
    if type(value) is not str or not is_clean(value):
        raise ValueError("its reason is no text, or one that no column takes")
    return value


def _one_of(words: tuple[W, ...], found: Any) -> W:
    for word in words:
        if word == found:
            return word
    raise ValueError(f"{found!r:.50} is none of {', '.join(map(str, words))}")


def _micros(text: str) -> Micros:
    return to_micros(datetime.fromisoformat(text))


_READERS: dict[str, Callable[[dict[str, Any], bool], Record]] = {
    "event": _event,
    "observation": _observation,
    "reject": _reject,
}
_UNNUMBERED: dict[str, Callable[[dict[str, Any]], list[Record]]] = {
    "platform": _platform,
    "session": _session,
    "condition": _condition,
    "telling": _telling,
}
NUMBERED = frozenset(_READERS)
"""The kinds of lines that have numbers."""
