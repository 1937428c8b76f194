"""`archiver config`: what is set, and where that was found."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from archiver.cli.common import Database, Output, configuration, die_with_the_reader, examples
from archiver.cli.globals import HELP_NAMES
from archiver.cli.groups import Group
from archiver.cli.listing.cells import to_json
from archiver.cli.listing.columns import Column
from archiver.cli.listing.output import render
from archiver.cli.presentation import make_presentation
from archiver.cli.writing import write_lines

if TYPE_CHECKING:
    from archiver.config.settings import Config

HIDDEN = "***"


def register(app: typer.Typer) -> None:
    """Adds the command and its own one."""
    config = typer.Typer(
        help="What is set, and where that was found.",
        cls=Group,
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings=HELP_NAMES,
        epilog=examples("archiver config show"),
    )
    config.command(
        "show",
        short_help="Shows every setting, its value, and where that was found.",
        epilog=examples("archiver config show", "archiver config show -o json | jq -r '.[] | select(.secret).origin'"),
    )(show)
    app.add_typer(config, name="config")


class Shown(NamedTuple):
    """A setting as it may be seen; a `secret` is not."""

    name: str
    value: Any
    origin: str
    secret: bool = False


def show(ctx: typer.Context, output: Output = None, database: Database = None) -> None:
    """Shows every setting, its value, and where that was found: an option, a variable, a file, or the default.

    Of a credential only where it was found; a URL is shown without what is secret in it.
    """
    die_with_the_reader()
    config = configuration(ctx, database)
    presentation = make_presentation(output)
    found = settings(config)
    if presentation.format not in ("json", "jsonl"):
        found = [each._replace(value=to_json(each.value)) if isinstance(each.value, bool) else each for each in found]
    write_lines(render(presentation, COLUMNS, found))


def settings(config: Config) -> list[Shown]:
    """Every setting; behind the streams the credential of each that has one. Raises ConfigurationWrong."""
    found: list[Shown] = []
    for name, (value, origin) in config.shown().items():
        found.append(Shown(name, value, origin))
        if name == "streams":
            found += _credentials(config)
    return found


def _credentials(config: Config) -> list[Shown]:
    from archiver.config.loading import home_folder
    from archiver.platforms.open import WEBSOCKET
    from archiver.platforms.tutum.credentials import find_credentials

    urls = [url for url in config.streams.value if url.partition(":")[0].lower() in WEBSOCKET and _is_url(url)]
    known = (find_credentials(os.environ, home_folder(), url) for url in urls)
    return [Shown("credential", HIDDEN, credentials.origin, secret=True) for credentials in known if credentials]


def _is_url(text: str) -> bool:
    from urllib.parse import urlsplit

    try:
        return bool(urlsplit(text).hostname)
    except ValueError:
        return False


COLUMNS: list[Column[Shown]] = [
    Column("name", lambda setting: setting.name),
    Column("value", lambda setting: setting.value),
    Column("from", lambda setting: setting.origin, machine=False),
    Column("origin", lambda setting: setting.origin, table=False),
    Column("secret", lambda setting: setting.secret, table=False, extra=True),
]
