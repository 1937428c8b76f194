"""What the daemon expects of any source of events."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from archiver.model import Item


class Missed(NamedTuple):
    """What could not be learnt by asking a platform, and why, in words that are safe to show."""

    path: str
    reason: str


class Notes(Protocol):
    """Keeps a text for a source from one run to the next; what it wrote last may be lost with the machine."""

    def note(self, stream: str, text: str) -> None:
        """Keeps a text about a stream in the place of the one before. Raises `ArchiverError` when it cannot."""
        ...

    def noted(self, stream: str) -> str | None:
        """The text about a stream; None when there is none. Raises `ArchiverError`."""
        ...


class Source(Protocol):
    """One stream: connects, reconnects, and says what happened."""

    @property
    def stream(self) -> str:
        """The stream's URL without any credential; what the archive calls it."""
        ...

    def items(self, stop: threading.Event) -> Iterator[Item]:
        """Everything that happens, in order, across reconnections, until `stop` is set; then closes and ends.

        What has arrived when `stop` is set is still told; ends within about two and a half seconds. Where not all of it
        could be read by then, `Closed` is dated no later than what was. Every `Opened` is followed by its `Closed`. A
        consumer that is slow to ask for the next item slows the reading down; nothing is dropped for it. Raises
        `CredentialsRefused` only when the source was told to give up on refused credentials, and no other error of the
        network or of the platform.
        """
        ...
