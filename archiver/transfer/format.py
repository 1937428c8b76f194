"""The format of an export, JSON Lines whose key "archiver" says what each is: written here, and read by `lines`.

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
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

from archiver.codec.text import dump, parse
from archiver.model import (
    Condition,
    ConditionOf,
    Dialect,
    EndKind,
    Micros,
    Observation,
    Platform,
    Telling,
    iso,
    to_micros,
)

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
COUNTED_FIRST = {"session": "sessions", "event": "events", "observation": "observations", "reject": "rejects"}
COUNTED_THEN = {**COUNTED_FIRST, "condition": "conditions", "telling": "tellings"}
COUNTED = {"platform": "platforms", **COUNTED_THEN}
"""The kinds of lines between the first and the last, and what an end line calls them."""


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
