"""The format of an export, JSON Lines whose key "archiver" says what each is: written and read here, nowhere else.

First comes a line `export` with identity and generation of the archive; then its sessions, its events (each as on the
wire, under "event"), its observations and its rejects, every kind but sessions numbered upwards; at last a line `end`
with how many of each there were. Version 0.1.0 wrote neither generation nor end.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from archiver.codec.events import decode_object
from archiver.codec.observation import observe
from archiver.codec.text import MAX_URI, dump, fits, is_clean, parse
from archiver.model import Alive, Closed, Message, Micros, Observed, Opened, Record, Reject, iso, to_micros
from archiver.platforms.docker.facts import is_dated_anew, received_message

MARK = b'{"archiver":'
"""How every line begins."""
INSTANTS = ("opened_at", "covered_from", "authenticated_at", "last_seen_at", "closed_at")
"""Of a session."""
COUNTED = {"session": "sessions", "event": "events", "observation": "observations", "reject": "rejects"}
"""The kinds of lines between the first and the last, and what an end line calls them."""


# --- writing ---------------------------------------------------------------------------------------------------------


def head_line(archive: str | None, generation: str, revision: str) -> str:
    """The first line: whose export this is; the generation changes whenever that archive is restored."""
    return dump({"archiver": "export", "archive": archive, "generation": generation, "revision": revision})


def end_line(counts: Mapping[str, int]) -> str:
    """The last line: how many lines of each of the `COUNTED` kinds came before."""
    return dump({"archiver": "end", **{name: counts.get(kind, 0) for kind, name in COUNTED.items()}})


def session_line(session: dict[str, Any]) -> str:
    """A session: its key, `stream`, `dialect`, the `INSTANTS` and `reason`."""
    facts = {key: _iso(value) if key in INSTANTS else value for key, value in session.items()}
    return dump({"archiver": "session", **facts})


def event_line(number: int, session: str | None, received_at: datetime, name: str | None, event: Any) -> str:
    """An event, as it was on the wire."""
    named = {} if name is None else {"name": name}
    facts = {"id": number, "session": session, "received_at": _iso(received_at), **named}
    return dump({"archiver": "event", **facts, "event": event})


def observation_line(
    number: int,
    session: str | None,
    observed_at: datetime,
    uri: str,
    state: str | None,
    name: str | None,
    parents: Sequence[str],
    extra: str | None,
) -> str:
    """An observation; `extra` is JSON text."""
    facts = {"id": number, "session": session, "observed_at": _iso(observed_at)}
    told = {"uri": uri, "state": state, "name": name, "parents": list(parents)}
    return dump({"archiver": "observation", **facts, **told, "extra": parse(extra) if extra else None})


def reject_line(number: int, session: str | None, received_at: datetime, reason: str, payload: bytes) -> str:
    """A reject, its bytes in Base64."""
    facts = {"id": number, "session": session, "received_at": _iso(received_at), "reason": reason}
    return dump({"archiver": "reject", **facts, "payload": base64.b64encode(payload).decode()})


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(to_micros(moment))


# --- reading ---------------------------------------------------------------------------------------------------------


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

    def read(self, line: bytes) -> tuple[str, int, list[Record]] | None:
        """The kind of a line, its number (0 for what has none) and what it says; of a first or last line nothing.

        None for a line that only looks like one of an export. Raises ValueError, KeyError and their like for one that
        makes no sense.
        """
        value = parse(line.decode())
        kind = value["archiver"]
        if kind == "export":
            self._read_head(value)
            return kind, 0, []
        if kind == "end":
            counts = {found: _count(value[name]) for found, name in COUNTED.items()}
            self._expected.update(counts)
            self._ends += 1
            return kind, 0, []
        if kind == "session":
            told, number = _session(value), 0
        elif kind in NUMBERED:
            told, number = [_READERS[kind](value, b"\\u" not in line and line.isascii())], _number(value["id"])
        else:
            return None
        if self._promised and self._ends and self.lacks() is None:  # this is of one that lacks its first line
            self._begin()
            self.part += 1
        self._seen[kind] += 1
        return kind, number, told

    def _read_head(self, value: dict[str, Any]) -> None:
        archive, generation = _text(value["archive"]), _text(value.get("generation") or None)
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
    stream, session, dialect = _known(value["stream"]), _known(value["session"]), value["dialect"]
    if dialect not in ("tutum", "docker"):
        raise ValueError(f"no dialect {dialect!r}")
    told: list[Record] = [
        Opened(stream, session, dialect, _micros(value["opened_at"]), _micros(value["covered_from"])),
        Alive(stream, session, _micros(value["last_seen_at"])),
    ]
    if value["closed_at"] is not None:
        told.append(Closed(stream, session, _micros(value["closed_at"]), _said(value["reason"]), "imported"))
    return told


def _event(value: dict[str, Any], clean: bool) -> Record:
    message = Message("", _text(value["session"]), "tutum", _micros(value["received_at"]), b"")
    event = decode_object(value["event"], message, clean=clean)
    if isinstance(event, Reject):
        raise ValueError(event.reason)
    if event.action == "remove" and event.extra is not None:
        told = received_message(event.resource_uri, parse(event.extra))
        if told is not None and is_dated_anew(told):
            event = event._replace(time_source="told")
    name = _text(value.get("name"))
    return event if name is None else event._replace(name=name)


def _observation(value: dict[str, Any], _clean: bool) -> Record:
    facts = {key: value[key] for key in ("uri", "state", "name", "parents", "extra")}
    session = _text(value["session"])  # none of what an imported message told
    found = observe(Observed("", session or "", "tutum", _micros(value["observed_at"]), dump(facts).encode()))
    if isinstance(found, Reject):
        raise ValueError(found.reason)
    return found._replace(session=session)


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


def _micros(text: str) -> Micros:
    return to_micros(datetime.fromisoformat(text))


_READERS: dict[str, Callable[[dict[str, Any], bool], Record]] = {
    "event": _event,
    "observation": _observation,
    "reject": _reject,
}
NUMBERED = frozenset(_READERS)
"""The kinds of lines that have numbers."""
