"""Where a Docker Engine is to be reached, as the docker command would reach it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from archiver.errors import ConfigurationWrong, StreamUrlWrong
from archiver.platforms.docker import podman
from archiver.platforms.docker.lines import OVER_TCP, Line, dial, port_of
from archiver.platforms.docker.tls import Tls, tls_of, tls_of_environment

DEFAULT = "unix:///var/run/docker.sock"
_KNOWN = (
    "known are unix:///path, tcp://host:port[/path], http(s)://host[:port][/path], ssh://[user@]host[:port][/path], "
    "docker://[context] and podman://"
)


_CONTEXT = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.+-]+")
"""docker/cli, `cli/context/store`: the names that a context may have."""


@dataclass(frozen=True)
class Endpoint:
    """An engine's address."""

    url: str
    """As the archive calls it: no credential in it."""
    parts: SplitResult
    tls: Tls | None = None

    @property
    def base(self) -> str:
        """What stands before every path that is asked for; behind ssh a path names a socket instead."""
        return self.parts.path.rstrip("/") if self.parts.scheme in OVER_TCP else ""

    @property
    def host(self) -> tuple[str, int | None]:
        """Whom a request names in its Host header."""
        if self.parts.scheme in OVER_TCP:
            return self.parts.hostname or "localhost", port_of(self.parts, self.tls)
        return "docker", None

    def dial(self, timeout: float) -> Line:
        """A new connection; `timeout` in seconds holds for its opening and for each read. Raises OSError."""
        return dial(self.parts, self.tls, timeout)


def _home(environ: Mapping[str, str]) -> Path:
    try:
        return Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    except RuntimeError:
        return Path("/nonexistent")  # a user without a home folder has no contexts


def resolve(url: str, environ: Mapping[str, str] = os.environ) -> Endpoint:
    """The engine that an URL names.

    ``docker://`` is the engine that the docker command would use: DOCKER_HOST, else DOCKER_CONTEXT, else the current
    context of its configuration (DOCKER_CONFIG), else the local socket, or Podman's where there is only that;
    ``docker://NAME`` is that context. ``podman://`` is the engine of the podman command: CONTAINER_HOST, else the
    user's socket, else the machine's. For tcp, DOCKER_TLS_VERIFY, DOCKER_TLS and DOCKER_CERT_PATH mean what they mean
    to the docker command; https is TLS whatever they say, http never is. Raises `ConfigurationWrong`.
    """
    folder = Path(environ.get("DOCKER_CONFIG") or _home(environ) / ".docker")
    if url.startswith("podman:"):
        return _of_podman(url, environ, folder)
    if not url.startswith("docker:"):
        return _endpoint(url, tls_of_environment(url, environ, folder))
    name = url.removeprefix("docker:").strip("/")
    if not name and (host := environ.get("DOCKER_HOST")):
        return _endpoint(host, tls_of_environment(host, environ, folder))
    name = name or environ.get("DOCKER_CONTEXT") or _current_context(folder)
    if not name and not podman.is_there(_path(DEFAULT)) and (found := _podmans_sockets(environ)):
        return _endpoint(f"unix://{found[0]}", None)
    if name in ("", "default"):
        return _endpoint(DEFAULT, None)
    return _of_context(name, folder)


def _of_podman(url: str, environ: Mapping[str, str], folder: Path) -> Endpoint:
    """The engine of the podman command; without any that is there, where its own would be."""
    if url.removeprefix("podman:").strip("/"):
        raise _wrong("podman:// names no connection; give its URL (podman system connection list)")
    if host := environ.get("CONTAINER_HOST"):
        return _endpoint(host, tls_of_environment(host, environ, folder))
    found = _podmans_sockets(environ) or podman.sockets(environ, os.geteuid())
    return _endpoint(f"unix://{found[0]}", None)


def _podmans_sockets(environ: Mapping[str, str]) -> list[str]:
    return [socket for socket in podman.sockets(environ, os.geteuid()) if podman.is_there(socket)]


def _path(url: str) -> str:
    return urlsplit(url).path


def _endpoint(url: str, tls: Tls | None) -> Endpoint:
    """An endpoint of an URL of which every part is of use."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # Nothing of it is repeated, in a cause neither: what looks like a port may be a password with a slash in it.
        raise _wrong(f"its host or its port is none; {_KNOWN}") from None
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    _refuse_what_has_no_use(parts)
    if parts.scheme == "unix" and parts.path and not parts.netloc:
        return Endpoint(f"unix://{parts.path}", parts)
    if parts.scheme in (*OVER_TCP, "ssh") and host and not host.startswith("-"):
        user = f"{parts.username}@" if parts.username else ""
        if unquote(user).startswith("-"):
            raise _wrong("a user's name cannot start with a dash")
        path = parts.path.rstrip("/")
        return Endpoint(f"{parts.scheme}://{user}{shown}{f':{port}' if port else ''}{path}", parts, tls)
    raise _wrong(f"no engine can be reached by such an URL; {_KNOWN}")


def _refuse_what_has_no_use(parts: SplitResult) -> None:
    """Or another engine would be archived than the one that was meant. No secret is repeated."""
    if parts.password is not None:
        raise _wrong("an engine's URL cannot hold a password; ssh uses its keys, TLS the certificates of docker")
    if parts.username and parts.scheme != "ssh":
        raise _wrong("only ssh:// knows a user")
    if parts.query or parts.fragment:
        raise _wrong("an engine's URL has no '?' and no '#'")
    if parts.scheme in OVER_TCP and parts.path.rstrip("/").endswith("/events"):
        raise _wrong("an engine's URL ends before /events; the stream of Tutum or Docker Cloud begins with wss://")


def _wrong(
    reason: str, setting: str = "--stream", origin: str = "the command or its environment"
) -> ConfigurationWrong:
    kind = StreamUrlWrong if setting == "--stream" else ConfigurationWrong
    return kind(setting=setting, reason=reason, origin=origin)


# --- the docker command's configuration -------------------------------------------------------------------------------


def _current_context(folder: Path) -> str:
    found = _read_json(folder / "config.json").get("currentContext")
    return found if type(found) is str else ""


def _of_context(name: str, folder: Path) -> Endpoint:
    if not _CONTEXT.fullmatch(name):
        # Not repeated: it may be the URL of something else, with its credentials.
        raise _wrong("a docker context's name has only letters, digits and _.+-", "the docker context")
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = folder / "contexts" / "meta" / digest / "meta.json"
    if not meta.exists():
        raise _wrong(f"there is no docker context {name!r} in {folder}", "the docker context", "docker's configuration")
    endpoints = _read_json(meta).get("Endpoints")
    engine = endpoints.get("docker") if type(endpoints) is dict else None
    host = engine.get("Host") if type(engine) is dict else None
    if type(engine) is not dict or type(host) is not str:
        raise _wrong(f"{meta} names no engine", "the docker context", "docker's configuration")
    material = folder / "contexts" / "tls" / digest / "docker"
    verify = not engine.get("SkipTLSVerify")
    wanted = host.startswith("https:") or (host.startswith("tcp:") and (material.is_dir() or not verify))
    return _endpoint(host, tls_of(material, verify, "the docker context") if wanted else None)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise _wrong(f"{path} cannot be read: {exc}", "the docker context", "docker's configuration") from exc
    return found if type(found) is dict else {}
