"""A throw-away PgBouncer in front of the tests' PostgreSQL: transactions of all clients share one connection."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .pgcluster import unprivileged

NO_PGBOUNCER = "no PgBouncer: apt-get install pgbouncer"
PORT = 6432
READY_SECONDS = 20

# Nothing but what a first installation has: no parameter of a client's is ignored.
SETTINGS = """[databases]
* = {server}
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {home}
auth_type = trust
auth_file = {home}/users
pool_mode = transaction
default_pool_size = 1
"""


def find_pgbouncer() -> str | None:
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def running_pgbouncer(binary: str, host: str, port: str, user: str, password: str = "") -> Iterator[str]:
    """Starts one in front of a server; gives the folder of its socket, which has port `PORT`."""
    identity = unprivileged()
    with tempfile.TemporaryDirectory(prefix="archiver-pgb-", dir="/tmp") as folder:
        home = Path(folder)
        home.chmod(0o755)
        server = f"host={host} port={port}" + (f" password={password}" if password else "")
        (home / "settings").write_text(SETTINGS.format(server=server, home=home, port=PORT))
        (home / "users").write_text(f'"{user}" "{password}"\n')
        if identity:
            os.chown(home, identity["user"], identity["group"])
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [binary, home / "settings"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=home, **identity
            )
        try:
            _wait(process, home)
            yield folder
        finally:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], home: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not (home / f".s.PGSQL.{PORT}").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PgBouncer does not start:\n{(home / 'log').read_text(errors='replace')[-2000:]}")
        time.sleep(0.02)
