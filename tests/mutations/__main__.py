"""The driver: `python -m tests.mutations --seconds N` puts one fault at a time into storage and queries, at random.

First the model judges, then the tests that name the module. What nobody notices is listed at the end: a test is
missing, or the fault is none. The sources themselves are never touched.
"""

from __future__ import annotations

import argparse
import random
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from .mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
_ROOMS = ("archiver/queries", *(f"archiver/storage{room}" for room in ("", "/database", "/facts", "/upgrade")))
_TESTS = ("tests/unit", "tests/integration")
_MOST_TESTS = 4
"""So many files of tests are asked, those first that speak most of the module."""


class Tried(NamedTuple):
    """What became of one fault."""

    path: Path
    mutant: Mutant
    noticed: bool


def main() -> int:
    """Tries as many as fit into the time; lists the survivors."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, help="modules; default: all of storage and queries")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--histories", type=int, default=8, help="of the model, for each")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    paths = asked.paths or [path for room in _ROOMS for path in sorted((ROOT / room).glob("*.py"))]
    found = list(_all_tried([path.resolve() for path in paths], asked))
    survivors = [each for each in found if not each.noticed]
    for path, mutant, _ in survivors:
        print(f"\n{path.relative_to(ROOT)}:{mutant.line}\n  - {mutant.before}\n  + {mutant.after}")
    print(f"\n{len(found)} faults, {len(found) - len(survivors)} noticed, {len(survivors)} not")
    return 0


def _all_tried(paths: Sequence[Path], asked: argparse.Namespace) -> Iterator[Tried]:
    dice, until = random.Random(asked.seed), time.monotonic() + asked.seconds
    known = {path: mutants(path.read_text()) for path in paths}
    chosen = [(path, mutant) for path, found in known.items() for mutant in found]
    dice.shuffle(chosen)

    def tried(one: tuple[Path, Mutant]) -> Tried | None:
        if time.monotonic() > until:
            return None
        result = Tried(*one, _is_noticed(*one, asked.histories))
        print("." if result.noticed else "S", end="", flush=True)
        return result

    with ThreadPoolExecutor(asked.jobs) as pool:
        yield from (result for result in pool.map(tried, chosen) if result is not None)


def _is_noticed(path: Path, mutant: Mutant, histories: int) -> bool:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / path.name
        file.write_text(mutant.text)
        command = [sys.executable, "-m", "tests.mutations.oracle", module, str(file), str(histories), *_tests_of(path)]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=600)
        except subprocess.TimeoutExpired:  # it never ends: everybody notices
            return True
    return done.returncode != 0


def _tests_of(path: Path) -> list[str]:
    """The files of tests that speak of a module, by its name or what it is called by."""
    text = path.read_text()
    names = {path.stem, *re.findall(r"^(?:def|class) ([A-Za-z]\w+)", text, re.MULTILINE)}
    words = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b")
    module = re.compile(
        rf"\b{path.parent.name}(\.| import .*){path.stem}\b|\btest_{path.stem}\b|archive\.{path.stem}\("
    )
    spoken = []
    for folder in _TESTS:
        for test in sorted((ROOT / folder).glob("test_*.py")):
            said = test.read_text()
            weight = 100 * len(module.findall(f"{test.stem}\n{said}")) + len(words.findall(said))
            spoken.append((weight, str(test)))
    return [test for weight, test in sorted(spoken, reverse=True)[:_MOST_TESTS] if weight > 10]


if __name__ == "__main__":
    sys.exit(main())
