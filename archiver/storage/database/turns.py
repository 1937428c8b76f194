"""Lets the writers of a PostgreSQL archive take turns, and says when a transaction that nobody decides holds them up.

Such a one was prepared (`PREPARE TRANSACTION`), as distributed databases commit: whoever prepared it is gone, and it
keeps all its locks, for ever, through restarts of the server too, until somebody commits it or rolls it back.
"""

from __future__ import annotations

from sqlalchemy import Connection, exc, text

from archiver.errors import CommitUndecided, DatabaseBusy

LOCK = 7_310_452_967
PATIENCE = "20s"
"""How long a writer waits for another before it looks whether that one can end at all."""
_LOCK_TIMED_OUT = "55P03"
_IN_THE_WAY = {_LOCK_TIMED_OUT, "40P01", "40001"}
"""Lock not available, deadlock, serialization failure."""

# Where the archive's owner has set a time himself, it stays.
_TRY = (
    f"SELECT pg_try_advisory_xact_lock({LOCK}), CASE WHEN current_setting('lock_timeout') = '0'"
    " THEN set_config('lock_timeout', '{patience}', true) END"
)
_WAIT = (
    f"SET LOCAL lock_timeout = '{{patience}}'; SELECT pg_advisory_xact_lock({LOCK}); SET LOCAL lock_timeout TO DEFAULT"
)
# What a prepared transaction has locked is told by the lock that it has on itself: of the virtual transaction, by which
# the manual joins the two views, newer servers keep the number that it had before. Locks of those have no process.
_UNDECIDED = text(
    "SELECT p.gid, p.prepared FROM pg_prepared_xacts p"
    " JOIN pg_locks o ON o.transactionid = p.transaction AND o.pid IS NULL"
    " JOIN pg_locks l ON l.virtualtransaction = o.virtualtransaction AND l.pid IS NULL"
    " WHERE p.database = current_database() AND ((l.relation = to_regclass('numbers') AND l.mode = 'RowExclusiveLock')"
    f" OR (l.locktype = 'advisory' AND l.classid = {LOCK >> 32} AND l.objid = {LOCK & 0xFFFF_FFFF}))"
    " ORDER BY p.prepared LIMIT 1"
)
"""The transactions that nobody has decided and that hold up whoever writes."""


def lock_writers(connection: Connection, *, rows: bool = False) -> None:
    """Waits for its turn among all writers of a PostgreSQL archive, until the transaction ends; nothing on SQLite.

    `rows`: the transaction does not wait for locked rows and tables for ever either, but fails after `PATIENCE`.
    Raises CommitUndecided when the one that has the turn was prepared and is not decided.
    """
    if connection.dialect.name != "postgresql":
        return
    attempt = text(_TRY.format(patience=PATIENCE if rows else "0"))
    while not connection.scalar(attempt):
        require_decided(connection)
        try:
            with connection.begin_nested():
                connection.exec_driver_sql(_WAIT.format(patience=PATIENCE))
        except exc.DBAPIError as error:
            if not is_lock_timeout(error):
                raise


def require_decided(connection: Connection) -> None:
    """Raises CommitUndecided when a transaction that was prepared and not decided holds up whoever writes."""
    found = connection.execute(_UNDECIDED).first()
    if found is not None:
        name, since = found
        quoted = "'" + name.replace("'", "''") + "'"
        raise CommitUndecided(database=connection.info["database"], name=quoted, since=f"{since:%Y-%m-%dT%H:%M:%SZ}")


def is_lock_timeout(error: BaseException | None) -> bool:
    """Whether a statement failed since it had waited too long for a lock."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) == _LOCK_TIMED_OUT


def is_in_the_way(error: exc.DBAPIError) -> bool:
    """Whether a transaction failed for what somebody else was doing, so that the same may succeed when he has done."""
    return getattr(error.orig, "sqlstate", None) in _IN_THE_WAY


def judge(connection: Connection, error: exc.DBAPIError) -> None:
    """Raises what a failed transaction waited for; nothing for one that waited for no lock."""
    if not is_lock_timeout(error):
        return
    require_decided(connection)
    reason = f"it has had a row or a table locked for more than {PATIENCE}"
    raise DatabaseBusy(database=connection.info["database"], reason=reason) from error
