"""Writes what a batch tells, in the order in which one part needs another, within the recorder's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import partial
from itertools import count
from typing import Any, NamedTuple

from sqlalchemy import Connection

from archiver.model import (
    Alive,
    Answers,
    Batch,
    Closed,
    Condition,
    EventColumns,
    Observation,
    Opened,
    Platform,
    Reject,
    Telling,
)
from archiver.storage import schema
from archiver.storage.comparing import is_action, news
from archiver.storage.conditions import note_conditions
from archiver.storage.duplicates import Original, Retold, drop_duplicates, has_repeated_uuid, rejects_of
from archiver.storage.inventory import Inventory, Sifted
from archiver.storage.limits import CacheLimits
from archiver.storage.numbers import Numbers
from archiver.storage.placing import Placing
from archiver.storage.platforms import Platforms
from archiver.storage.sessions import Sessions
from archiver.storage.stream_rows import told_of
from archiver.storage.tellings import give_sessions, keep_tellings, received_again, write_tellings
from archiver.storage.vanishing import vanished
from archiver.storage.word_rows import WordRows


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: numbers of rows, and of events recognised as already archived."""

    events: int = 0
    rejects: int = 0
    duplicates: int = 0
    observed: int = 0
    """Objects of which the platform's answers said what was not known."""
    gone: int = 0
    """Objects that were found to be there no more."""
    actions: int = 0
    """Actions of which the platform's answers said what was not known."""


class Whose(NamedTuple):
    """Of which platform a batch is, where that does not follow from its sessions."""

    platform: str | None = None
    """Its key, an identity or its name."""
    among_others: str | None = None
    """The same, of what came in no session."""
    together: bool = False
    """Whether streams that are met for the first time are all of one platform (see `Platforms.of_stream`)."""


class Writer:
    """Writes batches through one connection; its caches are good as long as everything commits."""

    def __init__(self, limits: CacheLimits, numbers: Numbers) -> None:
        self._numbers = numbers
        self.platforms = Platforms(numbers)
        """Of which of them each stream tells."""
        self._placing = Placing(numbers, self.platforms)
        self._sessions = Sessions(numbers, self.platforms)
        self._words = WordRows(limits, numbers, self._sessions)
        self._limits = limits

    def forget(self) -> None:
        """Empties the caches, after a rollback."""
        self._numbers.forget()
        self._words.forget()
        self._placing.forget()
        self._sessions.forget()

    def forget_changing(self) -> None:
        """Empties the caches of what another writer may have changed."""
        self._words.forget_changing()
        self._placing.forget()

    def write(
        self,
        connection: Connection,
        batch: Batch,
        receiver_id: int | None,
        *,
        check_uuids: bool,
        inventory: Inventory | None = None,
        whose: Whose = Whose(),  # noqa: B008 - immutable
        original: Original | None = None,
    ) -> Recorded:
        """Writes everything a batch tells, but what an `inventory` says is held already.

        `original` gives the message of an event, to be kept where its uuid is known with other content.
        Raises IntegrityError for a known uuid unless `check_uuids`.
        """
        if place := _named_behind_words(batch):
            also: dict[str, Any] = {"check_uuids": check_uuids, "inventory": inventory, "original": original}
            parts = (batch[:place], batch[place:])
            written = [self.write(connection, part, receiver_id, whose=whose, **also) for part in parts]
            return Recorded(*map(sum, zip(*map(astuple, written), strict=True)))
        opened = batch.of_kind(Opened)
        self._write_streams(connection, batch, opened, receiver_id, whose)
        found, again = self._sift(connection, batch, whose, check_uuids, inventory, original)
        numbers = self._words.write(connection, found.events, found.observations)
        answered = self._write_answers(connection, batch, whose)
        self._write_rejects(connection, found.rejects, whose)
        self._write_tellings(connection, batch, found, again, numbers)
        heard = [found.events, EventColumns.of([retold.event for retold in again])]
        seen = [(item.session, item.received_at) for item in found.rejects]
        seen += [(item.session, item.at) for item in batch.of_kind(Alive)]
        self._sessions.touch(connection, heard, seen, batch.of_kind(Closed))
        if receiver_id is not None:
            self._sessions.close_left_open(connection, opened, receiver_id)
        return Recorded(len(found.events.type), len(found.rejects), found.duplicates, *answered)

    def _write_streams(
        self,
        connection: Connection,
        batch: Batch,
        opened: Sequence[Opened],
        receiver_id: int | None,
        whose: Whose,
    ) -> None:
        """Writes what a batch says of platforms, streams and sessions: so it is known whose its words are."""
        conditions = batch.of_kind(Condition)
        for platform in batch.of_kind(Platform):
            self.platforms.restore(connection, platform)
        self._sessions.open(connection, opened, receiver_id, together=whose.together)
        if conditions or opened:
            note_conditions(
                connection, self._numbers, self.platforms, conditions, opened, receiver_id, together=whose.together
            )
        if any(condition.of == "identity" for condition in conditions):
            self._placing.forget()

    def _sift(
        self,
        connection: Connection,
        batch: Batch,
        whose: Whose,
        check_uuids: bool,
        inventory: Inventory | None,
        original: Original | None,
    ) -> tuple[Sifted, Sequence[Retold]]:
        """What of a batch the archive does not have, and the events that are told once more."""
        found = Sifted(*self._placed(connection, batch, whose), batch.of_kind(Reject), 0, [])
        if inventory is not None:
            found = inventory.sift(connection, self._words.known, found.events, found.observations, found.rejects)
        if not check_uuids and not has_repeated_uuid(found.events):
            return found, ()
        events, others, again = drop_duplicates(connection, found.events)
        conflicts = rejects_of(others, original)
        if inventory is not None:
            conflicts = inventory.sift(connection, self._words.known, EventColumns.of([]), [], conflicts).rejects
        unowned = [*found.unowned, *filter(None, map(received_again, again))]
        rejects, duplicates = [*found.rejects, *conflicts], found.duplicates + len(again)
        return Sifted(events, found.observations, rejects, duplicates, unowned), again

    def _write_tellings(
        self, connection: Connection, batch: Batch, found: Sifted, again: Sequence[Retold], numbers: Sequence[int]
    ) -> None:
        """Writes in which sessions events were received that are there: those `again`, and those an export tells of."""
        if found.unowned:
            give_sessions(connection, self._sessions, found.unowned)
        if again:
            told = [retold for retold in again if received_again(retold) is None]
            write_tellings(connection, self._sessions, told, zip(numbers, found.events.session, strict=True))
        if tellings := batch.of_kind(Telling):
            keep_tellings(connection, self._sessions, tellings, partial(self.platforms.known_as, connection))

    def go_on(self, connection: Connection, receiver_id: int, live: Sequence[Opened], *, cut_off: bool) -> None:
        """Has the sessions that go on in an archive which does not know them; `cut_off` those that it knows."""
        if cut_off:
            self._sessions.cut_off(connection, receiver_id)
        self._sessions.open(connection, live, receiver_id)

    def placed(self, connection: Connection, events: EventColumns) -> EventColumns:
        """The events with the platform of each, by their sessions."""
        return self._placing.placed(connection, events, [])[0]

    def _placed(self, connection: Connection, batch: Batch, whose: Whose) -> tuple[EventColumns, list[Observation]]:
        """The events and observations of a batch, each with its platform."""
        stated, among_others, together = whose
        words = batch.events, batch.of_kind(Observation)
        return self._placing.placed(connection, *words, stated, among_others, together=together)

    def _write_answers(self, connection: Connection, batch: Batch, whose: Whose) -> tuple[int, int, int]:
        """Writes what the archive does not know of what a platform answered; of how many objects and actions that is.

        To be called when all else that the batch says is written: it came before, or is newer.
        """
        observed, gone, acted = set[str](), 0, set[str]()
        for record in batch.asked():
            if isinstance(record, Answers):
                found = news(connection, record._replace(observations=tuple(self._asked(connection, record, whose))))
                acted |= {item.uri for item in found if is_action(item.uri)}
                observed |= {item.uri for item in found} - acted
                self._write_found(connection, found)
            else:
                nobody = Observation("/api/v1/", None, None, (), record.at, None, record.session)
                (placed,) = self._asked(connection, Answers((nobody,), record.asked, 0), whose)
                for part in vanished(connection, record, placed.platform or 0, whose.platform, self._limits.gone):
                    gone += len(part)
                    self._write_found(connection, part)
        return len(observed), gone, len(acted)

    def _write_found(self, connection: Connection, found: Sequence[Observation]) -> None:
        if found:
            self._words.write(connection, EventColumns.of([]), found)

    def _asked(self, connection: Connection, answers: Answers, whose: Whose) -> list[Observation]:
        """The observations, each with its platform."""
        return self._placed(connection, Batch(answers.observations), whose)[1]

    def holds(self, connection: Connection, batch: Batch, whose: Whose) -> bool:
        """Whether the archive has all that a batch tells; what is there twice in it need be there once."""
        events, observations = self._placed(connection, batch, whose)
        sifted = drop_duplicates(connection, events)
        rest = Inventory().sift(
            connection,
            self._words.known,
            sifted.events,
            observations,
            [*batch.of_kind(Reject), *rejects_of(sifted.conflicts, None)],
        )
        return not (rest.events.type or rest.observations or rest.rejects)

    def _write_rejects(self, connection: Connection, rejects: Sequence[Reject], whose: Whose) -> None:
        if not rejects:
            return
        stated = None if whose.platform is None else self.platforms.named(connection, whose.platform)
        told = {} if stated else told_of(connection, (item.session for item in rejects))
        first = self._numbers.take(connection, schema.rejects, len(rejects))
        sessions = self._sessions.numbers(connection, [item.session for item in rejects])
        rows = [
            {
                "id": number,
                "platform_id": stated or told.get(item.session, 0),
                "session_id": session,
                "received_at": item.received_at,
                "reason": item.reason,
                "payload": item.payload,
            }
            for number, session, item in zip(count(first), sessions, rejects, strict=False)
        ]
        connection.execute(schema.rejects.insert(), rows)


def _named_behind_words(batch: Batch) -> int:
    """Where in a batch a stream says whose it is behind words of before: those are of whom it told until then."""
    if not any(condition.of == "identity" for condition in batch.of_kind(Condition)):
        return 0
    has_words = False
    for place, record in enumerate(batch):
        if isinstance(record, Condition):
            if has_words and record.of == "identity":
                return place
        elif not isinstance(record, (Alive, Closed, Opened)):
            has_words = True
    return 0
