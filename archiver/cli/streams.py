"""The options that say which stream, and how it is to be opened: for the commands that open one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from archiver.errors import ConfigurationWrong, StreamUrlWrong
from archiver.platforms.wire.address import AuthWay

if TYPE_CHECKING:
    from archiver.config.settings import Config
    from archiver.platforms.protocol import Source

Stream = Annotated[
    str | None,
    typer.Option(
        "--stream",
        metavar="URL",
        help="wss://... of Tutum or Docker Cloud; docker://, unix://... or tcp://... of a Docker Engine"
        " (ARCHIVER_STREAM).",
        show_default=False,
    ),
]
"""The one stream of a command; where it is not given, that of the configuration."""
Streams = Annotated[
    list[str] | None,
    typer.Option(
        "--stream",
        metavar="URL",
        help="wss://... of Tutum or Docker Cloud; docker://, unix:///var/run/docker.sock, tcp://, http(s):// or "
        "ssh:// of a Docker Engine; podman://. May be given several times (ARCHIVER_STREAM).",
        show_default=False,
    ),
]
"""All streams of a command; where none is given, those of the configuration."""
Auth = Annotated[
    AuthWay | None,
    typer.Option("--auth", help="How the credentials are sent; default: header (ARCHIVER_AUTH).", show_default=False),
]
Plaintext = Annotated[bool, typer.Option("--allow-plaintext", help="Allow ws:// to another machine.")]


Api = Annotated[
    str | None,
    typer.Option(
        "--api",
        metavar="URL",
        help="The REST API beside a stream of Tutum or Docker Cloud, or none; default: as the stream's URL says "
        "(ARCHIVER_API, TUTUM_REST_HOST, DOCKERCLOUD_REST_HOST).",
        show_default=False,
    ),
]


def opened(config: Config, **more: Any) -> list[Source]:
    """The sources of the streams, as configured. Raises ConfigurationWrong."""
    from archiver.config.loading import home_folder
    from archiver.platforms.open import WEBSOCKET, open_source

    beside = [url for url in config.streams.value if url.partition(":")[0].lower() in WEBSOCKET]
    if config.api.value not in (None, "none") and len(beside) > 1:
        reason = f"it is the API of one stream, and there are {len(beside)}"
        raise ConfigurationWrong(setting="api", reason=reason, origin=config.api.origin)
    return [
        open_source(
            url,
            os.environ,
            home_folder(),
            auth=config.auth.value,  # type: ignore[arg-type]
            allow_plaintext=config.allow_plaintext.value,
            give_up_on_refusal=config.exit_on_auth_failure.value,
            client_cert=config.client_cert.value,
            client_key=config.client_key.value,
            api=config.api.value,
            **more,
        )
        for url in config.streams.value
    ]


@contextmanager
def told_where(config: Config) -> Iterator[None]:
    """What is wrong with the URL of a stream says where that URL was read."""
    try:
        yield
    except StreamUrlWrong as error:
        raise error.found_in(config.streams.origin) from error.__cause__


def secrets_of(config: Config) -> set[str]:
    """What must never stand in a log line, however it gets there: each credential in the forms it travels in."""
    from archiver.config.loading import home_folder
    from archiver.platforms.open import WEBSOCKET
    from archiver.platforms.tutum.credentials import credentials_of_url, find_credentials
    from archiver.platforms.wire.address import check_url, secrets_in
    from archiver.platforms.wire.proxy import proxy_for

    secrets: set[str] = set()
    for url in config.streams.value:
        if url.partition(":")[0].lower() not in WEBSOCKET:
            continue  # others need no credential and hold none: a user of ssh is none, and whatever else is refused
        check_url(url, config.allow_plaintext.value)
        proxy = proxy_for(url, os.environ)
        secrets |= secrets_in(url) | (proxy.forms() if proxy is not None else set())
        for credentials in (find_credentials(os.environ, home_folder(), url), credentials_of_url(url)):
            if credentials is not None:
                secrets |= credentials.forms()
    return secrets
