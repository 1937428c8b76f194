"""The program in a process of its own that need not load it: forked from one that has loaded all its modules.

Loading takes a process ten times as long as most answers. What a user notices is the same: arguments, environment,
folder, descriptors, exit code. How the program starts is what `tests/acceptance` and the tests of the start look at.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG")
"""What begins so is read when an interpreter starts, and can be given to no process that is forked."""
POSSIBLE = hasattr(os, "pidfd_open")


class Nursery:
    """A process that has loaded the program, and whose children run it."""

    def __init__(self, address: Path, environment: Mapping[str, str]) -> None:
        self._address, self._environment = str(address), environment

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        input: str | None = None,
        timeout: float = 60,
        script: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run` does it, with all that is written captured; a script of Python instead of the program."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(self._address)
            ours, theirs = _pipes(input)
            request = {
                "arguments": arguments, "environment": dict(environment), "folder": str(folder), "script": script
            }  # fmt: skip
            line = json.dumps(request).encode() + b"\n"
            try:
                sent = socket.send_fds(connection, [line], theirs)
            finally:
                for descriptor in theirs:
                    os.close(descriptor)
            if rest := line[sent:]:  # a program that has ended meanwhile has closed the line
                connection.sendall(rest)
            answers = connection.makefile("rb")
            with answers, _Exchange(*ours, input) as exchange:
                pid = int(answers.readline())
                try:
                    code = os.waitstatus_to_exitcode(int(answers.readline()))
                except TimeoutError:
                    os.kill(pid, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(["archiver", *arguments], timeout) from None
        return subprocess.CompletedProcess(["archiver", *arguments], code, *exchange.texts())

    def can_run(self, environment: Mapping[str, str]) -> bool:
        """Whether the interpreter of this process would be one in that environment."""
        names = {name for name in {*environment, *self._environment} if name.startswith(OF_THE_INTERPRETER)}
        return all(environment.get(name) == self._environment.get(name) for name in names)


@contextmanager
def running_nursery(folder: Path, environment: Mapping[str, str]) -> Iterator[Nursery]:
    address = folder / "n"
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, address],
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield Nursery(address, environment)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _pipes(input: str | None) -> tuple[tuple[int | None, int, int], tuple[int, int, int]]:
    """Our ends of standard input, output and errors, and the program's."""
    reading, feeding = (os.open(os.devnull, os.O_RDONLY), None) if input is None else os.pipe()
    output, output_of_it = os.pipe()
    errors, errors_of_it = os.pipe()
    return (feeding, output, errors), (reading, output_of_it, errors_of_it)


class _Exchange:
    """Feeds and hears a process until it has closed its ends."""

    def __init__(self, feeding: int | None, output: int, errors: int, input: str | None) -> None:
        self._heard: dict[int, bytes] = {}
        self._sources = (output, errors)
        self._threads = [threading.Thread(target=self._hear, args=[source]) for source in self._sources]
        if feeding is not None:
            self._threads.append(threading.Thread(target=_feed, args=[feeding, (input or "").encode()]))

    def __enter__(self) -> _Exchange:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join()

    def texts(self) -> list[str]:
        heard = (io.BytesIO(self._heard[source]) for source in self._sources)
        return [io.TextIOWrapper(told, encoding="utf-8").read() for told in heard]

    def _hear(self, source: int) -> None:
        with open(source, "rb") as stream:
            self._heard[source] = stream.read()


def _feed(descriptor: int, data: bytes) -> None:
    with suppress(BrokenPipeError), open(descriptor, "wb") as stream:
        stream.write(data)


# --- in the other process -------------------------------------------------------------------------------------------


def _load() -> None:
    import archiver

    for module in pkgutil.walk_packages(archiver.__path__, "archiver."):
        if not module.name.endswith("__main__") and "_migrations" not in module.name:
            importlib.import_module(module.name)
    for name in ("alembic.command", "psycopg", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql.psycopg"):
        with suppress(ModuleNotFoundError):
            importlib.import_module(name)


def _serve(address: str) -> int:
    """The exit code of the program, in each child; the process itself is killed."""
    _load()
    gc.collect()
    gc.freeze()  # so that looking for cycles does not copy the memory that the children share
    with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as waiting:
        listener.bind(address)
        listener.listen()
        waiting.register(listener, selectors.EVENT_READ)
        print("ready", flush=True)
        _set_aside(1)
        while True:
            for ready, _ in waiting.select():
                if ready.fileobj is listener:
                    connection, _ = listener.accept()
                    line, descriptors = _request(connection)
                    if (pid := os.fork()) == 0:
                        break
                    _begin(waiting, connection, pid, descriptors)
                else:
                    _end(waiting, ready.fd, *ready.data)
            else:
                continue
            break
        for key in list(waiting.get_map().values()):
            if key.fileobj is not listener:
                os.close(key.fd)
                key.data[0].close()
        connection.close()
    return _become(json.loads(line), descriptors)


def _request(connection: socket.socket) -> tuple[bytes, list[int]]:
    line, descriptors, _, _ = socket.recv_fds(connection, 65_536, 3)
    while not line.endswith(b"\n"):
        line += connection.recv(65_536)
    return line, descriptors


def _begin(waiting: selectors.BaseSelector, connection: socket.socket, pid: int, descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
    waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, (connection, pid))
    connection.sendall(b"%d\n" % pid)


def _end(waiting: selectors.BaseSelector, ended: int, connection: socket.socket, pid: int) -> None:
    waiting.unregister(ended)
    os.close(ended)
    _, status = os.waitpid(pid, 0)
    with suppress(OSError), connection:
        connection.sendall(b"%d\n" % status)


def _set_aside(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _become(request: dict[str, Any], descriptors: list[int]) -> int:
    for at, descriptor in enumerate(descriptors):
        os.dup2(descriptor, at)
        os.close(descriptor)
    # Those that the interpreter made know of other files whether they can be sought in, and are terminals.
    standard = partial(open, encoding="utf-8", closefd=False)
    sys.stdin = sys.__stdin__ = standard(0, errors="surrogateescape")
    sys.stdout = sys.__stdout__ = standard(1, "w", errors="surrogateescape")
    sys.stderr = sys.__stderr__ = standard(2, "w", errors="backslashreplace", buffering=1)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.argv = ["archiver", *request["arguments"]]
    if request["script"] is not None:
        exec(request["script"], {"__name__": "__main__"})
        return 0
    from archiver.cli import main

    try:
        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    code = _serve(sys.argv[1])
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    # What an interpreter does at its end is to take apart all that is loaded, which takes longer than the answer.
    os._exit(code)
