"""Brings an archive's schema to the revision this program writes and reads."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import (
    Connection,
    Engine,
    Index,
    exc,
    inspect,
    text,
)
from sqlalchemy.schema import SchemaItem

from archiver.errors import DatabaseMissing, NotInstalled, SchemaNotAtHead
from archiver.storage.database import reading
from archiver.storage.database.engine import reading_engine, translated, writer_lock, writing_engine
from archiver.storage.database.foreign import APPLICATION_ID
from archiver.storage.database.judging import translated_driver
from archiver.storage.database.named import database_name
from archiver.storage.database.postgres_driver import HIDDEN_SCHEMA, right_missing
from archiver.storage.database.reading import open_reading
from archiver.storage.database.revision import HALF_WAY, not_at_head, revision_of
from archiver.storage.database.revision import HEAD as HEAD  # which others ask for here
from archiver.storage.database.turns import lock_writers
from archiver.storage.integrity import damage, lost_rows, missing_rows, wrong_lives
from archiver.storage.room import foreign_encoding, require_room
from archiver.storage.tables import make_all
from archiver.storage.upgrade import first_edition

if TYPE_CHECKING:
    from archiver.storage.upgrade.rebuild import Progress


def migrations() -> Path:
    """Where the migrations lie: in the wheel within the package, in a checkout beside it.

    Raises NotInstalled where they are no files, as in a zipapp.
    """
    package = Path(str(files("archiver")))
    for folder in (package / "_migrations", package.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise NotInstalled(place=package.parent, what="show how the tables of an archive are made")


class Upgraded(NamedTuple):
    """What an upgrade did."""

    before: str | None
    after: str
    kept: Path | None = None
    """Where the old archive is, of which a new one was made; None on PostgreSQL, and where nothing was to be done."""
    left: tuple[str, ...] = ()
    """What of the users' own, made beside the archive's tables, is not in the new one, each with the reason."""


def upgrade(url: str, progress: Callable[[Progress], None] | None = None, most: int | None = None) -> Upgraded:
    """Upgrades an archive to HEAD, creating it where there is none.

    One of version 0.1.0 is built anew, at most `most` events at a time, and `progress` is told of each time; whatever
    ends that, the next call goes on. Raises DatabaseBusy when somebody is writing to it, SchemaNotAtHead when this
    program does not know its revision, DatabaseUnfit when none can be made there, UpgradeFailed when the new one is not
    what the old one was.
    """
    with translated(url), writer_lock(url) as lock:
        engine = writing_engine(url)
        try:
            with engine.begin() as connection:
                lock_writers(connection)
                before = _revision(connection)
                if before is None:
                    require_room(connection, database_name(url))
                    make_all(connection)
                elif before not in (first_edition.REVISION, HALF_WAY, HEAD):
                    raise not_at_head(before, unknown=True)
            if before in (None, HEAD):
                return Upgraded(before, HEAD)
            if lock is None:
                from archiver.storage.upgrade.rebuild_postgres import rebuild_database

                left = rebuild_database(engine, database_name(url), progress, most)
                return Upgraded(before, HEAD, None, left)
        finally:
            engine.dispose()
        from archiver.storage.upgrade.rebuild_sqlite import rebuild_file

        return Upgraded(before, HEAD, *rebuild_file(url, lock, progress, most))


def create(url: str, kinds: Mapping[str, str] | None = None) -> None:
    """Makes the tables and views of HEAD where there are none, without Alembic: a daemon would keep that in memory.

    `kinds`: of what kind states are there; None: as the archiver knows them. Does nothing where somebody else was
    first. Raises as `upgrade` does.
    """
    with translated(url), writer_lock(url):
        engine = writing_engine(url)
        try:
            with engine.begin() as connection:
                lock_writers(connection)
                if _revision(connection) is not None:
                    return
                require_room(connection, database_name(url))
                make_all(connection, kinds)
        finally:
            engine.dispose()


def current(url: str) -> str | None:
    """The revision of an archive; None where there are no tables yet."""
    with translated_driver(url), closing(open_reading(url)) as connection:
        return reading.revision(connection)


def require_head(connection: Connection) -> None:
    """Raises SchemaNotAtHead unless the archive is of the revision this program needs."""
    revision = _revision(connection)
    if revision != HEAD:
        raise not_at_head(revision)


def _revision(connection: Connection) -> str | None:
    revision = revision_of(connection.dialect.name, lambda sql: connection.scalar(text(sql)))
    if revision is None and connection.dialect.name == "postgresql":
        _require_schema(connection)
    return revision


def _require_schema(connection: Connection) -> None:
    """As `database.reading` has it for who asks."""
    if (schema := connection.scalar(text(HIDDEN_SCHEMA))) is not None:
        driver = connection.connection.driver_connection
        assert driver is not None
        quoted = connection.dialect.identifier_preparer.quote
        reason = f"the schema {schema} may not be used"
        raise right_missing(connection.info["database"], reason, quoted(schema), quoted(driver.info.user))


def check(url: str) -> list[str]:
    """What is wrong with an archive, in words; empty when it is sound.

    Looks at the revision, the tables against this program's, rows that are missing or point nowhere and, on SQLite, the
    file's integrity.
    Tables, views and indexes that somebody else made beside ours are no matter.
    """
    with translated(url):
        engine = reading_engine(url)
        try:
            return _problems(engine)
        finally:
            engine.dispose()


_INDEXES = {
    "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'index'",
    "postgresql": "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()",
}


def _problems(engine: Engine) -> list[str]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from archiver.storage.indexes import EXPRESSIONS, metadata
    from archiver.storage.views import VIEWS

    with engine.connect() as connection:
        revision = _revision(connection)
        if revision != HEAD:
            error = not_at_head(revision)
            return [f"{error}; {error.next_step}"]
        ours = {
            "compare_type": True,
            "include_name": _is_ours,
            "include_object": partial(_is_ours_or_matters, engine.dialect.name),
        }
        context = MigrationContext.configure(connection, opts=ours)
        with warnings.catch_warnings():
            # Indexes of expressions cannot be compared; of ours it is asked below whether they are there.
            warnings.simplefilter("ignore", exc.SAWarning)
            warnings.filterwarnings("ignore", "autogenerate skipping metadata-specified expression-based index")
            problems = [f"schema differs: {change}" for change in compare_metadata(context, metadata)]
        if (encoding := foreign_encoding(connection)) is not None:
            problems.append(f"the encoding is {encoding}, not UTF8: what it has no characters for becomes a reject")
        there = set(inspect(connection).get_view_names())
        problems += [f"view {view.name} is missing" for view in VIEWS if view.name not in there]
        missing = EXPRESSIONS - set(connection.execute(text(_INDEXES[connection.dialect.name])).scalars())
        problems += [f"index {name} is missing" for name in sorted(missing)]
        problems += missing_rows(connection) + lost_rows(connection) + wrong_lives(connection)
        if connection.dialect.name == "sqlite":
            problems += damage(connection)
    return problems


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Other tables are not even looked at: they may be of kinds that nobody here can read."""
    from archiver.storage.indexes import metadata

    return kind != "table" or name in metadata.tables


def _is_ours_or_matters(
    database: str, found: SchemaItem, name: str | None, kind: str, reflected: bool, ours: object
) -> bool:
    """An index of somebody else on a table of ours is his affair, unless it refuses rows."""
    from archiver.storage.indexes import EXPRESSIONS

    if kind == "index" and (name in EXPRESSIONS or found.info.get("only", database) != database):
        return False
    foreign = reflected and ours is None
    return not (foreign and kind == "index" and isinstance(found, Index) and not found.unique)


def sql(dialect: str) -> Iterator[str]:
    """The statements that make an archive in an empty database, "sqlite" or "postgresql", for who applies them by hand.

    Raises NotInstalled where they are no files.
    """
    yield "-- For an empty database. An archive of version 0.1.0 is upgraded by 'archiver db upgrade' and nothing else:"
    yield "-- every row is rebuilt."
    if dialect == "sqlite":
        yield "PRAGMA auto_vacuum=INCREMENTAL;"
        yield f"PRAGMA application_id={APPLICATION_ID};"
    yield "BEGIN;"
    for what in ("tables", "views"):
        yield from (migrations() / "sql" / f"{HEAD}_{what}_{dialect}.sql").read_text().splitlines()
    yield "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY);"
    yield f"INSERT INTO alembic_version (version_num) VALUES ('{HEAD}');"
    yield "COMMIT;"


def is_missing(url: str) -> bool:
    """Whether there is no archive at all at an URL yet."""
    try:
        return current(url) is None
    except (DatabaseMissing, SchemaNotAtHead):  # nobody has made one, or whoever was at it was ended
        return True
