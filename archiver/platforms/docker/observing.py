"""Turns what an engine answered beside its stream into observations and conditions, and says what to ask next."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from archiver.model import Condition, Item, Micros, Observed, now_micros
from archiver.model.items import ConditionOf
from archiver.platforms.docker.clock import SECOND, TOLERATED, Clock, moment
from archiver.platforms.docker.http import Answer
from archiver.platforms.docker.inbox import Introduced, Pulse, Question, Told
from archiver.platforms.docker.inspect import Finding
from archiver.platforms.docker.knowledge import Knowledge
from archiver.platforms.docker.questions import CONTAINERS
from archiver.platforms.docker.wires import Wires
from archiver.platforms.wire.logtext import unexpected

_REFUSED = (401, 403, 404, 405)
_WITHOUT_INFO = "neither the engine's ID nor its clock is known"
_ODD = (TypeError, ValueError, RecursionError, AttributeError, KeyError)
"""What an answer of a shape that nobody has thought of may raise; it must not end the reading of the stream."""
_ENDED = ("exited", "dead")
_TOLD = ("created", "started", "finished", "updated", "update_started", "update_completed")


class Observing:
    """What is learnt by asking, in one session."""

    def __init__(self, knowledge: Knowledge, wires: Wires, session: str) -> None:
        self._know = knowledge
        self._wires = wires
        self.session = session
        self.missed: tuple[Micros, Micros] = (0, 0)
        """From when until when nothing of what the engine told was heard before this session, at most."""
        self._begun = False
        self._doubted: Micros | None = None
        now = knowledge.pace.monotonic()
        self._containers_due = self._stock_due = now + knowledge.pace.stock_after
        self._introduction_due = now + knowledge.pace.stock_every

    # --- what was answered -------------------------------------------------------------------------------------------

    def introduced(self, heard: Introduced) -> Iterator[Item]:
        """Says who the engine is, how far its clock is off, and what is wrong with it; then its stock can be taken."""
        know, answer = self._know, heard.answer
        try:
            yield from self._introduced(answer)
        except _ODD as exc:
            know.log.warning(
                "odd", f"what the engine at {know.stream} says of itself is passed over: {unexpected(exc)}"
            )
        self._judge_dates()
        know.note()
        if not self._begun:
            self._begun = True
            self._wires.stock.start()

    def _introduced(self, answer: Answer | None) -> Iterator[Item]:
        know = self._know
        info = answer.value if answer is not None else None
        if answer is not None and type(info) is dict:
            yield self._condition("identity", know.whose.described(info))
            was_worker = know.inventory.manager is False
            yield from self.observed(know.inventory.introduce(know.whose.engine, info), answer.asked, answer.came)
            if know.inventory.manager and was_worker:
                self._containers_due = self._stock_due = know.pace.monotonic()
            if know.clock.offset is not None:
                yield self._condition("clock", str(know.clock.offset))
            if know.whose.trouble is not None:
                yield self._condition("trouble", know.whose.trouble)
        else:
            know.say_missing("/info", _why(answer.status if answer is not None else None), _WITHOUT_INFO)

    def dated(self, pulse: Pulse) -> Iterator[Item]:
        """Compares the clock by the date of a sign of life, which is to the second; asks when it has been set."""
        clock = self._know.clock
        if pulse.date is None:
            return
        if clock.offset is None:
            clock.compare(pulse.date, pulse.at, pulse.came, SECOND)
            yield self._condition("clock", str(clock.offset))
        elif clock.differs(pulse.date, pulse.at) and not self._know.dates_mislead:
            self._doubted = clock.offset
            self._wires.pulses.introduce_again()

    def _judge_dates(self) -> None:
        """Where a proxy dates the answers, that its clock differs says nothing of the engine's."""
        clock, doubted, self._doubted = self._know.clock, self._doubted, None
        if doubted is not None and abs((clock.offset or 0) - doubted) < TOLERATED:
            self._know.dates_mislead = True

    def told(self, told: Told) -> Iterator[Item]:
        """What is there, as a list or an answer about one object tells it."""
        try:
            yield from self._told(told)
        except _ODD as exc:
            what = f"what the engine at {self._know.stream} answered to {told.question.path} is passed over"
            self._know.log.warning("odd", f"{what}: {unexpected(exc)}")

    def _told(self, told: Told) -> Iterator[Item]:
        know, question, answer = self._know, told.question, told.answer
        if answer is None or answer.value is None:
            for asked, finding in know.inventory.unanswered(question):
                yield from self.observed([finding], asked, asked)
            if (answer is None or answer.status >= 500) and not self._wires.stock.waits(question):
                know.inventory.not_asked(question)
        if answer is None:
            return
        if answer.status in _REFUSED and not (question.key and answer.status == 404):
            path = f"/{question.kind}s/*" if question.key else question.path.partition("?")[0]
            know.say_missing(path, _why(answer.status), f"less is known of each {question.kind}")
        elif not question.key:
            findings, questions = know.inventory.listed(question.kind, answer.value, answer.asked)
            yield from self.observed(findings, answer.asked, answer.came)
            for one in questions:
                if not self._wires.stock.want(one):
                    know.inventory.not_asked(one)
        else:
            if know.inventory.outdated(question, answer.asked):
                self._wires.stock.want_later(question, know.pace.settle)
            findings = know.inventory.inspected(question, answer.value, answer.asked)
            yield from self.observed(findings, answer.asked, answer.came)
            yield from self.observed(know.inventory.unmasked(), answer.came, answer.came)

    def observed(self, findings: Iterable[Finding], asked: Micros, came: Micros) -> Iterator[Item]:
        """The observations that findings are; of what ended while nobody listened also when it did, as it says."""
        for finding in findings:
            at = dated(finding, asked, came, self._know.clock)
            payload = json.dumps(finding.payload()).encode()
            if (ended := ended_at(finding, self._know.clock)) is not None and self.missed[0] < ended < self.missed[1]:
                yield Observed(self._know.stream, self.session, "docker", ended, payload)
            yield Observed(self._know.stream, self.session, "docker", at, payload)

    def _condition(self, of: ConditionOf, value: str) -> Condition:
        return Condition(self._know.stream, "docker", now_micros(), of, value)

    # --- what to ask -------------------------------------------------------------------------------------------------

    def ask(self, question: Question) -> None:
        """Asks about what a message told of; before the stock is taken there is no need."""
        if self._begun:
            self._wires.stock.want(question, soon=True)

    def ask_about_what_is_there(self, questions: Iterable[Question]) -> None:
        """Asks about what the engine remembers to have begun and not to have ended."""
        for question in dict.fromkeys(questions):
            if not self._know.inventory.has_ended(question):
                self.ask(question)

    def look_at_everything(self) -> None:
        """Asks for the lists as soon as may be: what was told has been missed."""
        self._containers_due = self._stock_due = self._know.pace.monotonic()

    def do_what_is_due(self, now: float) -> Iterator[Item]:
        """Asks for the lists when it is time to, and observes as gone what they miss."""
        know = self._know
        if now >= self._introduction_due:
            self._introduction_due = now + know.pace.stock_every
            self._wires.pulses.introduce_again()  # is it a manager now, was its clock set
        if self._begun and now >= self._containers_due:
            self._containers_due = now + know.pace.containers_every
            know.note()
            everything = now >= self._stock_due
            if everything:
                self._stock_due = now + know.pace.stock_every
            for question in know.inventory.lists() if everything else (CONTAINERS,):
                self._wires.stock.want(question)
        for asked, finding in know.inventory.vanished(now_micros() - round(know.pace.settle * SECOND)):
            yield from self.observed([finding], asked, asked)


def dated(finding: Finding, asked: Micros, came: Micros, clock: Clock) -> Micros:
    """When an answer was true, by the clock that dates the engine's events.

    That is the instant of the question: whatever happens while it is answered comes after it, whichever way the answer
    went. When the answer tells of something later itself, it is that instant.
    """
    said = [clock.ours(at) for name in _TOLD if (at := moment(finding.extra.get(name))) is not None]
    return max(clock.asked(asked), min(max(said, default=0), clock.came(came)))


def ended_at(finding: Finding, clock: Clock) -> Micros | None:
    """When a container ended that has not run since, by the clock that dates the engine's events; None: it runs."""
    finished = moment(finding.extra.get("finished")) if (finding.state or "").startswith(_ENDED) else None
    return None if finished is None else clock.ours(finished)


def _why(status: int | None) -> str:
    return "was not answered" if status is None else f"was refused ({status})"
