"""Pictures that are drawn anew while anybody looks at them: once for all who look at the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

from archiver.api.archive import Archive
from archiver.report.follow import KIND
from archiver.report.looking import Looking
from archiver.report.web import Answer, Refused

LOOK_SECONDS = 2.0
STALE = 10
"""After so many looks it is drawn anew also when nothing was archived: who watches may have changed."""
MOST = 16
"""Different pictures that are kept live at once."""

Draw = Callable[[Archive], str]


class Picture(Looking):
    """One picture."""

    def __init__(self, url: str, draw: Draw) -> None:
        super().__init__(url, LOOK_SECONDS)
        self._draw = draw
        self._known: object = None
        self._age = 0
        self._number, self._text = 0, ""

    def told(self) -> Iterator[bytes]:
        """Each drawing as a server-sent event, and a sign of life when there is none."""
        seen = 0
        with self.reading():
            yield b"retry: 3000\n\n"
            yield b""
            while True:
                if self.wait(partial(self._is_newer_than, seen)):
                    with self.moved:
                        seen, text = self._number, self._text
                    yield f"event: picture\ndata: {text}\n\n".encode()
                else:
                    yield b": \n\n"
                yield b""

    def _is_newer_than(self, seen: int) -> bool:
        return self._number > seen

    def look(self, archive: Archive) -> None:
        """Draws it where something was archived."""
        now, self._age = archive.position(), self._age + 1
        if self._known == now and self._age < STALE:
            return
        text, self._known, self._age = self._draw(archive), now, 0
        with self.moved:
            self._number, self._text = self._number + 1, text
            self.moved.notify_all()

    def forget(self) -> None:
        """Nobody looks."""
        self._known, self._age, self._number, self._text = None, 0, 0, ""


class Pictures:
    """All that are looked at."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._shown: dict[object, Picture] = {}

    def answer(self, key: object, draw: Draw) -> Answer:
        """One of them, by what it shows. Raises Refused when there are too many."""
        with self._lock:
            self._shown = {known: shown for known, shown in self._shown.items() if shown.readers or known == key}
            if key not in self._shown and len(self._shown) >= MOST:
                raise Refused(503, f"{MOST} different pictures are live already", "close some of them")
            shown = self._shown.setdefault(key, Picture(self._url, draw))
        return Answer(shown.told(), KIND, endless=True)
