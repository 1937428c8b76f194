"""Makes files and folders that are their owner's alone, whatever the umask; what is there already stays as it is."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_FILE = 0o600
_FOLDER = 0o700


def make_folder(path: Path) -> None:
    """Makes a folder, and those above it that are missing. Raises OSError."""
    for folder in (*reversed(path.parents), path):
        if not folder.is_dir():
            with suppress(FileExistsError):
                folder.mkdir(_FOLDER)
    if not path.is_dir():
        raise NotADirectoryError(f"{path} is no folder")


def make_file(path: Path) -> None:
    """Makes an empty file where there is none, so that whoever opens it by its name finds one of the right mode.

    What root makes in somebody's folder is his. Raises OSError.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE)
    except FileExistsError:
        return
    try:
        os.fchmod(file, _FILE)  # some file systems give what they like
        give_to_owner_of_folder(file, path)
    finally:
        os.close(file)


def give_to_owner_of_folder(file: int, path: Path) -> None:
    """What root does once in somebody's folder must not lock him out."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(file, owner.st_uid, owner.st_gid)
