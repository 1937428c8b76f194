"""The folder a run works in: its lines of events, its archives, and the processes it starts there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

from archiver.simulator.world.living import generate
from archiver.storage import migrate

PYTHON = sys.executable
ARCHIVER = [PYTHON, "-m", "archiver"]
REPOSITORY = Path(__file__).parents[1]

# About 10,000 objects that are deployed once and then only crash and recover.
STEADY = {"stacks": 850, "churn": 0.0}


@dataclass(frozen=True, slots=True)
class Lines:
    """Events as JSON Lines, as on the wire."""

    path: Path
    events: int

    @property
    def bytes_per_event(self) -> float:
        """Size of a line, its end included."""
        return self.path.stat().st_size / self.events

    def head(self, events: int) -> Lines:
        """The first of these lines."""
        if events >= self.events:
            return self
        path = self.path.with_name(f"{self.path.stem}-{events}.jsonl")
        if not path.exists():
            with open(self.path, "rb") as source, open(path, "wb") as target:
                target.writelines(islice(source, events))
        return Lines(path, events)


class Workshop:
    """Names of new files, and a clean environment for every process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count(1)

    def lines(self, name: str, events: int, **population: Any) -> Lines:
        """The first `events` events of a simulated platform's life."""
        path = self.folder / f"{name}.jsonl"
        with open(path, "w", encoding="utf-8") as target:
            for event in generate(1, events, **population):
                target.write(json.dumps(event, separators=(",", ":")) + "\n")
        return Lines(path, events)

    def path(self, suffix: str) -> Path:
        """A file or folder that is not there yet."""
        return self.folder / f"{next(self._numbers)}{suffix}"

    def archive(self) -> Path:
        """A new SQLite archive without any event."""
        path = self.path(".db")
        migrate.upgrade(f"sqlite:///{path}")
        return path

    def environment(self) -> dict[str, str]:
        """A home of its own for every process: no configuration, no spool of another run."""
        home = self.path("-home")
        home.mkdir()
        path = os.environ.get("PATH", os.defpath)
        return {"HOME": str(home), "PATH": path, "PYTHONPATH": str(REPOSITORY), "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def seconds(self, command: Sequence[str | Path], environment: dict[str, str] | None = None) -> float:
        """How long a command takes as a process, from its start to its end. Raises RuntimeError when it fails."""
        environment = environment or self.environment()
        began = time.perf_counter()
        done = subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, encoding="utf-8")
        took = time.perf_counter() - began
        if done.returncode:
            raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stderr}")
        return took

    def import_into(self, archive: Path, lines: Lines) -> tuple[float, float]:
        """How long an import of the lines takes: as a process from start to end, and without starting it."""
        within = self.path(".seconds")
        whole = self.seconds([PYTHON, "-m", "bench.importing", archive, lines.path, within])
        return whole, float(within.read_text())

    def daemon(self, database: str, stream: str) -> list[str]:
        """The command that records a stream, with a spool of its own."""
        spool = str(self.path("-spool.db"))
        return [*ARCHIVER, "--database", database, "run", "--stream", stream, "--spool", spool]

    @contextmanager
    def process(self, command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
        """A process that goes on beside the measuring; ended when the block ends."""
        started = subprocess.Popen(command, env=self.environment(), cwd=self.folder, encoding="utf-8", **options)
        try:
            yield started
        finally:
            started.terminate()
            try:
                started.wait(30)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()
            if started.stdout is not None:
                started.stdout.close()


def discard(archive: Path) -> None:
    """Give a SQLite archive's room back."""
    for suffix in ("", "-wal", "-shm", "-lock"):
        Path(f"{archive}{suffix}").unlink(missing_ok=True)


@contextmanager
def workshop(parent: Path) -> Iterator[Workshop]:
    """A new workshop below a folder; removed at the end."""
    folder = parent.absolute() / f"run-{os.getpid()}"
    folder.mkdir(parents=True)
    try:
        yield Workshop(folder)
    finally:
        shutil.rmtree(folder)
