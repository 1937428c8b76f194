"""The way to the platform fails: a cable is pulled, a peer is half open or slow, connections end again and again."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.acceptance.recording import rows

from .bench import Bench, Broken
from .fault import Impossible, fault
from .way import way_to

NOTICED = 45.0
"""Seconds: a dead peer is noticed after 30 of silence; the rest is for a busy machine."""
_FIRST_PONG = 12.0
HURRIED = """
import sys
from archiver.platforms.wire.backoff import Backoff
Backoff.next = lambda self: 0.01
from archiver.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""The program without the waits between two connections."""


@fault(
    "the cable between daemon and platform is pulled (a network namespace), and put back",
    "noticed after 30 s of silence",
)
def cable_pulled(bench: Bench) -> str:
    with _namespace() as (name, host, inner):
        bench.listen_at(host)
        bench.start("--allow-plaintext", under=("ip", "netns", "exec", name))
        for _ in range(max(1, bench.size.turns // 4)):
            bench.archives(200)
            ended = bench.log().count("disconnected from")
            _ip("link", "set", inner, "down")
            _noticed(bench, ended)
            _ip("link", "set", inner, "up")
            bench.archives(200)
        bench.prove()
    return f"{max(1, bench.size.turns // 4)} times"


@fault("the way is blocked in both directions while both ends stay open", "noticed after 30 s of silence")
def half_open(bench: Bench) -> str:
    with way_to(bench.platform.stream_url) as (url, way):
        bench.start(stream=url)
        for _ in range(max(1, bench.size.turns // 4)):
            bench.archives(200)
            ended = bench.log().count("disconnected from")
            time.sleep(_FIRST_PONG)  # who never answered a ping is given five minutes
            way.traffic = "blocked"
            _noticed(bench, ended)
            way.traffic = "open"
            bench.archives(200)
    return f"{max(1, bench.size.turns // 4)} times"


@fault("the platform answers the handshake one byte each half second", "given up after 15 s, then tried again")
def slow_handshakes(bench: Bench) -> str:
    with way_to(bench.platform.stream_url) as (url, way):
        way.traffic = "dripping"
        bench.start(stream=url)
        turns = max(1, bench.size.turns // 2)
        bench.until(lambda: way.connections > turns, "it tries again")
        if "connected to" in bench.log():
            raise Broken("it took a byte each half second for a handshake")
        way.traffic = "open"
        bench.archives(200)
    return f"{turns} handshakes"


@fault("the platform says half a frame and nothing more, hangs up in each of its ways, or falls silent")
def endings(bench: Bench) -> str:
    bench.start()
    kinds = ("close", "drop", "reset", "half_frame", "silence")
    bench.archives(round(3 * bench.size.rate))  # for three seconds: who has answered no ping is given longer
    for turn in range(bench.size.turns + 2):
        bench.archives(100)
        bench.listening()  # what was received before may be archived while nobody listens
        ended = bench.log().count("disconnected from")
        bench.platform.misbehave(kinds[turn % len(kinds)])
        _noticed(bench, ended)
    bench.archives(100)
    return f"{bench.size.turns + 2} times"


@fault(
    "the platform hangs up again and again, with and without a close frame",
    "no more descriptors and threads than before, give or take three; every connection is in the ledger",
    portion=("reconnects", 2_500),
)
def reconnects(bench: Bench) -> str:
    process = bench.start(program=("-c", HURRIED))
    bench.archives(1)
    kinds, before = ("close", "drop", "reset"), _held(process.pid)
    for turn in range(bench.size.reconnects):
        bench.listening()
        bench.platform.misbehave(kinds[turn % len(kinds)])
    bench.listening()
    bench.archives(100)
    if (after := _held(process.pid)) > before + 3:
        raise Broken(f"{before} descriptors and threads before, {after} after")
    bench.prove()
    # What hung up before its handshake was heard was none.
    opened = bench.log().count(" connected to ")
    sessions, gaps = (rows(bench.url, f"SELECT count(*) FROM {each}")[0][0] for each in ("sessions", "gap_log"))
    if sessions != opened or gaps < sessions - 1:
        raise Broken(f"{opened} connections, by the ledger {sessions}, and {gaps} times nobody was listening")
    return f"{bench.size.reconnects} connections"


def _held(pid: int) -> int:
    return sum(len(os.listdir(f"/proc/{pid}/{what}")) for what in ("fd", "task"))


def _noticed(bench: Bench, ended: int) -> None:
    began = time.monotonic()
    bench.waits_for_log("disconnected from", ended + 1)
    if (took := time.monotonic() - began) > NOTICED:
        raise Broken(f"a dead peer was noticed after {took:.0f} s")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextmanager
def _namespace() -> Iterator[tuple[str, str, str]]:
    """A network of its own at the end of a cable: its name, our address, and our end of the cable."""
    name, number = f"archiver{os.getpid() % 10_000}", os.getpid() % 200 + 20
    inner, outer = f"va{os.getpid() % 10_000}", f"vb{os.getpid() % 10_000}"
    host, guest = f"10.213.{number}.1", f"10.213.{number}.2"
    try:
        _ip("netns", "add", name)
        _ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name)
    except (OSError, subprocess.CalledProcessError) as error:
        with_why = getattr(error, "stderr", b"") or str(error).encode()
        raise Impossible(f"no network namespace here: {with_why.decode().strip()}") from error
    try:
        _ip("addr", "add", f"{host}/24", "dev", outer)
        _ip("link", "set", outer, "up")
        for words in (("addr", "add", f"{guest}/24", "dev", inner), ("link", "set", inner, "up")):
            _ip("-n", name, *words)
        yield name, host, outer
    finally:
        _ip("netns", "del", name)
        with suppress(subprocess.CalledProcessError):  # it goes with the namespace, sooner or later
            _ip("link", "del", outer)
