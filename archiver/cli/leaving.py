"""Has a command end as its reader does."""

from __future__ import annotations

import signal


def die_with_the_reader() -> None:
    """A reading command ends as `cat` does when its reader goes away (`| head`); never where something is written."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
