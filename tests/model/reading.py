"""Reads what the recorder has written, in the words of the model."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from sqlalchemy import Connection, text

from archiver.model import Micros, Platform, ResourceRef
from archiver.storage import intervals, lasting, schema

from . import semantics
from .platforms import numbered
from .semantics import Fact, Present

_WHAT = {
    schema.PARENT: semantics.PARENT,
    schema.TARGET: semantics.TARGET,
    schema.NAME: semantics.NAME,
    schema.IMAGE: semantics.IMAGE,
    schema.SLOT: semantics.SLOT,
    schema.TAGS: semantics.TAGS,
}


def of_names(connection: Connection) -> dict[str, int]:
    """The model's numbers of the platforms, by their names."""
    rows = connection.execute(text("SELECT key, name, dialect FROM platforms"))
    return numbered([Platform(*row, (), ()) for row in rows])


class Tables:
    """The tables of one archive, as they are at a moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._texts = dict(self._rows("SELECT id, text FROM texts"))
        self._states = dict(self._rows("SELECT id, text FROM event_states"))
        types = dict(self._rows("SELECT id, text FROM event_types"))
        self.types: dict[int, str] = types
        listed = "SELECT r.id, r.type_id, r.key, p.name FROM resources r JOIN platforms p ON p.id = r.platform_id"
        platforms = of_names(connection)
        self.refs = {
            number: ResourceRef(types[kind], f"{key} on {platforms[name]}")
            for number, kind, key, name in self._rows(listed)
        }
        members: dict[int, list[ResourceRef]] = {}
        listed = "SELECT list_id, position, resource_id FROM parent_list_members ORDER BY list_id, position"
        for number, position, resource in self._rows(listed):
            assert len(members.setdefault(number, [])) == position, f"list {number} has holes"
            members[number].append(self.refs[resource])
        self.lists = {number: tuple(refs) for number, refs in members.items()}

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._connection.execute(text(statement))]

    def facts(self) -> list[Fact]:
        """Every fact, each once."""
        found = []
        columns = "resource_id, what, value, since, until, how, told_by, node"
        for resource, what, value, since, until, how, told_by, node in self._rows(f"SELECT {columns} FROM facts"):
            meant = self._texts[value] if what in schema.TEXTUAL else self.refs.get(value)
            meant = tuple(json.loads(meant)) if what == schema.TAGS else meant
            fact = Fact(self.refs[resource], _WHAT[what], meant, since, until, how, told_by)
            assert node == intervals.node(since, until), f"its node is {node}: {fact}"
            found.append(fact)
        return found

    def implied(self) -> dict[tuple[ResourceRef, str], list[tuple[Micros, ResourceRef]]]:
        """What the lists of others prove, step by step."""
        found: dict[tuple[ResourceRef, str], list[tuple[Micros, ResourceRef]]] = {}
        ordered = "SELECT resource_id, type_id, since, value FROM implied ORDER BY resource_id, type_id, since"
        for resource, kind, since, value in self._rows(ordered):
            found.setdefault((self.refs[resource], self.types[kind]), []).append((since, self.refs[value]))
        return found

    def present(self) -> dict[ResourceRef, Present]:
        """How everything stands."""
        columns = (
            "resource_id, first_at, last_at, last_source, state_id, state_since, state_at, state_source, gone_at,"
            " name_id, list_id, type_id, image_id, slot_id, tags_id, lasted"
        )
        found = {}
        for row in self._rows(f"SELECT {columns} FROM present"):
            ref, state = self.refs[row[0]], self._states.get(row[4])
            name, image, slot = (self._texts.get(row[place]) for place in (9, 12, 13))
            tags = None if row[14] is None else tuple(json.loads(self._texts[row[14]]))
            assert self.types[row[11]] == ref.type
            first_at, gone_at, lasted = row[1], row[8], row[15]
            least = 0 if lasted == lasting.SHORTEST else 2 ** (lasted - 1)
            is_so = lasted == lasting.LIVES if gone_at is None else least <= gone_at - first_at < 2**lasted
            assert is_so, f"it lasted {lasted}: {ref} from {first_at} to {gone_at}"
            parents = self.lists.get(row[10], ())
            found[ref] = Present(*row[1:4], state, *row[5:9], name, parents, image, slot, tags)
        return found

    def heads(self) -> set[ResourceRef]:
        """Whatever something was ever under."""
        return {self.refs[number] for (number,) in self._rows("SELECT resource_id FROM present WHERE heads = 1")}

    def tellings(self) -> set[tuple[int, str, Micros]]:
        """Who else told of an event."""
        joined = "tellings t JOIN sessions s ON s.id = t.session_id"
        return set(self._rows(f"SELECT t.event_id, s.key, t.received_at FROM {joined}"))  # type: ignore[arg-type]

    def lists_told_twice(self) -> list[tuple[ResourceRef, ...]]:
        """Lists that have more than one row; there should be none."""
        return [found for found, times in Counter(self.lists.values()).items() if times > 1]

    def numbers(self) -> dict[str, int]:
        """The last number given in each table."""
        return dict(self._rows("SELECT name, last FROM numbers"))

    def last(self, table: str) -> int:
        """The highest number in a table."""
        return int(self._rows(f"SELECT coalesce(max(id), 0) FROM {table}")[0][0])
