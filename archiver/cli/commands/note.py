"""`archiver note`: writes into the archive what happened elsewhere: a deploy, a change of the firewall."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import typer

from archiver.cli import completion, times
from archiver.cli.common import Database, OnPlatform, Output, examples, note
from archiver.cli.jobs import SpoolOfDaemon, configured, done
from archiver.cli.listing.cells import to_json
from archiver.cli.presentation import make_presentation
from archiver.cli.words.meant import nearly
from archiver.cli.writing import write_lines
from archiver.codec.notes import Note, note_of
from archiver.errors import UsageError
from archiver.model import now_micros, rfc3339, to_datetime, to_micros

Text = Annotated[str, typer.Argument(metavar="TEXT", help="What happened; up to 2,000 bytes.", show_default=False)]
Under = Annotated[
    str | None,
    typer.Option(
        metavar="REF",
        help="What it is about: a stack, a service, a container ...; without it, everything.",
        autocompletion=completion.references,
        show_default=False,
    ),
]
At = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="When it happened; without it, now.", show_default=False)
]
Url = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="Where more stands about it.", show_default=False)
]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who did it.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "note",
        epilog=examples(
            "archiver note 'web 2.14 rolled out' --under my-stack --by anna --url https://ci.example/run/311",
            "archiver note 'firewall: port 5432 closed' --at 14:05",
        ),
    )(note_)


def note_(
    ctx: typer.Context,
    text: Text,
    under: Under = None,
    at: At = None,
    url: Url = None,
    by: By = None,
    platform: OnPlatform = None,
    output: Output = None,
    spool: SpoolOfDaemon = None,
    database: Database = None,
) -> None:
    """Writes a note into the archive: an event of its own, of what happened outside of the platform.

    'why', 'timeline', 'report incident' and 'events --type note' show it, and 'actions --deeds' of what it is about. It
    works beside a running daemon. Credentials in the text and the URL are written as ***.
    """
    now = datetime.now(UTC)
    moment = now_micros() if at is None else _past(at, now)
    told = {"text": text, "at": moment, "uuid": str(uuid4()), "url": url, "by": by}
    config = configured(ctx, database, spool)
    try:
        found = note_of(told)
    except ValueError as error:
        raise UsageError(reason=str(error), hint="archiver note 'what happened' --under REF") from None
    place = None
    if under is not None:
        found, place = _placed(config.database.value, found, under, platform)
    elif platform is not None:
        raise UsageError(reason="--platform says whose --under is", hint="name what the note is about with --under")
    done(config, {"do": "note", **found._asdict(), "platform": place})
    written = {"uuid": found.uuid, "at": rfc3339(to_datetime(found.at)), **_said(found)}
    presentation = make_presentation(output)
    if presentation.format in ("json", "jsonl"):
        write_lines([to_json(written, indent=2 if presentation.format == "json" else None)])
    else:
        note(ctx, f"noted, at {presentation.instant(to_datetime(found.at))}")


def _past(at: str, now: datetime) -> int:
    """When it happened: a note of what is yet to come would be the last event until then."""
    moment = times.parse_time(at, now=now)
    times.require_past(moment, "--at", now, None)
    return to_micros(moment)


def _placed(url: str, told: Note, under: str, platform: str | None) -> tuple[Note, str]:
    """The note with the URI of what it is about, and the key of that one's platform."""
    from archiver.api.archive import Archive

    with Archive.open(url) as archive:
        with nearly(url, [under]):
            resource = archive.resolve(under, platform=platform)
        return told._replace(under=resource.uri), archive.platform_of(resource)


def _said(told: Note) -> dict[str, str | None]:
    return {"text": told.text, "under": told.under, "url": told.url, "by": told.by}
