"""`archiver listen`: what a stream says, to standard output; nothing is kept."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from archiver.cli.common import chosen, examples, note, settings
from archiver.cli.escape import escape
from archiver.cli.patience import Patience
from archiver.cli.presentation import is_terminal
from archiver.cli.streams import Auth, Plaintext, Stream, secrets_of, told_where
from archiver.cli.writing import writing
from archiver.errors import StreamUnreachable, UsageError
from archiver.model import Closed, Condition, Item, Message, Opened

if TYPE_CHECKING:
    from archiver.config.settings import Config
    from archiver.platforms.protocol import Source

Retry = Annotated[bool, typer.Option("--retry", help="Try for the first connection until there is one.")]
Wait = Annotated[
    float | None,
    typer.Option(min=0.1, metavar="SECONDS", help="Try so long for the first connection.", show_default=False),
]
Limit = Annotated[int | None, typer.Option("-n", "--limit", min=1, metavar="N", help="Stop after N messages.")]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "listen",
        epilog=examples(
            "ARCHIVER_TOKEN_FILE=~/token archiver listen --stream wss://ws.cloud.docker.com/api/audit/v1/events",
            "archiver listen --stream unix:///var/run/docker.sock | jq .",
        ),
    )(listen)


def listen(
    ctx: typer.Context,
    stream: Stream = None,
    limit: Limit = None,
    auth: Auth = None,
    allow_plaintext: Plaintext = False,
    retry: Retry = False,
    wait: Wait = None,
) -> None:
    """What a stream says, one message a line, until Ctrl-C; nothing is kept.

    The stream and how to get in are set as for `run`: by options, the environment or the configuration's file.
    On a pipe the messages are as they came; on a terminal what could act on it is escaped. When the first connection
    cannot be had it says why, and ends with code 4; one that is lost later is tried for until there is another.
    """
    from archiver.cli import logs

    config = _config({"streams": [stream] if stream else [], "auth": auth, "allow_plaintext": allow_plaintext})
    with told_where(config):
        logs.set_up("error" if chosen(ctx).quiet else "warning", os.environ, secrets=secrets_of(config))
        source = _source(config)
    patience = Patience(wait or (None if retry else 0), lambda text: note(ctx, text))
    items = cast("Generator[Item, None, None]", source.items(patience.over))
    with patience.about(source.stream), closing(items), ended_with_the_reader():
        for message in islice(_messages(ctx, items, patience), limit):
            _write(message.payload)
    if patience.over.is_set():
        tried = f" (tried for {wait:g} s)" if wait else ""
        raise StreamUnreachable(stream=source.stream, reason=f"{patience.reason}{tried}")


@contextmanager
def ended_with_the_reader() -> Iterator[None]:
    """Ends as `cat` does; but not by SIGPIPE, which would end it as well when a platform goes away."""
    try:
        yield
    except BrokenPipeError:
        raise SystemExit(128 + signal.SIGPIPE) from None


def _config(flags: dict[str, Any]) -> Config:
    config = settings(flags)
    streams = config.streams
    if len(streams.value) != 1:
        found = f"{streams.origin} names {len(streams.value)}" if streams.value else "there is none"
        hint = "archiver listen --stream unix:///var/run/docker.sock, or set ARCHIVER_STREAM to one URL"
        raise UsageError(reason=f"one stream is listened to at a time, and {found}", hint=hint)
    return config


def _source(config: Config) -> Source:
    from archiver.config.loading import home_folder
    from archiver.platforms.open import open_source

    return open_source(
        config.streams.value[0],
        os.environ,
        home_folder(),
        auth=config.auth.value,  # type: ignore[arg-type]
        allow_plaintext=config.allow_plaintext.value,
        give_up_on_refusal=True,
        client_cert=config.client_cert.value,
        client_key=config.client_key.value,
        api="none",  # what is asked beside a stream is not what it says
    )


def _messages(ctx: typer.Context, items: Iterator[Item], patience: Patience) -> Iterator[Message]:
    for item in items:
        if isinstance(item, Message):
            yield item
        elif isinstance(item, Condition):
            if item.of == "trouble" and item.value:
                patience.lost(item.value)
        elif isinstance(item, Opened):
            patience.rewarded()
            note(ctx, f"connected to {item.stream}")
        elif isinstance(item, Closed):
            patience.lost(item.reason)
            note(ctx, f"connection closed: {item.reason}")


def _write(payload: bytes) -> None:
    """One message as one line: between the values of a JSON text a line end means as much as a space."""
    with writing("the output"):
        if is_terminal(sys.stdout):
            sys.stdout.write(escape(payload.decode("utf-8", "backslashreplace")) + "\n")
        else:
            sys.stdout.buffer.write(payload.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n")
        sys.stdout.flush()
