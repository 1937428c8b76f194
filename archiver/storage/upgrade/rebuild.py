"""Writes the records of an archive of 0.1.0 into the tables of this program, a step and a transaction at a time.

How far it has come stands in the new tables, and moves in the transaction that writes the rows: so a rebuilding that
was ended anywhere goes on where it was. Events, observations, rejects and sessions keep their numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, bindparam, insert, select, text, update

from archiver.codec import uris
from archiver.errors import UpgradeFailed
from archiver.model import Batch
from archiver.storage import schema
from archiver.storage.limits import CacheLimits
from archiver.storage.numbers import Numbers
from archiver.storage.reached import Reached, State
from archiver.storage.stream_rows import Stream
from archiver.storage.upgrade.first_edition import KINDS, FirstEdition, comparable
from archiver.storage.upgraded import keep, state_of
from archiver.storage.whole import whole_extra
from archiver.storage.writer import Whose, Writer
from archiver.version import __version__

STEP = 5000
"""Most events of a step."""
_PAGE = 1000
_TOGETHER = Whose(together=True)
"""0.1.0 knew one object of a type and key: so what it recorded of one dialect stays of one platform."""
_TABLES: dict[str, Table] = {kind: schema.metadata.tables[kind] for kind in KINDS}
# What the words of a session move once more.
_AS_BEFORE = (
    update(schema.sessions)
    .where(schema.sessions.c.id == bindparam("number"))
    .values({name: bindparam(f"as_{name}") for name in ("authenticated_at", "last_seen_at")})
)


class Progress(NamedTuple):
    """How far a rebuilding has come, in rows."""

    done: int
    total: int


class Rebuild:
    """One rebuilding; the caller begins and commits the transactions, in each of which it does one step."""

    def __init__(self, old: FirstEdition, most: int | None = None) -> None:
        self._old = old
        self._most = most or STEP
        self._numbers = Numbers()
        self._writer = Writer(CacheLimits(), self._numbers)
        self._reached: Reached | None = None
        self._total = old.count()
        self._of = old.mark()

    def is_begun(self, connection: Connection) -> bool:
        """Whether the new tables hold a part of this very archive, written by this very program; or all of it."""
        state = state_of(connection)
        return state is not None and (state.of, state.by) == (self._of, _this_program())

    def is_done(self, connection: Connection) -> bool:
        """Whether everything is there, and was compared."""
        state = state_of(connection)
        return state is not None and state.done

    def left(self, connection: Connection) -> tuple[str, ...]:
        """What `finish` was told that is not there."""
        state = state_of(connection)
        return state.left if state else ()

    def begin(self, connection: Connection) -> None:
        """Writes what the rows to come stand on: streams, receivers, sessions, and how things stand with them."""
        self._numbers.forget()
        if properties := [{"key": key, "value": value} for key, value in self._old.properties()]:
            connection.execute(insert(schema.archive_properties), properties)
        self._copy(connection, schema.streams, self._old.streams())
        self._copy(connection, schema.receivers, self._old.receivers())
        after = 0
        while rows := self._old.sessions(after, _PAGE):
            self._copy(connection, schema.sessions, rows)
            after = rows[-1]["id"]
        for stream in self._old.streams():
            self._writer.platforms.of_stream(connection, Stream(**stream, platform_id=None), together=True)
        self._writer.write(connection, Batch(self._old.conditions()), None, check_uuids=False, whose=_TOGETHER)
        self._numbers.flush(connection)
        keep(connection, State(self._of, _this_program()))

    def _copy(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            connection.execute(insert(table), rows)
            self._move_to(connection, table, rows[-1]["id"])

    def _move_to(self, connection: Connection, table: Table, number: int) -> None:
        """The next number of a table is the one behind this."""
        self._numbers.take(connection, table, number - self._numbers.last(connection, table))

    def step(self, connection: Connection) -> Progress | None:
        """Writes what follows; None when nothing does. What another process has written meanwhile is written."""
        state = state_of(connection)
        assert state is not None
        if state.reached != self._reached:
            self._writer.forget()
        step = None if state.done else self._old.step(state.reached, self._most)
        if step is None:
            return None
        self._numbers.forget()
        for kind, first in step.first.items():
            self._move_to(connection, _TABLES[kind], first - 1)
        self._writer.write(connection, step.records, None, check_uuids=False)
        self._numbers.flush(connection)
        self._reached = step.reached
        keep(connection, state._replace(reached=step.reached))
        return Progress(sum(step.reached), self._total)

    def finish(self, connection: Connection, left: Iterable[str]) -> None:
        """Compares the two, and keeps in mind what is `left` of the users' own.

        Raises UpgradeFailed when a row is not there, and nothing may be committed then.
        """
        state = state_of(connection)
        assert state is not None
        after = 0
        while rows := self._old.sessions(after, _PAGE):
            names = ("authenticated_at", "last_seen_at")
            values = [{"number": row["id"], **{f"as_{name}": row[name] for name in names}} for row in rows]
            connection.execute(_AS_BEFORE, values)
            after = rows[-1]["id"]
        lacking = [*_differing(self._old.totals(), _totals(connection)), *self._missing_resources(connection)]
        if lacking:
            raise UpgradeFailed(reason="; ".join(lacking))
        keep(connection, state._replace(done=True, left=tuple(left)))

    def _missing_resources(self, connection: Connection) -> Iterable[str]:
        """Every old resource is there, under its URI or as another spelling of it, and there is none else."""
        missing = first_spelled = after = 0
        while rows := self._old.resources(after, _PAGE):
            after = rows[-1][0]
            refs = {uri: uris.parse(uri) for _, uri in rows}
            there = _spelled(connection, {ref.key for ref in refs.values()})
            missing += sum(ref not in there for ref in refs.values())
            first_spelled += sum(uri in there.get(ref, ()) for uri, ref in refs.items())
        made = connection.scalar(text("SELECT count(*) FROM (SELECT DISTINCT type_id, key FROM resources) made"))
        if missing or made != first_spelled:
            yield f"{missing} resources are missing, {made} were made out of {first_spelled}"


def _spelled(connection: Connection, keys: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    table, types = schema.resources, schema.event_types
    query = select(types.c.text, table.c.key, table.c.uri).join(types, types.c.id == table.c.type_id)
    somewhere = table.c.platform_id.in_(select(schema.platforms.c.id))
    found: dict[tuple[str, str], list[str]] = {}
    for kind, key, uri in connection.execute(query.where(somewhere, table.c.key.in_(list(keys)))):
        found.setdefault((kind, key), []).append(uri)
    return found


def _totals(connection: Connection) -> dict[str, tuple[Any, ...]]:
    """As `FirstEdition.totals`, of the tables of this program."""
    events = """SELECT count(*), sum(id), count(session_id), count(nullif(resource_id, 0)), count(action_id),
                count(state_id), count(uuid), min(occurred_at), max(occurred_at) FROM events"""
    asked = f"""SELECT count(*), sum(id), count(session_id), count(state_id),
               sum(length({whole_extra("observations")})), min(observed_at), max(observed_at) FROM observations"""
    refused = "SELECT count(*), sum(id), count(session_id), sum(length(payload)), sum(length(reason)) FROM rejects"
    above = "SELECT count(*) FROM events e JOIN parent_list_members m ON m.platform_id = e.platform_id"
    above += " AND m.list_id = e.parent_list_id"
    queries = {"events": events, "observations": asked, "rejects": refused, "parents of events": above}
    return {name: tuple(map(comparable, connection.execute(text(query)).one())) for name, query in queries.items()}


def _differing(old: dict[str, tuple[Any, ...]], new: dict[str, tuple[Any, ...]]) -> list[str]:
    return [f"of the {name} there were {old[name]}, and are {new[name]}" for name in old if old[name] != new[name]]


def _this_program() -> str:
    """The version of the program and of its tables: what another one began is not gone on with."""
    tables = [(table.name, [str(column.type) for column in table.columns]) for table in schema.metadata.sorted_tables]
    return f"{__version__} {hashlib.sha256(repr(tables).encode()).hexdigest()[:16]}"
