"""What the daemon expects of any source of events."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from archiver.model import Item, Micros, Observed


class Missed(NamedTuple):
    """What could not be learnt by asking a platform, and why, in words that are safe to show."""

    path: str
    reason: str
    answered: bool = False
    """Whether the platform did answer, and only its list changed while it was read."""


class Notes(Protocol):
    """Keeps a text for a source from one run to the next; what it wrote last may be lost with the machine."""

    def note(self, stream: str, text: str) -> None:
        """Keeps a text about a stream in the place of the one before. Raises `ArchiverError` when it cannot."""
        ...

    def noted(self, stream: str) -> str | None:
        """The text about a stream; None when there is none. Raises `ArchiverError`."""
        ...


FARTHEST_BACK: Micros = 7 * 86_400 * 1_000_000
"""How far back actions are asked for, unless somebody wants more."""
SETTLE = 2.0
"""Seconds for which an answer waits for events that were under way, which know better: more than the second by which
the platforms date."""


class Asker(Protocol):
    """Asks the platform behind a stream what there is; whoever records the answers sorts out what is known already."""

    @property
    def stream(self) -> str:
        """The stream's URL without any credential."""
        ...

    @property
    def api(self) -> str:
        """Where the platform is asked: http[s]://host[:port]."""
        ...

    @property
    def whose(self) -> str:
        """What identifies the platform that is asked, where the archive does not know its stream yet."""
        ...

    @property
    def session(self) -> str | None:
        """The session that is open at present; None: nobody listens."""
        ...

    @property
    def questions(self) -> int:
        """How many questions were put so far."""
        ...

    @property
    def failed(self) -> Sequence[Missed]:
        """What could not be learnt the last time."""
        ...

    @property
    def asking(self) -> threading.Lock:
        """Held by whoever asks."""
        ...

    def ask(self, since: Micros, known_from: Micros, stop: threading.Event) -> Iterator[Observed]:
        """All that there is, and the actions that ran since an instant; ends early when `stop` is set.

        States told before `known_from` are to be confirmed. What cannot be learnt stands in `failed`; raises nothing of
        the network or of the platform. Where nobody listens the session is empty.
        """
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
