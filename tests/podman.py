"""A real Podman of a test's own: its storage, its log, its service behind a socket, and nothing of the machine's."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .engine import BUSYBOX, end_processes_of, unmount_below

READY_SECONDS = 30
_CONF = '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n'


def missing() -> str | None:
    """Why no Podman can be started here; None when one can."""
    if os.geteuid() != 0:
        return "a Podman of its own is only started by root"
    wanted = [name for name in ("podman", "runc", "conmon") if shutil.which(name) is None]
    wanted += [] if BUSYBOX.exists() else [f"{BUSYBOX} (static)"]
    return f"no Podman here: {', '.join(wanted)} missing; Debian: podman, runc, busybox-static" if wanted else None


class Podman:
    """One engine. It remembers what its command does while no service runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{folder}/podman.sock"
        (folder / "containers.conf").write_text(_CONF)
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "CONTAINERS_CONF": f"{folder}/containers.conf",
        }

    @property
    def command(self) -> list[str]:
        at = self._folder
        places = ["--root", f"{at}/root", "--runroot", f"{at}/run", "--tmpdir", f"{at}/tmp"]
        how = ["--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "file"]
        return ["podman", *places, *how, "--storage-driver", "vfs"]

    def start(self) -> None:
        """Begins to answer at the socket."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self.command, "system", "service", "--time=0", self.url],
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_SECONDS
        while not (self._folder / "podman.sock").is_socket():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"Podman does not start:\n{(self._folder / 'log').read_text()[-3000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Answers no more; what runs goes on running."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        (self._folder / "podman.sock").unlink(missing_ok=True)

    def run(self, *arguments: str, fails: bool = False, input: bytes | None = None) -> str:
        """What the podman command says."""
        done = subprocess.run(
            [*self.command, *arguments], env=self._environ, capture_output=True, timeout=60, check=False, input=input
        )
        assert (done.returncode != 0) == fails, f"podman {' '.join(arguments)}: {done.stderr.decode()}"
        return done.stdout.decode().strip()

    def make_image(self, tag: str) -> None:
        """An image that holds a static busybox, from no registry."""
        root = self._folder / "image" / "bin"
        root.mkdir(parents=True)
        shutil.copy(BUSYBOX, root / "busybox")
        archive = subprocess.run(["tar", "-C", str(root.parent), "-c", "."], check=True, capture_output=True).stdout
        self.run("import", "-", tag, input=archive)

    def end(self) -> None:
        """Ends it with all that it started."""
        try:
            self.run("pod", "rm", "--all", "--force", "--time=0")
            self.run("rm", "--all", "--force", "--time=0")
        finally:
            self.stop()


@contextmanager
def running_podman() -> Iterator[Podman]:
    """A Podman that runs; afterwards it is ended and its folder removed, whatever happened."""
    folder = Path(tempfile.mkdtemp(prefix="podman-"))  # the path of a socket has a hundred characters
    podman = Podman(folder)
    try:
        podman.start()
        yield podman
    finally:
        try:
            podman.end()
        finally:
            end_processes_of(folder)
            unmount_below(folder)
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def podman(request: pytest.FixtureRequest) -> Iterator[Podman]:
    """A real Podman of this test; where there can be none the test is left out, and says so."""
    if reason := missing():
        if os.environ.get("ARCHIVER_REQUIRE_PODMAN") == "1":
            pytest.fail(reason, pytrace=False)
        reporter = request.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"NOT TESTED ON PODMAN: {reason}", red=True, bold=True)
        pytest.skip(reason)
    with running_podman() as engine:
        yield engine
