"""`archiver schema`: what the published views and their columns mean, for people and for Datasette."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, NamedTuple

import typer

from archiver.cli.asking.question import Question, question
from archiver.cli.common import die_with_the_reader, examples
from archiver.cli.groups import there_are
from archiver.cli.listing.columns import Column, refuse_fields
from archiver.cli.writing import write_lines
from archiver.errors import UsageError

Views = Annotated[list[str] | None, typer.Argument(metavar="[VIEW]...", help="Only these views.", show_default=False)]
Datasette = Annotated[
    bool, typer.Option("--datasette", help="Metadata for Datasette 0.65, as JSON: what its option -m reads.")
]


class Said(NamedTuple):
    """What a view means, or one of its columns."""

    view: str
    column: str | None
    """None: of the view itself."""
    description: str


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "schema",
        epilog=examples(
            "archiver schema restarts",
            "archiver schema -o json | jq -r '.[].view' | uniq",
            "archiver schema --datasette > metadata.json",
            "datasette -m metadata.json --setting suggest_facets off ~/.local/share/archiver/archive.db",
        ),
    )(question(schema, ranged=False, strict=False))


def schema(asked: Question, views: Views = None, datasette: Datasette = False) -> None:
    """What the views over which SQL is written mean, and each of their columns.

    They are the same in every archive of this version, and none need be there; for Datasette the name of its file is.
    """
    die_with_the_reader()
    if datasette:
        if views or asked.format is not None:
            raise UsageError(reason="--datasette is of all views, and JSON", hint="leave out VIEW and -o")
        refuse_fields(asked.presentation)
        write_lines([_for_datasette(asked)])
        return
    asked.listing(COLUMNS, _said(views), nothing="")


def _said(names: list[str] | None) -> Iterator[Said]:
    """The views in the order of their names. Raises UsageError for one that is not there."""
    from archiver.storage.views import VIEWS

    published = {view.name: view for view in VIEWS if not view.is_part}
    for name in names or ():
        if name not in published:
            raise UsageError(reason=f"no view is called {name!r}", hint=there_are(name, sorted(published)))
    for name in sorted(names or published):
        view = published[name]
        yield Said(name, None, view.comment)
        yield from (Said(name, column, text) for column, text in view.columns.items())


def _for_datasette(asked: Question) -> str:
    from archiver.storage.database.address import is_postgres
    from archiver.storage.database.sqlite_url import sqlite_file
    from archiver.storage.datasette import datasette_metadata

    url = asked.url
    if is_postgres(url):
        raise UsageError(
            reason="Datasette opens SQLite archives, and this one is in PostgreSQL",
            hint="name a file with --database; in PostgreSQL the descriptions are there: \\d+ event_log in psql",
        )
    return json.dumps(datasette_metadata(sqlite_file(url)), indent=2)


COLUMNS: list[Column[Said]] = [
    Column("view", lambda said: said.view),
    Column("column", lambda said: said.column),
    Column("description", lambda said: said.description),
]
