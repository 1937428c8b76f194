"""The ways in which the simulated server can fail its clients."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, Literal, get_args

from archiver.simulator.service.connection import Connection, frame

Ending = Literal["close", "drop", "reset", "half_frame", "silence"]
"""At once, to every client, after which it hears nothing more: a close frame (1001), a FIN without one, a TCP reset
(which may swallow what was sent just before), half a frame and then silence, or silence on an open connection where
even pings get no answer."""
Noise = Literal["garbage", "bad_utf8", "binary", "duplicate", "huge"]
"""At once, to every client, and life goes on: a text that is not JSON, a text frame that is not UTF-8, a binary frame,
the last event once more, a frame of `megabytes`."""
Doorstep = Literal["handshake_status", "accept_close", "rest_status"]
"""From now on, `times` times: the handshake is answered with an HTTP status (3xx with `location`), or is completed and
the connection closed at once; a REST request is answered with a status."""
Kind = Ending | Noise | Doorstep | Literal["well"]
"""`well` ends all that was to come."""

ENDINGS: Final[frozenset[str]] = frozenset(get_args(Ending))
NOISES: Final[frozenset[str]] = frozenset(get_args(Noise))
DOORSTEPS: Final[frozenset[str]] = frozenset(get_args(Doorstep))

_SAMPLE: Final = (
    '{"type":"container","action":"update","state":"Running","parents":[],"resource_uri":"/api/v1/container/'
)


@dataclass(slots=True)
class Fault:
    """One misbehaviour towards whoever asks that is still to come; `times` None: every time."""

    status: int
    location: str
    times: int | None


def end(client: Connection, kind: str) -> None:
    """Do one of `Ending` to a client."""
    if kind == "close":
        client.close(1001, "going away")
    elif kind == "drop":
        client.hang_up()
    elif kind == "reset":
        client.abort(reset=True)
    else:
        if kind == "half_frame":
            whole = frame(_SAMPLE)
            client.offer(whole[: len(whole) // 2])
        client.mute()


def noise(kind: str, megabytes: float) -> bytes:
    """The frame for one of `Noise`, save `duplicate`."""
    if kind == "garbage":
        return frame("this is not JSON {")
    if kind == "bad_utf8":
        return frame(b'{"type":"container","state":"\xff\xfe\xc3"}', text=True)
    if kind == "binary":
        return frame(b"\x00\x01\x02\xff")
    padding = "x" * int(megabytes * 1_000_000)
    return frame(json.dumps({"type": "container", "action": "update", "state": "Running", "padding": padding}))
