"""A platform that means ill: frames that are huge, or bombs, or nonsense a million times."""

from __future__ import annotations

import os
import re
from itertools import cycle, islice
from pathlib import Path

from archiver.simulator.service.connection import frame

from .bench import Bench, Broken
from .fault import fault

MOST_MEMORY = 128 << 20
"""Bytes, whatever is sent."""
_TERABYTE = b"\x81\x7f" + (1 << 40).to_bytes(8)
_CROWDS = 20
MOST_LINES = 100


@fault(
    "frames of 100 MB, fragments that never end, pongs of 20 MB, and messages of a terabyte of which as much comes as"
    " the line carries",
    "memory never reaches 128 MiB, the stream goes on",
)
def huge_frames(bench: Bench) -> str:
    process = bench.start()
    bench.archives(100)
    piece = b"x" * (1 << 20)
    for turn in range(max(4, bench.size.turns)):
        match turn % 4:
            case 0:
                bench.platform.misbehave("huge", megabytes=100)
            case 1:
                bench.platform.send_raw(b"\x01\x7f" + len(piece).to_bytes(8) + piece)
                for _ in range(20):
                    bench.platform.send_raw(b"\x00\x7f" + len(piece).to_bytes(8) + piece)
                bench.platform.send_raw(b"\x80\x00")
            case kind:
                bench.platform.send_raw(b"\x8a\x7f" + (20 << 20).to_bytes(8) if kind == 2 else _TERABYTE)
                for _ in range(40):
                    bench.platform.send_raw(piece)
        bench.archives(100)
        _require_small(process.pid)
    return f"{max(4, bench.size.turns)} times"


@fault(
    "JSON bombs: nesting of 100,000 levels, numbers of 5,000 digits, 100,000 parents, names of a megabyte; events that"
    " name a thousand parents each of which nobody knew",
    "memory never reaches 128 MiB, the stream goes on",
)
def bombs(bench: Bench) -> str:
    process = bench.start()
    bench.archives(100)
    bombs = (
        b'{"type":"container","n":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 100_000,
        b'{"type":"container","x":' + b"9" * 5_000 + b"}",
        b'{"type":"container","parents":[' + b",".join([b'"/api/v1/x/1/"'] * 60_000) + b"]}",
        b'{"type":"container","name":"' + b"n" * 1_000_000 + b'"}',
        b'{"type":"container","resource_uri":"/api/v1/container/' + os.urandom(40_000).hex().encode() + b'/"}',
    )
    for turn in range(bench.size.turns):
        for bomb in bombs:
            bench.platform.send_raw(frame(bomb, text=True))
        for number in range(_CROWDS):
            bench.platform.send_raw(frame(_crowd(turn * _CROWDS + number), text=True))
        bench.archives(100)
        _require_small(process.pid)
    return f"{bench.size.turns * (len(bombs) + _CROWDS)} bombs"


def _crowd(number: int) -> bytes:
    parents = ",".join(f'"/api/v1/service/{number:08x}-{each:04x}/"' for each in range(1_000))
    return f'{{"type":"container","parents":[{parents}]}}'.encode()


@fault("bad messages, as many as the line carries", "fewer than 100 lines in the log, memory never reaches 128 MiB")
def bad_frames(bench: Bench) -> str:
    process = bench.start()
    bench.archives(100)
    bad = [
        frame(text, text=True) for text in (b"not JSON {", b"\xff\xfe\xc3", b"1", b'{"no":"type"}', b"\x1b[31m", b"NaN")
    ]
    portion = b"".join(islice(cycle(bad), 1_000))
    for _ in range(bench.size.bad_frames // 1_000):
        bench.platform.send_raw(portion)
    bench.archives(100, bench.patience + bench.size.bad_frames / 2_000)
    _require_small(process.pid)
    if (lines := bench.log().count("\n")) > MOST_LINES:
        raise Broken(f"{lines} lines in the log")
    return f"{bench.size.bad_frames} messages"


@fault("frames that break the protocol, each time the connection is opened again")
def broken_frames(bench: Bench) -> str:
    bench.start()
    broken = (b"\xc1\x00", b"\x83\x00", b"\x80\x01x", b"\x89\x7e\x01\x00" + b"p" * 256, b"\x81\xfe")
    for turn in range(bench.size.turns):
        bench.archives(50)
        bench.listening()  # what was received before may be archived while nobody listens
        ended = bench.log().count("disconnected from")
        bench.platform.send_raw(broken[turn % len(broken)])
        bench.waits_for_log("disconnected from", ended + 1)
    bench.archives(50)
    return f"{bench.size.turns} times"


def _require_small(pid: int) -> None:
    """What it had at its peak, without what other processes have of the same pages."""
    peak = _kilobytes(pid, "status", "VmHWM") - _kilobytes(pid, "smaps_rollup", "Rss")
    peak += _kilobytes(pid, "smaps_rollup", "Pss")
    if peak << 10 > MOST_MEMORY:
        raise Broken(f"its memory was {peak >> 10} MiB")


def _kilobytes(pid: int, file: str, name: str) -> int:
    (found,) = re.findall(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/{file}").read_text(), re.MULTILINE)
    return int(found)
