"""Which resources and words of an archive begin with some characters, for a shell in which somebody waits after TAB.

Asked by way of the bare drivers: SQLAlchemy alone would take longer to load than a person waits.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

PATIENCE = 0.2
"""Seconds that a person waits after TAB."""
MOST = 50
"""Answers at most."""
_CHECK_EVERY = 1_000
"""SQLite looks at the clock after so many steps of its virtual machine."""
_UPPER = "\U0010ffff"

_BY_URI = "r.uri >= ? AND r.uri < ?"
_BY_TYPE = "t.text = ? AND (r.key >= ? AND r.key < ? OR r.name >= ? AND r.name < ? AND t.text <> 'action')"
# An action's name is what it does, and no reference.
_BY_KEY = "r.key >= ? AND r.key < ? OR r.name >= ? AND r.name < ? AND t.text <> 'action'"
_RESOURCES = (
    "SELECT r.uri, t.text, r.key, r.name FROM resources r JOIN event_types t ON t.id = r.type_id WHERE {} LIMIT ?"
)
_WORDS = "SELECT text FROM {} WHERE text >= ? AND text < ? ORDER BY text LIMIT ?"

Vocabulary = Literal["event_types", "event_states", "event_actions"]


class Known(NamedTuple):
    """A resource as a person may refer to it."""

    uri: str
    type: str
    key: str
    name: str | None


def resources(url: str, beginning: str, *, patience: float = PATIENCE) -> list[Known]:
    """Resources whose URI, `type/key`, key or name begins so.

    Raises TimeoutError or an error of the driver when there is no answer within `patience` seconds.
    """
    wanted = (beginning, beginning + _UPPER)
    if beginning.startswith("/"):
        return _resources(url, _BY_URI, wanted, patience)
    kind, slash, rest = beginning.partition("/")
    typed = _resources(url, _BY_TYPE, (kind, *(rest, rest + _UPPER) * 2), patience) if slash else []
    return typed or _resources(url, _BY_KEY, wanted * 2, patience)


def _resources(url: str, where: str, values: tuple[str, ...], patience: float) -> list[Known]:
    return [Known(*row) for row in _ask(url, _RESOURCES.format(where), (*values, MOST), patience)]


def words(url: str, of: Vocabulary, beginning: str, *, patience: float = PATIENCE) -> list[str]:
    """Words of one of the vocabularies that begin so, in order. Raises as `resources` does."""
    rows = _ask(url, _WORDS.format(of), (beginning, beginning + _UPPER, MOST), patience)
    return [word for (word,) in rows]


def _ask(url: str, statement: str, values: tuple[Any, ...], patience: float) -> list[tuple[Any, ...]]:
    ask = _ask_postgresql if url.startswith("postgres") else _ask_sqlite
    return ask(url, statement, values, patience)


def _ask_sqlite(url: str, statement: str, values: tuple[Any, ...], patience: float) -> list[tuple[Any, ...]]:
    import sqlite3
    import time
    from urllib.parse import quote

    from archiver.storage.sqlite_url import sqlite_file

    deadline = time.monotonic() + patience
    connection = sqlite3.connect(f"file:{quote(os.fsencode(sqlite_file(url)))}?mode=ro", uri=True, timeout=patience)
    try:
        connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _CHECK_EVERY)
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def _ask_postgresql(url: str, statement: str, values: tuple[Any, ...], patience: float) -> list[tuple[Any, ...]]:
    import psycopg

    scheme, _, rest = url.partition("://")
    address = f"{scheme.partition('+')[0]}://{rest}"
    limits = f"-c statement_timeout={int(patience * 1000)} -c default_transaction_read_only=on"
    with _alarm(patience), psycopg.connect(address, connect_timeout=2, options=limits) as connection:
        query: Any = statement.replace("?", "%s")
        return list(connection.execute(query, values).fetchall())


@contextmanager
def _alarm(patience: float) -> Iterator[None]:
    """Ends what takes longer than a person waits, also a connection that nobody answers."""
    import signal

    def ring(number: int, frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, patience)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
