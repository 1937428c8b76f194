"""`archiver demo`: a platform, the daemon and the answers, in one command."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archiver.cli.common import examples, note
from archiver.cli.extras import simulator_server
from archiver.errors import ArchiverError, UsageError

if TYPE_CHECKING:
    from archiver.api.archive import Archive

SPEED = 6.0
RATE = 30.0
_ASKED_SECONDS = 10.0
"""So long after the last event the platform may take to say what all is called."""
_UNNAMED = (
    "SELECT 1 FROM inventory i WHERE i.name IS NULL AND i.live = 1"
    " UNION ALL SELECT 1 FROM action_log a WHERE a.name IS NULL"
)
_SIGNED = "made-by-demo"
"""In the demo's folder: which files it made."""
Seconds = Annotated[float, typer.Option(min=3, max=600, help="How long to record.")]
Folder = Annotated[
    Path | None, typer.Option(help="Where the archive goes; default: demo in the data folder.", show_default=False)
]


class DemoFailed(ArchiverError):
    """The demo could not show what it is there to show."""

    message = "the demo failed: {reason}"
    hint = "let it record for longer (--seconds 20), or report it, with the output of: archiver --debug demo"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo", epilog=examples("archiver demo", "archiver demo --seconds 60"))(demo)


def demo(ctx: typer.Context, seconds: Seconds = 20, folder: Folder = None) -> None:
    """All of it in one command, with nothing to configure.

    Starts a small living platform, records its stream over a real websocket into a SQLite archive (and loses the
    connection once), then asks the archive: the timeline of a container, a stack's tree, and its actions.
    """
    from archiver.storage.database.sqlite_url import sqlite_url

    place = folder or _data_folder() / "demo"
    database = place / "archive.db"
    server = simulator_server()
    _make_room(ctx, place, named=folder is not None)
    url = sqlite_url(str(database))
    note(ctx, f"A small platform comes to life, {SPEED:g} times as fast as a real one; recorded for {seconds:g} s ...")
    try:
        archived = _record(server, url, place / "spool.db", seconds)
    finally:
        sign(place)
    note(ctx, f"{archived} events archived in {database}; the connection was lost once, on purpose.")
    from archiver.api.archive import Archive

    with Archive.open(url) as archive:
        container, stack = _worth_showing(archive)
    quoted = shlex.quote(str(database))
    shown = f"--database {quoted}"
    for question in (("history", container), ("tree", stack), ("actions", stack)):
        _ask(ctx, url, shown, *question)
    program = "archiver" if shutil.which("archiver") else shlex.quote(sys.argv[0])
    note(ctx, f"Ask on: {program} {shown} events -n 20   or with SQL: sqlite3 {quoted} 'SELECT * FROM state_spans'")


def _make_room(ctx: typer.Context, place: Path, *, named: bool) -> None:
    """Deletes what an earlier demo made and nobody has written since; anything else is kept, whoever made it.

    In the demo's own folder it is renamed, in a folder that was named it ends the demo.
    """
    from archiver.storage.database.replacing import aside

    there = [*place.glob("archive.db*"), *place.glob("spool.db*")]
    if not there:
        return
    own = is_signed(place)
    if named and not own:
        reason = f"there is an archive in {place} already, or a spool"
        raise UsageError(reason=reason, hint="give the demo a folder of its own")
    _require_unused(place)
    for leftover in there:
        if own or leftover.name.endswith("-lock"):
            leftover.unlink(missing_ok=True)
        elif leftover.suffix == ".db":
            kept = aside(leftover, "kept")
            for tail in ("", "-wal", "-shm"):  # a log belongs to its file
                with suppress(FileNotFoundError):
                    os.rename(f"{leftover}{tail}", f"{kept}{tail}")
            note(ctx, f"{leftover} is not known to be a demo's, and is kept as {kept}")


def _require_unused(place: Path) -> None:
    """Raises SpoolInUse while a daemon records into this folder."""
    from archiver.recording.spool.file import lock

    if (place / "spool.db").exists():
        lock(place / "spool.db").close()


def _signature(place: Path) -> str:
    """What tells the files that a demo left from any that took their places, or were written since."""
    found = [(name, (place / name).stat()) for name in ("archive.db", "spool.db") if (place / name).exists()]
    return "".join(f"{name} {made.st_ino} {made.st_size} {made.st_mtime_ns}\n" for name, made in found)


def sign(place: Path) -> None:
    """Writes down that the files here are a demo's, as they are now."""
    from archiver.private import make_file

    with suppress(OSError):
        make_file(place / _SIGNED)
        (place / _SIGNED).write_text(_signature(place), encoding="ascii")


def is_signed(place: Path) -> bool:
    """Whether the files here are as a demo left them."""
    try:
        return (place / _SIGNED).read_text(encoding="ascii") == _signature(place)
    except (OSError, UnicodeDecodeError):
        return False


def _data_folder() -> Path:
    from archiver.config.loading import NO_HOME, home_folder

    base = os.environ.get("XDG_DATA_HOME")
    if not base and home_folder() == NO_HOME:
        raise UsageError(reason="there is no home folder to put the demo into", hint="name a folder with --folder")
    return (Path(base) if base else home_folder() / ".local" / "share") / "archiver"


def _record(server: Any, url: str, spool_path: Path, seconds: float) -> int:
    """Records a simulated platform for some seconds; the number of events archived."""
    import logging
    import threading

    from archiver.platforms.tutum.api import Api
    from archiver.platforms.tutum.beside import BesidePace
    from archiver.platforms.tutum.source import Retry, WebsocketSource
    from archiver.recording.daemon import Daemon
    from archiver.recording.spool.queue import Spool

    logging.disable(logging.WARNING)  # the lost connection is part of the show
    seed = 7
    shown = server.Simulator(world=server.World(seed=seed, rate=RATE), pacing=server.Pacing(speed=SPEED, wait_for=1))
    with shown as platform, Spool(spool_path) as spool:
        # All goes faster here.
        pace = BesidePace(least=1.0, again=2.0, after_news=0.5, apart=1.0, share=1.0, in_doubt=2.0, settle=1.5)
        api = Api(platform.rest_url, is_docker_cloud=False)
        source = WebsocketSource(platform.stream_url, retry=Retry(seed=seed), api=api, notes=spool, beside=pace)
        daemon = Daemon([source], spool, url)
        director = threading.Thread(target=_direct, args=(platform, daemon, seconds, url), daemon=True)
        director.start()
        _run_to_the_end(daemon)
        director.join()
    logging.disable(logging.NOTSET)
    return daemon.ingest.archived


def _run_to_the_end(daemon: Any) -> None:
    """Runs a daemon; Ctrl-C has it end as it does otherwise, and is raised as KeyboardInterrupt then."""
    interrupted: list[int] = []

    def stop(number: int, _frame: object) -> None:
        interrupted.append(number)
        daemon.stop()

    before = signal.signal(signal.SIGINT, stop)
    try:
        daemon.run()
    finally:
        signal.signal(signal.SIGINT, before)
    if interrupted:
        raise KeyboardInterrupt


def _direct(platform: Any, daemon: Any, seconds: float, url: str) -> None:
    """Lets the platform live for some seconds, cuts the line once, and ends the recording when all is asked about."""
    end = time.monotonic() + seconds
    try:
        time.sleep(seconds / 2)
        platform.misbehave("drop")
        while time.monotonic() < end or (not daemon.ingest.archived and time.monotonic() < end + 30):
            time.sleep(0.1)
        platform.stand_still()
        end = time.monotonic() + _ASKED_SECONDS
        while time.monotonic() < end and not _is_named(url):
            time.sleep(0.2)
    finally:
        daemon.stop()


def _is_named(url: str) -> bool:
    """Whether nothing was heard of, the latest either, whose name has not come with an answer."""
    from archiver.api.archive import Archive

    with suppress(ArchiverError), Archive.open(url) as archive, archive.sql(_UNNAMED) as found:
        return next(iter(found), None) is None
    return False


def _worth_showing(archive: Archive) -> tuple[str, str]:
    """The container that went through most states, and the stack it belongs to."""
    states: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    stacks: dict[str, str] = {}
    for event in archive.events(types=["container"], limit=0):
        uri = event.resource_uri
        stack = next((parent for parent in event.parents if "/stack/" in parent), None)
        if uri is None or stack is None:
            continue
        states.setdefault(uri, set()).add(event.state or "")
        counts[uri] = counts.get(uri, 0) + 1
        stacks[uri] = stack
    if not counts:
        raise DemoFailed(reason="no container was heard of")
    best = max(counts, key=lambda uri: (len(states[uri]), counts[uri], uri))
    return best, stacks[best]


def _ask(ctx: typer.Context, url: str, shown: str, command: str, ref: str) -> None:
    """Shows a command as one would type it, and what it answers."""
    print(f"\n$ archiver {shown} {command} {ref}", flush=True)
    program: Any = ctx.find_root().command
    program(["--database", url, command, ref, "-o", "table"], prog_name="archiver", standalone_mode=False)
    sys.stdout.flush()
