"""`archiver db`: creates, upgrades and checks the archive's tables."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from archiver.cli.common import Database, database_url, die_with_the_reader, examples, note
from archiver.cli.escape import escape
from archiver.cli.globals import HELP_NAMES
from archiver.cli.output import write_lines

Dialect = Annotated[Literal["sqlite", "postgresql"], typer.Option("--dialect", help="For which kind of database.")]


def register(app: typer.Typer) -> None:
    """Adds the command and its own ones."""
    db = typer.Typer(
        help="Creates, upgrades and checks the archive's tables.",
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings=HELP_NAMES,
        epilog=examples("archiver db upgrade", "archiver db check"),
    )
    db.command(
        "upgrade", epilog=examples("archiver db upgrade", "archiver db upgrade --database sqlite:///archive.db")
    )(upgrade)
    db.command("current", epilog=examples("archiver db current"))(current)
    db.command("check", epilog=examples("archiver db check && echo sound"))(check)
    db.command("sql", epilog=examples("archiver db sql --dialect postgresql | less"))(sql)
    app.add_typer(db, name="db")


def upgrade(ctx: typer.Context, database: Database = None) -> None:
    """Creates the tables, or brings them to the revision of this program. Does nothing where nothing is to be done."""
    from archiver.storage import migrate

    before, after = migrate.upgrade(database_url(ctx, database))
    if before == after:
        write_lines([f"the schema is at {after} already"])
    elif before is None:
        write_lines([f"the schema was created at {after}"])
    else:
        write_lines([f"the schema went from {before} to {after}"])


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


def sql(dialect: Dialect = "sqlite") -> None:
    """The statements that create the tables, for a reader; nothing is connected to."""
    from archiver.storage import migrate

    die_with_the_reader()
    write_lines(migrate.sql(dialect))
