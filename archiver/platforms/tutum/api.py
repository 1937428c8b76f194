"""Where the REST API beside a stream is, and the paths of its lists: as configured, never as an answer says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from archiver.errors import ConfigurationWrong
from archiver.platforms.tutum.facts import AUDIT, namespace_in
from archiver.platforms.wire.address import is_loopback

OBJECTS = ("nodecluster", "node", "stack", "service", "container")
"""The types that are listed, what others belong to first."""
_SUBSYSTEM = {"nodecluster": "infra", "node": "infra", "action": "audit"}
_USUAL = {"stream.tutum.co": "https://dashboard.tutum.co", "ws.cloud.docker.com": "https://cloud.docker.com"}
"""Where the two services had the API of a stream (python-tutum and python-dockercloud, `__init__.py`)."""
OFF = "none"


class Api(NamedTuple):
    """A REST API: where it is, whose paths it has, and of which namespace."""

    origin: str
    """http[s]://host[:port]"""
    is_docker_cloud: bool
    namespace: str | None = None
    is_guessed: bool = False
    """Whether it is only taken to be where the stream is: not all that speaks websocket has one."""

    def path(self, kind: str, key: str | None = None) -> str:
        """The list of a type, or one object of it; Docker Cloud has no namespace before actions."""
        end = f"{kind}/" if key is None else f"{kind}/{key}/"
        if not self.is_docker_cloud:
            return f"/api/v1/{end}"
        middle = f"{self.namespace}/" if self.namespace and kind != "action" else ""
        return f"/api/{_SUBSYSTEM.get(kind, 'app')}/v1/{middle}{end}"


def find_api(
    stream: str, environ: Mapping[str, str], named: str | None = None, *, allow_plaintext: bool = False
) -> Api | None:
    """The API beside a stream: the one that is `named`, that of the old clients' variables, else by the stream's URL.

    None where it is named `none`. Raises ConfigurationWrong for a URL that cannot be used.
    """
    parts = urlsplit(stream)
    is_docker_cloud = AUDIT in parts.path or (parts.hostname or "").endswith("docker.com")
    variable = "DOCKERCLOUD_REST_HOST" if is_docker_cloud else "TUTUM_REST_HOST"
    namespace = namespace_in(parts.path) if is_docker_cloud else None
    if named == OFF:
        return None
    for url, origin in ((named, "--api or the configuration"), (environ.get(variable), variable)):
        if url:
            return Api(_checked(url, origin, allow_plaintext), is_docker_cloud, namespace)
    usual = _USUAL.get(parts.hostname or "")
    scheme = "https" if parts.scheme == "wss" else "http"
    own = f"{scheme}://{parts.netloc.rpartition('@')[2]}"
    return Api(usual or own, is_docker_cloud, namespace, is_guessed=usual is None)


def _checked(url: str, origin: str, allow_plaintext: bool) -> str:
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    is_plain = bool(host) and port != 0 and url.isascii() and url.isprintable() and " " not in url.strip()
    if not is_plain or parts.scheme not in ("http", "https") or parts.path.strip("/") or parts.query or parts.fragment:
        raise _wrong("it must be a URL such as https://cloud.docker.com, without a path", origin)
    if "@" in parts.netloc:
        raise _wrong("it holds credentials; those of the stream are used", origin)
    if parts.scheme == "http" and not allow_plaintext and not is_loopback(host or ""):
        raise _wrong(f"http:// to {host} would send the credentials in the clear; use https://", origin)
    return f"{parts.scheme}://{parts.netloc}"


def _wrong(reason: str, origin: str) -> ConfigurationWrong:
    return ConfigurationWrong(setting="api", reason=reason, origin=origin)
