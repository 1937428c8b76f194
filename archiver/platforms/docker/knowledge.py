"""What a source keeps of an engine from one connection to the next."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from archiver.errors import ArchiverError
from archiver.model import Micros
from archiver.platforms.docker.clock import SECOND, TOLERATED, Clock, moment
from archiver.platforms.docker.endpoint import Endpoint
from archiver.platforms.docker.facts import text
from archiver.platforms.docker.http import Api, Limits, Way
from archiver.platforms.docker.inbox import Introduced
from archiver.platforms.docker.inventory import Inventory
from archiver.platforms.docker.lapses import Lapses
from archiver.platforms.docker.notes import Unproven, read, unproven_in, write
from archiver.platforms.docker.pace import DockerPace
from archiver.platforms.docker.whose import Whose
from archiver.platforms.protocol import Notes
from archiver.platforms.wire.logtext import QuietLog


@dataclass(slots=True)
class Knowledge:
    """How an engine is reached, who it is, what there is, and how far its stream is read."""

    endpoint: Endpoint
    pace: DockerPace
    limits: Limits
    log: QuietLog
    whose: Whose
    lapses: Lapses
    resume: str | None = None
    """What the last message that was delivered is known by."""
    way: Way = field(default_factory=Way)
    clock: Clock = field(default_factory=Clock)
    inventory: Inventory = field(default_factory=Inventory)
    missing: set[str] = field(default_factory=set)
    """The paths at which nothing was to be learnt, and that were named for it."""
    dates_mislead: bool = False
    """Whether another clock than the engine's dates its answers."""
    notes: Notes | None = None
    noted: str | None = None
    """What was noted last."""
    unproven: Unproven | None = None
    """Of the last session, or of this one: to be noted before anything is delivered that came later."""
    unbroken_since: Micros | None = None
    """The end of the last session, while nothing shows that the engine itself was away since."""

    @property
    def stream(self) -> str:
        """The engine's URL, without any credential."""
        return self.endpoint.url

    def api(self) -> Api:
        """A new connection for questions."""
        return Api(self.endpoint, self.way, self.pace.patience, self.limits)

    def say_missing(self, path: str, what: str, without: str) -> None:
        """Names, once, a path at which nothing was to be learnt, and what is not known without it."""
        if path not in self.missing:
            self.missing.add(path)
            self.log.warning(
                "missing", f"{path} {what} at {self.stream}: without it {without}; the events are recorded"
            )

    def note(self) -> None:
        """Has what the next run of the archiver should know kept, if it is anything new."""
        text = write(self.whose.known, self.whose.engine, self.inventory, self.unproven)
        if self.notes is not None and text != self.noted:
            with suppress(ArchiverError):  # a spool that takes nothing is complained of by those who need it more
                self.notes.note(self.stream, text)
                self.noted = text

    def recall(self) -> None:
        """Takes in what an earlier run has noted."""
        with suppress(ArchiverError):
            self.noted = self.notes.noted(self.stream) if self.notes is not None else None
        self.unproven = unproven_in(self.noted) if self.noted is not None else None
        if self.noted is not None and (who := read(self.noted, self.inventory)) is not None:
            self.whose.recall(*who)

    def learn(self, heard: Introduced) -> None:
        """Takes in who the engine says it is, and its clock."""
        info = heard.answer.value if heard.answer is not None else None
        if heard.answer is None or type(info) is not dict:
            return
        another, said = self.whose.learn(info)
        if said is not None:
            self.log.warning("identity", said)
        if another:
            self.inventory, self.clock = Inventory(), Clock()
        told = moment(text(info, "SystemTime"))
        if told is not None:
            self._compare(told, heard.answer.asked, heard.answer.came)

    def _compare(self, told: Micros, asked: Micros, came: Micros) -> None:
        before = self.clock.ahead
        self.clock.compare(told, asked, came)
        if (ahead := self.clock.ahead) and abs(ahead - before) > TOLERATED:
            how = f"{abs(ahead) / SECOND:.0f} s {'ahead of' if ahead > 0 else 'behind'} ours"
            text = f"the clock of the engine at {self.stream} is {how}: its events are dated by ours"
            self.log.warning("clock", text)
