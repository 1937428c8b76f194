"""The benchmarks' floor writes the very rows of the archive that it is held against."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from itertools import islice
from pathlib import Path

from archiver.model import Message
from archiver.platforms.decoders import decode
from archiver.simulator.world.living import generate
from archiver.storage.recorder import Recorder
from bench.floors import sqlite_seconds

TABLES = ("event_types", "event_actions", "event_states", "resources", "events", "event_parents", "resource_parents")


def rows(archive: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(archive)) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()


def test_the_floor_leaves_the_same_rows(tmp_path: Path, sqlite_url: str, sqlite_template: Path) -> None:
    finished, again = Path(sqlite_url.removeprefix("sqlite:///")), tmp_path / "again.db"
    again.write_bytes(sqlite_template.read_bytes())
    with Recorder(sqlite_url) as recorder:
        for event in islice(generate(1), 300):
            payload = json.dumps(event).encode()
            recorder.record([decode(Message("ws://there/v1/events", "s1", "tutum", 1_700_000_000_000_000, payload))])

    sqlite_seconds(finished, again, size=64)

    assert {table: rows(again, table) for table in TABLES} == {table: rows(finished, table) for table in TABLES}
