"""The driver: does every fault on both databases, one after another, and writes docs/faults.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import signal
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

from archiver.version import __version__

from .fault import FAULTS, FULL, Size
from .server import Server, running_server
from .table import Outcome, page
from .trying import load_all, tried

TABLE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"


def main() -> int:
    """Runs what was asked for; 1 when a promise is broken."""
    load_all()
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whatever was started and mounted is cleared away
    print(f"seed {asked.seed}", flush=True)
    with running_server() as server:
        if server is None:
            print("NOTHING IS TRIED ON POSTGRESQL: there is none", flush=True)
        outcomes = _outcomes(asked, server)
    if asked.write:
        asked.write.write_text("".join(page(outcomes, _command(asked), f"archiver {__version__}", _machine())))
    return int(any(outcome.verdict == "BROKEN" for outcome in outcomes))


def _outcomes(asked: argparse.Namespace, server: Server | None) -> list[Outcome]:
    size = _size(asked)
    outcomes = _earlier(asked.results)
    known = {(outcome.name, outcome.database) for outcome in outcomes if outcome.verdict == "holds"}
    outcomes = [outcome for outcome in outcomes if (outcome.name, outcome.database) in known]
    for name, database in _wanted(asked, server):
        if (name, database) not in known:
            outcome = tried(FAULTS[name], database, asked.seed, size, server)
            said = f"{name} on {database}, {outcome.said}, {outcome.events} events, {outcome.seconds:.0f} s"
            print(f"{outcome.verdict}: {said}", flush=True)
            outcomes.append(outcome)
            if asked.results:
                with asked.results.open("a") as file:
                    file.write(json.dumps(outcome) + "\n")
    places = list(FAULTS)
    return sorted(outcomes, key=lambda outcome: (places.index(outcome.name), outcome.database == "postgresql"))


def _wanted(asked: argparse.Namespace, server: Server | None) -> Iterator[tuple[str, str]]:
    for name, fault in FAULTS.items():
        for database in fault.databases:
            is_possible = server is not None or database == "sqlite"
            if (not asked.only or name in asked.only) and database in asked.database and is_possible:
                yield name, database


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
