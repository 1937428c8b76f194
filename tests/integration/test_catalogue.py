"""The rules that keep the tables fit for partitions and for several nodes, asked of PostgreSQL's own catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from archiver.storage import schema
from archiver.storage.indexes import metadata

from ..conftest import PostgresServer
from .archives import rows
from .partitioned import BY_MONTH

GROWING = frozenset(
    {
        "resources",
        "events",
        "tellings",
        "told_anew",
        "observations",
        "rejects",
        "facts",
        "implied",
        "present",
        "parent_lists",
        "parent_list_members",
        "shared_texts",
    }
)
"""What grows with what platforms tell: it is distributed by platform, and what stands beside it is found there."""

REFERENCE = {
    "archive_properties": "a few rows of the archive as a whole",
    "alembic_version": "one row, the revision",
    "platforms": "a row for each platform: what all else is distributed by",
    "platform_identities": "a name or two of each platform, looked up before it is known which it is",
    "streams": "one for each place to listen at; its platform may change, and is unknown at first",
    "stream_conditions": "up to three for each stream",
    "receivers": "one for each spool or file; read and locked first, whatever platform its records are of",
    "sessions": "one for each connection, and belongs to a stream, of which the platform may change",
    "numbers": "one for each table: ids are unique in the whole archive",
    "event_types": "an open vocabulary of few words, which all platforms share",
    "event_actions": "the same",
    "event_states": "the same",
    "texts": "each name, image and slot once, whichever platform says it",
    "state_kinds": "one for each state that its owner tells the meaning of",
    "days": "the calendar",
}
"""What is whole on every node, each with the reason."""

ANYWHERE = {
    "ix_events_id": "the last number that was given, and who goes on in the order of archiving",
    "ix_observations_id": "the same",
    "ix_rejects_id": "the same, and a reject by its number, which is all that its reader knows",
    "ix_resources_id": "the last number that was given",
    "ix_parent_lists_id": "the same",
    "ix_shared_texts_id": "the same",
    "ix_resources_uri": "a reference or a view by its URI, before it is known on which platform",
    "ix_events_occurred_at": "events of a range of time, of all platforms",
    "ix_events_occurred_us": "the same, by number",
    "ix_observations_observed_at": "the same of observations",
    "ix_observations_observed_us": "the same, by number",
    "ix_facts_since": "actions of a range of time, whatever they apply to",
    "ix_facts_node_until": "the same",
    "ix_present_lived": "what lived when, on all platforms",
    "ix_present_gone_at": "what has ended since when, on all platforms",
    "ix_present_type_id_first_at": "what appeared when, and all of a type, on all platforms",
    "ix_present_first_at": "what appeared when, of all types, on all platforms",
    "ix_present_type_id_gone_at": "what lives of a type, on all platforms",
}
"""Indexes that serve who does not know the platform, each with the question."""


@pytest.fixture(scope="module")
def catalogue(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    with postgres_server.database(postgres_template) as url:
        yield url


def asked(url: str, statement: str) -> list[tuple[Any, ...]]:
    return rows(url, statement)


TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
COLUMNS = """
SELECT c.relname, a.attname, a.attnotnull, format_type(a.atttypid, NULL), l.collname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
"""
INDEXES = """
SELECT c.relname, x.relname, i.indisunique, pg_get_indexdef(i.indexrelid, 1, true),
  (SELECT coalesce(array_agg(a.attname ORDER BY a.attnum), '{}') FROM pg_attribute a
   WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey)),
  i.indpred IS NOT NULL
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
"""
FOREIGN_KEYS = """
SELECT k.conrelid::regclass::text, k.confrelid::regclass::text, k.condeferrable
FROM pg_constraint k WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace
"""
SEQUENCES = "SELECT count(*) FROM pg_class WHERE relkind = 'S' AND relnamespace = current_schema()::regnamespace"


def test_each_table_either_grows_or_says_why_it_does_not(catalogue: str) -> None:
    there = {name for (name,) in asked(catalogue, TABLES)}

    assert there == GROWING | REFERENCE.keys()
    assert not GROWING & REFERENCE.keys()
    assert all(REFERENCE.values())


def test_what_grows_says_of_which_platform_it_is_on_both_databases(catalogue: str) -> None:
    not_null = {(table, column): whole for table, column, whole, *_ in asked(catalogue, COLUMNS)}

    for table in GROWING:
        assert not_null[table, "platform_id"], table
        assert not metadata.tables[table].c.platform_id.nullable, table  # of which SQLite's are made


def test_no_row_says_of_no_resource_by_a_null(catalogue: str) -> None:
    columns = [(table, whole) for table, column, whole, *_ in asked(catalogue, COLUMNS) if column == "resource_id"]

    assert len(columns) > 5
    assert [table for table, whole in columns if not whole] == []


def test_the_platform_is_first_in_every_key_of_what_grows(catalogue: str) -> None:
    keys = [row for row in asked(catalogue, INDEXES) if row[0] in GROWING and row[2]]

    assert {table for table, *_ in keys} == GROWING
    assert [name for _, name, _, first, *_ in keys if first != "platform_id"] == []
    assert [name for table, name, _, _, columns, _ in keys if BY_MONTH.get(table, "platform_id") not in columns] == []


def test_no_key_holds_for_a_part_of_the_rows_only(catalogue: str) -> None:
    """Such a one cannot say what a whole partitioned table may not have twice."""
    assert [name for _, name, unique, *_, partial in asked(catalogue, INDEXES) if unique and partial] == []


def test_what_is_looked_up_by_its_object_or_value_is_looked_up_within_its_platform(catalogue: str) -> None:
    others = {
        name for table, name, _, first, *_ in asked(catalogue, INDEXES) if table in GROWING and first != "platform_id"
    }

    assert others == ANYWHERE.keys()
    assert all(ANYWHERE.values())


def test_foreign_keys_lead_to_what_is_whole_on_every_node(catalogue: str) -> None:
    keys = asked(catalogue, FOREIGN_KEYS)

    assert keys
    assert [key for key in keys if key[1] in GROWING or key[2]] == []
    assert {table for table, *_ in keys} & GROWING <= {"resources"}


def test_no_number_is_given_by_a_sequence(catalogue: str) -> None:
    assert asked(catalogue, SEQUENCES) == [(0,)]
    assert {table.name for table in schema.metadata.tables.values() if "id" in table.c} == {
        name for (name,) in asked(catalogue, "SELECT name FROM numbers")
    }


def test_texts_compare_byte_by_byte(catalogue: str) -> None:
    texts = [(t, c, collation) for t, c, _, type_, collation in asked(catalogue, COLUMNS) if type_ == "text"]

    assert len(texts) > 20
    assert [row for row in texts if row[2] != "C"] == []
