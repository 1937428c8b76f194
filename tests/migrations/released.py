"""What version 0.1.0 wrote: an archive, a spool, two exports and answers (made by `make_first_edition`)."""

from __future__ import annotations

import json
import lzma
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from archiver.model import Event, Observation, Record, Reject
from archiver.storage.database.engine import reading_engine
from archiver.storage.reached import Reached
from archiver.storage.upgrade.first_edition import FirstEdition

FIXTURE = Path(__file__).parent / "first_edition"


def content(name: str) -> bytes:
    return lzma.decompress((FIXTURE / f"{name}.xz").read_bytes())


def unpack(name: str, path: Path) -> Path:
    path.write_bytes(content(name))
    return path


def load(url: str) -> None:
    """Puts the archive where an URL says; on PostgreSQL into an empty database."""
    if url.startswith("sqlite"):
        unpack("archive.db", Path(url.removeprefix("sqlite:///")))
        return
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as server:
        server.execute(content("archive.sql"))


def answers() -> dict[str, list[Any]]:
    """By the words of a question: exit code and output."""
    return json.loads(content("answers.json"))  # type: ignore[no-any-return]


def words(url: str) -> dict[str, list[Record]]:
    """The events, observations and rejects of an archive of 0.1.0."""
    engine = reading_engine(url)
    try:
        with engine.begin() as connection:
            step = FirstEdition(connection).step(Reached(), 10_000)
    finally:
        engine.dispose()
    assert step is not None
    return {kind.__name__: list(step.records.of_kind(kind)) for kind in (Event, Observation, Reject)}


def run(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
