"""The driver: `python -m tests.fuzz [TARGET ...] --seconds N`, by atheris (libFuzzer), which follows what is executed.

What it finds new is kept in .fuzz, and the next run begins there; `--keep` brings the least of that with the same
coverage into the corpus of the tree, which `make test` replays. What breaks something is written to .fuzz/broken.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

CORPUS = Path(__file__).with_name("corpus")
GROWN = Path(__file__).resolve().parents[2] / ".fuzz"
_LONGEST = 4096
_SMALL = 400
"""Bytes of what is kept in the tree, which is to stay small."""
_ONE = """
import sys, atheris
with atheris.instrument_imports(include=["archiver", "websocket"]):
    from tests.fuzz.targets import TARGETS
atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
atheris.Fuzz()
"""


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
    options = [f"-max_total_time={seconds}", f"-max_len={_LONGEST}", f"-seed={seed}", "-timeout=10"]
    command = [
        *options,
        "-verbosity=0",
        "-print_final_stats=1",
        f"-artifact_prefix={broken}/{target}-",
        str(grown),
        str(CORPUS / target),
    ]
    return int(subprocess.run([sys.executable, "-c", _ONE, target, *command]).returncode != 0)


def _kept(target: str) -> None:
    """The smallest inputs that reach all that is reached."""
    with tempfile.TemporaryDirectory() as folder:
        merge = ["-merge=1", f"-max_len={_SMALL}", folder, str(CORPUS / target), str(GROWN / target)]
        subprocess.run([sys.executable, "-c", _ONE, target, *merge], check=True, capture_output=True)
        for path in Path(folder).iterdir():
            (CORPUS / target / path.name).write_bytes(path.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
