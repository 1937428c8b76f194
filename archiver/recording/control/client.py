"""Asks a running daemon to do something."""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from typing import Any

from archiver.errors import DaemonBusy, DaemonRefuses, JobRefused
from archiver.recording.control.place import new_socket, short_name, socket_beside
from archiver.recording.control.words import NotUnderstood, decoded, encoded, read_line

PATIENCE = 30.0
"""How long a daemon may give no sign, in seconds; while it works it gives one after each step."""
_NOBODY = (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR)


class HungUp(Exception):
    """The daemon ended before it answered: what it was asked for may be done, or not."""


def ask(spool: Path, wanted: dict[str, Any], patience: float = PATIENCE) -> dict[str, Any] | None:
    """What the daemon that has a spool answers; None when there is none that could be asked.

    Raises DaemonRefuses when it is another user's, DaemonBusy when it does not answer in time, JobRefused with its
    words when it does not do it, HungUp.
    """
    path = socket_beside(spool)
    with new_socket() as line:
        line.settimeout(patience)
        try:
            with short_name(path) as name:
                line.connect(name)
            line.sendall(encoded(wanted))
        except (TimeoutError, BlockingIOError) as error:  # it does not take us in, or more wait than the system lets
            raise DaemonBusy(socket=path, seconds=patience) from error
        except PermissionError as error:
            raise DaemonRefuses(socket=path, whose=_whose(path)) from error
        except BrokenPipeError:
            pass  # it was refused before it was read; why stands in the answer
        except OSError as error:
            if error.errno in _NOBODY:
                return None
            raise DaemonRefuses(socket=path, whose=_whose(path)) from error
        return _answer(line, path, patience)


def _whose(path: Path) -> str:
    try:
        return f"is of the user {path.owner()}"
    except (OSError, KeyError):
        return "is in a folder that is not yours to look into"


def _answer(line: socket.socket, path: Path, patience: float) -> dict[str, Any]:
    try:
        said = read_line(line, patience, alive=True)
    except TimeoutError as error:
        raise DaemonBusy(socket=path, seconds=patience) from error
    except (OSError, NotUnderstood):
        said = b""
    try:
        value = decoded(said)
    except NotUnderstood:
        raise HungUp from None
    if type(found := value.get("answer")) is dict:
        return found
    reason, hint, code = (value.get(key) for key in ("error", "hint", "code"))
    raise JobRefused(reason=str(reason), step=str(hint or ""), code=code if type(code) is int else 1)
