"""Keeps how far each receiver has been told, in a small file beside the spool that survives whatever happens."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Collection
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

from archiver.model import ToldStatus, to_datetime
from archiver.private import give_to_owner_of_folder

log = logging.getLogger(__name__)

_MOST_BYTES = 1 << 20


def cursors_beside(spool: Path) -> Path:
    """The file of the daemon that has a spool."""
    return Path(f"{os.path.realpath(spool)}-cursors")


class Cursors:
    """One value of JSON for each receiver; for threads. Where the file cannot be written, the log says so once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._values = _read(path)
        self._trouble = ""

    def only(self, names: Collection[str]) -> None:
        """Forgets all others: who was taken out of the configuration begins anew when he comes back."""
        with self._lock:
            self._values = {name: value for name, value in self._values.items() if name in names}

    def of(self, name: str) -> dict[str, Any] | None:
        """What was kept last; None: nothing."""
        with self._lock:
            return self._values.get(name)

    def keep(self, name: str, value: dict[str, Any]) -> None:
        """Keeps a value: on the disk is the new one or, whatever happens, the one before."""
        with self._lock:
            if self._values.get(name) == value:
                return
            self._values[name] = deepcopy(value)  # whoever gave it goes on with it
            try:
                _write(self._path, json.dumps(self._values).encode())
            except OSError as error:
                trouble = error.strerror or str(error)
                if trouble != self._trouble:
                    log.warning("%s cannot be written: %s; after a crash some are told again", self._path, trouble)
                self._trouble = trouble
            else:
                self._trouble = ""


def told(spool: Path, mark: str) -> tuple[ToldStatus, ...]:
    """How things stand with those who are told of the archive of this mark, as far as one may read it.

    By what the daemon that has the spool keeps of them; in the order of their names.
    """
    try:
        found = _content(cursors_beside(spool))
        kept = [_told(value) for value in found.values() if value.get("mark") == mark and "name" in value]
    except (OSError, ValueError, TypeError, OverflowError, RecursionError):
        return ()
    return tuple(sorted(kept, key=lambda each: each.name))


def _told(kept: dict[str, Any]) -> ToldStatus:
    last = kept.get("last")
    last = last if isinstance(last, dict) else {}
    reached = kept.get("events", kept.get("changes"))
    if isinstance(reached, list):  # of events and of observations
        reached = next(iter(reached), None)
    delivered, failed = (
        to_datetime(last[name]) if type(last.get(name)) is int else None for name in ("delivered_at", "failed_at")
    )
    trouble = last.get("trouble")
    return ToldStatus(
        str(kept["name"]), reached if type(reached) is int else None, delivered, failed, trouble and str(trouble)
    )


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        return _content(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        log.warning("%s cannot be read: %s; what happens from now on is told", path, error.strerror)
    except (ValueError, RecursionError):
        log.warning("%s holds nothing that can be understood; what happens from now on is told", path)
    return {}


def _content(path: Path) -> dict[str, dict[str, Any]]:
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(file, "rb") as opened:
        found = json.loads(opened.read(_MOST_BYTES))
    if not isinstance(found, dict) or not all(isinstance(value, dict) for value in found.values()):
        raise ValueError("no object of objects")
    return found


def _write(path: Path, data: bytes) -> None:
    """The file takes its name when all of it is on the disk."""
    unfinished = Path(f"{path}.part")
    with suppress(FileNotFoundError):
        unfinished.unlink()
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as opened:
        os.fchmod(file, 0o600)
        give_to_owner_of_folder(file, path)
        opened.write(data)  # all of it: `os.write` takes what has room on a full disk, and says nothing
        opened.flush()
        os.fsync(file)
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
