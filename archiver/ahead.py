"""Runs an iterator in a thread of its own, a few steps ahead of whoever needs its values."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")
_WAIT_SECONDS = 0.5


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Ahead(Generic[T]):
    """The values of an iterable, in order, at most `depth` of them made before they are asked for.

    While a database driver works, the interpreter is free: the next batch is decoded meanwhile.
    What the iterable raises is raised here, at its place among the values.
    """

    def __init__(self, values: Iterable[T], depth: int = 1) -> None:
        self._queue: queue.Queue[T | _End] = queue.Queue(depth)
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._make, args=(values,), name="ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Generator[T, None, None]:
        while True:
            value = self._queue.get()
            if isinstance(value, _End):
                if value.error is not None:
                    raise value.error
                return
            yield value

    def close(self) -> None:
        """Makes no more values; ends once the iterable lets go of the one it is making."""
        self._abandoned.set()
        self._thread.join()

    def _make(self, values: Iterable[T]) -> None:
        error: BaseException | None = None
        try:
            for value in values:
                if not self._put(value):
                    return
        except BaseException as exc:  # noqa: BLE001 - it is raised where the values are used
            error = exc
        self._put(_End(error))

    def _put(self, value: T | _End) -> bool:
        while not self._abandoned.is_set():
            try:
                self._queue.put(value, timeout=_WAIT_SECONDS)
            except queue.Full:
                continue
            return True
        return False
