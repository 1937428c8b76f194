"""Where a Docker Engine is to be reached, as the docker command would reach it."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import ssl
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from archiver.errors import ConfigurationWrong

DEFAULT = "unix:///var/run/docker.sock"
_KNOWN = "known are unix:///path, tcp://host:port, ssh://[user@]host[:port] and docker://[context]"
_CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")

# A quiet stream over a dead network: noticed within half a minute, by the kernel or by ssh.
_KEEP_ALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)
_SSH_OPTIONS = ("-o", "BatchMode=yes", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=2")


class Line:
    """One open connection to an engine: a socket, and the program behind it when there is one."""

    def __init__(self, sock: socket.socket, program: subprocess.Popen[bytes] | None = None) -> None:
        self.sock = sock
        self._program = program

    def hang_up(self) -> None:
        """End the connection under whoever reads it, from any thread."""
        with suppress(OSError):
            # The socket's own method: that of an SSL socket would take the session away from under a reader.
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """Give everything back."""
        self.hang_up()
        self.sock.close()
        if self._program is not None:
            self._program.terminate()
            try:
                self._program.wait(2)
            except subprocess.TimeoutExpired:
                self._program.kill()
                self._program.wait()


@dataclass(frozen=True)
class Endpoint:
    """An engine's address."""

    url: str
    """As the archive calls it: no credential in it."""
    parts: SplitResult
    tls: ssl.SSLContext | None = None

    def dial(self, timeout: float) -> Line:
        """A new connection; `timeout` in seconds holds for its opening and for each read. Raises OSError."""
        if self.parts.scheme == "ssh":
            return self._dial_ssh(timeout)
        if self.parts.scheme == "unix":
            return self._dial_unix(timeout)
        return self._dial_tcp(timeout)

    def _dial_unix(self, timeout: float) -> Line:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout)
            sock.connect(self.parts.path)
        except BaseException:
            sock.close()
            raise
        return Line(sock)

    def _dial_tcp(self, timeout: float) -> Line:
        host, port = self.parts.hostname or "localhost", self.parts.port or (2376 if self.tls else 2375)
        sock = socket.create_connection((host, port), timeout)
        try:
            for option in _KEEP_ALIVE:
                sock.setsockopt(*option)
            return Line(self.tls.wrap_socket(sock, server_hostname=host) if self.tls else sock)
        except BaseException:
            sock.close()
            raise

    def _dial_ssh(self, timeout: float) -> Line:
        """The way of the docker command: a program on the other side that joins its input and output to the engine."""
        parts = self.parts
        command = ["ssh", "-T", *_SSH_OPTIONS, "-o", f"ConnectTimeout={max(1, round(timeout))}"]
        command += ["-l", parts.username] if parts.username else []
        command += ["-p", str(parts.port)] if parts.port else []
        command += ["--", str(parts.hostname), "docker", "system", "dial-stdio"]
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                program = subprocess.Popen(
                    command, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=subprocess.DEVNULL
                )
            except BaseException:
                ours.close()
                raise
        ours.settimeout(timeout)
        return Line(ours, program)


def resolve(url: str, environ: Mapping[str, str] = os.environ) -> Endpoint:
    """The engine that an URL names.

    ``docker://`` is the engine that the docker command would use: DOCKER_HOST, else DOCKER_CONTEXT, else the current
    context of its configuration (DOCKER_CONFIG), else the local socket; ``docker://NAME`` is that context. For tcp,
    DOCKER_TLS_VERIFY, DOCKER_TLS and DOCKER_CERT_PATH mean what they mean to it. Raises `ConfigurationWrong`.
    """
    folder = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME") or "~").expanduser() / ".docker")
    if not url.startswith("docker:"):
        return _endpoint(url, _tls_of_environment(url, environ, folder))
    name = url.removeprefix("docker:").strip("/")
    if not name and (host := environ.get("DOCKER_HOST")):
        return _endpoint(host, _tls_of_environment(host, environ, folder))
    name = name or environ.get("DOCKER_CONTEXT") or _current_context(folder)
    if name in ("", "default"):
        return _endpoint(DEFAULT, None)
    return _of_context(name, folder)


def _endpoint(url: str, tls: ssl.SSLContext | None) -> Endpoint:
    """An endpoint of a checked URL. A password has no place in one, and is left out of its name."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise _wrong(f"{exc}; {_KNOWN}") from exc
    host = parts.hostname or ""
    if parts.scheme == "unix" and parts.path:
        return Endpoint(f"unix://{parts.path}", parts)
    if parts.scheme in ("tcp", "ssh") and host and not host.startswith("-"):
        user = f"{parts.username}@" if parts.scheme == "ssh" and parts.username else ""
        if user.startswith("-"):
            raise _wrong("a user's name cannot start with a dash")
        shown = f"[{host}]" if ":" in host else host
        return Endpoint(f"{parts.scheme}://{user}{shown}{f':{port}' if port else ''}", parts, tls)
    raise _wrong(f"no engine can be reached by such an URL; {_KNOWN}")


def _wrong(
    reason: str, setting: str = "--stream", origin: str = "the command or its environment"
) -> ConfigurationWrong:
    return ConfigurationWrong(setting=setting, reason=reason, origin=origin)


# --- TLS, and the docker command's configuration ----------------------------------------------------------------------


def _tls_of_environment(url: str, environ: Mapping[str, str], folder: Path) -> ssl.SSLContext | None:
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not url.startswith("tcp:") or not (verify or environ.get("DOCKER_TLS")):
        return None
    return _tls(Path(environ.get("DOCKER_CERT_PATH") or folder), verify, "DOCKER_CERT_PATH")


def _tls(folder: Path, verify: bool, setting: str) -> ssl.SSLContext:
    authority, certificate, key = (folder / name for name in _CERTIFICATES)
    try:
        context = ssl.create_default_context(cafile=str(authority) if authority.exists() else None)
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if certificate.exists():
            context.load_cert_chain(str(certificate), str(key))
    except (OSError, ValueError) as exc:
        raise _wrong(f"the certificates in {folder} cannot be used: {exc}", setting, "the environment") from exc
    return context


def _current_context(folder: Path) -> str:
    found = _read_json(folder / "config.json").get("currentContext")
    return found if type(found) is str else ""


def _of_context(name: str, folder: Path) -> Endpoint:
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
    wanted = host.startswith("tcp:") and (material.is_dir() or not verify)
    return _endpoint(host, _tls(material, verify, "the docker context") if wanted else None)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise _wrong(f"{path} cannot be read: {exc}", "the docker context", "docker's configuration") from exc
    return found if type(found) is dict else {}
