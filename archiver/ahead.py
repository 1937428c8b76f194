"""Runs an iterator a few steps ahead of whoever needs its values: in a thread, or in a process of its own."""

from __future__ import annotations

import marshal
import os
import pickle
import queue
import signal
import struct
import threading
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Generic, Protocol, TypeVar

from archiver.model import EventColumns

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
_WAIT_SECONDS = 0.5
_SIZE = struct.Struct(">cI")


class Values(Protocol[T_co]):
    """The values of an iterable, in order; what the iterable raises is raised at its place among them."""

    def __iter__(self) -> Iterator[T_co]: ...

    def close(self) -> None:
        """Makes no more values."""


def ahead(values: Iterable[T]) -> Values[T]:
    """The values, made in another process where one can be had, so that both processors work.

    Between threads the interpreter's lock eats most of what a second processor gives. A process is copied only while
    it has a single thread; otherwise a thread makes the values.
    """
    if threading.active_count() == 1 and hasattr(os, "fork"):
        return AheadInProcess(values)
    return AheadInThread(values)


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class AheadInThread(Generic[T]):
    """At most `depth` values are made before they are asked for."""

    def __init__(self, values: Iterable[T], depth: int = 1) -> None:
        self._queue: queue.Queue[T | _End] = queue.Queue(depth)
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._make, args=(values,), name="ahead", daemon=True)
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


class AheadInProcess(Generic[T]):
    """A copy of this process makes the values, and writes them into a pipe."""

    def __init__(self, values: Iterable[T]) -> None:
        reading, writing = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            os.close(reading)
            _serve(values, writing)
        os.close(writing)
        self._pipe = os.fdopen(reading, "rb", 1 << 18)

    def __iter__(self) -> Iterator[T]:
        while True:
            head = self._pipe.read(_SIZE.size)
            if len(head) < _SIZE.size:
                raise ChildProcessError("the process that reads and decodes ended before its work did")
            kind, size = _SIZE.unpack(head)
            if kind == b".":
                return
            data = self._pipe.read(size)
            if len(data) < size:
                raise ChildProcessError("the process that reads and decodes ended in the middle of its work")
            if kind == b"!":
                raise pickle.loads(data)
            yield _unpack(kind, data)

    def close(self) -> None:
        """Ends the copy, also one that waits for input which may never come; it holds nothing that could be lost."""
        self._pipe.close()
        os.kill(self._child, signal.SIGKILL)
        os.waitpid(self._child, 0)


def _serve(values: Iterable[object], descriptor: int) -> None:
    """What the copy does, to its end; nothing of what the original still has to do at its own end may happen here."""
    code = 1
    try:
        with os.fdopen(descriptor, "wb", 1 << 18) as pipe:
            try:
                for value in values:
                    _send(pipe, *_pack(value))
                _send(pipe, b".", b"")
            except (BrokenPipeError, KeyboardInterrupt):
                pass
            except Exception as exc:  # noqa: BLE001 - it is raised where the values are used
                _send(pipe, b"!", pickle.dumps(exc))
        code = 0
    finally:
        os._exit(code)


def _send(pipe: BinaryIO, kind: bytes, data: bytes) -> None:
    pipe.write(_SIZE.pack(kind, len(data)))
    pipe.write(data)
    pipe.flush()


def _pack(value: object) -> tuple[bytes, bytes]:
    """Columns of events go as the interpreter's own format for plain values, five times as fast as pickle."""
    if isinstance(value, tuple):
        places = [place for place, part in enumerate(value) if isinstance(part, EventColumns)]
        if len(places) == 1:
            place = places[0]
            rest = pickle.dumps((type(value), place, (*value[:place], None, *value[place + 1 :])))
            return b"c", marshal.dumps((rest, tuple(value[place])))
    return b"p", pickle.dumps(value)


def _unpack(kind: bytes, data: bytes) -> Any:
    # Both ends of the pipe are this very program; nothing from outside is ever unpacked here.
    if kind != b"c":
        return pickle.loads(data)
    rest, columns = marshal.loads(data)
    made, place, parts = pickle.loads(rest)
    return made(*parts[:place], EventColumns(*columns), *parts[place + 1 :])
