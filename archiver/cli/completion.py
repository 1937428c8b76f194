"""What TAB offers: resources and words out of the archive, within 200 ms; any failure offers nothing.

Reads by way of the bare drivers: SQLAlchemy alone would take longer than a person waits for TAB.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

PATIENCE = 0.2
"""Seconds after which there are no candidates."""
MOST = 50
"""Candidates at most."""
_CHECK_EVERY = 1_000
"""SQLite looks at the clock after so many steps of its virtual machine."""
_UPPER = "\U0010ffff"

_BY_URI = "r.uri >= ? AND r.uri < ?"
_BY_TYPE = "t.text = ? AND r.key >= ? AND r.key < ?"
_BY_KEY = "(r.key >= ? AND r.key < ?) OR (r.name >= ? AND r.name < ?)"
_RESOURCES = (
    "SELECT r.uri, t.text, r.key, r.name FROM resources r JOIN event_types t ON t.id = r.type_id WHERE {} LIMIT ?"
)
_WORDS = "SELECT text FROM {} WHERE text >= ? AND text < ? ORDER BY text LIMIT ?"

Rows = list[tuple[Any, ...]]


def references(ctx: typer.Context, incomplete: str) -> list[str]:
    """Resources whose URI, `type/key`, key or name begins with what is typed so far."""
    try:
        rows = _ask(ctx, *_resource_query(incomplete))
        words = (word for row in rows for word in _spellings(row, incomplete))
        return sorted({word for word in words if word.startswith(incomplete) and _typable(word)})[:MOST]
    except Exception:  # noqa: BLE001 - a shell that waits for TAB must never see a traceback
        return []


def _words(table: str) -> Callable[[typer.Context, str], list[str]]:
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            rows = _ask(ctx, _WORDS.format(table), (incomplete, incomplete + _UPPER, MOST))
            return [word for (word,) in rows if _typable(word)]
        except Exception:  # noqa: BLE001 - as above
            return []

    return complete


types, states, actions = (_words(table) for table in ("event_types", "event_states", "event_actions"))


def _resource_query(incomplete: str) -> tuple[str, tuple[Any, ...]]:
    upper = incomplete + _UPPER
    if incomplete.startswith("/"):
        return _RESOURCES.format(_BY_URI), (incomplete, upper, MOST)
    if "/" in incomplete:
        kind, _, key = incomplete.partition("/")
        return _RESOURCES.format(_BY_TYPE), (kind, key, key + _UPPER, MOST)
    return _RESOURCES.format(_BY_KEY), (incomplete, upper, incomplete, upper, MOST)


def _spellings(row: tuple[Any, ...], incomplete: str) -> Iterator[str]:
    uri, kind, key, name = row
    if incomplete.startswith("/"):
        yield uri
    elif "/" in incomplete:
        yield f"{kind}/{key}"
    else:
        yield from (name,) if name else (key,)
        yield key if incomplete else f"{kind}/{key}"


def _typable(word: str) -> bool:
    """Whether a word can stand on a command line as it is; a hostile name is not offered."""
    return word.isprintable() and not set(word) & set(" '\"\\$`;&|<>()*?[]{}!#~")


def _ask(ctx: typer.Context, statement: str, values: tuple[Any, ...]) -> Rows:
    from archiver.config import load

    given = _typed_database(ctx)
    url = str(load({"database": given} if given else {}, os.environ, Path.home()).database.value)
    if url.startswith("postgres"):
        return _ask_postgresql(url, statement, values)
    return _ask_sqlite(url, statement, values)


def _typed_database(ctx: Any) -> str | None:
    """`--database` as it stands earlier on the line, after the command or before it."""
    while ctx is not None:
        if ctx.params.get("database"):
            return str(ctx.params["database"])
        ctx = ctx.parent
    return None


def _ask_sqlite(url: str, statement: str, values: tuple[Any, ...]) -> Rows:
    import sqlite3
    import time
    from urllib.parse import quote

    path = url.partition(":///")[2].partition("?")[0] if ":///" in url else url
    deadline = time.monotonic() + PATIENCE
    connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=PATIENCE)
    try:
        connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _CHECK_EVERY)
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def _ask_postgresql(url: str, statement: str, values: tuple[Any, ...]) -> Rows:
    import psycopg

    scheme, _, rest = url.partition("://")
    address = f"{scheme.partition('+')[0]}://{rest}"
    limits = f"-c statement_timeout={int(PATIENCE * 1000)} -c default_transaction_read_only=on"
    with _alarm(), psycopg.connect(address, connect_timeout=2, options=limits) as connection:
        query: Any = statement.replace("?", "%s")
        return list(connection.execute(query, values).fetchall())


@contextmanager
def _alarm() -> Iterator[None]:
    """Ends what takes longer than a person waits, also a connection that nobody answers."""
    import signal

    def ring(number: int, frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
