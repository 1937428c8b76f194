"""`archiver forget`: takes a leaked secret out of archive, spool and rejects."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from archiver.cli.common import Database, Output, examples, note, warn
from archiver.cli.jobs import SpoolOfDaemon, configured, done
from archiver.cli.listing.cells import to_json
from archiver.cli.listing.columns import Column
from archiver.cli.listing.output import render
from archiver.cli.presentation import make_presentation
from archiver.cli.writing import write_lines
from archiver.errors import BadInput, UsageError

if TYPE_CHECKING:
    from archiver.codec.forgetting import Pattern
    from archiver.config.settings import Config

Wanted = Annotated[
    str | None,
    typer.Argument(
        metavar="[PATTERN]",
        help="A beginning or an end of the secret with * for the rest: 'ghp_a1b2*'; whoever lists processes sees it.",
        show_default=False,
    ),
]
From = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="Read the secret or pattern from a file; - is standard input.",
        show_default=False,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say where it stands, and change nothing.")]

PATIENCE = 3600.0
"""Seconds in which a daemon may write a large archive anew."""
_PIECE = 1 << 20
_LONGEST = 4096
_HINT = "archiver forget --from FILE, or 'ghp_a1b2*': 4 letters at least, and * for the rest of a word"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "forget",
        epilog=examples("archiver forget --from leaked.txt --dry-run", "archiver forget 'ghp_a1b2*'"),
    )(forget)


def forget(
    ctx: typer.Context,
    pattern: Wanted = None,
    source: From = None,
    dry_run: DryRun = False,
    output: Output = None,
    spool: SpoolOfDaemon = None,
    database: Database = None,
) -> None:
    """Takes a secret that got into the archive out of it: events, names, notes, rejects, and what waits in the spool.

    In its place stands __forgotten__: the events stay, with all else that they said. That something was forgotten is
    noted in the archive, without what it was. Then the files are written anew, so that the bytes stand in none of them;
    it works beside a running daemon, which does it. In a pattern * stands for any letters of a word, ? for one.
    """
    from archiver.codec.forgetting import Pattern

    presentation = make_presentation(output)
    text = _given(pattern, source)
    try:
        wanted = Pattern(text)
    except ValueError as error:
        raise UsageError(reason=str(error), hint=_HINT) from None
    config = configured(ctx, database, spool)
    found = _looked(config, wanted) if dry_run else _done(config, text)
    left = [str(path) for path in _others(config, wanted)] if not dry_run else []
    rows = sorted(found["touched"].items())
    if presentation.format == "json":
        write_lines([to_json({**found, "dry_run": dry_run, "left": left}, indent=2)])
    else:
        write_lines(render(presentation, COLUMNS, rows))
        if not rows:
            note(ctx, "it stands nowhere in the archive" if dry_run else "nothing fitted; the files were written anew")
    _warn(found, left, _own(config))
    if not found["spool"]:
        note(ctx, f"no spool was looked into: there is none at {config.spool.value} (--spool)")
    if found.get("clean") is False:
        raise typer.Exit(1)


def _given(pattern: str | None, source: Path | None) -> str:
    if (pattern is None) == (source is None):
        raise UsageError(reason="give a pattern, or --from FILE", hint=_HINT)
    if pattern is not None:
        return pattern
    try:
        data = sys.stdin.buffer.read(_LONGEST) if str(source) == "-" else _read(source)
        return data.decode().strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise BadInput(source=str(source), reason=reason, hint=_HINT) from error


def _read(source: Path | None) -> bytes:
    assert source is not None
    with source.open("rb") as file:
        return file.read(_LONGEST)


def _looked(config: Config, pattern: Pattern) -> dict[str, Any]:
    """Where it stands."""
    from archiver.recording.spool.glance import counted
    from archiver.storage import forgetting

    touched = dict(forgetting.counted(config.database.value, pattern))
    waiting = counted(config.spool.value, pattern)
    rows = touched | ({"spool": waiting} if waiting else {})
    return {"touched": rows, "spool": waiting is not None, "clean": None, "uuid": None}


def _done(config: Config, text: str) -> dict[str, Any]:
    """What came of it; the tables of PostgreSQL are written anew from here, which may take its time."""
    from archiver.model import now_micros
    from archiver.storage import forgetting

    wanted = {"do": "forget", "pattern": text, "uuid": str(uuid4()), "at": now_micros()}
    found = done(config, wanted, PATIENCE)
    return {**found, "clean": forgetting.vacuum(config.database.value) and found["clean"]}


def _others(config: Config, pattern: Pattern) -> Iterator[Path]:
    """The files beside archive and spool in which it still stands: copies, and what was set aside."""
    seen: set[Path] = set()
    for path in _own(config):
        try:
            beside = sorted(path.parent.glob(f"{path.name.partition('.')[0]}*"))
        except OSError:
            continue
        for file in beside:
            if file not in seen and file.is_file() and _holds(file, pattern):
                yield file
            seen.add(file)


def _own(config: Config) -> list[Path]:
    """The files of the spool and of the archive."""
    from archiver.storage.database.address import is_postgres
    from archiver.storage.database.named import sqlite_path

    url = config.database.value
    return [config.spool.value] + ([] if is_postgres(url) else [sqlite_path(url)])


def _holds(path: Path, pattern: Pattern) -> bool:
    from archiver.storage.database.alone import pieces

    rest = b""
    try:
        for piece in pieces(path, _PIECE):
            if pattern.is_in(rest + piece):
                return True
            rest = piece[-_LONGEST:]
    except OSError:
        pass
    return False


def _warn(found: dict[str, Any], left: list[str], own: list[Path]) -> None:
    kept = {f"{path}{tail}" for path in own for tail in ("", "-wal", "-shm", "-lock")}
    if found.get("clean") is False:
        warn("the bytes still stand in a file: somebody reads it (run it again later), or the tables are not yours")
    for path in left:
        if path not in kept:
            warn(f"it stands in {path}, too: a copy, or what was set aside; remove it")
        elif found.get("clean"):
            warn(f"it stands in {path}: it was told once more (run it again), or fits what every archive is made of")


COLUMNS: list[Column[tuple[str, int]]] = [
    Column("table", lambda row: row[0]),
    Column("rows", lambda row: row[1], right=True),
]
