"""A real Docker Engine of a test's own: its folder, its socket, its swarm, and nothing of the machine's network."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import pytest

BUSYBOX = Path("/bin/busybox")
READY_SECONDS = 60
STOP_SECONDS = 40


def missing() -> str | None:
    """Why no engine can be started here; None when one can."""
    if os.geteuid() != 0:
        return "a Docker Engine can only be started by root"
    wanted = [name for name in ("dockerd", "docker", "containerd") if shutil.which(name) is None]
    wanted += [] if BUSYBOX.exists() else [f"{BUSYBOX} (static)"]
    return f"no Docker Engine here: {', '.join(wanted)} missing; Debian: docker.io, busybox-static" if wanted else None


class Engine:
    """One engine, which can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"unix://{folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def start(self) -> None:
        at = self.folder
        self._log = (at / "log").open("ab")
        command = ["dockerd", "-H", self.url, "--data-root", f"{at}/data", "--exec-root", f"{at}/exec"]
        command += ["--pidfile", f"{at}/pid", "--bridge=none", "--iptables=false", "--ip6tables=false"]
        command += ["--storage-driver=vfs", "--shutdown-timeout=5", f"--config-file={at}/daemon.json"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True
        )
        deadline = time.monotonic() + READY_SECONDS
        while self._try("version").returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the engine does not start:\n{(at / 'log').read_text()[-3000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Ends the engine as its service manager would; the containers end with it."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    @property
    def stopped(self) -> bool:
        return self._process is None

    def docker(self, *arguments: str, input: bytes | None = None) -> str:
        """What the docker command says."""
        done = self._try(*arguments, input=input)
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr.decode()}"
        return done.stdout.decode().strip()

    def record(self) -> subprocess.Popen[bytes]:
        """The docker command, listening to everything that the engine remembers and tells."""
        command = ["docker", "events", "--since", "0", "--format", "{{json .}}"]
        quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(command, env=self._environ, stdout=subprocess.PIPE, **quiet)

    def ids(self, *arguments: str) -> list[str]:
        return self.docker(*arguments).split()

    def use_swarm(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", f"127.0.0.1:{port}")

    def make_image(self, tag: str) -> None:
        """An image that holds a static busybox, from no registry."""
        root = self.folder / "root"
        (root / "bin").mkdir(parents=True, exist_ok=True)
        shutil.copy(BUSYBOX, root / "bin" / "busybox")
        (root / "bin" / "tag").write_text(tag)
        archive = subprocess.run(["tar", "-C", str(root), "-c", "."], check=True, capture_output=True).stdout
        self.docker("import", "-", tag, input=archive)

    def deploy(self, stack: str, services: dict[str, Any]) -> None:
        """A stack of services on the network of the host."""
        for service in services.values():
            service["networks"] = ["host"]
        content = {"version": "3.7", "services": services, "networks": {"host": {"external": True, "name": "host"}}}
        path = self.folder / f"{stack}.json"
        path.write_text(json.dumps(content))
        self.docker("stack", "deploy", "--resolve-image", "never", "-c", str(path), stack)

    @property
    def _environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "DOCKER_HOST": self.url,
            "DOCKER_CONFIG": str(self.folder),
            "HOME": str(self.folder),
        }

    def _try(self, *arguments: str, input: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        feed: dict[str, Any] = {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
        command = ["docker", *arguments]
        return subprocess.run(command, env=self._environ, capture_output=True, timeout=60, check=False, **feed)


@contextmanager
def running_engine() -> Iterator[Engine]:
    """An engine that runs; afterwards it is ended, with all it started, and its folder removed, whatever happened."""
    # Not pytest's folder: the path of a socket has a hundred characters, and the rest would outlive the test.
    folder = Path(tempfile.mkdtemp(prefix="engine-"))
    (folder / "daemon.json").write_text("{}")
    engine = Engine(folder)
    try:
        engine.start()
        yield engine
    finally:
        try:
            engine.stop()
        finally:
            end_processes_of(folder)
            unmount_below(folder)
            shutil.rmtree(folder, ignore_errors=True)


def end_processes_of(folder: Path) -> None:
    """Kill what an engine that was killed left running: everything that was started with a path of its folder."""
    mark = f"{folder}/".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


def unmount_below(folder: Path) -> None:
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in sorted((found for found in mounts if found.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)


@pytest.fixture
def docker_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A real engine of this test; where there can be none the test is left out, and says so."""
    if reason := missing():
        if os.environ.get("ARCHIVER_REQUIRE_DOCKER") == "1":
            pytest.fail(reason, pytrace=False)
        reporter = request.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"NOT TESTED ON A DOCKER ENGINE: {reason}", red=True, bold=True)
        pytest.skip(reason)
    with running_engine() as engine:
        yield engine
