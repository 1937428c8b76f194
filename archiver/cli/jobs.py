"""What commands that write share: they ask the daemon that has the archive; where none runs, they do it themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from archiver.cli.common import chosen, settings

if TYPE_CHECKING:
    from archiver.config.settings import Config
    from archiver.recording.reconcile import Askers

SpoolOfDaemon = Annotated[
    str | None,
    typer.Option(
        "--spool",
        metavar="FILE",
        help="The spool of the daemon that is asked, where it has one of its own (ARCHIVER_SPOOL).",
        show_default=False,
    ),
]


def configured(ctx: typer.Context, database: str | None, spool: str | None, **more: Any) -> Config:
    """The archive and the spool that are meant, and whatever else is given."""
    named = database if database is not None else chosen(ctx).database
    return settings({"database": named, "spool": spool, **more})


def done(
    config: Config, wanted: dict[str, Any], patience: float | None = None, askers: Askers | None = None
) -> dict[str, Any]:
    """What came of a job; `askers` are found when it is done here.

    Raises as `recording.jobs.done` does, and DatabaseMissing where there is no archive.
    """
    from archiver.recording.control.client import PATIENCE
    from archiver.recording.jobs import done, nobody
    from archiver.storage import migrate
    from archiver.storage.database.reading import open_reading

    url = config.database.value
    if migrate.is_missing(url):
        open_reading(url).close()  # it says why there is none
    return done(url, config.spool.value, wanted, PATIENCE if patience is None else patience, askers or nobody)
