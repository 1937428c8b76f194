"""The options that say which stream, and how it is to be opened: for the commands that open one."""

from __future__ import annotations

from typing import Annotated

import typer

from archiver.platforms.wire.address import AuthWay

Stream = Annotated[
    str | None,
    typer.Option(
        "--stream",
        metavar="URL",
        help="wss://... of Tutum or Docker Cloud; unix://... or tcp://... of a Docker Engine (ARCHIVER_STREAM).",
        show_default=False,
    ),
]
"""The one stream of a command; where it is not given, that of the configuration."""
Streams = Annotated[
    list[str] | None,
    typer.Option(
        "--stream",
        metavar="URL",
        help="wss://... of Tutum or Docker Cloud; unix:///var/run/docker.sock, tcp://, http(s):// or ssh:// of a "
        "Docker Engine; podman://. May be given several times (ARCHIVER_STREAM).",
        show_default=False,
    ),
]
"""All streams of a command; where none is given, those of the configuration."""
Auth = Annotated[
    AuthWay | None,
    typer.Option("--auth", help="How the credentials are sent; default: header (ARCHIVER_AUTH).", show_default=False),
]
Plaintext = Annotated[bool, typer.Option("--allow-plaintext", help="Allow ws:// to another machine.")]
