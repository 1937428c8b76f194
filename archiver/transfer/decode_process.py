"""Runs an iterator in a process of its own, so that reading and decoding have a processor to themselves."""

from __future__ import annotations

import marshal
import os
import pickle
import signal
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Generic, TypeVar

from archiver.model import Batch, EventColumns

T = TypeVar("T")
_SIZE = struct.Struct(">cI")


@contextmanager
def decoding(values: Iterable[T]) -> Iterator[Iterable[T]]:
    """The values, made in another process where one can be had, so that both processors work; else made when asked for.

    Between threads the interpreter's lock eats most of what a second processor gives. A process is copied only while it
    has a single thread.
    """
    if threading.active_count() > 1 or not hasattr(os, "fork"):
        yield values
        return
    process = DecodeProcess(values)
    try:
        yield process
    finally:
        process.close()


class DecodeProcess(Generic[T]):
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
        for place, part in enumerate(value):
            if isinstance(part, Batch) and part.only_events is not None:
                rest = pickle.dumps((type(value), place, (*value[:place], None, *value[place + 1 :])))
                return b"c", marshal.dumps((rest, tuple(part.only_events)))
    return b"p", pickle.dumps(value)


def _unpack(kind: bytes, data: bytes) -> Any:
    # Both ends of the pipe are this very program; nothing from outside is ever unpacked here.
    if kind != b"c":
        return pickle.loads(data)
    rest, columns = marshal.loads(data)
    made, place, parts = pickle.loads(rest)
    return made(*parts[:place], Batch(EventColumns(*columns)), *parts[place + 1 :])
