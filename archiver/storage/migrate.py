"""Brings an archive's schema to the revision this program writes and reads."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    exc,
    inspect,
    text,
)
from sqlalchemy.schema import CreateTable, SchemaItem

from archiver.errors import DatabaseMissing, NotInstalled, SchemaNotAtHead
from archiver.storage import schema
from archiver.storage.engine import (
    database_name,
    lock_writers,
    reading_engine,
    translated,
    writer_lock,
    writing_engine,
)
from archiver.storage.integrity import damage, lost_rows, missing_rows
from archiver.storage.numbers import first_rows
from archiver.storage.postgres import require_schema
from archiver.storage.room import OF_ITS_OWN, foreign_encoding, require_room

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0002"
"""The revision this program needs: a constant, so that no command has to import Alembic to check."""

# As Alembic makes it (alembic.ddl.impl.DefaultImpl.version_table_impl).
_versions = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def migrations() -> Path:
    """Where the migrations lie: in the wheel within the package, in a checkout beside it.

    Raises NotInstalled where they are no files, as in a zipapp.
    """
    package = Path(str(files("archiver")))
    for folder in (package / "_migrations", package.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise NotInstalled(place=package.parent, what="make or upgrade the tables of an archive")


def _config(connection: Connection | None = None, dialect: str | None = None) -> Config:
    from alembic.config import Config

    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(migrations()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    # Never the URL itself: a % in a password breaks the ini interpolation.
    config.attributes["connection"] = connection
    config.attributes["dialect"] = dialect
    return config


def upgrade(url: str) -> tuple[str | None, str]:
    """Upgrades an archive to HEAD, creating it where there is none; returns the revisions before and after.

    Raises DatabaseBusy when somebody is writing to it, SchemaNotAtHead when it is newer than this program,
    DatabaseUnfit when none can be made there, and NotInstalled when this program has no migrations with it.
    """
    from alembic import command
    from alembic.util import CommandError

    migrations()  # where they are missing nothing is begun
    with translated(url), writer_lock(url):
        engine = writing_engine(url)
        try:
            with engine.begin() as connection:
                lock_writers(connection)
                before = _revision(connection)
                if before is None:
                    require_room(connection, database_name(url))
                elif before > HEAD:
                    raise _not_at_head(before)
                try:
                    command.upgrade(_config(connection), "head")
                except CommandError as error:
                    raise _not_at_head(before, unknown=True) from error
        finally:
            engine.dispose()
    return before, HEAD


def create(url: str) -> None:
    """Makes the tables and views of HEAD where there are none, without Alembic: a daemon would keep that in memory.

    Does nothing where somebody else was first. Raises as `upgrade` does.
    """
    from archiver.storage.indexes import metadata
    from archiver.storage.views import VIEWS

    with translated(url), writer_lock(url):
        engine = writing_engine(url)
        try:
            with engine.begin() as connection:
                lock_writers(connection)
                if _revision(connection) is not None:
                    return
                require_room(connection, database_name(url))
                metadata.create_all(connection, checkfirst=False)
                for view in VIEWS:
                    for statement in view.create(connection.dialect.name):
                        connection.exec_driver_sql(statement)
                connection.execute(schema.numbers.insert(), first_rows())
                connection.execute(CreateTable(_versions))
                connection.execute(_versions.insert().values(version_num=HEAD))
        finally:
            engine.dispose()


def current(url: str) -> str | None:
    """The revision of an archive; None where there are no tables yet."""
    with translated(url):
        engine = reading_engine(url)
        try:
            with engine.connect() as connection:
                return _revision(connection)
        finally:
            engine.dispose()


def require_head(connection: Connection) -> None:
    """Raises SchemaNotAtHead unless the archive is of the revision this program needs."""
    revision = _revision(connection)
    if revision != HEAD:
        raise _not_at_head(revision)


def _not_at_head(revision: str | None, *, unknown: bool = False) -> SchemaNotAtHead:
    if revision is None:
        return SchemaNotAtHead(current="no revision (empty)", head=HEAD, step="create it with: archiver db upgrade")
    if not re.fullmatch(r"\d{4}", revision):
        step = f"the table alembic_version there is another program's: {OF_ITS_OWN}"
        return SchemaNotAtHead(current=revision, head=HEAD, step=step)
    if unknown or revision > HEAD:
        step = "this archiver does not know it: upgrade the archiver itself"
        return SchemaNotAtHead(current=revision, head=HEAD, step=step)
    return SchemaNotAtHead(current=revision, head=HEAD, step="run: archiver db upgrade")


def _revision(connection: Connection) -> str | None:
    if connection.dialect.name == "sqlite":
        there = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
    else:
        there = "SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL"
    if connection.scalar(text(there)) is None:
        if connection.dialect.name == "postgresql":
            require_schema(connection)
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


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


def _problems(engine: Engine) -> list[str]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from archiver.storage.indexes import metadata
    from archiver.storage.views import VIEWS

    with engine.connect() as connection:
        revision = _revision(connection)
        if revision != HEAD:
            error = _not_at_head(revision)
            return [f"{error}; {error.next_step}"]
        ours = {"compare_type": True, "include_name": _is_ours, "include_object": _is_ours_or_matters}
        context = MigrationContext.configure(connection, opts=ours)
        with warnings.catch_warnings():
            # Indexes that cannot be compared: ours all can.
            warnings.simplefilter("ignore", exc.SAWarning)
            problems = [f"schema differs: {change}" for change in compare_metadata(context, metadata)]
        if (encoding := foreign_encoding(connection)) is not None:
            problems.append(f"the encoding is {encoding}, not UTF8: what it has no characters for becomes a reject")
        there = set(inspect(connection).get_view_names())
        problems += [f"view {view.name} is missing" for view in VIEWS if view.name not in there]
        problems += missing_rows(connection) + lost_rows(connection)
        if connection.dialect.name == "sqlite":
            problems += damage(connection)
    return problems


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Other tables are not even looked at: they may be of kinds that nobody here can read."""
    from archiver.storage.indexes import metadata

    return kind != "table" or name in metadata.tables


def _is_ours_or_matters(found: SchemaItem, _name: str | None, kind: str, reflected: bool, ours: object) -> bool:
    """An index of somebody else on a table of ours is his affair, unless it refuses rows."""
    foreign = reflected and ours is None
    return not (foreign and kind == "index" and isinstance(found, Index) and not found.unique)


def sql(dialect: str) -> Iterator[str]:
    """The SQL of all migrations for "sqlite" or "postgresql", for people who apply it by hand."""
    from alembic import command

    config = _config(dialect=dialect)
    config.output_buffer = io.StringIO()
    command.upgrade(config, "head", sql=True)
    yield from config.output_buffer.getvalue().splitlines()


def is_missing(url: str) -> bool:
    """Whether there is no archive at all at an URL yet."""
    try:
        return current(url) is None
    except DatabaseMissing:
        return True
