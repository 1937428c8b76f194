"""Opens connections to an engine: over a socket of this machine, over the network, or through ssh."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import threading
from contextlib import suppress
from urllib.parse import SplitResult, unquote

from archiver.codec.secrets import environment_for_others
from archiver.platforms.docker import podman
from archiver.platforms.docker.tls import Tls

_WORDS_KEPT = 2000
_WORDS_SECONDS = 1.0

# A quiet stream over a dead network: noticed within half a minute, by the kernel or by ssh.
_KEEP_ALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)
_SSH_OPTIONS = ("-o", "BatchMode=yes", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=2")
OVER_TCP = ("tcp", "http", "https")
"""The schemes of engines that are reached over the network without a program between."""


class Line:
    """One open connection to an engine: a socket, and the program behind it when there is one."""

    def __init__(self, sock: socket.socket, program: subprocess.Popen[bytes] | None = None) -> None:
        self.sock = sock
        self._program = program
        self._said = bytearray()
        self._listener: threading.Thread | None = None
        if program is not None:
            self._listener = threading.Thread(target=self._listen, name="docker-ssh", daemon=True)
            self._listener.start()

    def _listen(self) -> None:
        """Takes in what the program has to say for itself, and keeps the end of it."""
        assert self._program is not None
        assert self._program.stderr is not None
        with suppress(OSError, ValueError), self._program.stderr as stream:
            while piece := stream.read1(4096):  # type: ignore[attr-defined]
                self._said += piece
                del self._said[:-_WORDS_KEPT]

    def words(self) -> str:
        """What the program behind a connection that failed had to say; empty when there is none."""
        if self._listener is None:
            return ""
        self._listener.join(_WORDS_SECONDS)
        lines = bytes(self._said).decode(errors="replace").splitlines()
        return "; ".join(line.strip() for line in lines if line.strip())

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


def dial(parts: SplitResult, tls: Tls | None, timeout: float) -> Line:
    """A new connection to a checked URL; `timeout` in seconds holds for its opening and each read. Raises OSError."""
    if parts.scheme == "ssh":
        return _dial_ssh(parts, timeout)
    if parts.scheme == "unix":
        return _dial_unix(parts.path, timeout)
    return _dial_tcp(parts, tls, timeout)


def _dial_unix(path: str, timeout: float) -> Line:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return Line(sock)


def _dial_tcp(parts: SplitResult, tls: Tls | None, timeout: float) -> Line:
    host = parts.hostname or "localhost"
    sock = socket.create_connection((host, port_of(parts, tls)), timeout)
    try:
        for option in _KEEP_ALIVE:
            sock.setsockopt(*option)
        return Line(tls.wrap_socket(sock, server_hostname=host) if tls else sock)
    except BaseException:
        sock.close()
        raise


def port_of(parts: SplitResult, tls: Tls | None) -> int:
    """The port of an engine, also where its URL names none."""
    usual = {"http": 80, "https": 443}.get(parts.scheme, 2376 if tls else 2375)
    return parts.port or usual


def _dial_ssh(parts: SplitResult, timeout: float) -> Line:
    """The way of the docker command: a program on the other side that joins its input and output to the engine."""
    ours, theirs = socket.socketpair()
    with theirs:
        end = theirs.fileno()
        try:
            program = subprocess.Popen(
                ssh_command(parts, timeout),
                stdin=end,
                stdout=end,
                stderr=subprocess.PIPE,
                env=environment_for_others(os.environ),
            )
        except BaseException:
            ours.close()
            raise
    ours.settimeout(timeout)
    return Line(ours, program)


def ssh_command(parts: SplitResult, timeout: float) -> list[str]:
    """What is run to reach the engine of an ssh URL, at the socket that its path names."""
    command = ["ssh", "-T", *_SSH_OPTIONS, "-o", f"ConnectTimeout={max(1, round(timeout))}"]
    command += ["-l", unquote(parts.username)] if parts.username else []
    command += ["-p", str(parts.port)] if parts.port else []
    # ssh hands its words to a shell of the other side.
    program = ["docker"]
    if parts.path.strip("/"):
        socket_of = shlex.quote(f"unix://{parts.path}")
        program = ["podman", "--url", socket_of] if podman.joins(parts.path) else ["docker", "-H", socket_of]
    return [*command, "--", str(parts.hostname), *program, "system", "dial-stdio"]
