"""Who holds a spool: what tells this process from those that held it before, and from the holders of copies."""

from __future__ import annotations

import secrets
from pathlib import Path

from archiver.errors import SpoolError
from archiver.recording.spool.file import lock

_GENERATIONS = 60
"""How many starts are remembered: an archive restored to a state as old as that is still known."""


class Holder:
    """The one process that has the spool, by the lock beside it, until `close`.

    Raises SpoolInUse when another process has it, SpoolError when it cannot be had.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock_file = lock(path)
        self._generation: str | None = None

    @property
    def generations(self) -> list[str]:
        """What the archive may know the holder of this spool, oldest first; a copy lacks those since it was made."""
        return self._lock_file.note.split()

    def generation(self) -> str:
        """What tells this holder from those before it and those of copies; to be called once the archive answers.

        Written beside the file first, so that whatever the archive is told is known here. Raises SpoolError.
        """
        if self._generation is None:
            new = secrets.token_hex(8)
            try:
                self._lock_file.remember(" ".join([*self.generations, new][-_GENERATIONS:]))
            except OSError as error:
                raise SpoolError(path=self._path, reason=error.strerror or str(error)) from error
            self._generation = new
        return self._generation

    def is_replaced(self) -> bool:
        """Whether the spool of that name may be another process's by now: the lock has lost its name to another."""
        return self._lock_file.is_replaced()

    def close(self) -> None:
        """Lets others have it."""
        self._lock_file.close()
