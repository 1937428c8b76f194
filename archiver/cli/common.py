"""What the commands share: the options they have in common, how they find the archive, what they say on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archiver.cli import completion
from archiver.cli.escape import escape
from archiver.cli.globals import Database as Database  # one of the options in common
from archiver.cli.globals import Globals
from archiver.cli.leaving import die_with_the_reader as die_with_the_reader
from archiver.cli.pager import later
from archiver.cli.presentation import Colour, Format

if TYPE_CHECKING:
    from archiver.api.archive import Archive
    from archiver.config.settings import Config

_A_RESOURCE = "A resource: URI, type/key, key, name, or at least 4 characters of a key"
_AN_INSTANT = "2h, '2 months ago', yesterday, monday, '14:00 CET', ISO 8601, an epoch"
Refs = Annotated[
    list[str],
    typer.Argument(
        metavar="REF...",
        help=f"{_A_RESOURCE}; a pattern: 'web-*'; - reads references from standard input, one a line.",
        autocompletion=completion.references,
        show_default=False,
    ),
]
AnyRefs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[REF...]",
        help=f"{_A_RESOURCE}; a pattern: 'web-*'; "
        "- reads references from standard input, one a line; without one, everything.",
        autocompletion=completion.references,
        show_default=False,
    ),
]
OneRef = Annotated[
    str,
    typer.Argument(
        metavar="REF",
        help=f"{_A_RESOURCE}.",
        autocompletion=completion.references,
        show_default=False,
    ),
]
MaybeRef = Annotated[
    str | None,
    typer.Argument(
        metavar="[REF]",
        help=f"{_A_RESOURCE}.",
        autocompletion=completion.references,
        show_default=False,
    ),
]
Moment = Annotated[
    str,
    typer.Argument(
        metavar="TIME",
        help=f"An instant: {_AN_INSTANT}.",
        show_default=False,
    ),
]
Output = Annotated[
    Format | None,
    typer.Option(
        "-o",
        "--output",
        help="Default: table on a terminal, plain on a pipe; wide: a table with all, nothing shortened; name: the "
        "references alone.",
        show_default=False,
    ),
]
NoPager = Annotated[bool, typer.Option("--no-pager", help="Write a long answer to the terminal as it is.")]
Reverse = Annotated[bool, typer.Option("-r", "--reverse", help="The last one first.")]
Fields = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,...",
        help="Only these values, in this order; of a wrong one the error lists all.",
        show_default=False,
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help=f"From here on, inclusive: {_AN_INSTANT}.",
        show_default=False,
    ),
]
Until = Annotated[
    str | None, typer.Option(metavar="TIME", help="Up to here, exclusive; the same words.", show_default=False)
]
FailIfEmpty = Annotated[bool, typer.Option("--fail-if-empty", help="End with code 7 when the answer is empty.")]
OnPlatform = Annotated[
    str | None,
    typer.Option(
        "--platform",
        metavar="NAME",
        help="Which platform the references are of, by name, key or stream, where the archive has several.",
        show_default=False,
    ),
]
KnownAt = Annotated[
    str | None,
    typer.Option(
        "--known-at",
        metavar="TIME",
        help="By what had been received until then: what was told or imported later is left out.",
        show_default=False,
    ),
]
OnStream = Annotated[
    str | None,
    typer.Option(
        "--stream",
        metavar="URL",
        help="Only what this stream told, if not alone, and how well it was watched.",
        show_default=False,
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="End with code 6 when nobody was watching for a part of what is answered.")
]
Covered = Annotated[
    bool,
    typer.Option("--coverage", help="Say how well the range was watched; in JSON the list is then in an object."),
]
Utc = Annotated[bool, typer.Option("--utc", help="Times in UTC, also when reading --since and --until.")]
Color = Annotated[Colour, typer.Option("--color", help="Colour states.")]
Healthchecks = Annotated[
    bool,
    typer.Option("--all", help="Also what is left out else: health checks of Docker, and in a table what repeats."),
]


def examples(*lines: str) -> str:
    """An epilog of examples, one a line, that the help does not re-wrap."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def chosen(ctx: typer.Context) -> Globals:
    """The options before the command, wherever in the tree of commands one asks."""
    root: Any = ctx.find_root().obj
    return root if isinstance(root, Globals) else Globals()


def database_url(ctx: typer.Context, database: str | None) -> str:
    """The archive's URL: the option after the command, then the one before it, then what the configuration says."""
    return str(configuration(ctx, database).database.value)


def configuration(ctx: typer.Context, database: str | None) -> Config:
    """All settings, with the archive that was named after the command or before it."""
    return settings({"database": database if database is not None else chosen(ctx).database})


def settings(flags: Mapping[str, Any]) -> Config:
    """All settings, with what was given on the command line; says which variables are not read. Raises as `load`."""
    from archiver.config.loading import home_folder, load
    from archiver.config.misnamed import misnamed

    for name, meant in misnamed(os.environ):
        warn(f"{name} is not read; did you mean {meant}?")
    return load(flags, os.environ, home_folder())


def open_archive(ctx: typer.Context, database: str | None) -> Archive:
    """The archive to read; raises `DatabaseMissing`, `DatabaseUnreachable` or `SchemaNotAtHead`."""
    from archiver.api.archive import Archive

    die_with_the_reader()
    return Archive.open(database_url(ctx, database))


def complain(message: str, *, hint: str = "", more: Iterable[str] = ()) -> None:
    """An error on stderr: one line, what there is `more` of it below, and the next step on the last one."""
    _say(f"archiver: error: {message}")
    for line in more:
        _say(f"  {line}")
    if hint:
        _say(f"  hint: {hint}")


def show_traceback(exc: BaseException) -> None:
    """How an error came about, on stderr."""
    import traceback

    for line in "".join(traceback.format_exception(exc)).splitlines():
        _say(line)


def warn(text: str) -> None:
    """Something on stderr that must be known, also with `-q`."""
    _say(f"archiver: warning: {text}")


def note(ctx: typer.Context, text: str) -> None:
    """Something worth knowing on stderr, unless `-q`."""
    if not chosen(ctx).quiet:
        _say(text)


def _say(text: str) -> None:
    from archiver.codec.secrets import blanked_text  # most answers come without a word

    def say() -> None:
        if sys.stderr is not None:
            with suppress(OSError, ValueError):  # there is nobody left to tell
                print(escape(blanked_text(text)), file=sys.stderr)

    later(say)
