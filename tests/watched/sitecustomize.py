"""Notes, in every daemon that the tests start, who opens a file by hand that SQLite has open: its locks would be gone.

Python loads this before the program, where `ARCHIVER_TEST_OPENED` names the file to note it in.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any
from urllib.parse import unquote


def _watch(noted: str) -> None:
    held: set[str] = set()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "sqlite3.connect":
            name, _, how = os.fsdecode(arguments[0]).partition("?")
            if "immutable" not in how:
                path = os.path.realpath(unquote(name.removeprefix("file:")) if name.startswith("file:") else name)
                held.update((path, f"{path}-shm"))
        elif event == "open" and held and isinstance(path := arguments[0], (str, bytes)):
            is_made = arguments[2] & os.O_EXCL  # and nobody has a lock on it yet
            if os.path.realpath(os.fsdecode(path)) in held and not is_made:
                with open(noted, "a") as notes:
                    notes.write(f"{path!r}\n")
                    traceback.print_stack(file=notes)

    sys.addaudithook(hook)


if "run" in sys.orig_argv and (_noted := os.environ.get("ARCHIVER_TEST_OPENED")):
    _watch(_noted)
