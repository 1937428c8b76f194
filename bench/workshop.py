"""The folder a run works in: its lines of events, its archives, and the processes it starts there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from time import perf_counter

from archiver.simulator.world.living import generate
from archiver.storage import migrate
from bench import fleet
from bench.costs import Cost

PYTHON = sys.executable
ARCHIVER = [PYTHON, "-m", "archiver"]
REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Lines:
    """Events as JSON Lines, as on the wire."""

    path: Path
    events: int
    bare: bool = False
    """Without date and uuid."""

    @property
    def shape(self) -> str:
        """What they are, in words."""
        return "bare" if self.bare else "dated"

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
        return Lines(path, events, self.bare)


@dataclass(frozen=True, slots=True)
class Filled:
    """A SQLite file that was filled with lines."""

    path: Path
    cost: Cost
    bytes: int

    def discard(self) -> None:
        """Give its room back."""
        for suffix in ("", "-wal", "-shm", "-lock"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)


class Workshop:
    """Names of new files, and a clean environment for every process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count(1)
        self._filled: dict[tuple[Way, Lines], Filled] = {}

    def fill(self, way: Way, lines: Lines) -> Filled:
        """A new file, filled with the lines in one of the ways to do so."""
        target = self.path(".db")
        cost = way(self, lines, target)
        return Filled(target, cost, target.stat().st_size)

    def filled(self, way: Way, lines: Lines) -> Filled:
        """The same, done once for all who ask."""
        if (way, lines) not in self._filled:
            self._filled[way, lines] = self.fill(way, lines)
        return self._filled[way, lines]

    def fleet(self, events: int, *, bare: bool = False) -> Lines:
        """The first events of a large cluster."""
        return self._written(f"bare-{events}" if bare else f"dated-{events}", events, fleet.lines(events, bare=bare))

    def steady(self, events: int) -> Lines:
        """About 10,000 objects that are deployed once and then only crash and recover."""
        told = (json.dumps(event, separators=(",", ":")) + "\n" for event in generate(1, events, stacks=850, churn=0.0))
        return self._written("steady", events, told)

    def _written(self, name: str, events: int, lines: Iterable[str]) -> Lines:
        path = self.folder / f"{name}.jsonl"
        with open(path, "w", encoding="utf-8") as target:
            target.writelines(lines)
        return Lines(path, events, name.startswith("bare"))

    def path(self, suffix: str) -> Path:
        """A file or folder that is not there yet."""
        return self.folder / f"{next(self._numbers)}{suffix}"

    def environment(self) -> dict[str, str]:
        """A home of its own for every process: no configuration, no spool of another run."""
        home = self.path("-home")
        home.mkdir()
        path = os.environ.get("PATH", os.defpath)
        return {"HOME": str(home), "PATH": path, "PYTHONPATH": str(REPOSITORY), "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def spent(self, command: Sequence[str | Path], environment: dict[str, str] | None = None) -> Cost:
        """What a command costs as a process, with all it starts and waits for. Raises RuntimeError when it fails."""
        environment = environment or self.environment()
        said = self.path(".said")
        with open(said, "w") as output:
            began = perf_counter()
            started = subprocess.Popen(command, env=environment, cwd=self.folder, stdout=output, stderr=output)
            _, status, usage = os.wait4(started.pid, 0)
            wall = perf_counter() - began
        started.returncode = os.waitstatus_to_exitcode(status)
        if started.returncode:
            raise RuntimeError(f"{command} ended with {started.returncode}:\n{said.read_text()[-2000:]}")
        said.unlink()
        return Cost(wall, usage.ru_utime + usage.ru_stime)

    def import_into(self, database: str, lines: Lines) -> Cost:
        """What an import into a new archive costs, as a process; making its tables is not counted."""
        migrate.create(database)
        dated = ["--dated-by", "import"] if lines.bare else []
        return self.spent([*ARCHIVER, "--database", database, "import", *dated, lines.path])

    def daemon(self, database: str, stream: str) -> list[str]:
        """The command that records a stream, with a spool of its own."""
        spool = str(self.path("-spool.db"))
        return [*ARCHIVER, "--database", database, "run", "--stream", stream, "--spool", spool]

    @contextmanager
    def process(self, command: Sequence[str], **options: object) -> Iterator[subprocess.Popen[str]]:
        """A process that goes on beside the measuring; ended when the block ends."""
        started = subprocess.Popen(command, env=self.environment(), cwd=self.folder, encoding="utf-8", **options)  # type: ignore[call-overload]
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


Way = Callable[[Workshop, Lines, Path], Cost]
"""How lines come into a new file: what it costs."""


@contextmanager
def workshop(parent: Path) -> Iterator[Workshop]:
    """A new workshop below a folder; removed at the end."""
    folder = parent.absolute() / f"run-{os.getpid()}"
    folder.mkdir(parents=True)
    try:
        yield Workshop(folder)
    finally:
        shutil.rmtree(folder)
