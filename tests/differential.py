"""Random streams of frames, read by us and by the `websockets` package: what each makes of the same bytes.

`python -m tests.differential [COUNT [SEED]]` compares that many streams and prints the first that differs.
"""

from __future__ import annotations

import random
import socket
import sys
from itertools import pairwise
from typing import NamedTuple

from websocket import WebSocketConnectionClosedException, WebSocketTimeoutException
from websockets.client import ClientProtocol
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from archiver.platforms.wire.connection import Connection
from archiver.platforms.wire.frames import Violation
from tests.integration.hostile import BINARY, CLOSE, CONT, PING, PONG, TEXT, frame

LIMIT = 300_000
"""Both sides refuse longer messages; none here is."""


class Heard(NamedTuple):
    """What a client made of a stream: messages with their kinds, the pongs it answered with, how it ended."""

    messages: list[tuple[int, bytes]]
    pongs: list[bytes]
    end: str


def stream(seed: int) -> tuple[bytes, list[int]]:
    """The bytes of some frames as a server may send them, and where they are cut on the way."""
    dice = random.Random(seed)
    data = b"".join(_message(dice) for _ in range(dice.randint(0, 8)))
    ending = dice.random()
    if ending < 0.3:
        data += frame(dice.choice([b"", b"\x03\xe8", b"\x03\xe9going away"]), CLOSE)
    elif ending < 0.5:
        data += _broken(dice)
    places = dice.choice([0, 1, 3, 20, len(data) // 2])
    cuts = sorted(dice.randint(0, len(data)) for _ in range(min(places, 300)))
    return data, cuts


def _message(dice: random.Random) -> bytes:
    opcode, size = dice.choice([TEXT, BINARY]), dice.choice([0, 1, 5, 125, 126, 127, 300, 65535, 65536, 70_000])
    payload = dice.randbytes(size) if opcode == BINARY else dice.choice(["x", "é", "🐳", "{}"]).encode() * (size // 4)
    places = sorted(dice.randint(0, len(payload)) for _ in range(dice.choice([0, 0, 0, 1, 2, 5])))
    edges = [0, *places, len(payload)]
    parts = [payload[start:end] for start, end in pairwise(edges)]
    data = b""
    for index, part in enumerate(parts):
        data += frame(part, CONT if index else opcode, fin=index == len(parts) - 1)
        while dice.random() < 0.3:
            data += frame(dice.randbytes(dice.choice([0, 1, 125])), dice.choice([PING, PONG]))
    return data


def _broken(dice: random.Random) -> bytes:
    """A frame that no server may send."""
    return dice.choice(
        [
            frame(b"x", 3),
            frame(b"x", 11),
            frame(b"x", rsv=4),
            frame(b"x", CONT),
            frame(b"x", TEXT, fin=0) + frame(b"y", BINARY),
            frame(b"x" * 126, PING),
            frame(b"x", PING, fin=0),
            b"\x81\x81mask!",
            frame(b"x", CLOSE),
        ]
    )


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """The bytes in the pieces in which they arrive."""
    edges = [0, *cuts, len(data)]
    return [data[start:end] for start, end in pairwise(edges) if start < end]


def ours(arriving: list[bytes], *, interrupted: bool = False) -> Heard:
    """What our connection makes of it; `interrupted`: by its tick, after every read that does not complete a frame."""
    connection = Connection(LIMIT)
    connection.frames.tick = -1.0 if interrupted else 60.0
    near, far = socket.socketpair()
    with near, far:
        connection.adopt(near, b"")
        sent = _sent_into(connection)
        waiting = iter(arriving)

        def read(size: int) -> bytes:
            if (piece := next(waiting, None)) is None:
                raise WebSocketConnectionClosedException("no more")
            return piece

        connection.frames.recv = read
        messages: list[tuple[int, bytes]] = []
        while True:
            try:
                opcode, payload, _ = connection.receive()
            except WebSocketTimeoutException:
                continue
            except Violation:
                return Heard(messages, sent, "broken")
            except WebSocketConnectionClosedException:
                return Heard(messages, sent, "cut")
            if opcode in (TEXT, BINARY):
                messages.append((opcode, payload))
            elif opcode == CLOSE:
                return Heard(messages, sent, "closed")


def _sent_into(connection: Connection) -> list[bytes]:
    """The list into which the payload of each pong is put instead of onto a socket."""
    pongs: list[bytes] = []

    def pong(payload: bytes | str = b"") -> None:
        pongs.append(payload.encode() if isinstance(payload, str) else payload)

    connection.pong = pong
    return pongs


def theirs(arriving: list[bytes]) -> Heard:
    """What the sans-I/O client of `websockets` makes of it."""
    protocol = ClientProtocol(parse_uri("ws://127.0.0.1/"), state=OPEN, max_size=LIMIT)
    for piece in arriving:
        protocol.receive_data(piece)
    messages: list[tuple[int, bytes]] = []
    begun: tuple[int, bytes] | None = None
    closed = False
    for event in protocol.events_received():
        if event.opcode in (TEXT, BINARY, CONT):
            opcode, before = begun or (int(event.opcode), b"")
            begun = opcode, before + bytes(event.data)
            if event.fin:
                messages.append(begun)
                begun = None
        closed = closed or event.opcode == CLOSE
    end = "broken" if protocol.parser_exc is not None else "closed" if closed else "cut"
    return Heard(messages, _pongs(protocol.data_to_send()), end)


def _pongs(sent: list[bytes]) -> list[bytes]:
    """The payloads of the pongs among the frames that a client sends, each masked."""
    found = []
    for data in sent:
        if data and data[0] & 0x0F == PONG:
            size = data[1] & 0x7F
            found.append(bytes(byte ^ data[2 + at % 4] for at, byte in enumerate(data[6 : 6 + size])))
    return found


def differs(seed: int) -> str:
    """In what the two differ over the stream of a seed; empty when they agree."""
    data, cuts = stream(seed)
    arriving = pieces(data, cuts)
    we, they = ours(arriving, interrupted=bool(seed % 2)), theirs(arriving)
    if we == they:
        return ""
    names = [name for name in Heard._fields if getattr(we, name) != getattr(they, name)]
    return f"seed {seed}, {len(data)} bytes: {', '.join(names)}: {str(we)[:500]} against {str(they)[:500]}"


def main(count: int = 6000, seed: int = 0) -> int:
    """Compares that many streams, from the seed on; 1 when one differs."""
    for number in range(seed, seed + count):
        if found := differs(number):
            print(found)
            return 1
    print(f"{count} streams from seed {seed} on: the same messages, kinds, pongs and ends")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
