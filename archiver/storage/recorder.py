"""Writes decoded batches into the archive, each in one transaction together with the spool position it reaches."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Connection, exc

from archiver.codec.forgetting import Pattern
from archiver.errors import ArchiveBehind, RowRefused, SpoolNotAlone, TakesNothing
from archiver.model import Batch, Micros, Opened, Record
from archiver.storage import forgetting, properties, retrying, statistics
from archiver.storage.database.engine import translate, translated
from archiver.storage.database.wal import CHECKPOINT_BYTES
from archiver.storage.database.walking import Place, Step
from archiver.storage.duplicates import Original
from archiver.storage.engines import engine_of
from archiver.storage.inventory import Inventory, Reached
from archiver.storage.limits import CacheLimits
from archiver.storage.numbers import Numbers
from archiver.storage.positions import FINISHED, Positions, new_generation
from archiver.storage.retrying import Decode, Retried, Which
from archiver.storage.trial import plainest
from archiver.storage.watched import Watched, watched
from archiver.storage.words import DAMAGE, FORGOTTEN_LAST, GENERATION, IDENTITY, REJECTS_TRIED_BY
from archiver.storage.writer import Recorded, Whose, Writer
from archiver.storage.writing import Writing

__all__ = ["FINISHED", "Recorded", "Recorder", "Whose"]


class Recorder:
    """A writer of an archive; keeps its connection, on SQLite its lock too, until `close`.

    `receiver` is the identity of the spool (or export) the records come from. With it, a batch that is handed over
    again after the answer to its COMMIT got lost is recognised by its position.
    """

    def __init__(
        self,
        url: str,
        receiver: str | None = None,
        limits: CacheLimits | None = None,
        checkpoint_bytes: int = CHECKPOINT_BYTES,
    ) -> None:
        self._url = url
        self.receiver = receiver
        self.whose = Whose()
        """Of which platform the records are that are handed over, where their sessions do not say it."""
        self._numbers = Numbers()
        self._positions = Positions(self._numbers)
        self._writer = Writer(limits or CacheLimits(), self._numbers)
        self._writing = Writing(url, checkpoint_bytes, self._writer)
        self._generation: str | None = None
        self._check_uuids = False
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def identity(self) -> str:
        """What tells this archive from all others. Raises as `record` does."""
        with self._alone() as connection:
            return str(properties.kept(connection, IDENTITY))

    def position(self) -> int:
        """How far the receiver's records are archived; 0 at first. Raises as `record` does."""
        with self._alone() as connection:
            return self._positions.of(connection, self.receiver).upto

    def claim(self, known: Sequence[str], generation: str) -> bool:
        """Says who holds the receiver's spool from now on; False when the archive knows another than the `known`.

        From then on `record` raises SpoolNotAlone when somebody else has said so meanwhile, and ArchiveBehind when the
        archive lacks something of what came before the batch. Raises as `record` does.
        """
        with self._one_at_a_time, translated(self._url):
            with self._transaction() as connection:
                there = self._holder(connection)
                if there is not None and there not in known:
                    return False
                properties.keep(connection, self._holder_key, generation)
            self._generation = generation
            return True

    def go_on_after(self, upto: int, live: Sequence[Opened]) -> int:
        """Writes down that what the archive does not have of its receiver up to a number will never come.

        The archive is an older copy: its sessions end where it ends, which makes the stretch since then a gap, and the
        `live` ones begin anew. Or it is a new one, which knows of none. Returns how many numbers a copy lacks; 0 where
        nothing is missing, and for what is new. Raises as `record` does.
        """
        with self._alone() as connection:
            self._writer.forget()  # of numbers that the archive does not have
            position = self._positions.of(connection, self.receiver)
            if position.upto >= upto:
                return 0
            is_copy = position.upto > 0
            self._writer.go_on(connection, position.number, live, cut_off=is_copy)
            if is_copy:
                properties.keep(connection, GENERATION, new_generation())
            self._positions.move(connection, position._replace(upto=upto))
            return upto - position.upto if is_copy else 0

    @property
    def _holder_key(self) -> str:
        return f"holder of {self.receiver}"

    def _holder(self, connection: Connection) -> str | None:
        return properties.kept(connection, self._holder_key)

    def _require_holder(self, connection: Connection) -> None:
        if self._generation is not None and self._holder(connection) != self._generation:
            raise SpoolNotAlone

    def finished_at(self, receiver: str) -> datetime | None:
        """When a receiver reached its end, UTC; None when it has not. Raises as `record` does."""
        with self._alone() as connection:
            return self._positions.finished_at(connection, receiver)

    def engine_of(self, stream: str) -> dict[str, str] | None:
        """What tells the engine behind a stream from all others; None when nothing of the stream is known."""
        with self._alone() as connection:
            return engine_of(connection, stream)

    def watched(self, stream: str, session: str | None, since: Micros) -> Watched:
        """How a stream was watched since an instant; `session` is the one that is open. Raises as `record` does."""
        with self._alone() as connection:
            return watched(connection, stream, session, since)

    def check(self) -> None:
        """Raises DatabaseUnreachable when the file of a SQLite archive is gone or replaced: for when all is quiet.

        After a failure, which gave the connection up, as `record` does.
        """
        with self._one_at_a_time, translated(self._url):
            if not self._writing.is_well():
                with self._transaction():
                    pass

    def prove(self) -> None:
        """Writes a plain record of each kind, and takes them back: so what cannot be written then is to blame itself.

        Raises TakesNothing when the database refuses even those, else as `record` does.
        """
        with self._one_at_a_time, translated(self._url):
            try:
                with self._transaction() as connection, connection.begin_nested() as trial:
                    self._writer.forget()
                    records = plainest()
                    for known in (False, True):
                        self._writer.write(connection, records, None, check_uuids=known)
                    trial.rollback()
                    self._writer.forget()
            except exc.DBAPIError as error:
                found = translate(error, self._url)
                if isinstance(found, RowRefused):
                    raise TakesNothing(**found.facts) from error
                raise

    def take_stock(self, export: str | None) -> tuple[Inventory, dict[str, Reached]]:
        """What the archive holds now, and how far an export known by that name is archived, for each kind.

        Raises as `record` does.
        """
        with self._alone() as connection:
            return self._positions.take_stock(connection, export)

    def remember(self, export: str, known: Mapping[str, int]) -> None:
        """Keeps in mind that an export is archived up to a number, for each kind. Raises as `record` does."""
        with self._alone() as connection:
            self._positions.remember(connection, export, known)

    def holds(self, records: Batch | Sequence[Record]) -> bool:
        """Whether the archive has all of these, by uuid or content. Raises as `record` does."""
        with self._alone() as connection:
            return self._writer.holds(connection, Batch.of(records), self.whose)

    def last_reject(self) -> int:
        """The number of the last reject; 0 when there is none. Raises as `record` does."""
        with self._alone() as connection:
            return retrying.last_reject(connection)

    def retry_rejects(self, which: Which, decode: Decode, now: Micros, held: Inventory) -> Retried:
        """Tries the next of some rejects again, as many as one transaction may hold; `held`: what was there before.

        Raises as `record` does; then all are as they were.
        """
        held.begin()
        with self._alone() as connection:
            retried = retrying.retry(connection, self._writer, which, decode, now, held)
        held.keep()
        return retried

    def renew_statistics(self) -> None:
        """Has a database that plans by statistics know what came in. Raises as `record` does."""
        with self._alone() as connection:
            statistics.renew(connection)

    def forget(self, pattern: Pattern, place: forgetting.Place) -> forgetting.Looked:
        """Takes what fits out of the next page of the tables. Raises as `record` does; then nothing is changed."""
        with self._alone() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            looked = forgetting.look(connection, pattern, place, change=True)
            self._writer.forget()  # of texts, and what was made of them
            if looked.touched:
                properties.keep(connection, FORGOTTEN_LAST, secrets.token_hex(8))
        return looked

    def write_anew(self) -> None:
        """Writes the file of a SQLite archive anew, without what was deleted from it. Raises as `record` does."""
        with self._one_at_a_time, translated(self._url):
            self._writing.write_anew()

    def empty_log(self) -> bool:
        """Has nothing of a SQLite archive stand in its log any more; False where a reader is in the way."""
        with self._one_at_a_time, translated(self._url):
            return self._writing.empty_log()

    def is_retry_due(self, version: str) -> bool:
        """Whether the archive has rejects which this version of the program has not tried. Raises as `record` does."""
        with self._alone() as connection:
            return retrying.is_due(connection, version)

    def keep_retried(self, version: str) -> None:
        """Keeps in mind that this version has tried all rejects. Raises as `record` does."""
        with self._alone() as connection:
            properties.keep(connection, REJECTS_TRIED_BY, version)

    def look_through(self, place: Place, most: int, seconds: float) -> Step:
        """Reads on in a SQLite archive's file, so many rows or so long, to find what is damaged. Raises as `record`."""
        with self._one_at_a_time, translated(self._url):
            return self._writing.look_through(place, most, seconds)

    def damage(self) -> str | None:
        """What was found damaged when the file was read through last. Raises as `record` does."""
        with self._alone() as connection:
            return properties.kept(connection, DAMAGE)

    def keep_damage(self, found: str | None) -> None:
        """Keeps in mind what of the file is damaged; None: nothing. Raises as `record` does."""
        with self._alone() as connection:
            if found is None:
                properties.drop(connection, DAMAGE)
            else:
                properties.keep(connection, DAMAGE, found)

    def record(
        self,
        records: Batch | Sequence[Record],
        upto: int | None = None,
        inventory: Inventory | None = None,
        *,
        whose: Whose | None = None,
        original: Original | None = None,
    ) -> Recorded:
        """Archives a batch, and with it that the receiver's records are archived up to number `upto`.

        What an `inventory` holds is left out; with one, no position is kept. `whose` stands for `self.whose` this once;
        `original`: as `Writer.write` has it.
        Raises DatabaseUnreachable (Busy, ReadOnly) when nothing of it was archived, or the answer got lost: the same
        batch may be handed over again, also one of which a part is archived by now. Raises SchemaNotAtHead when the
        archive is of another revision, RowRefused when the database cannot take a value of the batch.
        """
        batch = Batch.of(records)
        with self._one_at_a_time, translated(self._url):
            try:
                recorded = self._write(batch, upto, inventory, whose or self.whose, original)
            except exc.IntegrityError:
                # Some uuid is there already: rare, so only now the archive is asked for every uuid.
                self._check_uuids = True
                recorded = self._write(batch, upto, inventory, whose or self.whose, original)
        self._check_uuids = recorded.duplicates > 0
        return recorded

    def _write(
        self, batch: Batch, upto: int | None, inventory: Inventory | None, whose: Whose, original: Original | None
    ) -> Recorded:
        also: dict[str, Any] = {"check_uuids": self._check_uuids, "whose": whose, "original": original}
        if inventory is not None:
            inventory.begin()
            with self._transaction() as connection:
                recorded = self._writer.write(connection, batch, None, inventory=inventory, **also)
            inventory.keep()
            return recorded
        with self._transaction() as connection:
            if upto is None:
                return self._writer.write(connection, batch, None, **also)
            position = self._positions.of(connection, self.receiver)
            self._require_holder(connection)
            done = position.upto - (upto - len(batch))
            if done < 0 and self._generation is not None:
                raise ArchiveBehind
            if done >= len(batch):
                return Recorded()
            if done > 0:
                batch = batch[done:]
            number = position.number
            recorded = self._writer.write(connection, batch, number, **also)
            duplicates = position.duplicates + recorded.duplicates
            self._positions.move(connection, position._replace(upto=upto, duplicates=duplicates))
            return recorded

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        """One transaction of one thread at a time; what the database says of a failure is told in our errors."""
        with self._one_at_a_time, translated(self._url), self._transaction() as connection:
            yield connection

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """One transaction; when it fails, connection and caches are given up, since either may be wrong now."""
        with self._writing.transaction() as connection:
            self._numbers.forget()
            yield connection
            self._numbers.flush(connection)

    def interrupt(self) -> None:
        """Ends a transaction that makes no progress, from another thread: the call under way then fails."""
        self._writing.interrupt()

    def close(self) -> None:
        """Gives back connection and lock."""
        with self._one_at_a_time:
            self._writing.close()
