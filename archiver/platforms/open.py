"""Chooses the source that speaks the language of a stream's URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from archiver.errors import StreamUrlWrong
from archiver.platforms.protocol import Notes, Source
from archiver.platforms.wire.address import AuthWay, check_url

WEBSOCKET = ("ws", "wss")
DOCKER = ("unix", "tcp", "http", "https", "ssh", "docker", "podman")


def open_source(
    url: str,
    environ: Mapping[str, str],
    home: Path,
    *,
    auth: AuthWay = "header",
    allow_plaintext: bool = False,
    give_up_on_refusal: bool = False,
    client_cert: Path | None = None,
    client_key: Path | None = None,
    api: str | None = None,
    resume_point: Callable[[str], str | None] = lambda _stream: None,
    notes: Notes | None = None,
) -> Source:
    """The source for an URL, with the credentials and the proxy that `environ` and `home` hold for it.

    `client_cert` and `client_key` are shown to a websocket server that wants a certificate.
    `api` is the URL of the REST API beside it, or `none`; where it is not given it follows from `environ` and the URL.
    `resume_point` tells where an earlier session of a stream left off (`Message.resume`), `notes` what it knew.
    Raises ConfigurationWrong for an URL or for credentials that cannot be used.
    """
    scheme = url.partition(":")[0].lower()
    if scheme in WEBSOCKET:
        check_url(url, allow_plaintext)
        from archiver.platforms.tutum.api import find_api
        from archiver.platforms.tutum.credentials import find_credentials
        from archiver.platforms.tutum.source import WebsocketSource
        from archiver.platforms.wire.proxy import proxy_for
        from archiver.platforms.wire.tls import ClientCertificate

        beside = find_api(url, environ, api, allow_plaintext=allow_plaintext)
        return WebsocketSource(
            url,
            find_credentials(environ, home, url),
            auth=auth,
            allow_plaintext=allow_plaintext,
            give_up_on_refusal=give_up_on_refusal,
            proxy=proxy_for(url, environ),
            certificate=ClientCertificate(client_cert, client_key) if client_cert is not None else None,
            api=beside,
            api_proxy=proxy_for(beside.origin.replace("http", "ws", 1), environ) if beside is not None else None,
            notes=notes,
        )
    if scheme in DOCKER:
        from archiver.platforms.docker.endpoint import resolve
        from archiver.platforms.docker.source import DockerSource

        return DockerSource(url, resume=resume_point(resolve(url, environ).url), environ=environ, notes=notes)
    if scheme == "file":
        from archiver.platforms.playback import PlaybackSource

        return PlaybackSource(_path(url))
    known = ", ".join(f"{name}://" for name in (*WEBSOCKET, *DOCKER, "file"))
    # What has no scheme may be a credential in the wrong place.
    what = f"{scheme}:" if "://" in url and scheme.isalnum() else "what it begins with"
    raise StreamUrlWrong(setting="stream", reason=f"{what} is none of {known}", origin="--stream")


def _path(url: str) -> Path:
    """The file that file:PATH or file://[localhost]/PATH names; in the second %20 stands for a space."""
    rest = url.partition(":")[2]
    if not rest.startswith("//"):
        return Path(rest)
    from urllib.parse import unquote

    host, slash, path = rest[2:].partition("/")
    return Path(unquote(slash + path if host in ("", "localhost") else host + slash + path))
