"""`archiver db`: creates, upgrades and checks the archive's tables."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from archiver.cli.common import Database, database_url, die_with_the_reader, examples, note, warn
from archiver.cli.escape import escape
from archiver.cli.globals import HELP_NAMES
from archiver.cli.groups import Group
from archiver.cli.progress import progressing
from archiver.cli.writing import write_lines

if TYPE_CHECKING:
    from archiver.storage.backup import Copy

Dialect = Annotated[Literal["sqlite", "postgresql"], typer.Option("--dialect", help="For which kind of database.")]

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.", dir_okay=False)]
RestoreFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="A copy that 'archiver db backup' made.", dir_okay=False)
]


def register(app: typer.Typer) -> None:
    """Adds the command and its own ones."""
    db = typer.Typer(
        help="The archive's tables: create, upgrade, check; its copies: backup, restore.",
        cls=Group,
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings=HELP_NAMES,
        epilog=examples("archiver db upgrade", "archiver db check"),
    )
    db.command(
        "upgrade",
        short_help="Creates the tables, or brings them up to date.",
        epilog=examples("archiver db upgrade", "archiver db upgrade --database sqlite:///archive.db"),
    )(upgrade)
    db.command("current", short_help="Says of which revision the tables are.", epilog=examples("archiver db current"))(
        current
    )
    db.command(
        "check", short_help="Says whether the archive is sound.", epilog=examples("archiver db check && echo sound")
    )(check)
    db.command(
        "backup",
        short_help="Copies a SQLite archive, also one in use.",
        epilog=examples("archiver db backup /var/backups/archive-$(date +%F).db"),
    )(backup)
    db.command(
        "restore",
        short_help="Puts such a copy into the archive's place.",
        epilog=examples("archiver db restore /var/backups/archive-2026-11-20.db"),
    )(restore)
    db.command(
        "sql",
        short_help="Prints the statements that create the tables.",
        epilog=examples("archiver db sql --dialect postgresql | less"),
    )(sql)
    app.add_typer(db, name="db")


def upgrade(ctx: typer.Context, database: Database = None) -> None:
    """Creates the tables, or brings them to the revision of this program. Does nothing where nothing is to be done.

    An archive of version 0.1.0 is built anew; of a SQLite archive the old file is kept beside the new one. Stop the
    daemon first: its spool keeps what comes meanwhile. What was interrupted goes on when it is run again.
    """
    from archiver.storage import migrate

    try:
        with progressing(ctx) as progress:
            done = migrate.upgrade(database_url(ctx, database), progress)
    except KeyboardInterrupt:
        warn("interrupted: every row of the old archive is there as before; the same command goes on where this ended")
        raise
    if done.before == done.after:
        write_lines([f"the schema is at {done.after} already"])
    elif done.before is None:
        write_lines([f"the schema was created at {done.after}"])
    else:
        write_lines([f"the schema went from {done.before} to {done.after}"])
    for thing in done.left:
        warn(f"not carried over: {thing}")
    if done.kept is not None:
        note(ctx, f"the old archive is kept; once the new one has proved itself: rm {shlex.quote(str(done.kept))}")


def current(ctx: typer.Context, database: Database = None) -> None:
    """The revision of the archive's tables, and the one this program needs."""
    from archiver.storage import migrate

    revision = migrate.current(database_url(ctx, database))
    write_lines([revision or "none"])
    if revision != migrate.HEAD:
        note(ctx, f"this archiver needs {migrate.HEAD}: archiver db upgrade")


def check(ctx: typer.Context, database: Database = None) -> None:
    """Whether the archive is sound; every problem is one line, and exit code 1."""
    from archiver.storage import migrate

    problems = migrate.check(database_url(ctx, database))
    write_lines([escape(problem) for problem in problems] or ["the archive is sound"])
    if problems:
        raise typer.Exit(1)


def backup(ctx: typer.Context, file: BackupFile, database: Database = None) -> None:
    """Copies a SQLite archive, also while the daemon writes it, and checks the copy.

    The file appears under its name when it is complete; an earlier copy of that name is replaced.
    """
    from archiver.storage.backup import backup as make

    made = make(database_url(ctx, database), file)
    write_lines([f"{_said(made)} are in {escape(str(made.path))} ({made.size:,} bytes), checked"])


def restore(ctx: typer.Context, file: RestoreFile, database: Database = None) -> None:
    """Puts a copy into the place of a SQLite archive; stop the daemon first.

    What was there is kept beside it. What the streams said since the copy was made is a gap from now on.
    """
    from archiver.storage.backup import restore as put_back
    from archiver.storage.migrate import HEAD

    made = put_back(database_url(ctx, database), file)
    write_lines([f"{_said(made)} are in {escape(str(made.path))} now, checked"])
    kept = (
        f"what was there is kept as {made.kept}" if made.kept else "no archive was there before; is it the right place?"
    )
    note(ctx, kept)
    if made.revision != HEAD:
        note(ctx, f"its tables are at {made.revision}, and this archiver needs {HEAD}: archiver db upgrade")


def _said(made: Copy) -> str:
    return f"{made.events:,} events" + (f", told until {made.until}," if made.until else "")


def sql(dialect: Dialect = "sqlite") -> None:
    """The statements that create the tables, for a reader; nothing is connected to."""
    from archiver.storage import migrate

    die_with_the_reader()
    write_lines(migrate.sql(dialect))
