"""How PostgreSQL takes a statement that somebody wrote himself: as a cursor in a transaction that only reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Protocol

from archiver.errors import StatementRefused
from archiver.storage.database.postgres_driver import INSUFFICIENT_PRIVILEGE
from archiver.storage.database.reading import Connection


class Limited(Protocol):
    """What knows how long the database may still be busy with a statement (None: as long as it takes)."""

    @property
    def left(self) -> float | None: ...


_PAGE, _PAGE_BYTES = 100, 1_000_000
"""Rows that are asked for at once; fewer, where they are large."""
_RANGES = tuple(
    f"{of}{kind}" for of in ("int4", "int8", "num", "date", "ts", "tstz") for kind in ("range", "multirange")
)
_AS_TEXT = ("date", "time", "timetz", "timestamp", "interval", "uuid", "json", "jsonb", "inet", "cidr", *_RANGES)
_LONGEST_MS = 2**31 - 1
"""The longest statement_timeout there is."""
_SETTLED = "SET LOCAL DateStyle = ISO; SET LOCAL TimeZone = 'UTC'; SET LOCAL statement_timeout = {}"
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?\+00")


# A transaction that only reads lets functions by that settle for themselves what they do: of those that PostgreSQL
# brings, here are those by which a statement would lift its limits, put another one, or tell the server what to do.
_HARMLESS_PG = (
    "typeof|column_|size_|table_size|total_relation_size|relation_size|indexes_size|database_size|tablespace_size|get_|"
    "sleep|backend_pid|client_encoding|encoding_to_char|char_to_encoding|collation_|postmaster_start_time|conf_load_time|"
    "is_in_recovery|[a-z]+_is_visible|has_role|stat_get_|index_|indexam_|input_|describe_object|identify_object|"
    "relation_filenode|relation_filepath|timezone_|current_snapshot|current_wal_|wal_lsn_diff|options_to_table|my_temp_schema|"
    "mcv_list_items|blocking_pids|partition_|show_all_settings|safe_snapshot|trigger_depth|snapshot_|visible_in_snapshot"
)
_ACTS = (
    f"pg_(?!(?:{_HARMLESS_PG}))\\w+|set_config|lo_\\w+|loread|lowrite|dblink\\w*|(?:query|cursor|database|schema)_to_xml\\w*"
    "|ts_stat|ts_rewrite|txid_current|nextval|setval"
)
_CALL = re.compile(f'\\b({_ACTS})"?(?:\\s|/\\*.*\\*/|--[^\\n]*\\n)*\\(', re.IGNORECASE | re.DOTALL)
_ESCAPED = re.compile(r"\bU&\s*\"", re.IGNORECASE)
"""A name in which characters stand by their numbers."""


def _refuse_acts(sql: str) -> None:
    """Raises StatementRefused for a function that does more than read, by its name."""
    if found := _CALL.search(sql):
        raise StatementRefused(f"it calls {found[1].lower()}, which does more than read")
    if _ESCAPED.search(sql):
        raise StatementRefused('it has a name in U&"...", which could be any')


def declared(connection: Connection, sql: str, budget: Limited) -> Any:
    """A cursor with the answer: what is no SELECT, or more than one statement, is none that can be declared."""
    _refuse_acts(sql)
    driver = connection.driver
    _load_as_text(driver)
    connection.begin()
    _settle(driver, budget)
    cursor = driver.cursor("answer")
    try:
        cursor.execute(sql.encode())
        if cursor.description is None:
            raise StatementRefused("it has no columns")
    except Exception:
        cursor.close()
        raise
    return cursor


def _settle(driver: Any, budget: Limited) -> None:
    """Sets what the statement is held to, anew before each part of its answer: whatever it did, or was, meanwhile."""
    left = budget.left
    milliseconds = 0 if left is None else max(1, int(min(left * 1000, _LONGEST_MS)))
    driver.execute(_SETTLED.format(milliseconds))


def rows(driver: Any, budget: Limited) -> Iterator[tuple[Any, ...]]:
    """The rows behind the cursor `declared`, one by one as the server sends them: one is in memory, however many come.

    How many are asked for at once follows from how large the last ones were.
    """
    wanted = 1
    while True:
        _settle(driver, budget)
        count = size = 0
        with closing(driver.cursor()) as reader:
            for row in reader.stream(f"FETCH FORWARD {wanted} FROM answer"):
                count, size = count + 1, size + sum(len(value) for value in row if isinstance(value, str | bytes))
                yield row
        if count < wanted:
            return
        wanted = max(1, min(_PAGE, _PAGE_BYTES * count // max(size, 1)))


def _load_as_text(driver: Any) -> None:
    """Instants, and all else for which SQLite has text, come as text."""
    from psycopg.adapt import Loader
    from psycopg.types.string import TextLoader

    class InstantLoader(Loader):
        def load(self, data: Any) -> str:
            text = bytes(data).decode()
            found = _INSTANT.fullmatch(text)  # not so: before our era, infinity
            return f"{found[1]}T{found[2]}.{(found[3] or ''):0<6}Z" if found else text

    driver.adapters.register_loader("timestamptz", InstantLoader)
    for name in _AS_TEXT:
        driver.adapters.register_loader(name, TextLoader)


# SQLSTATEs (PostgreSQL manual, appendix A): syntax error or access rule violation, feature not supported (a WITH that
# writes), a transaction that is to write after all, a read-only transaction.
def is_refusal(error: BaseException) -> bool:
    """Whether a statement is to blame, as it is written."""
    state = _state(error)
    if state == "08P01":  # a parameter, for which there is no value; a connection that breaks by it is fatal
        return getattr(getattr(error, "diag", None), "severity_nonlocalized", None) == "ERROR"
    return (state.startswith("42") and state != INSUFFICIENT_PRIVILEGE) or state in ("0A000", "25001", "25006")


def is_failure(error: BaseException) -> bool:
    """Whether the data is to blame, or what the statement makes of it: a division by zero, too much of it."""
    return _state(error)[:2] in ("21", "22", "53", "54")


def is_cancelled(error: BaseException) -> bool:
    """Whether the server ended it, for its time was over."""
    return _state(error) == "57014"


def _state(error: BaseException) -> str:
    return getattr(error, "sqlstate", None) or ""
