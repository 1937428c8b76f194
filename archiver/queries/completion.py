"""Which resources and words of an archive begin with some characters, for a shell in which somebody waits after TAB.

Asked by way of the bare drivers: SQLAlchemy alone would take longer to load than a person waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from archiver.storage.words import NAME

PATIENCE = 0.2
"""Seconds that a person waits after TAB."""
MOST = 50
"""Answers at most."""
_CHECK_EVERY = 1_000
"""SQLite looks at the clock after so many steps of its virtual machine."""
_UPPER = "\U0010ffff"


# An action's name is what it does, and no reference; and of actions there are too many to look at those that "live".
_KNOWN = "SELECT r.uri, t.text, r.key, x.text"
_LIVING = (
    f"{_KNOWN} FROM event_types t CROSS JOIN present p"
    " JOIN resources r ON r.platform_id = p.platform_id AND r.id = p.resource_id"
    " LEFT JOIN texts x ON x.id = p.name_id"
    " WHERE p.type_id = t.id AND p.gone_at IS NULL AND t.text <> 'action' AND ({}) LIMIT ?"
)
_OF_ALL = (
    f"{_KNOWN} FROM resources r JOIN event_types t ON t.id = r.type_id"
    " LEFT JOIN present p ON p.platform_id = r.platform_id AND p.resource_id = r.id"
    " LEFT JOIN texts x ON x.id = p.name_id WHERE {} LIMIT ?"
)
_CALLED = (
    f"{_KNOWN} FROM texts x CROSS JOIN platforms b CROSS JOIN facts f CROSS JOIN resources r"
    " JOIN event_types t ON t.id = r.type_id WHERE f.platform_id = b.id AND f.value = x.id"
    f" AND f.what = {NAME} AND r.platform_id = f.platform_id AND r.id = f.resource_id AND {{}} LIMIT ?"
)
_OF_ANY = "r.platform_id IN (SELECT f.id FROM platforms f)"  # the index of keys begins with it
_URI, _KEY, _TEXT = "r.uri >= ? AND r.uri < ?", _OF_ANY + " AND r.key >= ? AND r.key < ?", "x.text >= ? AND x.text < ?"
_TYPE = "t.text = ? AND ({})"
_WORDS = "SELECT text FROM {} WHERE text >= ? AND text < ? ORDER BY text LIMIT ?"

Vocabulary = Literal["event_types", "event_states", "event_actions"]


Question = tuple[str, str, tuple[str, ...]]
"""A statement, the condition in it, and its values."""
Asked = tuple[str, tuple[Any, ...]]
"""A statement and its values."""


class Known(NamedTuple):
    """A resource as a person may refer to it."""

    uri: str
    type: str
    key: str
    name: str | None


def resources(url: str, beginning: str, *, patience: float = PATIENCE) -> list[Known]:
    """Resources whose URI, `type/key`, key or name begins so; those that live come first.

    Raises TimeoutError or an error of the driver when there is no answer within `patience` seconds.
    """
    wanted = (beginning, beginning + _UPPER)
    if beginning.startswith("/"):
        return _resources(url, [(_LIVING, _URI, wanted), (_OF_ALL, _URI, wanted)], patience)
    kind, slash, rest = beginning.partition("/")
    typed = _resources(url, _by_word(rest, kind), patience) if slash else []
    return typed or _resources(url, _by_word(beginning), patience)


def _by_word(word: str, kind: str | None = None) -> list[Question]:
    """What is asked about a key or a name."""
    both = (word, word + _UPPER)
    values = both if kind is None else (kind, *both)
    key, text = (_KEY, _TEXT) if kind is None else (_TYPE.format(_KEY), _TYPE.format(_TEXT))
    living = f"{_KEY} OR {_TEXT}" if kind is None else _TYPE.format(f"{_KEY} OR {_TEXT}")
    return [(_LIVING, living, (*values, *both)), (_OF_ALL, key, values), (_CALLED, text, values)]


def _resources(url: str, questions: Iterable[Question], patience: float) -> list[Known]:
    asked = [(statement.format(condition), (*values, MOST)) for statement, condition, values in questions]
    return list(dict.fromkeys(Known(*row) for row in _ask(url, asked, patience)))[:MOST]


def words(url: str, of: Vocabulary, beginning: str, *, patience: float = PATIENCE) -> list[str]:
    """Words of one of the vocabularies that begin so, in order. Raises as `resources` does."""
    rows = _ask(url, [(_WORDS.format(of), (beginning, beginning + _UPPER, MOST))], patience)
    return [word for (word,) in rows]


def _ask(url: str, questions: list[Asked], patience: float) -> list[tuple[Any, ...]]:
    """The answers to questions, one after the other until there are enough, or no time is left and there are some."""
    ask = _ask_postgresql if url.startswith("postgres") else _ask_sqlite
    return ask(url, questions, patience)


def _answers(execute: Callable[[str, Any], Any], questions: list[Asked]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for statement, values in questions:
        try:
            found += execute(statement, values).fetchall()
        except Exception:
            if not found:
                raise
            break
        if len(found) >= MOST:
            break
    return found


def _ask_sqlite(url: str, questions: list[Asked], patience: float) -> list[tuple[Any, ...]]:
    import sqlite3
    import time

    from archiver.storage.database.sqlite_url import file_uri, sqlite_file

    deadline = time.monotonic() + patience
    connection = sqlite3.connect(file_uri(sqlite_file(url), "mode=ro"), uri=True, timeout=patience)
    try:
        connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _CHECK_EVERY)
        return _answers(connection.execute, questions)
    finally:
        connection.close()


def _ask_postgresql(url: str, questions: list[Asked], patience: float) -> list[tuple[Any, ...]]:
    import psycopg

    scheme, _, rest = url.partition("://")
    address = f"{scheme.partition('+')[0]}://{rest}"
    limits = f"-c statement_timeout={int(patience * 1000)} -c default_transaction_read_only=on"
    with _alarm(patience), psycopg.connect(address, connect_timeout=2, options=limits) as connection:

        def execute(statement: str, values: Any) -> Any:
            return connection.execute(statement.replace("?", "%s").encode(), values)

        return _answers(execute, questions)


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
