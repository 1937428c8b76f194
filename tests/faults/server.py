"""A PostgreSQL of the faults' own, to be stopped and killed."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from tests.pgcluster import SERVER_OPTIONS, Control, controlled_cluster, find_binaries

OPTIONS = {**SERVER_OPTIONS, "autovacuum": "on", "synchronous_commit": "on", "max_connections": "20"}
"""A crash of the server is no crash of the machine: what it was told to write is written."""


class Server:
    """A cluster on this machine."""

    def __init__(self, url: str, control: Control) -> None:
        self.url = url
        self.control = control

    @contextmanager
    def admin(self) -> Iterator[Any]:
        """A connection of the superuser's."""
        plain = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            yield connection

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """The URL of a new database, a copy of another one; dropped at the end."""
        name = f"archiver_fault_{secrets.token_hex(6)}"
        with self.admin() as admin:
            admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield make_url(self.url).set(database=name).render_as_string(hide_password=False)
        finally:
            with self.admin() as admin:
                admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def start(self) -> None:
        """Starts it again."""
        self.control.start(OPTIONS)

    def start_again(self) -> None:
        """Starts it where it has ended by itself."""
        try:
            number, *_ = (self.control.data / "postmaster.pid").read_text().split()
            os.kill(int(number), 0)
        except (FileNotFoundError, ProcessLookupError):
            self.start()

    def stop(self, how: str = "fast") -> None:
        """Stops it as pg_ctl does."""
        self.control.stop(how)

    def kill(self) -> None:
        """SIGKILL to the server and everybody in it."""
        everybody = self._processes()
        self._send(everybody, signal.SIGKILL)
        while any(Path(f"/proc/{number}").exists() for number in everybody):
            time.sleep(0.01)

    @contextmanager
    def hung(self) -> Iterator[None]:
        """SIGSTOP to the server and everybody in it, SIGCONT at the end."""
        everybody = self._processes()
        self._send(everybody, signal.SIGSTOP)
        try:
            yield
        finally:
            self._send(everybody, signal.SIGCONT)

    def _processes(self) -> list[int]:
        first, *_ = (self.control.data / "postmaster.pid").read_text().split()
        return [int(first), *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]

    @staticmethod
    def _send(numbers: list[int], what: signal.Signals) -> None:
        for number in numbers:
            with suppress(ProcessLookupError):
                os.kill(number, what)


@contextmanager
def running_server() -> Iterator[Server | None]:
    """A new one; None where there is no PostgreSQL."""
    binaries = find_binaries()
    if binaries is None:
        yield None
        return
    with controlled_cluster(binaries, OPTIONS) as (url, control):
        yield Server(url, control)
