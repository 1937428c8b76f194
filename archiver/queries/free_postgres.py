"""How PostgreSQL takes a statement that somebody wrote himself: as a cursor in a transaction that only reads."""

from __future__ import annotations

import re
from typing import Any, Protocol

from archiver.errors import StatementRefused
from archiver.storage.postgres_driver import INSUFFICIENT_PRIVILEGE
from archiver.storage.reading import Connection


class _Limited(Protocol):
    seconds: float | None


_PAGE = 100
_RANGES = tuple(
    f"{of}{kind}" for of in ("int4", "int8", "num", "date", "ts", "tstz") for kind in ("range", "multirange")
)
_AS_TEXT = ("date", "time", "timetz", "timestamp", "interval", "uuid", "json", "jsonb", "inet", "cidr", *_RANGES)
_LONGEST_MS = 2**31 - 1
"""The longest statement_timeout there is."""
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?\+00")


def declared(connection: Connection, sql: str, budget: _Limited) -> Any:
    """A cursor with the answer: what is no SELECT, or more than one statement, is none that can be declared."""
    driver = connection.driver
    _load_as_text(driver)
    connection.begin()
    if budget.seconds is not None:
        driver.execute(f"SET LOCAL statement_timeout = {max(1, int(min(budget.seconds * 1000, _LONGEST_MS)))}")
    cursor = driver.cursor("answer")
    cursor.itersize = _PAGE
    try:
        cursor.execute(sql.encode())
        if cursor.description is None:
            raise StatementRefused("it has no columns")
    except Exception:
        cursor.close()
        raise
    return cursor


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
