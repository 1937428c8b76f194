"""The driver: `python -m tests.fuzz [TARGET ...] --seconds N`, by atheris (libFuzzer), which follows what is executed.

What it finds new is kept in .fuzz, and the next run begins there; `--keep` brings what reaches more into the corpus of
the tree, which `make test` replays. What breaks something is written to .fuzz/broken.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

CORPUS = Path(__file__).with_name("corpus")
GROWN = Path(__file__).resolve().parents[2] / ".fuzz"
_LONGEST = 4096
_SMALL = 400
"""Bytes of what is kept in the tree, which is to stay small."""
_PROGRAM = """#!{python}
import sys
sys.path.insert(0, {root!r})
import atheris
with atheris.instrument_imports(include=["archiver", "websocket"]):
    from tests.fuzz.targets import TARGETS
atheris.Setup(sys.argv, TARGETS[{target!r}])
atheris.Fuzz()
"""
"""A program of its own, since libFuzzer calls itself by its name."""


def main() -> int:
    """Fuzzes each target for that long; 1 when an input breaks one."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="frames, objects, messages or engines")
    parser.add_argument("--seconds", type=int, default=60, help="for each; default: 60")
    parser.add_argument("--seed", type=int, default=0, help="0: another each time")
    parser.add_argument("--keep", action="store_true", help="what was found new goes into the tree")
    asked = parser.parse_args()
    targets = asked.targets or sorted(path.name for path in CORPUS.iterdir())
    worst = 0
    for target in targets:
        print(f"{target}: {asked.seconds} s", flush=True)
        worst = max(worst, _fuzzed(target, asked.seconds, asked.seed))
        if asked.keep:
            _kept(target)
    return worst


def _fuzzed(target: str, seconds: int, seed: int) -> int:
    grown, broken = GROWN / target, GROWN / "broken"
    for folder in (grown, broken):
        folder.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-max_len={_LONGEST}", f"-seed={seed}", "-timeout=10", "-verbosity=0"]
    shown = ["-print_final_stats=1", f"-artifact_prefix={broken}/{target}-"]
    return int(subprocess.run([_program(target), *options, *shown, grown, CORPUS / target]).returncode != 0)


def _kept(target: str) -> None:
    """What reaches something that the tree's corpus does not."""
    merge = ["-merge=1", f"-max_len={_SMALL}", CORPUS / target, GROWN / target]
    subprocess.run([_program(target), *merge], check=True, capture_output=True)


def _program(target: str) -> Path:
    program = GROWN / f"fuzz-{target}"
    program.write_text(_PROGRAM.format(python=sys.executable, root=str(GROWN.parent), target=target))
    program.chmod(0o755)
    return program


if __name__ == "__main__":
    sys.exit(main())
