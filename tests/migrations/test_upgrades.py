"""An archive of every released revision keeps all its rows on the way to the newest.

A new revision is covered by adding the SQL of an archive with rows in it: `snapshots/<revision>_<database>.sql`.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from archiver.api.archive import Archive
from archiver.storage import migrate
from archiver.storage.database.engine import reading_engine

SNAPSHOTS = sorted((Path(__file__).parent / "snapshots").glob("*.sql"))


def load(snapshot: Path, url: str) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executescript(snapshot.read_text())
        return
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as server:
        server.execute(snapshot.read_bytes())


def contents(url: str) -> dict[str, list[Any]]:
    engine = reading_engine(url)
    with engine.connect() as connection:
        tables = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
        found = {
            name: sorted(tuple(map(str, row)) for row in connection.execute(text(f"SELECT * FROM {name}")))
            for name in tables
        }
    engine.dispose()
    return found


@pytest.mark.parametrize("snapshot", SNAPSHOTS, ids=lambda path: path.stem)
def test_an_upgrade_keeps_every_row(snapshot: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    postgresql = snapshot.stem.endswith("postgresql")
    url = request.getfixturevalue("empty_postgres_url") if postgresql else f"sqlite:///{tmp_path}/old.db"
    load(snapshot, url)
    before = contents(url)

    migrate.upgrade(url)

    after = contents(url)
    kept = ("events", "observations", "rejects", "resources", "sessions", "streams", "receivers")
    assert {name: len(after[name]) for name in kept} == {name: len(before[name]) for name in kept}
    assert migrate.check(url) == []
    with Archive.open(url) as archive:
        assert [span.state for span in archive.history("container/1").spans] == ["Starting", "Running"]


def test_every_revision_before_this_one_has_its_snapshots() -> None:
    revisions = [path.name.partition("_")[0] for path in (migrate.migrations() / "versions").glob("*.py")]
    revisions.remove(migrate.HEAD)

    there = {path.stem for path in SNAPSHOTS}
    assert {f"{revision}_{database}" for revision in revisions for database in ("sqlite", "postgresql")} <= there
