"""The journal beside the archive: the same events in a journald of our own, which ends and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import costs
from bench.costs import Cost, spent_here
from bench.figures import Figure, say
from bench.workshop import Lines, Workshop

DAEMON = Path("/usr/lib/systemd/systemd-journald")
MACHINE = Path("/etc/machine-id")
PATIENCE = 60.0

# By default a unit that tells much is cut off, and what is told is on the disk after minutes.
SETTINGS = "[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nSyncIntervalSec=1s\n"


def figures(shop: Workshop, lines: Lines) -> list[Figure]:
    """What client and daemon take for each event, and its bytes; nothing where no journald can be started."""
    if os.geteuid() != 0 or not DAEMON.exists() or not MACHINE.exists():
        say("  no journald that one can start here")
        return []
    with _journald(shop) as (daemon, inbox, folder):
        start = costs.cpu(daemon.pid)
        with spent_here() as client:
            _tell(inbox, lines)
        _wait_until_quiet(daemon)
        cost = Cost(cpu=costs.cpu(daemon.pid) - start)
        size = sum(file.stat().st_blocks * 512 for file in folder.rglob("*.journal"))
    client_micros, daemon_micros, held = (taken / lines.events for taken in (client.cpu * 1e6, cost.cpu * 1e6, size))
    measured = f"client {client_micros:.1f} µs, daemon {daemon_micros:.1f} µs, {held:.0f} bytes"
    line = lines.bytes_per_event
    what = f"journald, CPU and bytes an event, {lines.events:,} {lines.shape}"
    return [Figure(what, measured, f"the JSON line: {line:.0f} bytes", held / line, None)]


@contextmanager
def _journald(shop: Workshop) -> Iterator[tuple[subprocess.Popen[str], Path, Path]]:
    """A daemon of a namespace of its own, its socket, and its folder."""
    name = f"archiver-bench-{os.getpid()}"
    settings, run = Path(f"/run/systemd/journald@{name}.conf"), Path(f"/run/systemd/journal.{name}")
    folder = Path("/var/log/journal") / f"{MACHINE.read_text().strip()}.{name}"
    try:
        settings.write_text(SETTINGS)
        with shop.process([str(DAEMON), name], stderr=subprocess.DEVNULL) as daemon:
            _wait_for(run / "socket")
            yield daemon, run / "socket", folder
    finally:
        settings.unlink(missing_ok=True)
        for left in (run, folder):
            shutil.rmtree(left, ignore_errors=True)


def _tell(inbox: Path, lines: Lines) -> None:
    """Each event as one entry of fields that can be asked for."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal, open(lines.path) as source:
        journal.connect(str(inbox))
        for line in source:
            event = json.loads(line)
            fields = f"RESOURCE={event['resource_uri']}\nTYPE={event['type']}\nSTATE={event['state']}\n"
            journal.send(f"{fields}MESSAGE={line}".encode())


def _wait_until_quiet(daemon: subprocess.Popen[str]) -> None:
    """Until it has written everything down: it takes no more time then."""
    before = -1.0
    while before < (before := costs.cpu(daemon.pid)):
        time.sleep(1.5)


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"journald made no {path}")
        time.sleep(0.02)
