"""Makes the next values while the last ones are being used: an iterator that runs ahead in a thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
_WAIT_SECONDS = 0.5


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Prefetch(Generic[T]):
    """At most `depth` values are made before they are asked for."""

    def __init__(self, values: Iterable[T], depth: int = 1) -> None:
        self._queue: queue.Queue[T | _End] = queue.Queue(depth)
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._make, args=(values,), name="prefetch", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while True:
            value = self._queue.get()
            if isinstance(value, _End):
                if value.error is not None:
                    raise value.error
                return
            yield value

    def close(self) -> None:
        """Ends once the iterable lets go of the value it is making."""
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
