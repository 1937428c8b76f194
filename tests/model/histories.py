"""Makes up histories, small and odd, each from a seed: what several receivers of several streams hand over."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID, uuid5

from archiver.codec.text import dump
from archiver.model import (
    Alive,
    Closed,
    Condition,
    Event,
    Micros,
    Observation,
    Opened,
    Record,
    Reject,
    ResourceRef,
    Together,
    to_micros,
)

from .platforms import ACCOUNTS, ENGINE, ONE, TWO

SECOND = 1_000_000
START = to_micros(datetime(2016, 2, 1, 12, 0, tzinfo=UTC))
IMPORT_TO = "import to "
"""How a receiver is called that is somebody who imports, and says of which platform it is."""


class Batch(NamedTuple):
    """What one receiver hands over at once; None: somebody imports."""

    receiver: str | None
    records: tuple[Record, ...]


History = tuple[Batch, ...]

_UUIDS = [f"{kind * 8}-0000-4000-8000-{kind * 12}" for kind in "abcdef"]
KEYS = {
    "stack": ["s1", "s2"],
    "service": [_UUIDS[0], "w2"],
    "node": ["n1", "N2"],
    "nodecluster": ["k1", "k2"],
    "container": [_UUIDS[1], "c2", "C2", "c4"],
    "action": ["a1", _UUIDS[2], "a3"],
    "volume": ["v1", "v2"],
    "network": ["x1"],
    "repository": ["ns/image"],
}
"""Few things, so that they meet often; some keys are uuids, which any case spells, and some differ by case."""
_STATES = {
    "action": ["Pending", "In progress", "in progress", "Success", "Failed", "Canceling"],
    "container": ["Starting", "Running", "running", "Stopped", "exited (0)", "Terminated", "terminated", "removed"],
    "volume": ["created", "destroyed", "removed", "Created"],
}
_OTHER_STATES = ["Not running", "Not Running", "Running", "Terminated", "Deployed"]
_NAMES = ["web", "db", "web.1", "Web"]
_IMAGES = ["nginx:1.25", "nginx:1.26", "web"]
_USUAL = {
    "container": ["service", "stack", "node", "nodecluster"],
    "service": ["stack"],
    "node": ["nodecluster"],
    "action": ["container", "service", "stack", "node", "nodecluster"],
    "volume": ["node"],
    "network": ["stack"],
}
LABELLED = dump({"labels": {"com.example.a": "v" * 250}})
"""What is shared."""
TAGGED = ['{"tags":[{"name":"b"},{"name":"a"}]}', '{"tags":["b"]}', '{"tags":[]}']
MARKED = [f'{{"created":"then","restarts":{life},"started":"{life}","updated":"{life}"}}' for life in (1, 1, 2)]
"""What answers say of the life in which they find something, whatever it is."""
_ENDS = ("stopped", "lost", "refused", "silent", "skipped", "clock")


class _Connection:
    """What one receiver knows of one stream."""

    def __init__(self, receiver: str, stream: str) -> None:
        self.receiver, self.stream = receiver, stream
        self.session: str | None = None


class Maker:
    """Makes up one history."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        pick = self._random
        self._now = 0.0
        self._size = pick.choice([4, 8, 14, 24, 40])
        self._pace = pick.choice([1, 1, 1, 600, 1800])
        self._spread = pick.choice([2, 6, 20]) * self._pace
        self._kinds = pick.choice([["container", "service", "action"], list(KEYS), list(KEYS)])
        self._oddity = pick.choice([0.1, 0.3, 0.6])
        self._docker = pick.choice([0.0, 0.5, 1.0])
        self._late = pick.choice([0.0, 0.3, 0.8])
        self._sessions = 0
        self._homes: dict[ResourceRef, dict[str, ResourceRef]] = {}
        self._told: list[Event] = []
        streams = pick.choice([ACCOUNTS[:1], (ACCOUNTS[0], ENGINE), ACCOUNTS])
        self._imports: list[str | None] = [None] if streams != ACCOUNTS else [f"{IMPORT_TO}{n}" for n in (ONE, TWO)]
        self._connections = [
            _Connection(f"receiver {number}", stream) for number in range(pick.choice([1, 2])) for stream in streams
        ]

    def history(self) -> History:
        """Some batches, cut anywhere."""
        told = [one for _ in range(self._size) for one in self._step()]
        return cut(self._random, told)

    def _step(self) -> Iterator[tuple[str | None, Record]]:
        pick = self._random
        self._now += pick.choice([0, 0, 0.5, 1, 1, 2, 7]) * self._pace
        connection = pick.choice([None, *self._connections])
        kind = pick.random()
        if connection is None:
            yield pick.choice(self._imports), self._spoken(None, kind)
        elif kind < 0.2 or (connection.session is None and kind < 0.7):
            yield from ((connection.receiver, record) for record in self._connected(connection))
        else:
            lost = connection.session is None and None not in self._imports  # of which account, somebody has to say
            receiver = pick.choice(self._imports) if lost else connection.receiver
            yield receiver, self._spoken(connection.session, (kind - 0.2) / 0.8)

    def _connected(self, connection: _Connection) -> Iterator[Record]:
        """A session opens, shows that it is there, ends, or is left open by a receiver that died."""
        pick, now = self._random, at(self._now)
        if connection.session is None:
            self._sessions += 1
            connection.session = f"session {self._sessions}"
            since = at(self._now - pick.choice([0, 0, 0, 1, 10]))
            yield Opened(connection.stream, connection.session, self._dialect(connection), now, since)
            return
        what = pick.random()
        if what < 0.3:
            yield Alive(connection.stream, connection.session, now)
        elif what < 0.8:
            end = pick.choice(_ENDS)
            yield Closed(connection.stream, connection.session, now, f"it was {end}", end)  # type: ignore[arg-type]
            connection.session = None
        elif what < 0.9:
            of = pick.choice(["trouble", "clock"])
            value = pick.choice([None, "1500000" if of == "clock" else "no answer"])
            yield Condition(connection.stream, self._dialect(connection), now, of, value)  # type: ignore[arg-type]
        else:
            connection.session = None

    def _dialect(self, connection: _Connection) -> str:  # a literal
        return "docker" if connection.stream.startswith("unix") else "tutum"

    # --- what is said ---

    def _spoken(self, session: str | None, kind: float) -> Record:
        pick = self._random
        if kind < 0.04:
            return Reject(b"\xff", "not UTF-8", at(self._now), session)
        if kind < 0.08:
            return Together((self._event(session), self._observation(session), self._observation(session)))
        if kind < 0.25:
            return self._observation(session)
        if kind < 0.38 and self._told:
            return self._again(pick.choice(self._told), session)
        event = self._of_engine(session) if kind < 0.46 else self._event(session)
        self._told.append(event)
        return event

    def _of_engine(self, session: str | None) -> Event:
        """What an engine tells: that its swarm removed something, which each manager dates, or anything of its own."""
        pick = self._random
        source = pick.choice(["told", "engine"])
        action, scope, state = ("remove", "swarm", "removed") if source == "told" else ("start", "local", "running")
        kind = pick.choice(["service", "node"] if source == "told" else ["container", "volume"])
        key = pick.choice(KEYS[kind])
        message = {"Type": kind, "Action": action, "Actor": {"ID": key}, "scope": scope}
        uri, uuid = f"/docker/v1/{kind}/{key}/", str(uuid5(UUID(int=0), f"{kind} {key}"))
        extra = dump({"message": message})
        received_at, when = at(self._now), self._when()
        return Event(kind, action, state, uri, (), when, source, received_at, uuid, extra, session)  # type: ignore[arg-type]

    def _event(self, session: str | None) -> Event:
        pick = self._random
        ref, received_at = self._about(), at(self._now)
        source = pick.choice(["datetime", "datetime", "datetime", "date", "received"])
        occurred_at = received_at if source == "received" else self._when()
        return Event(
            ref.type if ref is not None and pick.random() < 0.9 else "odd",
            pick.choice(["create", "update", "update", "delete", None]),
            self._state(ref),
            None if ref is None else self._spelled(ref),
            self._parents(ref),
            occurred_at,
            source,  # type: ignore[arg-type]
            received_at,
            self._uuid(),
            pick.choice([None, None, '{"more":1}', LABELLED, *TAGGED]),
            session,
            self._name(),
            self._image(),
            self._slot(),
        )

    def _observation(self, session: str | None) -> Observation:
        pick = self._random
        ref = pick.choice([ref for ref in self._refs() if ref.type != "action" or pick.random() < 0.1])
        name, parents = self._name(), self._parents(ref) if pick.random() < 0.6 else ()
        extra = pick.choice([None, '{"found":1}', LABELLED, *TAGGED, *MARKED])
        told = (self._spelled(ref), self._state(ref), name, parents, self._when(), extra, session)
        return Observation(*told, image=self._image(), slot=self._slot())

    def _again(self, event: Event, session: str | None) -> Event:
        """The same event, or something else under its uuid, told once more."""
        pick = self._random
        again = event._replace(session=session, received_at=at(self._now))
        if event.time_source == "received":
            again = again._replace(occurred_at=again.received_at)
        if event.time_source == "told":
            return again._replace(occurred_at=self._when())
        if event.time_source == "engine":  # what it changes depends on what was heard before
            return again._replace(occurred_at=self._when(), state=pick.choice([None, event.state]))
        what = pick.random()
        if what < 0.15:
            again = again._replace(state=pick.choice(["Other", None, event.state]))
        elif what < 0.25:
            again = again._replace(parents=event.parents[1:])
        elif what < 0.35 and event.time_source != "received":
            again = again._replace(occurred_at=self._when())
        return again

    def _about(self) -> ResourceRef | None:
        return self._random.choice([*self._refs() * 3, None])

    def _refs(self) -> list[ResourceRef]:
        return [ResourceRef(kind, key) for kind in self._kinds for key in KEYS[kind]]

    def _when(self) -> Micros:
        pick = self._random
        if pick.random() < 0.004:
            return to_micros(datetime(pick.choice([1, 1969, 2101, 9999]), 12, 31, tzinfo=UTC))
        back = pick.random() * self._spread if pick.random() < self._late else 0
        return at(int(self._now - back)) + pick.choice([0, 0, 0, 0, 1, 250_000])

    def _state(self, ref: ResourceRef | None) -> str | None:
        pick = self._random
        kind = "" if ref is None else ref.type
        return pick.choice([None, *_STATES.get(kind, _OTHER_STATES)]) if pick.random() < 0.8 else None

    def _name(self) -> str | None:
        pick = self._random
        return pick.choice(_NAMES) if pick.random() < 0.25 else None

    def _image(self) -> str | None:
        pick = self._random
        return pick.choice(_IMAGES) if pick.random() < 0.25 else None

    def _slot(self) -> str | None:
        pick = self._random
        return pick.choice(_NAMES) if pick.random() < 0.15 else None

    def _uuid(self) -> str | None:
        pick = self._random
        if pick.random() < 0.5:
            return None
        found = str(UUID(int=pick.getrandbits(128), version=4))
        return pick.choice([found, found, found, found.upper(), f"told {pick.randrange(99)}", found[:16]])

    # --- places ---

    def _parents(self, ref: ResourceRef | None) -> tuple[str, ...]:
        pick = self._random
        found = self._usual(ref) if ref is not None else []
        if pick.random() < self._oddity:
            found = self._odd(found)
        return tuple([self._spelled(parent) for parent in found])

    def _usual(self, ref: ResourceRef) -> list[ResourceRef]:
        """Where it is at home, from which it moves now and then."""
        pick = self._random
        home = self._homes.setdefault(ref, {})
        for kind in _USUAL.get(ref.type, ()):
            if kind not in home or pick.random() < 0.1:
                home[kind] = ResourceRef(kind, pick.choice(KEYS[kind]))
        kept = 0.5 if ref.type == "action" else 0.9
        return [parent for parent in home.values() if pick.random() < kept]

    def _odd(self, parents: list[ResourceRef]) -> list[ResourceRef]:
        """Partial, repeated, doubled, in another order, or of anything at all."""
        pick = self._random
        what = pick.randrange(5)
        if what == 0:
            return [parent for parent in parents if pick.random() < 0.4]
        if what == 1:
            more = [*parents, *(ResourceRef(parent.type, pick.choice(KEYS[parent.type])) for parent in parents)]
            return pick.sample(more, len(more))
        if what == 2:
            return [*parents, *parents[:2]]
        if what == 3:
            return parents + pick.sample(self._refs(), pick.randrange(1, 3))
        return pick.sample(self._refs(), pick.randrange(4))

    def _spelled(self, ref: ResourceRef) -> str:
        pick = self._random
        usual = (
            f"/docker/v1/{ref.type}/{ref.key}/" if pick.random() < self._docker else f"/api/v1/{ref.type}/{ref.key}/"
        )
        if pick.random() > self._oddity / 2 or ref.type not in _USUAL or ref.type in ("volume", "network"):
            return usual
        key = ref.key.upper() if ref.key in _UUIDS else ref.key
        others = [
            f"/api/v1/{ref.type}/{key}",
            f"/api/app/v1/{ref.type}/{key}/",
            f"/api/app/v1/someone/{ref.type}/{key}/",
            f"https://dashboard.example/api/v1/{ref.type}/{key}/",
        ]
        return pick.choice(others)


def at(second: float) -> Micros:
    """So many seconds after the beginning."""
    return START + int(second * SECOND)


def made(seed: int) -> History:
    """The history of a seed."""
    return Maker(seed).history()


def flat(history: History) -> list[tuple[str | None, Record]]:
    """Every record with its receiver."""
    return [(batch.receiver, record) for batch in history for record in batch.records]


def cut(pick: random.Random, told: Sequence[tuple[str | None, Record]]) -> History:
    """In batches of any sizes, each of one receiver."""
    likely = pick.choice([0.0, 0.1, 0.4, 1.0])
    number, places = 0, []
    for place in range(len(told)):
        number += place > 0 and (told[place][0] != told[place - 1][0] or pick.random() < likely)
        places.append(number)
    batches = groupby(zip(places, told, strict=True), key=lambda found: found[0])
    return tuple(_batch([one for _, one in group]) for _, group in batches)


def _batch(told: list[tuple[str | None, Record]]) -> Batch:
    return Batch(told[0][0], tuple([record for _, record in told]))


def shuffled(seed: int, history: History) -> History:
    """The same words in another order and other batches; of one instant, source or uuid they keep their order.

    Sessions open first and end last, as they did.
    """
    pick = random.Random(seed)
    told = [(receiver, part) for receiver, record in flat(history) for part in parts(record)]
    first = [one for one in told if isinstance(one[1], Opened)]
    last = [one for one in told if isinstance(one[1], Alive | Closed | Condition)]
    words = [one for one in told if isinstance(one[1], Event | Observation | Reject)]
    return cut(pick, [*first, *_mixed(pick, words), *last])


def _mixed(pick: random.Random, told: list[tuple[str | None, Record]]) -> list[tuple[str | None, Record]]:
    """In any order in which no record comes before one that it must follow."""
    waiting, mixed = list(told), []
    while waiting:
        free = [one for place, one in enumerate(waiting) if not any(follows(one[1], b[1]) for b in waiting[:place])]
        mixed.append(pick.choice(free))
        waiting.remove(mixed[-1])
    return mixed


def follows(later: Record, earlier: Record) -> bool:
    """Whether it matters which of the two comes first."""
    if isinstance(later, Event) and isinstance(earlier, Event):
        named = later.uuid is not None and later.uuid == earlier.uuid
        return named or later.occurred_at == earlier.occurred_at
    if isinstance(later, Observation) and isinstance(earlier, Observation):
        return later.observed_at == earlier.observed_at
    return isinstance(later, Reject) and isinstance(earlier, Reject)


def parts(record: Record) -> tuple[Record, ...]:
    """The records in one."""
    return record.records if isinstance(record, Together) else (record,)
