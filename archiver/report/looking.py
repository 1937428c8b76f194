"""One thread that looks into an archive for all who read along, and only while there are any."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from archiver.api.archive import Archive
from archiver.errors import ArchiverError

_log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 15.0
"""A reader hears something at least so often, and whether he is still there is known."""


class Looking(ABC):
    """What several readers wait for together; `moved` guards what `look` finds, and is told when there is more."""

    def __init__(self, url: str, seconds: float) -> None:
        """`seconds`: between two looks."""
        self._url, self._seconds = url, seconds
        self.moved = threading.Condition()
        self.readers = 0
        self._works = False

    @abstractmethod
    def look(self, archive: Archive) -> None:
        """Looks once, in a thread of its own; raises ArchiverError when the archive cannot be asked."""

    @abstractmethod
    def forget(self) -> None:
        """Nobody reads any more; called with the lock."""

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While somebody reads along."""
        with self.moved:
            self.readers += 1
            if not self._works:
                self._works = True
                threading.Thread(target=self._work, name="looking", daemon=True).start()
        try:
            yield
        finally:
            with self.moved:
                self.readers -= 1

    def wait(self, for_what: Callable[[], bool]) -> bool:
        """Waits until it is so; False: it was not for so long that a sign of life is due."""
        with self.moved:
            return self.moved.wait_for(for_what, HEARTBEAT_SECONDS)

    def _work(self) -> None:
        archive: Archive | None = None
        said: str | None = None
        while self._is_wanted():
            try:
                archive = archive or Archive.open(self._url)
                self.look(archive)
                said = None
            except Exception as error:  # noqa: BLE001 - who reads hears signs of life until it goes on again
                if archive is not None:
                    archive.close()
                archive = None
                if not isinstance(error, ArchiverError) and repr(error) != said:  # an archive may be away; no more
                    said = repr(error)
                    _log.exception("cannot look into the archive")
            time.sleep(self._seconds)
        if archive is not None:
            archive.close()

    def _is_wanted(self) -> bool:
        with self.moved:
            if not self.readers:
                self._works = False
                self.forget()
            return self._works
