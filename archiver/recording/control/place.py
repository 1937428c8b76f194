"""Where the socket of a daemon is, and how it is named although the name of a socket may be short only."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

_MOST_BYTES = 100
"""Of the name of a socket; Linux takes 107 (unix(7), `sun_path`), others 103."""


def socket_beside(spool: Path) -> Path:
    """The socket of the daemon that has a spool."""
    name = f"{spool.name}-control"
    if len(os.fsencode(name)) > _MOST_BYTES // 2:
        name = f"{sha256(os.fsencode(spool.name)).hexdigest()[:16]}-control"
    return Path(os.path.realpath(spool)).parent / name


@contextmanager
def short_name(path: Path) -> Iterator[str]:
    """A name of the socket that its system call takes: by way of its folder, where the whole path is too long.

    Raises OSError where there is no such way.
    """
    if len(os.fsencode(path)) <= _MOST_BYTES:
        yield os.fspath(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        through = f"/proc/self/fd/{folder}"
        if not os.path.isdir(through):
            raise OSError(
                f"the path is too long for a socket ({len(os.fsencode(path))} bytes, {_MOST_BYTES} are taken)"
            )
        yield f"{through}/{path.name}"
    finally:
        os.close(folder)


def new_socket() -> socket.socket:
    """A socket of the kind that both ends use."""
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
