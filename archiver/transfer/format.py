"""The format of an export, JSON Lines whose key "archiver" says what each is: written and read here, nowhere else.

First comes a line `export` with format, identity and generation of the archive; then its platforms, its sessions, the
conditions of its streams, its events (each as on the wire, under "event"), who else told of them, its observations and
its rejects; events, observations and rejects are numbered upwards; at last a line `end` with how many of each there
were. Where there are several platforms, what came in no session says of which it is. Of a part the first line says of
what (`part`); it has platforms without streams and events without sessions, and so says nothing of who watched when.

This is format 2. In format 1, which version 0.1.0 wrote, there are no platforms, conditions, tellings, kinds of ends
and formats; events give the name that their resource had last, and observations that name and all parents that no event
told; images and slots are found in what a Docker Engine said. The first of it had neither generation nor end either.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar, get_args

from archiver.codec.events import decode_object
from archiver.codec.observation import observe
from archiver.codec.text import MAX_URI, dump, fits, is_clean, parse
from archiver.model import (
    Alive,
    Closed,
    Condition,
    ConditionOf,
    Dialect,
    EndKind,
    Message,
    Micros,
    Observation,
    Observed,
    Opened,
    Platform,
    Record,
    Reject,
    Telling,
    iso,
    kind_of_end,
    to_micros,
)
from archiver.platforms.docker.images import made_of, with_texts
from archiver.platforms.docker.messages import kept_source

W = TypeVar("W")
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
CONDITIONS: tuple[ConditionOf, ...] = get_args(ConditionOf)
END_KINDS: tuple[EndKind, ...] = get_args(EndKind)
MARK = b'{"archiver":'
"""How every line begins."""
INSTANTS = ("opened_at", "covered_from", "authenticated_at", "last_seen_at", "closed_at")
"""Of a session."""
TEXTS = ("name", "image", "slot")
"""What stands beside an event, where it gives its resource one."""
FORMAT = 2
_COUNTED_FIRST = {"session": "sessions", "event": "events", "observation": "observations", "reject": "rejects"}
_COUNTED_THEN = {**_COUNTED_FIRST, "condition": "conditions", "telling": "tellings"}
COUNTED = {"platform": "platforms", **_COUNTED_THEN}
"""The kinds of lines between the first and the last, and what an end line calls them."""


class LaterFormat(Exception):
    """An export of a format that came after this program."""


# --- writing ---------------------------------------------------------------------------------------------------------


def head_line(archive: str | None, generation: str, revision: str) -> str:
    """The first line: whose export this is; the generation changes whenever that archive is restored."""
    whose = {"archive": archive, "generation": generation, "revision": revision}
    return dump({"archiver": "export", "format": FORMAT, **whose})


def part_head_line(revision: str, since: str | None, until: str | None, under: Sequence[str]) -> str:
    """The first line of a part, which says of what: none of it goes without comparison."""
    whose = {"archive": None, "generation": "", "revision": revision}
    part = {"since": since, "until": until, "under": list(under)}
    return dump({"archiver": "export", "format": FORMAT, **whose, "part": part})


def end_line(counts: Mapping[str, int]) -> str:
    """The last line: how many lines of each of the `COUNTED` kinds came before."""
    return dump({"archiver": "end", **{name: counts.get(kind, 0) for kind, name in COUNTED.items()}})


def platform_line(platform: Platform) -> str:
    """A platform: what identifies it, and the streams that tell of it."""
    streams = [{"url": url, "dialect": dialect} for url, dialect in platform.streams]
    facts = {"key": platform.key, "name": platform.name, "dialect": platform.dialect}
    return dump({"archiver": "platform", **facts, "identities": list(platform.identities), "streams": streams})


def session_line(session: dict[str, Any]) -> str:
    """A session: its key, `stream`, `dialect`, the `INSTANTS`, `kind` and `reason`."""
    facts = {key: _iso(value) if key in INSTANTS else value for key, value in session.items()}
    return dump({"archiver": "session", **facts})


def condition_line(condition: Condition) -> str:
    """How things stand with a stream."""
    stream, dialect, at, about, value = condition
    facts = {"stream": stream, "dialect": dialect, "about": about, "found_at": iso(at), "value": value}
    return dump({"archiver": "condition", **facts})


def telling_line(telling: Telling) -> str:
    """Who else told of an event, which is known by its time and uuid, and its platform where the stream has moved."""
    event = {"occurred_at": iso(telling.occurred_at), "uuid": telling.uuid, **_of(telling.platform)}
    told = {"session": telling.session, "received_at": iso(telling.received_at)}
    return dump({"archiver": "telling", **told, **event})


def event_line(
    number: int,
    session: str | None,
    received_at: Micros,
    texts: Mapping[str, str | None],
    event: Any,
    platform: str | None = None,
) -> str:
    """An event, as it was on the wire, and the `TEXTS` that it gives its resource.

    `platform` is the key of its platform, where its session's stream tells of another or it has no session.
    """
    given = {name: text for name, text in texts.items() if text is not None}
    facts = {"id": number, "session": session, "received_at": iso(received_at), **given, **_of(platform)}
    return dump({"archiver": "event", **facts, "event": event})


def _of(platform: str | None) -> dict[str, str]:
    return {} if platform is None else {"platform": platform}


def observation_line(number: int, observation: Observation, platform: str | None = None) -> str:
    """An observation; whether its name and parents are its own is said, since nobody could tell later."""
    uri, state, name, parents, at, extra, session, inferred, image, slot, _ = observation
    facts = {"id": number, "session": session, "observed_at": iso(at), "own": not inferred, **_of(platform)}
    told = {"uri": uri, "state": state, "name": name, "parents": list(parents)}
    told |= {key: text for key, text in (("image", image), ("slot", slot)) if text is not None}
    return dump({"archiver": "observation", **facts, **told, "extra": parse(extra) if extra else None})


def reject_line(
    number: int, session: str | None, received_at: Micros, reason: str, payload: bytes, platform: str | None = None
) -> str:
    """A reject, its bytes in Base64; the key of its platform, where that does not follow from the session."""
    facts = {"id": number, "session": session, "received_at": iso(received_at), "reason": reason, **_of(platform)}
    return dump({"archiver": "reject", **facts, "payload": base64.b64encode(payload).decode()})


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(to_micros(moment))


# --- reading ---------------------------------------------------------------------------------------------------------


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
            named = COUNTED if "platforms" in value else _COUNTED_THEN if "tellings" in value else _COUNTED_FIRST
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
