"""Looks for the login that the daemons of a fault were given in all that others may see of them."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from archiver.simulator.service.connection import frame
from tests.acceptance.recording import rows

if TYPE_CHECKING:
    from .bench import Bench

_PROGRAM = """#!/bin/sh
{ env; tr '\\0' '\\n' < /proc/$$/cmdline; cat; echo done; } >> "$0.given"
"""
"""What is called: it writes down all that it is given."""
_ASKED = (
    ("export",),
    ("status", "-o", "json"),
    ("events", "-n", "0", "-o", "csv"),
    ("rejects", "list", "-o", "json"),
    ("config", "show"),
    ("--debug", "history", "container/of-nobody"),  # a traceback
    ("--debug", "--config", "/nowhere/at-all", "status"),
)
_MANY = 10_000
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"


def overheard(bench: Bench, *, thoroughly: bool) -> Iterator[str]:
    """Where the login stands: log and tracebacks, spool, archive, whatever lies about in the folder.

    `thoroughly`: also in the title of one more daemon, its page of numbers, what it hands to a program, exports,
    answers and pages, while the platform repeats all that it was told, and refuses it in the end.
    """
    seen: dict[str, bytes] = {}
    if thoroughly:
        seen["the title of a process"], seen["the page of numbers"] = _watched(bench)
        picture = [("timeline", "--html", str(bench.folder / "page.html"))] if _is_small(bench) else []
        for command in (*_ASKED, *picture):
            bench.spawn(*command).wait(bench.patience)
    if bench.is_postgres:
        for (table,) in rows(bench.url, _TABLES):
            seen[f"the table {table}"] = repr(rows(bench.url, f'SELECT t::text FROM "{table}" t')).encode()
    if found := bench.canary.places(bench.folder, seen):
        yield f"the login stands in {', '.join(found)}"


def _watched(bench: Bench) -> tuple[bytes, bytes]:
    """How a daemon and its programs are called, and the page that it serves."""
    program = bench.folder / "program"
    program.write_text(_PROGRAM)
    program.chmod(0o755)
    told = ("--on", "reject", "--exec", str(program), "--metrics", "127.0.0.1:0")
    daemon = bench.start(*told, "--log-level", "debug", "--allow-plaintext")
    bench.listening()
    for text in bench.canary.told():
        bench.platform.send_raw(frame(text, text=True))
    given = Path(f"{program}.given")
    bench.until(lambda: given.exists() and "done" in given.read_text(), "a program is called")
    numbers = b"archiver_well" if _is_small(bench) else b"archiver_connected"
    bench.until(lambda: numbers in _page(bench), "the numbers are served")
    seen = _titles(daemon.pid), _page(bench)
    bench.platform.misbehave("handshake_status", times=1, status=401)
    bench.platform.send_raw(_good_bye(bench.canary.header))
    bench.waits_for_log("credentials refused", bench.log().count("credentials refused") + 1)
    bench.end(daemon)
    return seen


def _is_small(bench: Bench) -> bool:
    """Whether all that is counted and drawn of the archive is soon there, on a busy machine too."""
    return len(bench.tally.found) < _MANY


def _good_bye(reason: str) -> bytes:
    body = (1011).to_bytes(2) + reason.encode()[:123]
    return bytes([0x88, len(body)]) + body


def _page(bench: Bench) -> bytes:
    found = re.findall(r"metrics at (http://[\d.:]+/metrics)", bench.log())
    if not found:
        return b""
    with urllib.request.urlopen(found[-1], timeout=20) as answer:
        return bytes(answer.read())


def _titles(pid: int) -> bytes:
    """How a process and all that it has started are called, as `ps` shows them."""
    found = b""
    for number in (pid, *_children(pid)):
        for what in ("cmdline", "comm"):
            try:
                found += Path(f"/proc/{number}/{what}").read_bytes() + b"\n"
            except OSError:
                continue
    return found


def _children(pid: int) -> Iterator[int]:
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return
    for number in map(int, told.split()):
        yield number
        yield from _children(number)
