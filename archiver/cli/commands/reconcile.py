"""`archiver reconcile`: asks the platform what is true now, and archives what was missed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archiver.cli import times
from archiver.cli.common import Database, Output, chosen, examples
from archiver.cli.escape import escape
from archiver.cli.jobs import SpoolOfDaemon, configured, done
from archiver.cli.listing.cells import to_json
from archiver.cli.listing.columns import Column
from archiver.cli.listing.output import render
from archiver.cli.presentation import make_presentation
from archiver.cli.streams import Api, Plaintext, Stream, opened, secrets_of, told_where
from archiver.cli.writing import write_lines
from archiver.errors import UsageError
from archiver.model import to_micros

if TYPE_CHECKING:
    from archiver.config.settings import Config
    from archiver.platforms.protocol import Asker

SinceWhen = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Read back the actions that ran since then; default: since the oldest time that nobody watched, of the "
        "last 7 days.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "reconcile",
        epilog=examples(
            "archiver reconcile",
            "archiver reconcile --stream wss://ws.cloud.docker.com/api/audit/v1/events --since 3d -o json",
        ),
    )(reconcile)


def reconcile(
    ctx: typer.Context,
    stream: Stream = None,
    api: Api = None,
    since: SinceWhen = None,
    allow_plaintext: Plaintext = False,
    output: Output = None,
    spool: SpoolOfDaemon = None,
    database: Database = None,
) -> None:
    """Asks the platform of a stream what is true now, by its REST API, and archives what the archive does not know.

    Objects that are otherwise than was told, or are no more, are observed so; actions that ran while nobody watched are
    read back with their times. Asked again it adds nothing. 'archiver run' does it after each connection. The daemon
    asks where one has the archive, for all of its streams or for --stream. Ends with 1 when not all could be learnt.
    """
    given: dict[str, Any] = {"streams": [stream] if stream else None, "api": api}
    config = configured(ctx, database, spool, allow_plaintext=allow_plaintext or None, **given)
    presentation = make_presentation(output)
    now = datetime.now(UTC)
    moment = None if since is None else times.parse_time(since, now=now)
    wanted = {
        "do": "reconcile",
        "stream": _named(stream) if stream else None,
        "api": _origin(api) if api else None,
        "since": None if moment is None else to_micros(moment),
    }
    found = done(config, wanted, askers=lambda: _askers(ctx, config))
    streams: list[dict[str, Any]] = found["streams"]
    if presentation.format == "json":
        write_lines([to_json(found, indent=2)])
    elif presentation.format == "jsonl":
        write_lines(to_json(one) for one in streams)
    elif presentation.format in ("table", "plain"):
        write_lines(line for one in streams for line in _told(one))
    else:
        write_lines(render(presentation, COLUMNS, streams))
    if not all(one["complete"] for one in streams):
        raise typer.Exit(1)


def _named(stream: str) -> str:
    """The stream as the daemon calls it: no credential of it goes anywhere."""
    from archiver.config.settings import shown_stream

    return shown_stream(stream)


def _origin(api: str) -> str:
    return api.strip().rstrip("/")


def _askers(ctx: typer.Context, config: Config) -> Sequence[Asker]:
    """Those who ask when no daemon does: the streams that are configured here."""
    from archiver.cli import logs

    if not config.streams.value:
        hint = "archiver reconcile --stream wss://... (or set ARCHIVER_STREAM); beside a daemon --spool FILE, its spool"
        where = f"{config.spool.value}-control"
        raise UsageError(reason=f"no daemon is to be asked at {where}, and there is no stream to ask about", hint=hint)
    with told_where(config):
        level = "error" if chosen(ctx).quiet else "warning"
        logs.set_up(level, os.environ, secrets=secrets_of(config))
        found = [getattr(source, "asker", None) for source in opened(config)]
    askers = [asker for asker in found if asker is not None]
    if not askers:
        hint = "it is given with --api, or follows from a stream of Tutum or Docker Cloud"
        raise UsageError(reason="no stream has a REST API", hint=hint)
    return askers


COLUMNS: list[Column[dict[str, Any]]] = [
    Column(key, lambda one, key=key: one[key])  # type: ignore[misc]
    for key in ("url", "complete", "asked", "observed", "gone", "actions", "seconds")
]


def _told(one: dict[str, Any]) -> Iterator[str]:
    counts = "{observed:,} objects and {actions:,} actions were otherwise than known, {gone:,} are gone".format(**one)
    yield f"{escape(one['url'])}: {counts} ({one['asked']:,} questions, {one['seconds']:g} s)"
    for missed in one["failed"]:
        yield f"  not learnt: {escape(missed['path'])}: {escape(missed['reason'])}"
