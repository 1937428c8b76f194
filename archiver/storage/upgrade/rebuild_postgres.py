"""Upgrades a PostgreSQL archive of 0.1.0 in its place: the old tables step aside, and go when all is in the new ones.

Until then the archive is of no revision that any version writes or reads, and the old views go on showing the old rows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from urllib.parse import quote

from sqlalchemy import Connection, Engine, exc, text

from archiver.errors import DatabaseUnfit
from archiver.storage import schema, statistics
from archiver.storage.database.judging import said
from archiver.storage.database.revision import HALF_WAY, HEAD, OF_ITS_OWN
from archiver.storage.database.turns import is_in_the_way, lock_writers
from archiver.storage.room import names_taken
from archiver.storage.tables import make_tables, make_views
from archiver.storage.upgrade import first_edition
from archiver.storage.upgrade.first_edition import INDEXES, KEYS, FirstEdition
from archiver.storage.upgrade.handing_over import Standing, hand_over
from archiver.storage.upgrade.rebuild import Progress, Rebuild
from archiver.storage.views import VIEWS

log = logging.getLogger(__name__)

PREFIX = "first_edition_"
"""Before the name of each old table while it stands aside."""
_VERSION = "alembic_version"
_OLD = tuple(table for table in first_edition.TABLES if table != _VERSION)


PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each new try, where somebody else was in the way."""


def rebuild_database(
    engine: Engine,
    database: str,
    progress: Callable[[Progress], None] | None = None,
    most: int | None = None,
    pauses: Sequence[float] = PAUSES,
) -> tuple[str, ...]:
    """Builds the archive anew beside its old tables; an attempt that was ended is gone on with, by whoever comes.

    Who reads the old views, or cleans up in the tables, may hold what is needed here while it needs what is held here:
    then the transaction is tried again.
    Returns what of the users' own is not in the new one, each with the reason. Raises DatabaseUnfit where somebody else
    has a name that the new tables need, UpgradeFailed, and the errors of the database.
    """
    for pause in pauses:
        try:
            return _rebuild(engine, database, progress, most)
        except exc.DBAPIError as error:
            if not is_in_the_way(error):
                raise
            log.warning("somebody else is in the way of the upgrade (%s): it is tried again", said(error.orig))
        time.sleep(pause)
    return _rebuild(engine, database, progress, most)


def _rebuild(
    engine: Engine, database: str, progress: Callable[[Progress], None] | None, most: int | None
) -> tuple[str, ...]:
    with engine.connect() as connection:
        with connection.begin():
            _take_turn(connection, database)
            if _revision(connection) not in (HALF_WAY, HEAD):
                _step_aside(connection, database)
        return _fill(connection, database, progress, most)


def _take_turn(connection: Connection, database: str) -> None:
    """Waits until nobody else writes; raises DatabaseUnfit when new tables would not lie in the schema of the old ones.

    In each transaction: somebody may make such a schema meanwhile, and a pool may give another connection.
    """
    lock_writers(connection)
    old, new = connection.execute(_SCHEMAS).one()
    if old != new:
        reason = f"the archive lies in the schema {old}, and new tables would lie in {new}"
        step = f"name the archive's schema in the URL: ?options=-csearch_path%3D{quote(str(old), safe='')}"
        raise DatabaseUnfit(database=database, reason=reason, step=step)


def _revision(connection: Connection) -> str:
    return str(connection.scalar(text(f"SELECT version_num FROM {_VERSION}")))


def _step_aside(connection: Connection, database: str) -> None:
    """Renames the old tables and makes the new ones."""
    if taken := names_taken(connection, but={*first_edition.TABLES, *first_edition.VIEWS}):
        reason = f"it has {', '.join(taken)} of another program, which the upgrade needs"
        raise DatabaseUnfit(database=database, reason=reason, step=OF_ITS_OWN)
    for index in (*INDEXES, *KEYS):
        connection.execute(text(f"ALTER INDEX IF EXISTS {index} RENAME TO {PREFIX}{index}"))
    for table in _OLD:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {PREFIX}{table}"))
    make_tables(connection)
    _say(connection, HALF_WAY)
    Rebuild(FirstEdition(connection, PREFIX)).begin(connection)


_SCHEMAS = text(
    "SELECT n.nspname, current_schema() FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    f" WHERE c.oid = to_regclass('{_VERSION}')"
)
_OWNER = text("SELECT relowner::regrole::text FROM pg_class WHERE oid = to_regclass(:table)")


def _say(connection: Connection, revision: str) -> None:
    connection.execute(text(f"UPDATE {_VERSION} SET version_num = :revision"), {"revision": revision})


def _fill(
    connection: Connection, database: str, progress: Callable[[Progress], None] | None, most: int | None
) -> tuple[str, ...]:
    rebuild: Rebuild | None = None
    while True:
        with connection.begin():
            _take_turn(connection, database)
            if _revision(connection) == HEAD:  # somebody else was at it too, and has finished
                return ()
            old = FirstEdition(connection, PREFIX)
            rebuild = rebuild or Rebuild(old, most)
            if not rebuild.is_begun(connection):
                _begin_anew(connection, rebuild)
            reached = rebuild.step(connection)
            if reached is None:
                return _end(connection, rebuild)
        if progress is not None:
            progress(reached)


def _begin_anew(connection: Connection, rebuild: Rebuild) -> None:
    """Another version of this program, with other tables, has begun: what it wrote is no use."""
    for table in reversed(schema.metadata.sorted_tables):
        connection.execute(text(f"DROP TABLE IF EXISTS {table.name}"))
    make_tables(connection)
    rebuild.begin(connection)


def _end(connection: Connection, rebuild: Rebuild) -> tuple[str, ...]:
    """Compares the two, lets the views show the new tables, and hands over what hangs on the old ones."""
    rebuild.finish(connection, ())
    make_views(connection, again=True)
    owner = connection.scalar(_OWNER, {"table": f"{PREFIX}events"})
    names = {*schema.metadata.tables, *(view.name for view in VIEWS)}
    for name in sorted(names):
        connection.execute(text(f"ALTER TABLE {name} OWNER TO {owner}"))
    left = hand_over(connection, Standing(_OLD, PREFIX, names - {*_OLD, *first_edition.VIEWS}))
    statistics.renew(connection)
    _say(connection, HEAD)
    return tuple(left)
