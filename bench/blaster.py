"""A websocket server that does nothing but send frames it has built before, as fast as they are taken or at a pace.

It is a process of its own, so that it never takes time from what is measured: `python -m bench.blaster FILE`.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from bench.workshop import PYTHON, Lines, Workshop

ACCEPT_KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
CHUNK = 1 << 16


def frame(opcode: int, payload: bytes) -> bytes:
    """One whole unmasked frame, as a server sends it."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 127, size)
    return head + payload


def shake_hands(connection: socket.socket) -> None:
    """Take the client's request and switch protocols."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(4096)
    headers = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if b": " in line)
    key = next(value for name, value in headers.items() if name.lower() == b"sec-websocket-key").decode()
    accept = base64.b64encode(hashlib.sha1((key + ACCEPT_KEY).encode()).digest()).decode()
    switch = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade"
    connection.sendall(f"{switch}\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())


class Client:
    """One connected client: frames go out, its pings are answered meanwhile."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self.gone = threading.Event()
        threading.Thread(target=self._answer, daemon=True).start()

    def send(self, data: bytes) -> None:
        """Send whole frames."""
        with self._sending:
            self._connection.sendall(data)

    def _answer(self) -> None:
        stream = self._connection.makefile("rb")
        try:
            while (head := stream.read(2)) and len(head) == 2:
                opcode, payload = head[0] & 0x0F, _unmasked(stream, head[1] & 0x7F)
                if opcode in (PING, CLOSE):
                    self.send(frame(PONG if opcode == PING else CLOSE, payload))
        except OSError:
            pass
        finally:
            self.gone.set()


def _unmasked(stream: BinaryIO, size: int) -> bytes:
    """The payload of a client's control frame: short, and masked."""
    mask, payload = stream.read(4), stream.read(size)
    return bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def chunks(frames: Sequence[bytes]) -> Iterator[bytes]:
    """Frames put together, so that sending them takes few calls."""
    part = bytearray()
    for one in frames:
        part += one
        if len(part) >= CHUNK:
            yield bytes(part)
            part.clear()
    yield bytes(part)


def send_all(client: Client, frames: Sequence[bytes], rate: float) -> None:
    """Send everything at once, or `rate` frames a second."""
    if not rate:
        for part in chunks(frames):
            client.send(part)
        return
    began = time.monotonic()
    for number, one in enumerate(frames):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        client.send(one)


def main() -> None:
    """Say the port; serve one client; say when it was connected; stay until it has gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--count", type=int)
    parser.add_argument("--rate", type=float, default=0.0)
    arguments = parser.parse_args()
    with open(arguments.file, "rb") as lines:
        frames = [frame(TEXT, line.rstrip(b"\n")) for line in islice(lines, arguments.count)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        connection, _ = server.accept()
        with connection:
            shake_hands(connection)
            client = Client(connection)
            print(time.monotonic(), flush=True)
            with suppress(ConnectionError):  # a client may leave before it has taken everything
                send_all(client, frames, arguments.rate)
            client.gone.wait()


class Blaster:
    """The running server, seen from the process that measures."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = f"ws://127.0.0.1:{self._said()}/v1/events"

    def connected_at(self) -> float:
        """Wait until the client is connected; the moment on `time.monotonic`, which all processes share."""
        return float(self._said())

    def _said(self) -> str:
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError("the blaster has ended")
        return said.strip()


@contextmanager
def blaster(shop: Workshop, lines: Lines, rate: float = 0.0) -> Iterator[Blaster]:
    """A blaster for these lines in a process of its own."""
    options = ["--count", str(lines.events), "--rate", str(rate)]
    with shop.process([PYTHON, "-m", "bench.blaster", str(lines.path), *options], stdout=subprocess.PIPE) as process:
        yield Blaster(process)


if __name__ == "__main__":
    main()
