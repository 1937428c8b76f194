"""Takes stock beside an open session, in a thread of its own: no event ever waits for an answer."""

from __future__ import annotations

import json
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from archiver.codec.streams import without_user
from archiver.errors import ArchiverError
from archiver.model import Item, Micros, now_micros
from archiver.platforms.asked import Asked
from archiver.platforms.protocol import FARTHEST_BACK, SETTLE, Notes
from archiver.platforms.tutum.asking import Asker
from archiver.platforms.tutum.facts import LAGS
from archiver.platforms.tutum.pieces import is_greeting
from archiver.platforms.wire.logtext import plain, unexpected

_log = logging.getLogger(__name__)

_NEW = b'"create"'
"""What a message has in it that tells of a new object."""
_OF_OBJECTS = b'"resource_uri"'


@dataclass(frozen=True, slots=True)
class BesidePace:
    """How often stock is taken, in seconds."""

    least: float = 60.0
    """Between two beginnings, however often the connection is opened anew."""
    again: float = 600.0
    """Between two beginnings while the connection holds."""
    after_news: float = 15.0
    """From when something new is told of to when its name is asked for: what comes with it is told of by then."""
    apart: float = 60.0
    """Between two beginnings for that reason."""
    share: float = 0.1
    """Of the time that may be spent in asking: of an account with many objects that takes long."""
    in_doubt: float = LAGS + 1.0
    """From a question shortly before which something was told, which the answer may not know of, to the next one."""
    after_refusal: float = 3600.0
    """The services locked accounts."""
    settle: float = SETTLE
    look: float = 0.5
    monotonic: Callable[[], float] = time.monotonic


class Beside:
    """What is asked beside one stream, from one session to the next."""

    def __init__(
        self, asker: Asker, notes: Notes | None = None, pace: BesidePace | None = None, *, unproven: bool = False
    ) -> None:
        """`unproven`: nothing is asked before the server has greeted as the two services did."""
        self.asker = asker
        self._unproven = unproven
        self._notes = notes
        self._pace = pace or BesidePace()
        self._due = self._pace.monotonic()
        self._began = self._due - self._pace.apart
        self._apart = self._pace.apart
        self._news_at: float | None = None
        """When something new was told of, since it was asked last."""
        self._heard_at = self._opened_at = -math.inf
        """When a message came last, and when the session began: of before, an answer may be for a minute."""
        self._was_in_doubt = False
        self._tries = 0
        self._said: set[str] = set()
        self._since = self._recall()
        """Up to when all actions have been read back; None: nobody ever asked."""
        self._run: Asked | None = None

    def begin(self, session: str, opened_at: Micros) -> None:
        """Begins to ask, for a session that was opened just now, in the second behind: its events are dated by that."""
        self.asker.session = session
        self._opened_at = self._pace.monotonic()
        if not self._tries:  # who did not answer is left alone
            self._due = min(self._due, self._began + max(self._pace.least, self._apart))
        self._due = max(self._due, self._opened_at + 1.0 - opened_at % 1_000_000 / 1_000_000)
        run = self._run = Asked(self._pace.settle, self._pace.look, self._pace.monotonic)
        target, arguments = self._ask_on, (run, opened_at)
        threading.Thread(target=target, args=arguments, name="reconcile", daemon=True).start()

    def heard(self, payload: bytes) -> None:
        """Takes note of a message: of what is new, the name is asked for soon."""
        if self._unproven and is_greeting(payload):
            self._unproven = False
        if _OF_OBJECTS in payload:
            self._heard_at = self._pace.monotonic()
        if self._news_at is None and _NEW in payload:
            self._news_at = self._pace.monotonic()

    def items(self) -> Iterator[Item]:
        """What was answered and has waited long enough; costs next to nothing when that is nothing."""
        run = self._run
        while run is not None and (answer := run.next()) is not None:
            yield answer

    def end(self) -> None:
        """Asks no more: the session is over. What was answered and not handed on will be asked again."""
        self.asker.session = None
        if self._run is not None:
            self._run.over.set()
            self._run = None

    # --- the thread that asks -----------------------------------------------------------------------------------------

    def _ask_on(self, run: Asked, opened_at: Micros) -> None:
        pace = self._pace
        while not run.over.is_set():
            if not self._is_due(pace.monotonic()) or not self.asker.asking.acquire(blocking=False):
                run.over.wait(pace.look)
                continue
            began, now = pace.monotonic(), now_micros()
            has_news = self._news_at is not None
            self._began, self._due, self._news_at = began, began + pace.least, None
            busy = 0.0
            try:
                busy = self._ask(run, opened_at, now)
            except Exception as exc:  # noqa: BLE001 - what nobody has thought of ends one try, and not the archiver
                self._say(f"nothing was learnt from the REST API: {plain(unexpected(exc))}")
                self._tries += 1
            finally:
                self.asker.asking.release()
            if run.over.is_set():
                return
            self._apart = max(pace.apart, busy / pace.share)
            self._due = began + self._wait(began, has_news)

    def _wait(self, began: float, has_news: bool) -> float:
        """How long after the beginning of the last try the next one begins."""
        pace = self._pace
        if self.asker.refused:
            return pace.after_refusal
        in_doubt = max(self._opened_at, self._heard_at) > began - LAGS
        again = has_news or not self._was_in_doubt  # of the same once: some platforms never rest
        self._was_in_doubt = in_doubt and again and not self._tries
        in_a_while = pace.again * 2**self._tries
        return min(pace.after_refusal, max(pace.in_doubt, self._apart) if self._was_in_doubt else in_a_while)

    def _is_due(self, now: float) -> bool:
        if self._unproven:
            return False
        news_at, pace = self._news_at, self._pace
        if news_at is None or self._tries:  # who did not answer is left alone
            return now >= self._due
        return now >= min(self._due, max(news_at + pace.after_news, self._began + self._apart))

    def _ask(self, run: Asked, opened_at: Micros, now: Micros) -> float:
        """Asks once; returns the seconds that the platform was kept busy."""
        since = max(self._since if self._since is not None else opened_at, now - FARTHEST_BACK)
        busy = run.ask(self.asker, since, opened_at)
        if run.over.is_set() or run.over.wait(self._pace.settle):  # what was handed on is made durable meanwhile
            return busy
        failed = self.asker.failed
        if failed:
            more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
            self._say(f"{failed[0].path}: {failed[0].reason}{more}")
        self._tries = min(self._tries + 1, 4) if not all(each.answered for each in failed) else 0
        if not failed:
            self._said.clear()
            self._since = now
            self._note()
        return busy

    def _say(self, what: str) -> None:
        """Says what is not learnt, and not again before all is well."""
        if what not in self._said and len(self._said) < 100:
            self._said.add(what)
            _log.warning("not all that %s has could be asked for: %s; its events are recorded", self.asker.stream, what)

    # --- from one run to the next -------------------------------------------------------------------------------------

    def _note(self) -> None:
        with suppress(ArchiverError):  # a spool that takes nothing is complained of by those who need it more
            if self._notes is not None:
                self._notes.note(self.asker.stream, json.dumps({"asked": self._since}))

    def _recall(self) -> Micros | None:
        with suppress(ArchiverError, ValueError, LookupError, TypeError, RecursionError):
            stream = self.asker.stream
            noted = None
            if self._notes is not None:  # as it was called before anybody kept who logs in
                noted = self._notes.noted(stream) or self._notes.noted(without_user(stream))
            since = json.loads(noted)["asked"] if noted is not None else None
            return since if type(since) is int and since > 0 else None
        return None
