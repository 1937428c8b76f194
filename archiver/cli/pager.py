"""Shows an answer that is longer than the terminal through the reader's pager, as git does."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    import subprocess

_NONE = ("", "cat")


class Paged:
    """Standard output while an answer is written: held back up to a screen, and beyond that given to a pager."""

    def __init__(self, out: TextIO, command: str, rows: int) -> None:
        self._out, self._command, self._rows = out, command, rows
        self._held: list[str] = []
        self._lines = 0
        self._pager: subprocess.Popen[str] | None = None
        self.notes: list[Callable[[], None]] = []
        """What is said beside the answer, when that was read."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)

    def write(self, text: str) -> int:
        """Takes a piece of the answer."""
        if self._pager is None:
            self._held.append(text)
            self._lines += text.count("\n")
            if self._lines < self._rows:
                return len(text)
            self._pager = started(self._command)
            text, self._held = "".join(self._held), []
        self._give(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is flushed: who reads a page waits for it."""

    def end(self) -> None:
        """Shows what was held back, or waits until the reader has read."""
        if self._pager is None:
            self._out.write("".join(self._held))
            self._out.flush()
            return
        assert self._pager.stdin is not None
        with suppress(BrokenPipeError):  # he has seen enough
            self._pager.stdin.close()
        self._pager.wait()

    def _give(self, text: str) -> None:
        assert self._pager is not None
        assert self._pager.stdin is not None
        try:
            self._pager.stdin.write(text)
        except BrokenPipeError:
            raise SystemExit(0) from None  # the reader has seen enough


_active: Paged | None = None


@contextmanager
def paging(wanted: bool) -> Iterator[None]:
    """While an answer is written, where it is wanted and there is a terminal, a person at it, and a pager."""
    global _active
    command, rows = chosen(), shutil.get_terminal_size((0, 0)).lines
    if not wanted or not command or not rows or not (_is_terminal(sys.stdin) and _is_terminal(sys.stdout)):
        yield
        return
    paged = Paged(sys.stdout, command, rows)
    before, sys.stdout, _active = sys.stdout, paged, paged
    try:
        yield
    finally:
        sys.stdout, _active = before, None
        paged.end()
        for say in paged.notes:
            say()


def later(say: Callable[[], None]) -> None:
    """Says something now, or when the answer was read."""
    if _active is None:
        say()
    else:
        _active.notes.append(say)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def chosen() -> str:
    """The pager's command line; nothing where there is to be none."""
    if os.environ.get("TERM", "dumb") == "dumb":
        return ""
    command = next((os.environ[name] for name in ("ARCHIVER_PAGER", "PAGER") if name in os.environ), "less").strip()
    first = command.split(maxsplit=1)[0] if command else ""
    return "" if command in _NONE or shutil.which(first) is None else command


def started(command: str) -> subprocess.Popen[str]:
    """The pager, which is given none of our own variables."""
    import signal
    import subprocess

    from archiver.codec.secrets import environment_for_others

    pager = subprocess.Popen(
        command,
        shell=True,
        stdin=subprocess.PIPE,
        env={"LESS": "FRX", "LV": "-c", **environment_for_others(os.environ)},
        encoding="utf-8",
        errors="backslashreplace",
    )
    # Ctrl-C and an early end are the pager's business while it runs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return pager
