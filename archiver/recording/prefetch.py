"""Makes the next value while the last one is being used, where that is worth it: an iterator that runs ahead."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Prefetch(Generic[T]):
    """The values of an iterator, of which at most one is made before it is asked for.

    That happens in a thread, and only where `is_worth_it` says so when the value before it is given away. Else whoever
    asks makes it himself: nobody need be woken for it, and it is made of all that has come until then.
    """

    def __init__(self, values: Iterator[T], is_worth_it: Callable[[], bool]) -> None:
        self._values = values
        self._is_worth_it = is_worth_it
        self._wanted: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._made: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run_ahead, name="prefetch", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        is_ahead = False
        while True:
            value = self._made.get() if is_ahead else self._make()
            if isinstance(value, _End):
                if value.error is not None:
                    raise value.error
                return
            if is_ahead := self._is_worth_it():
                self._wanted.put(True)
            yield value
            del value  # or there were three of them while the next one is waited for

    def close(self) -> None:
        """Ends once the iterator lets go of the value it is making."""
        self._wanted.put(False)
        self._thread.join()

    def _run_ahead(self) -> None:
        while self._wanted.get():
            self._made.put(self._make())

    def _make(self) -> T | _End:
        try:
            return next(self._values)
        except StopIteration:
            return _End(None)
        except BaseException as error:  # noqa: BLE001 - it is raised where the values are used
            return _End(error)
