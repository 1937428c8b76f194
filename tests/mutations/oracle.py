"""Judges one mutant: `python -m tests.mutations.oracle MODULE FILE HISTORIES [TEST ...]`; 1: it was noticed.

In a process of its own, which loads that module from that file: random histories against the model, on SQLite, then
the tests that are named.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any

NOTICED, UNNOTICED = 1, 0
_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


class _Instead(importlib.abc.MetaPathFinder):
    """Finds one module in another file."""

    def __init__(self, module: str, file: str) -> None:
        self._module, self._file = module, file

    def find_spec(self, fullname: str, *_more: Any) -> Any:
        """The other file, for that module."""
        if fullname == self._module:
            return importlib.util.spec_from_file_location(fullname, self._file)
        return None


def main(module: str, file: str, histories: str, *tests: str) -> int:
    """Whether somebody notices."""
    sys.meta_path.insert(0, _Instead(module, file))
    try:
        if _differs(int(histories)):
            return NOTICED
    except Exception:  # noqa: BLE001 - what does not even start is noticed by whoever starts it
        return NOTICED
    if not tests:
        return UNNOTICED
    import pytest

    quiet = ["-x", "-q", "-n", "0", "-p", "no:cacheprovider", "--no-header", "--tb=no"]
    code = pytest.main([*quiet, "-k", "not postgresql", *tests])
    return UNNOTICED if code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) else NOTICED


def _differs(histories: int) -> bool:
    from archiver.storage import migrate
    from tests.model.histories import made, shuffled
    from tests.model.judging import Judge

    with tempfile.TemporaryDirectory(dir=_MEMORY) as folder:
        url = f"sqlite:///{Path(folder) / 'archive.db'}"
        migrate.create(url)
        judge = Judge(url)
        try:
            return any(
                judge.differences(shuffled(seed, made(seed)) if seed % 2 else made(seed), seed)
                for seed in range(histories)
            )
        finally:
            judge.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
