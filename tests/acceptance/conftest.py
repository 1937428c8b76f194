"""What the acceptance tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import RunArchiver, SpawnArchiver
from .recording import Recorder


@pytest.fixture
def run_archiver(start_archiver: RunArchiver) -> RunArchiver:
    """Nothing here is forked from what is loaded: how the program starts is looked at as well."""
    return start_archiver


@pytest.fixture
def recorder(spawn_archiver: SpawnArchiver, database_url: str, tmp_path: Path) -> Recorder:
    """The daemon, on an archive of either database."""
    return Recorder(spawn_archiver, database_url, tmp_path)


@pytest.fixture
def sqlite_recorder(spawn_archiver: SpawnArchiver, sqlite_url: str, tmp_path: Path) -> Recorder:
    """The daemon, on SQLite."""
    return Recorder(spawn_archiver, sqlite_url, tmp_path)


@pytest.fixture
def postgres_recorder(spawn_archiver: SpawnArchiver, postgres_url: str, tmp_path: Path) -> Recorder:
    """The daemon, on PostgreSQL."""
    return Recorder(spawn_archiver, postgres_url, tmp_path)
