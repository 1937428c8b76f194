"""Tells one receiver of what fulfils its conditions, one call each, and many together where they come too fast."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from archiver.api.archive import Archive
from archiver.codec.streams import without_user
from archiver.errors import ArchiverError
from archiver.model import Gap, TimeRange, to_datetime, to_micros
from archiver.model.hooks import CAUSES, GAP, LOOP, MISSING, REJECT, STATE, Hook, Wish
from archiver.queries.causes import PLANNED, is_wanted
from archiver.queries.waking import Change, Place, Source, States, Word, fits
from archiver.recording.outward.calls import (
    Fact,
    Together,
    of_change,
    of_flood,
    of_gap,
    of_missing,
    of_reject,
)
from archiver.recording.outward.pace import Bucket
from archiver.recording.outward.post import Target, post
from archiver.recording.outward.program import run
from archiver.recording.outward.sender import Sender

log = logging.getLogger(__name__)

MOST_AT_ONCE = 5_000
"""Ends and changes of state that are looked at one by one; of more at once it is told how many there were."""
_COUNTED = 100_000
_SOURCES: tuple[Source, Source] = ("events", "observations")
_BEHIND = timedelta(minutes=2)
"""So far back gaps are looked for again: what is silent is known to be so only later."""
_AHEAD = timedelta(hours=1)
"""What is dated farther ahead than this is of a wrong clock, and not waited for."""
_JSON = {"Content-Type": "application/json"}


def key_of(hook: Hook) -> str:
    """What tells a hook from others, and says nothing of it."""
    said = json.dumps([hook.on, hook.program, hook.url])
    return "hook-" + hashlib.sha256(said.encode()).hexdigest()[:16]


class Caller(Sender):
    """One hook. `number` names it in metrics; `target` is where it posts, `None`: it runs a program."""

    def __init__(self, hook: Hook, number: int, target: Target | None, per_minute: int, *args: Any) -> None:
        super().__init__(f"hook {number} ({hook.shown})", key_of(hook), *args)
        self.hook, self.number = hook, number
        self._target = target
        self._bucket = Bucket(per_minute)
        self._held: Together | None = None
        self._at_once = [wish for wish in hook.wishes if wish.kind in (STATE, LOOP, *CAUSES)]
        self._later = [wish for wish in hook.wishes if wish.kind == MISSING]
        self._gaps = [wish for wish in hook.wishes if wish.kind == GAP]
        self._rejects = tuple(wish.text for wish in hook.wishes if wish.kind == REJECT)
        words = [wish.word for wish in self._at_once if wish.kind == STATE]
        self._states = States(words, stops=any(wish.kind != STATE for wish in self._at_once))

    @property
    def waiting(self) -> int:
        """How much is known to wait."""
        return self._held.count if self._held is not None else super().waiting

    # --- what is kept ---------------------------------------------------------------------------------------------

    def begun(self, end: Place) -> dict[str, Any]:
        """From now on."""
        both = [end.events, end.observations]
        now = to_micros(datetime.now(UTC))
        return {
            "changes": both,
            "rejects": end.rejects,
            **{_key(wish): list(both) for wish in self._later},
            **{_key(wish): {"to": now, "told": {}} for wish in self._gaps},
        }

    def reached(self) -> Place:
        """The farthest place in the state."""
        if not self.state:
            return Place()
        pairs = [self.state["changes"], *(self.state[_key(wish)] for wish in self._later)]
        return Place(max(pair[0] for pair in pairs), max(pair[1] for pair in pairs), self.state["rejects"])

    def understood(self, kept: Mapping[str, Any]) -> dict[str, Any]:
        """The state that was kept; empty when it cannot be understood."""
        try:
            found: dict[str, Any] = {name: _pair(kept[name]) for name in ["changes", *map(_key, self._later)]}
            found["rejects"] = int(kept["rejects"])
            for name in map(_key, self._gaps):
                told = {str(url): [int(at), bool(open_)] for url, (at, open_) in kept[name]["told"].items()}
                found[name] = {"to": int(kept[name]["to"]), "told": told}
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            return {}
        return found

    # --- telling --------------------------------------------------------------------------------------------------

    def look(self, archive: Archive, end: Place) -> None:
        """Reads what is new and tells it."""
        for fact in self._facts(archive, end):
            self._held = self._held or Together()
            self._held.add(fact)
            self._tell()
        self._tell()
        if self._held is None:
            self.keep(now=False)

    def _tell(self) -> None:
        """Tells what is held, where that is not too much for this minute."""
        if self._held is None or not self._bucket.take():
            return
        fact, dropped = self._held.fact(), self.dropped
        self.deliver(partial(self._call, fact))
        self._held = None
        if self.dropped > dropped:
            self._bucket.empty()  # what waited meanwhile is told together
        self.keep()

    def _call(self, fact: Fact) -> None:
        """One try. Raises NotTaken."""
        if self._target is not None:
            headers = {**_JSON, "Idempotency-Key": hashlib.sha256(fact.id.encode()).hexdigest()[:32]}
            post(self._target, fact.call, headers, self.pace.answer, self.is_over)
        else:
            run(self.hook.program, fact.call, fact.environment, self.pace.program, self.is_over)

    # --- reading --------------------------------------------------------------------------------------------------
    # Each moves the state past what it gives before it gives it: while anything is held, nothing is kept.

    def _facts(self, archive: Archive, end: Place) -> Iterator[Fact]:
        settled = self.settled.look(end, self.pace.settle)
        if self._rejects:
            for reject in archive.rejects_behind(self.state["rejects"], end.rejects, MOST_AT_ONCE):
                self.state["rejects"] = reject.id
                yield of_reject(reject, self._rejects, self.mark)
        if settled is not None:
            if self._at_once:
                yield from self._changes(archive, settled)
            for wish in self._later:
                yield from self._missing(archive, settled, wish)
        for wish in self._gaps:
            yield from self._blind(archive, wish)

    def _changes(self, archive: Archive, settled: Place) -> Iterator[Fact]:
        reached = self.state["changes"]
        for place, source in enumerate(_SOURCES):
            if reached[place] >= settled[place]:
                continue
            span = (reached[place], settled[place])
            number = archive.how_many_words(source, *span, self._states, _COUNTED)
            if number > MOST_AT_ONCE:
                reached[place] = settled[place]
                identity = f"{self.mark}-{source[0]}{span[0]}-{span[1]}"
                on = tuple(wish.text for wish in self._at_once)
                yield of_flood(number, on, identity, datetime.now(UTC), most=_COUNTED)
                continue
            for word in archive.words(source, *span, self._states, MOST_AT_ONCE):
                began = time.thread_time()
                change = self._judged(archive, word)
                reached[place] = word.id
                if change is not None and (on := tuple(self._fulfilled(change))):
                    yield of_change(change, on, self.mark)
                self.rest(began)
            reached[place] = settled[place]

    def _fulfilled(self, change: Change) -> Iterator[str]:
        """The conditions that a state that began fulfils; what was meant to stop wakes only who asks for that."""
        cause, word = change.cause, change.word
        # What was found to be so when it was heard of first has been so for nobody knows how long.
        is_news = change.before is not None or word.source == "events"
        for wish in self._at_once:
            if wish.kind == STATE:
                is_so = is_news and fits(wish.word, word.state) and (cause is None or cause.kind not in PLANNED)
            elif wish.kind == LOOP:
                is_so = bool(change.loop)
            elif cause is None or cause.kind != wish.kind:
                is_so = False
            else:
                is_so = cause.kind in PLANNED or not is_wanted(cause)
            if is_so:
                yield wish.text

    def _missing(self, archive: Archive, settled: Place, wish: Wish) -> Iterator[Fact]:
        reached, now = self.state[_key(wish)], datetime.now(UTC)
        for place, source in enumerate(_SOURCES):
            if reached[place] >= settled[place]:
                continue
            words = archive.words(source, reached[place], settled[place], _ENDS, MOST_AT_ONCE)
            for word in words:
                if now - wish.after < word.at < now + _AHEAD:
                    break
                began = time.thread_time()
                change = self._judged(archive, word)
                reached[place] = word.id
                if change and change.missing and change.cause and not is_wanted(change.cause):
                    yield of_missing(change, (wish.text,), self.mark)
                self.rest(began)
            else:
                if len(words) < MOST_AT_ONCE:
                    reached[place] = settled[place]

    def _judged(self, archive: Archive, word: Word) -> Change | None:
        try:
            return archive.change(word)
        except ArchiverError:
            raise
        except Exception:
            log.exception("%s: what became of %s could not be judged", self.name, word.resource.uri)
            return None

    def _blind(self, archive: Archive, wish: Wish) -> Iterator[Fact]:
        state, now = self.state[_key(wish)], datetime.now(UTC)
        self._set_back(state, now)
        since = to_datetime(state["to"])
        found = archive.coverage(TimeRange(since)).gaps
        told = state["told"]
        for gap in found:
            if gap.stream is None or gap.since is None or gap.since <= since or gap.kind in _NO_NEWS:
                continue
            if self._is_news(gap, told, wish, now):
                told[gap.stream] = [to_micros(gap.until or gap.since), gap.until is None]
                yield of_gap(gap, (wish.text,), self.mark)
        state["to"] = max(state["to"], self._seen_to(found, since, now))

    def _set_back(self, state: dict[str, Any], now: datetime) -> None:
        """What is kept of a time to come is of a clock that was ahead: it would keep silent until then."""
        self.began = min(self.began, now)
        state["to"] = min(state["to"], to_micros(now))
        for stream in [stream for stream, (at, _) in state["told"].items() if at > to_micros(now)]:
            del state["told"][stream]

    def _is_news(self, gap: Gap, told: dict[str, list[Any]], wish: Wish, now: datetime) -> bool:
        """Whether a gap was not told yet, and lasted long enough."""
        assert gap.stream is not None
        assert gap.since is not None
        # As it was called before anybody kept who logs in.
        at, is_open = told.get(gap.stream, told.get(without_user(gap.stream), [0, False]))
        if is_open and (gap.until is None or to_micros(gap.until) > at):
            # It was told when it had begun; its beginning may have moved since.
            told[gap.stream] = [at, True] if gap.until is None else [to_micros(gap.until), False]
            return False
        if to_micros(gap.since) < at:
            return False
        if gap.until is not None:
            return gap.until - gap.since >= wish.after
        # The first connection after a start may make up for all of it.
        return now - max(gap.since, self.began) >= max(wish.after, timedelta(seconds=self.pace.gap))

    def _seen_to(self, found: Sequence[Gap], since: datetime, now: datetime) -> int:
        """Up to where nothing need be looked at again: before what is open, or may turn out to have been one."""
        open_ = [gap.since for gap in found if gap.until is None and gap.since is not None and gap.since > since]
        return to_micros(min([now - _BEHIND - timedelta(seconds=self.pace.gap), *open_])) - 1


_ENDS = States((), stops=True)
_NO_NEWS = frozenset({"before", "imported", "stopped"})
"""Nobody was to watch then, or the archiver was told to stop."""


def _key(wish: Wish) -> str:
    return f"{wish.kind} {wish.after.total_seconds():g}"


def _pair(value: Any) -> list[int]:
    first, second = value
    return [int(first), int(second)]
