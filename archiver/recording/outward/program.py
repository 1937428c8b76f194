"""Runs a program for a hook: what happened on its standard input, a clean environment, a deadline for all it starts."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO

from archiver.codec.visible import escape
from archiver.recording.outward.post import NotTaken

_KEPT = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
_LONGEST_SAID = 500
"""Bytes of what it wrote last that stand in the log when it fails."""
_LOOK_SECONDS = 0.1


def run(
    program: Sequence[str],
    said: bytes,
    told: Mapping[str, str],
    seconds: float,
    ended: Callable[[], bool],
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Runs it to its end. Raises NotTaken when it cannot be run, ends otherwise than with 0, or not in time.

    At the deadline, and when the daemon ends, it is killed with all that it started.
    """
    kept = {name: value for name, value in environ.items() if name in _KEPT or name.startswith("LC_")}
    try:
        process = subprocess.Popen(
            program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**kept, **told},
            cwd="/",
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NotTaken(f"{escape(program[0])} cannot be run: {reason}") from error
    is_over, wrote = False, b""
    try:
        is_over, wrote = _fed(process, said, time.monotonic() + seconds, ended)
    finally:
        if not is_over:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
    if not is_over:
        raise NotTaken("the daemon ended" if ended() else f"it did not end within {seconds:g} s and was killed")
    if code:
        how = f"it was ended by signal {-code}" if code < 0 else f"it ended with code {code}"
        words = " ".join(wrote.decode("utf-8", "replace").split())
        raise NotTaken(f"{how}: {escape(words)}" if words else how)


def _fed(process: subprocess.Popen[bytes], said: bytes, until: float, ended: Callable[[], bool]) -> tuple[bool, bytes]:
    """Gives it what happened, until it ends, or the deadline or the end of the daemon comes: whether it did, its words.

    What it started and left behind may hold its pipes open: nobody waits for these.
    """
    assert process.stdin is not None
    assert process.stdout is not None
    rest, wrote = memoryview(said), b""
    with selectors.DefaultSelector() as selector:
        for pipe, event in ((process.stdin, selectors.EVENT_WRITE), (process.stdout, selectors.EVENT_READ)):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, event)
        while not ended() and time.monotonic() < until:
            over = _is_over(process)
            ready = selector.select(0 if over else _LOOK_SECONDS) if selector.get_map() else []
            if over and not any(key.fileobj is process.stdout for key, _ in ready):
                return True, wrote
            for key, _ in ready:
                if key.fileobj is process.stdin:
                    rest = _given(process.stdin, rest, selector)
                else:
                    wrote = (wrote + _read(process.stdout, selector))[-_LONGEST_SAID:]
            if not selector.get_map():
                time.sleep(_LOOK_SECONDS / 10)
    return False, wrote


def _is_over(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended; it is not taken leave of yet, so that nobody else gets its number before it is needed."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _given(pipe: IO[bytes], rest: memoryview, selector: selectors.BaseSelector) -> memoryview:
    """What is left to be given, and the pipe is closed behind it; a program that does not read it has enough."""
    try:
        rest = rest[os.write(pipe.fileno(), rest[:65536]) :]
    except BlockingIOError:
        return rest
    except OSError:
        rest = rest[:0]
    if not rest:
        selector.unregister(pipe)
        with suppress(OSError):
            pipe.close()
    return rest


def _read(pipe: IO[bytes], selector: selectors.BaseSelector) -> bytes:
    piece = pipe.read(4096)
    if not piece:
        selector.unregister(pipe)
    return piece or b""
