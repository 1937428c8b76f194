"""A thread that asks an engine something beside its stream, over a connection of its own."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from archiver.platforms.docker.http import Api
from archiver.platforms.docker.inbox import Ended, Inbox
from archiver.platforms.docker.pace import DockerPace
from archiver.platforms.wire.logtext import plain, unexpected


class Asking(ABC):
    """What it learns goes to the inbox; whatever the engine does to it, the stream is read on."""

    def __init__(self, name: str, api: Api, inbox: Inbox, pace: DockerPace) -> None:
        self._api = api
        self._inbox = inbox
        self._pace = pace
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._guarded, name=name, daemon=True)

    def start(self) -> None:
        """Begins to ask, if it has not begun."""
        if self._thread.ident is None:
            self._thread.start()

    def hang_up(self) -> None:
        """Ends the question that is being asked, from any thread; the inbox is closed by then."""
        self._wake.set()
        self._api.hang_up()

    def end(self, seconds: float) -> None:
        """Waits for the thread to end. One that is just opening a connection gives it back when it is open."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, seconds))

    @property
    def _over(self) -> bool:
        return self._inbox.closed.is_set()

    def _pause(self, seconds: float | None) -> None:
        """Waits so long, or until there is something to do."""
        if not self._over:
            self._wake.wait(seconds)
        self._wake.clear()

    def _guarded(self) -> None:
        try:
            self._run()
        except Exception as exc:  # noqa: BLE001 - a thread that asks no more must not look like an engine that answers nothing
            self._inbox.put(Ended(plain(unexpected(exc))))
        finally:
            self._api.close()

    @abstractmethod
    def _run(self) -> None: ...
