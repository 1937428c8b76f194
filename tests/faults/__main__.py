"""The driver: does every fault on both databases, one after another, and writes docs/faults.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import fields, replace
from pathlib import Path
from typing import NamedTuple

from archiver.version import __version__

from .fault import FAULTS, FULL, Size
from .server import running_server
from .table import Outcome, page, together
from .trying import load_all, tried

TABLE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"


class Task(NamedTuple):
    """One fault on one database, or a portion of it: what is done by itself."""

    name: str
    database: str
    portion: int
    portions: int

    def __str__(self) -> str:
        return f"{self.name} on {self.database}" + f", {self.portion + 1} of {self.portions}" * (self.portions > 1)


def main() -> int:
    """Runs what was asked for; 1 when a promise is broken."""
    load_all()
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whatever was started and mounted is cleared away
    print(f"seed {asked.seed}", flush=True)
    size = _size(asked)
    outcomes = [outcome for outcome in _earlier(asked.results) if outcome.verdict == "holds"]
    done = {Task(each.name, each.database, each.portion, each.portions) for each in outcomes}
    tasks = [task for task in _tasks(asked, size) if task not in done]
    outcomes += _at_once(asked, tasks) if asked.jobs > 1 else _one_by_one(asked, tasks, size)
    if asked.write:
        rows = _rows(outcomes)
        asked.write.write_text("".join(page(rows, _command(asked), f"archiver {__version__}", _machine())))
    return int(any(outcome.verdict == "BROKEN" for outcome in outcomes))


def _tasks(asked: argparse.Namespace, size: Size) -> Iterator[Task]:
    for name, fault in FAULTS.items():
        count = len(fault.portions(size))
        for database in fault.databases:
            if (not asked.only or name in asked.only) and database in asked.database:
                for portion in range(count):
                    if asked.portion is None or asked.portion == portion:
                        yield Task(name, database, portion, count)


def _one_by_one(asked: argparse.Namespace, tasks: Sequence[Task], size: Size) -> Iterator[Outcome]:
    with running_server() if any(task.database == "postgresql" for task in tasks) else nullcontext() as server:
        for task in tasks:
            if server is None and task.database == "postgresql":
                print(f"NOT TRIED: {task}; there is no PostgreSQL", flush=True)
                continue
            outcome = tried(FAULTS[task.name], task.database, asked.seed, size, server, task.portion)
            said = f"{task}, {outcome.said}, {outcome.events} events, {outcome.seconds:.0f} s"
            print(f"{outcome.verdict}: {said}", flush=True)
            if asked.results:
                with asked.results.open("a") as file:
                    file.write(json.dumps(outcome) + "\n")
            yield outcome


def _at_once(asked: argparse.Namespace, tasks: Sequence[Task]) -> list[Outcome]:
    """Several at a time, each a process with a server of its own; what is done in portions first, it takes longest."""
    with tempfile.TemporaryDirectory(prefix="archiver-faults-") as folder, ThreadPoolExecutor(asked.jobs) as pool:
        results = asked.results or Path(folder, "results")
        before = len(_earlier(results))
        common = ["--seed", str(asked.seed), "--results", str(results), *["--full"] * asked.full]
        for field in fields(Size):
            if (value := getattr(asked, field.name)) is not None:
                common += [f"--{field.name.replace('_', '-')}", str(value)]
        running: list[subprocess.Popen[bytes]] = []

        def do(task: Task) -> None:
            which = ["--only", task.name, "--database", task.database, "--portion", str(task.portion)]
            process = subprocess.Popen([sys.executable, "-m", "tests.faults", *which, *common])
            running.append(process)
            process.wait()

        try:
            list(pool.map(do, sorted(tasks, key=lambda task: -task.portions)))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                process.terminate()
            raise
        return _earlier(results)[before:]


def _rows(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """One for each fault and database, in the order of the list."""
    found: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault((outcome.name, outcome.database), []).append(outcome)
    places = list(FAULTS)
    order = sorted(found, key=lambda row: (places.index(row[0]), row[1] == "postgresql"))
    return [together(found[row]) for row in order if len(found[row]) >= found[row][0].portions]


def _earlier(results: Path | None) -> list[Outcome]:
    """What an earlier run that was cut off has written down."""
    if results is None or not results.exists():
        return []
    return [Outcome(*json.loads(line)) for line in results.read_text().splitlines()]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="where the dice begin")
    parser.add_argument(
        "--only", action="append", choices=sorted(FAULTS), metavar="NAME", help="one fault, by its name"
    )
    parser.add_argument("--list", action="store_true", help="name them all")
    parser.add_argument("--full", action="store_true", help="as often as a release deserves: it takes hours")
    parser.add_argument("--database", action="append", choices=("sqlite", "postgresql"), help="default: both")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="so many at once, where nothing is shared")
    parser.add_argument("--portion", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--results", type=Path, help="keep outcomes there, and go on where an earlier run was cut off")
    parser.add_argument("--write", type=Path, nargs="?", const=TABLE, help="the table, into docs/faults.md")
    for field in fields(Size):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), metavar="N")
    asked = parser.parse_args()
    asked.database = asked.database or ["sqlite", "postgresql"]
    if asked.list:
        print("\n".join(f"{name}: {fault.done}" for name, fault in FAULTS.items()))
        sys.exit()
    return asked


def _size(asked: argparse.Namespace) -> Size:
    said = {field.name: getattr(asked, field.name) for field in fields(Size)}
    return replace(FULL if asked.full else Size(), **{name: value for name, value in said.items() if value is not None})


def _command(asked: argparse.Namespace) -> str:
    usual = FULL if asked.full else Size()
    size = _size(asked)
    other = [
        f"--{field.name.replace('_', '-')} {getattr(size, field.name)}"
        for field in fields(Size)
        if getattr(size, field.name) != getattr(usual, field.name)
    ]
    only = [f'--only "{name}"' for name in asked.only or ()]
    return " ".join(["python -m tests.faults", f"--seed {asked.seed}", *only, *(["--full"] * asked.full), *other])


def _machine() -> str:
    return f"{platform.system()}, {os.cpu_count()} processors, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
