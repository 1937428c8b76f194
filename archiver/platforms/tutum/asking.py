"""Asks the platform behind a stream what there is, in the stream's name, as items that the stream might have told."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from archiver.model import Micros, Observed
from archiver.platforms.protocol import Missed
from archiver.platforms.tutum.facts import account
from archiver.platforms.tutum.rest import Rest, Stopped
from archiver.platforms.tutum.stock import Stock, Taken


class Asker:
    """What is asked of one platform (see `archiver.platforms.protocol.Asker`)."""

    def __init__(self, stream: str, rest: Rest) -> None:
        self.stream = stream
        self._rest = rest
        self.session: str | None = None
        """The session that is open; None: nobody listens."""
        self.asking = threading.Lock()
        """One asks at a time: they would only slow each other down."""
        self._failed: list[Missed] = []
        self.refused = False
        """Whether the last time ended since more questions are of no use for a while."""

    @property
    def api(self) -> str:
        """Where the platform is asked."""
        return self._rest.api.origin

    @property
    def whose(self) -> str:
        """What identifies the platform: the account, as far as the stream's URL names it."""
        return account(self.stream) or self.stream

    @property
    def questions(self) -> int:
        """How many questions were put so far."""
        return self._rest.questions

    @property
    def failed(self) -> list[Missed]:
        """What could not be learnt the last time."""
        return self._failed

    def ask(self, since: Micros, known_from: Micros, stop: threading.Event) -> Iterator[Observed]:
        """See `archiver.platforms.protocol.Asker.ask`."""
        taken = Taken()
        self._failed, session = taken.failed, self.session
        try:
            for at, payload in Stock(self._rest, stop, taken).take(since, known_from):
                yield Observed(self.stream, session or "", "tutum", at, payload)
        except Stopped:
            taken.failed.append(Missed("", "stopped"))
        self.refused = taken.refused
