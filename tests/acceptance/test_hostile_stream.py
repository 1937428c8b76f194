"""A stream that says anything at all: what says something ends as an event or a reject, and nothing acts on anybody."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from archiver.api.archive import Archive
from archiver.simulator.service.connection import frame
from archiver.simulator.service.server import STILL, Listening, Simulator

from .recording import Recorder, rows, wait_for

MOST_MEMORY = 128 << 20
FIELDS = ("type", "action", "state", "resource_uri", "uuid", "datetime", "date", "name", "anything")
TEXTS = {
    "NUL": r"a\u0000b",
    "a lone surrogate": r"a\ud800b",
    "a whole surrogate pair": r"\ud83d\ude00",
    "escape sequences": r"\u001b[31mred\u001b]0;title\u0007\u009b2J\r\n\u202e",
    "a formula": "=cmd|' /C calc'!A0",
    "SQL": "'; DROP TABLE events; --",
    "a long word": "w" * 5000,
}


def event(**fields: object) -> bytes:
    base = {"type": "container", "action": "update", "state": "Running", "resource_uri": "/api/v1/container/abc/"}
    return json.dumps({**base, **fields}).encode()


def with_text(field: str, text: str) -> bytes:
    return event(**{field: "@"}).replace(b'"@"', f'"{text}"'.encode())


def padded(size: int) -> bytes:
    return event(padding="x" * (size - len(event(padding=""))))


def hostile() -> Iterator[bytes]:
    for text in TEXTS.values():
        for field in FIELDS:
            yield with_text(field, text)
        yield event(parents=["@", "/api/v1/stack/x/"]).replace(b'"@"', f'"{text}"'.encode())
        yield event(**{"@": 1}).replace(b'"@"', f'"{text}"'.encode())
    for value in (None, 1, -1.5, True, [], {}, [[["x"]]], {"a": None}):
        for field in (*FIELDS, "parents"):
            yield event(**{field: value})
    yield from (
        b"",
        b" ",
        b"null",
        b"[]",
        b'"text"',
        b"1",
        b"{}",
        b"{",
        b'{"type":',
        b"\x00",
        b"\xff\xfe\xfd",
        b"\xed\xa0\x80",
    )
    yield from (b"NaN", event()[:-1] + b',"n":NaN}', event()[:-1] + b',"n":1e999}', event()[:-1] + b',"type":"again"}')
    yield event()[:-1] + b',"n":' + b"9" * 5000 + b"}"
    yield event()[:-1] + b',"n":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    yield b'{"a":' * 100_000
    yield b"\x1b[31m\x1b]0;owned\x07" * 100
    yield event(parents=["/a/"] * 100_000)
    yield event(parents=[f"/api/v1/x/{number}/" for number in range(40_000)])
    # Random bytes do not compress: PostgreSQL's index rows have a limit of about 2,700 bytes.
    yield event(resource_uri=f"/api/v1/container/{os.urandom(1000).hex()}/")
    yield event(resource_uri=f"/api/v1/container/{os.urandom(50_000).hex()}/")
    yield event(uuid=os.urandom(5000).hex())
    for _ in range(20):
        yield padded((1 << 20) - 100)
    yield padded((1 << 20) + 1)


def peak_memory(pid: int) -> int:
    """The most memory a process ever had, in bytes."""
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(kilobytes) * 1024


def test_every_message_ends_as_an_event_or_a_reject_and_the_stream_goes_on(recorder: Recorder) -> None:
    messages = list(hostile())
    with Simulator(pacing=STILL, listening=Listening(greet=False, queue_bytes=64 << 20, patience=30)) as platform:
        process = recorder.start(platform.stream_url, options=("--log-level", "debug"))
        assert platform.wait_for_clients(1)
        for message in messages:
            platform.send_raw(frame(message, text=True))
        platform.misbehave("huge", megabytes=100)
        platform.send_raw(frame(event(state="The end"), text=True))
        wait_for(lambda: rows(recorder.url, "SELECT 1 FROM event_log WHERE state = 'The end'"), 60)
        memory = peak_memory(process.pid)
        process.terminate()
        assert process.wait(10) == 0, recorder.log()
        assert platform.handshakes == 1
    with Archive.open(recorder.url) as archive:
        events, rejects = archive.status().events, archive.status().rejects
    duplicates = rows(recorder.url, "SELECT sum(duplicates) FROM receivers")[0][0]
    silent = sum(map(messages.count, (b"", b" ", b"[]", b"{}")))  # heartbeats
    assert events + rejects + duplicates == len(messages) + 2 - silent
    assert 5 < rejects < 60
    assert memory < MOST_MEMORY, f"{memory / 1e6:.0f} MB"
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", recorder.log()) == []
    assert "Traceback" not in recorder.log()


def test_a_recording_full_of_noise_leaves_each_line_byte_for_byte(sqlite_recorder: Recorder, tmp_path: Path) -> None:
    noise = [line for line in hostile() if line.strip() and b"\n" not in line and len(line) <= 1 << 20]
    recording = tmp_path / "noise.jsonl"
    recording.write_bytes(b"\n".join(noise))
    process = sqlite_recorder.start(f"file:{recording}")
    assert process.wait(60) == 0, sqlite_recorder.log()
    with Archive.open(sqlite_recorder.url) as archive:
        lines = [json.loads(line) for line in archive.export()]
    kept = {base64.b64decode(line["payload"]) for line in lines if line["archiver"] == "reject"}
    assert kept <= set(noise)
    assert {b"\xff\xfe\xfd", b"\x00", b"NaN", b"null"} <= kept
