"""`archiver serve`: the archive on a port, read-only, for browsers and programs."""

from __future__ import annotations

import signal
from typing import Annotated, NoReturn

import typer

from archiver.cli import times
from archiver.cli.common import Database, complain, database_url, examples, note, open_archive, warn
from archiver.errors import CannotServe
from archiver.model import TimeRange

Port = Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="The port; 0: any that is free.")]
Bind = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS", help="The address to listen at; of another one than the loopback, all who reach it may read."
    ),
]
Name = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="A name by which it is called, besides localhost and addresses; else a browser is sent away.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "serve",
        epilog=examples(
            "archiver serve",
            "archiver serve --port 9000",
            "curl 'http://localhost:8321/api/history?ref=web-1&since=2h'",
            "archiver serve --bind 0.0.0.0 --name archive.example.org    # behind what asks for a password",
        ),
    )(serve)


def serve(
    ctx: typer.Context, port: Port = 8321, bind: Bind = "127.0.0.1", name: Name = None, database: Database = None
) -> None:
    """The archive on a port, read-only: questions as JSON, pictures, a feed of actions, what happens as it happens.

    It asks nobody who he is: on another address than the loopback, whoever reaches it may read everything.
    """
    from archiver.platforms.wire.address import is_loopback
    from archiver.report.serve import Server
    from archiver.report.site import Site

    url = database_url(ctx, database)
    open_archive(ctx, database).close()  # what is wrong with it is better said now
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # readers go away; that ends one answer
    signal.signal(signal.SIGTERM, _stop)
    try:
        server = Server((bind, port), Site(url, _parse_range, name or ()), _failed)
    except (OSError, UnicodeError) as error:  # the latter of a name that can be none
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotServe(address=f"{bind}:{port}", reason=reason) from error
    with server:
        host, chosen = server.server_address[:2]
        shown = f"[{host!s}]" if ":" in str(host) else str(host)
        note(ctx, f"serving at http://{shown}:{chosen}/ until Ctrl-C")
        if not is_loopback(str(host)):
            warn(f"whoever reaches {shown}:{chosen} may read everything; nobody is asked who he is")
        server.serve_forever()


def _parse_range(since: str | None, until: str | None) -> TimeRange:
    return times.parse_range(since, until, utc=True)


def _failed(error: Exception) -> None:
    complain(f"{type(error).__name__}: {error}")


def _stop(number: int, frame: object) -> NoReturn:
    raise SystemExit(0)
