"""How a job is done: step by step, so that whoever records has his turn between two."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

_IDLE_SECONDS = 0.05

Idle = str
IDLE: Idle = "idle"
"""What a job yields that waits for somebody else: there is no need to go on at once."""
Steps = Generator[Idle | None, None, dict[str, Any]]
"""A job step by step, each a transaction of bounded size, or `IDLE`; in the end its answer."""


def finished(steps: Steps) -> dict[str, Any]:
    """All steps of a job one after the other, and its answer."""
    while True:
        try:
            if next(steps) is IDLE:
                time.sleep(_IDLE_SECONDS)
        except StopIteration as end:
            found: dict[str, Any] = end.value
            return found
