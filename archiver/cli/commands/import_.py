"""`archiver import`: adds events from what somebody recorded."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from archiver.cli import times
from archiver.cli.common import Database, chosen, complain, database_url, examples, note, warn
from archiver.cli.escape import escape
from archiver.cli.presentation import is_terminal
from archiver.errors import BadInput, ConfigurationWrong
from archiver.model import Micros, to_micros

if TYPE_CHECKING:
    from archiver.transfer.importer import ImportResult

Files = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="A recording or an export; - is standard input.", show_default=False),
]
Recorded = Annotated[
    str | None,
    typer.Option(
        "--stream",
        metavar="URL",
        help="Whose recording it is: a stream that this archive has recorded. Objects of the two are then the same.",
        show_default=False,
    ),
]
OfPlatform = Annotated[
    str | None,
    typer.Option(
        "--platform",
        metavar="NAME",
        help="Of which platform (account, swarm, engine) it tells, by name or key; one of a new name is made.",
        show_default=False,
    ),
]
DatedBy = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="When events happened that have no time: 'import' for now, or a time. Without it they are refused.",
        show_default=False,
    ),
]
Again = Annotated[bool, typer.Option("--again", help="Import a file although it was imported before.")]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "import",
        epilog=examples(
            "archiver import events.jsonl archive.jsonl.gz",
            "archiver import --stream unix:///var/run/docker.sock docker-events.log",
            "journalctl -u tutum-events -o json | archiver import -",
        ),
    )(import_)


def import_(
    ctx: typer.Context,
    files: Files,
    stream: Recorded = None,
    platform: OfPlatform = None,
    dated_by: DatedBy = None,
    again: Again = False,
    database: Database = None,
) -> None:
    """Adds events from recordings: JSON however it is set apart, logs that contain it, what `archiver export` wrote.

    What cannot be read is kept as a reject, and the rest goes on. A file that is refused as a whole keeps none of the
    others from being imported; it is named in the end, with exit code 1. Where there is no archive yet, one is made.
    """
    from archiver.storage import migrate
    from archiver.storage.database.named import database_name
    from archiver.transfer.importer import How, import_file

    url = database_url(ctx, database)
    moment = _moment(dated_by)
    recorded = None if stream is None else _name_of(stream)
    for name in files:
        _check(name)
    if migrate.is_missing(url):
        migrate.upgrade(url)
        note(ctx, f"created the archive at {database_name(url)}")
    useless: list[BadInput] = []
    for number, name in enumerate(files, 1):
        how, progress = How(source=name, dated_by=moment, platform=platform), _progress(ctx, name)
        try:
            with _opened(name) as file:
                result = import_file(url, file, how, stream=recorded, again=again, progress=progress)
        except BadInput as refused:
            _end_progress(ctx)
            useless.append(refused)
            continue
        except BaseException:
            _end_progress(ctx)
            _say_what_was_not_read(files[number:])
            raise
        _end_progress(ctx)
        print(f"{escape(name)}: {_counts(result)}")
        if result.lacks is not None:
            useless.append(_incomplete(name, result.lacks))
        elif result.rejects and not result.events and not result.duplicates:
            useless.append(BadInput(source=name, reason=f"nothing of it is an event: {result.first_reject}"))
    _raise_all(useless)


def _say_what_was_not_read(files: list[str]) -> None:
    """Whatever ended the import, an archive that went away or Ctrl-C: whoever goes on needs to know with which file."""
    if files:
        warn(f"not read: {' '.join(map(shlex.quote, files))}")


def _raise_all(errors: list[BadInput]) -> None:
    for error in errors[:-1]:
        complain(str(error), hint=error.next_step)
    for error in errors[-1:]:
        raise error


def _incomplete(name: str, lacks: str) -> BadInput:
    reason = f"the export in it is not complete: {lacks}; what is there was archived"
    return BadInput(source=name, reason=reason, hint="import the whole of it: what is archived by then is not doubled")


def _counts(result: ImportResult) -> str:
    if result.known_since is not None:
        when = times.machine(result.known_since)
        return f"this file was imported on {when}, nothing is added (--again imports it once more)"
    return f"{result.events} events, {result.duplicates} duplicates, {result.rejects} rejects"


def _moment(dated_by: str | None) -> Micros | None:
    if dated_by is None:
        return None
    now = datetime.now(UTC)
    return to_micros(now if dated_by == "import" else times.parse_time(dated_by, now=now))


def _name_of(stream: str) -> str:
    """What the archive calls the stream behind an URL, as it is given to `archiver run`."""
    from archiver.platforms.open import DOCKER
    from archiver.platforms.tutum.credentials import stream_name

    if stream.partition(":")[0].lower() in DOCKER:
        from archiver.platforms.docker.endpoint import resolve

        return resolve(stream, os.environ).url
    try:
        return stream_name(stream)
    except ValueError:
        raise ConfigurationWrong(setting="stream", reason="it is not a URL", origin="--stream") from None


def _check(name: str) -> None:
    if name != "-" and Path(name).is_fifo():
        return  # whoever writes into a pipe would lose its reader
    with _opened(name):
        pass


def _opened(name: str) -> BinaryIO | nullcontext[BinaryIO]:
    if name == "-":
        if sys.stdin is None:
            raise BadInput(source=name, reason="standard input is closed", hint="name a file, or open it for reading")
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except OSError as exc:
        raise BadInput(source=name, reason=exc.strerror or str(exc)) from exc


def _progress(ctx: typer.Context, name: str) -> Callable[[int], None] | None:
    if not _shows_progress(ctx):
        return None

    def show(count: int) -> None:
        print(f"\r{escape(name)}: {count:,} lines", end="", file=sys.stderr, flush=True)

    return show


def _shows_progress(ctx: typer.Context) -> bool:
    return is_terminal(sys.stderr) and not chosen(ctx).quiet


def _end_progress(ctx: typer.Context) -> None:
    if _shows_progress(ctx):
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
