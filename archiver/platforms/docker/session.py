"""One connection to an engine, from its opening to its end: the stream first, beside it all that explains it."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from archiver.errors import StreamUnreachable
from archiver.model import Alive, Closed, EndKind, Item, Message, Micros, Observed, Opened, iso, now_micros
from archiver.platforms.docker.beginning import Beginning
from archiver.platforms.docker.clock import SECOND
from archiver.platforms.docker.http import CLOSED, FAILURES, describe
from archiver.platforms.docker.inbox import Arrival, Ended, Heard, Introduced, Json, Pulse, Question, Recalled, Told
from archiver.platforms.docker.knowledge import Knowledge
from archiver.platforms.docker.memory import is_own, key_of, moment_of, read
from archiver.platforms.docker.notes import Unproven
from archiver.platforms.docker.observing import Observing
from archiver.platforms.docker.proof import Proof, Shown, nano_of
from archiver.platforms.docker.wires import Wires
from archiver.platforms.wire.logtext import plain, unexpected

STOPPED = "stopped"
SKIPPED = "skipped by the engine, which does not wait for a slow listener"
_OF_SWARM = ("service", "node", "secret", "config")


class SessionEnded(Exception):
    """The connection is of no more use."""

    def __init__(self, reason: str, kind: EndKind = "lost") -> None:
        super().__init__(reason)
        self.reason, self.kind = reason, kind


class Session:
    """Turns what comes in at the wires into items."""

    def __init__(self, knowledge: Knowledge, wires: Wires) -> None:
        self._know = knowledge
        self._wires = wires
        self._key = secrets.token_hex(16)
        self._alive: Micros = 0
        self._opened_at: Micros = 0
        self._read_to: Micros = 0
        """When the last message of the stream was told, by our clock."""
        self._heard = now_micros()
        self._proof = Proof(knowledge.pace)
        self._observing = Observing(knowledge, wires, self._key)
        self._began: list[Question] = []
        """What the engine remembers of new objects."""

    def items(self, stop: threading.Event) -> Iterator[Item]:
        """Everything from `Opened` to `Closed`. Raises `FAILURES` when the connection cannot be had; then nothing."""
        know = self._know
        know.lapses.taken()  # what was before, this session shows
        self._wires.open()
        begun = Beginning(know, self._wires)
        begun.gather()
        at = self._alive = self._opened_at = self._wires.feed.opened_at
        heard_to = know.clock.ours(nano_of(know.resume) // 1_000)
        fresh, covered_from = begun.place(at)
        if know.resume is not None:
            self._observing.missed = heard_to, covered_from
        if begun.ended is not None and not fresh:
            raise StreamUnreachable(stream=know.stream, reason=begun.ended.reason)
        self._proof.begin(begun.past, at)
        if (unproven := know.unproven) is not None:  # an earlier run was killed before it could compare
            yield Closed(know.stream, unproven.session, unproven.since, SKIPPED, "skipped")
        know.unproven = None
        yield Opened(know.stream, self._key, "docker", at, covered_from)
        ended = SessionEnded(STOPPED, "stopped")
        try:
            yield from self._alive_with(self._listen(begun, fresh))
        except SessionEnded as exc:
            if not stop.is_set():
                ended = exc
        except FAILURES as exc:
            ended = SessionEnded(describe(exc))
        except Exception as exc:  # noqa: BLE001 - what nobody has thought of ends this connection, and not the archiver
            ended = SessionEnded(unexpected(exc))
        self._mind_lapses()
        if self._wires.cut_short:
            self._alive = max(at, min(self._alive, self._read_to))
        if (doubt := self._proof.doubt) is not None:  # the next connection takes up from there, with what is remembered
            self._alive, know.resume = max(at, min(self._alive, doubt.since)), doubt.resume
        know.unproven = None
        know.note()
        know.unbroken_since = self._alive if know.resume is None else None
        yield Closed(know.stream, self._key, self._alive, plain(ended.reason), ended.kind, ended.reason == CLOSED)

    def _alive_with(self, items: Iterator[Item]) -> Iterator[Item]:
        """Takes note of each sign of life."""
        for item in items:
            if isinstance(item, Message):
                self._alive = max(self._alive, item.received_at)
            elif isinstance(item, Alive):
                self._alive = max(self._alive, item.at)
            elif isinstance(item, Observed):
                self._alive = max(self._alive, min(item.at, now_micros()))  # the engine's clock may be a little ahead
            yield item

    def _listen(self, begun: Beginning, fresh: Iterable[Arrival]) -> Iterator[Item]:
        for introduced in begun.introduced:
            yield from self._observing.introduced(introduced)
        for told in begun.told:
            yield from self._observing.told(told)
        for arrival in fresh:
            yield from self._message(arrival, live=False)
        self._observing.ask_about_what_is_there(self._began)
        if begun.held_back:
            self._say_held_back()
            self._proof.delivered_early(begun.held_back)
        if begun.ended is not None:
            raise SessionEnded(begun.ended.reason, begun.ended.kind)
        tick = min(1.0, self._know.pace.alive_every)
        while True:
            heard = self._wires.inbox.get(tick)
            self._mind_lapses()
            if heard is not None:
                yield from self._take(heard)
            yield from self._do_what_is_due()

    def _take(self, heard: Heard) -> Iterator[Item]:
        if type(heard) is Arrival:
            self._heard = heard.at
            self._proof.told(self._know.pace.monotonic())
            yield from self._message(heard, live=True)
        elif type(heard) is Pulse:
            if not self._wires.inbox.closed.is_set():  # a question that we ended ourselves says nothing
                yield from self._pulse(heard)
        elif type(heard) is Told:
            yield from self._observing.told(heard)
        elif type(heard) is Introduced:
            self._know.learn(heard)
            yield from self._observing.introduced(heard)
        elif type(heard) is Recalled:
            yield from self._recalled(heard)
        elif type(heard) is Ended:
            raise SessionEnded(heard.reason, heard.kind)

    def _recalled(self, heard: Recalled) -> Iterator[Item]:
        if self._wires.feed.is_podmans:
            self._proof.recalled_from_log(heard, self._know.resume)
        else:
            self._proof.recalled(heard)
        is_answered = heard.lines is not None or self._wires.inbox.closed.is_set()
        if not is_answered and (doubt := self._proof.settled(heard.asked)) is not None:
            yield from self._begun_anew(doubt.since, heard.asked)

    def _mind_lapses(self) -> None:
        """Where nobody listened for a while, nothing is proven until the engine's memory is compared."""
        if (since := self._know.lapses.taken()) is not None:
            self._proof.lapsed(since, now_micros(), self._know.resume)
            self._note_doubt()
            self._ask_memory()

    def _note_doubt(self) -> None:
        """Has the next run know what is not proven, should this one be killed before it can compare."""
        doubt = self._proof.doubt
        unproven = None if doubt is None else Unproven(self._key, max(doubt.since, self._opened_at))
        if unproven != self._know.unproven:
            self._know.unproven = unproven
            self._know.note()

    def _ask_memory(self) -> None:
        self._wires.memory.want(self._know.resume if self._wires.feed.is_podmans else None)

    # --- messages ----------------------------------------------------------------------------------------------------

    def _message(self, arrival: Arrival, *, live: bool, newest: bool = True) -> Iterator[Item]:
        """One message, with what is known of it already; what is to be learnt about it is asked for beside it."""
        know = self._know
        found = read(arrival.line, arrival.refused)
        payload = arrival.line
        if self._proof.delivered(found.resume if found is not None else key_of(arrival.line), arrival.line):
            return
        if found is not None:
            message, resume = found
            question, named = know.inventory.about(message, arrival.at)
            yield from self._observing.observed(named, arrival.at, arrival.at)
            payload = _wrap(know.inventory.envelope(message) | self._ahead(message, arrival.at, live), payload)
            if (ended := know.inventory.ended_by(message)) is not None:
                self._wires.stock.drop(ended)
            if newest:
                know.resume = resume
            if live and is_own(message):
                self._read_to = know.clock.ours(moment_of(message) or self._read_to)
            if live and question is not None:
                self._observing.ask(question)
            elif question is not None:
                self._began.append(question)
            if message.get("Type") in _OF_SWARM and not know.inventory.engine.swarm:
                self._wires.pulses.introduce_again()  # it has just joined one
        doubt = self._proof.doubt
        known = know.resume if doubt is None else doubt.resume
        yield Message(know.stream, self._key, "docker", arrival.at, payload, known, arrival.refused)

    def _ahead(self, message: Json, received: Micros, live: bool) -> dict[str, int]:
        """By how much the clock was ahead that dated a message; those of a swarm are dated by its leader's."""
        told, clock = moment_of(message), self._know.clock
        if told is None or not is_own(message):
            return {}
        ahead = clock.ahead_of(told, received) if live else clock.ahead
        return {"ahead": ahead} if ahead and ahead < told else {}

    # --- signs of life -----------------------------------------------------------------------------------------------

    def _pulse(self, pulse: Pulse) -> Iterator[Item]:
        """A sign of life. An engine that is being stopped gives none any more, and still has events to tell."""
        know = self._know
        if pulse.failure is None:
            self._heard = pulse.came
            if self._proof.doubt is None:
                yield Alive(know.stream, self._key, pulse.at)
            yield from self._observing.dated(pulse)
            return
        silence = (pulse.came - self._heard) / SECOND
        if silence >= know.pace.dead_after:
            reason = f"nothing was heard for {silence:.0f} s, and asked for an answer: {pulse.failure}"
            raise SessionEnded(reason, "silent")

    def _do_what_is_due(self) -> Iterator[Item]:
        now = self._know.pace.monotonic()
        self._note_doubt()
        yield from self._observing.do_what_is_due(now)
        if self._proof.is_wanted(now):
            self._ask_memory()
        for shown in self._proof.due(now):
            yield from self._made_good(shown)

    def _made_good(self, shown: Shown) -> Iterator[Item]:
        """Delivers what the stream left out; where more may be missing than the engine remembers, says so."""
        know, missing = self._know, shown.missing
        if shown.proven_to is not None:
            again = know.clock.ours(shown.again) if shown.again is not None else shown.asked
            if again > shown.proven_to:
                yield from self._begun_anew(shown.proven_to, min(again, shown.asked))
        elif shown.at_the_end and shown.after_silence:
            self._say_held_back()
        else:
            text = f"the engine at {know.stream} left out {len(missing)} of its messages; its memory had them all"
            know.log.warning("left out", text)
        self._began = []
        for line in missing:
            newest = shown.at_the_end and line is missing[-1] and nano_of(key_of(line)) >= nano_of(know.resume)
            yield from self._message(Arrival(now_micros(), line), live=False, newest=newest)
        self._proof.delivered_early(missing)
        self._observing.ask_about_what_is_there(self._began)

    def _begun_anew(self, until: Micros, again: Micros) -> Iterator[Item]:
        """Nobody knows what was told between two instants: a session ends at the first, another begins at the other."""
        know = self._know
        lost = f"from {iso(until)} to {iso(again)} the engine at {know.stream} may have left messages out"
        know.log.warning("skipped", f"{lost}, as it does for a slow listener; what it remembers is archived")
        if know.unproven is not None:
            know.unproven = know.unproven._replace(since=min(until, know.unproven.since))
            know.note()
        yield Closed(know.stream, self._key, until, SKIPPED, "skipped")
        self._key = self._observing.session = secrets.token_hex(16)
        self._opened_at = again
        yield Opened(know.stream, self._key, "docker", now_micros(), again)
        know.inventory.observe_again()
        self._observing.missed = until, again
        self._observing.look_at_everything()

    def _say_held_back(self) -> None:
        know = self._know
        instead = f"the engine's memory is asked every {know.pace.proof_every:.0f} s for what it tells"
        know.log.warning("held back", f"something (a buffering proxy?) holds the stream {know.stream} back; {instead}")


def _wrap(facts: Mapping[str, Any], line: bytes) -> bytes:
    """The line, as it came, in the envelope of `decoder.docker`."""
    return b"%s,%s" % (json.dumps(facts).encode()[:-1], b'"message":' + line.strip() + b"}") if facts else line
