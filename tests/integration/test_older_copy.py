"""What somebody puts into the archive's place by hand, an older copy or nothing at all: what it lacks is a gap."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from archiver.model import Alive, Closed, Observed, Opened
from archiver.recording.ingest import Ingest
from archiver.recording.spool.queue import Spool
from archiver.storage import migrate
from archiver.transfer.importer import import_lines
from tests.conftest import PostgresServer

from .archives import export
from .test_ingest import AT_ONCE, URL, all_archived, extras, message, numbers, query, running, stream, wait_until

AT = 1_700_000_000_000_000


class Kept:
    """An archive as it is now, which can be put back over what it is later, as somebody does it by hand."""

    def __init__(self, url: str, folder: Path, server: PostgresServer | None) -> None:
        self._url, self._server, self._file = url, server, folder / "kept.db"
        self._name = make_url(url).database
        if server is None:
            with closing(sqlite3.connect(str(self._name))) as source, closing(sqlite3.connect(self._file)) as target:
                source.backup(target)
        else:
            server.copy(self._name, f"{self._name}_kept")

    def put_back(self) -> None:
        if self._server is None:
            os.replace(self._file, str(self._name))
        else:
            self._server.replace(self._name, f"{self._name}_kept")


@pytest.fixture
def keep(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[], Kept]:
    is_sqlite = database_url.startswith("sqlite")
    server = None if is_sqlite else request.getfixturevalue("postgres_server")
    return lambda: Kept(database_url, tmp_path, server)


def gaps(url: str) -> list[Any]:
    return query(url, "SELECT since_us, until_us, kind FROM gap_log ORDER BY since_us")


def test_what_an_older_copy_of_the_archive_lacks_is_a_gap(
    tmp_path: Path, database_url: str, keep: Callable[[], Kept], caplog: pytest.LogCaptureFixture
) -> None:
    with Spool(tmp_path / "spool.db") as spool:
        spool.append(stream(1, 2))
        all_archived(spool, database_url)
        kept = keep()
        spool.append([Opened(URL, "later", "tutum", AT + 20, AT + 20), message(21)._replace(session="later")])
        all_archived(spool, database_url)
    kept.put_back()
    with Spool(tmp_path / "spool.db") as spool:
        spool.append([Opened(URL, "new", "tutum", AT + 50, AT + 50), message(51)._replace(session="new")])
        all_archived(spool, database_url)

    assert extras(database_url) == numbers(1, 2, 51)
    assert gaps(database_url)[:1] == [(AT + 9, AT + 50, "restored")]
    assert caplog.text.count("the archive lacks 2 items") == 1


def test_a_session_goes_on_in_an_older_copy_of_the_archive(
    tmp_path: Path, database_url: str, keep: Callable[[], Kept], caplog: pytest.LogCaptureFixture
) -> None:
    begun, *_ = stream()
    with Spool(tmp_path / "spool.db") as spool:
        spool.append([begun, message(1)])
        ingest = Ingest(spool, database_url, pace=AT_ONCE)
        with running(ingest):
            wait_until(lambda: ingest.position == 2)
            kept = keep()
            spool.append([message(number) for number in (2, 3, 4)])
            wait_until(lambda: ingest.position == 5)
            kept.put_back()
            spool.append([message(30)])
            wait_until(lambda: ingest.position == 6)
            spool.append([Alive(URL, "abc", AT + 40), Closed(URL, "abc", AT + 60, "bye", "lost")])
            wait_until(lambda: ingest.position == 8)

    assert extras(database_url) == numbers(1, 30)
    assert gaps(database_url)[:1] == [(AT + 1, AT + 30, "restored")]
    assert query(database_url, "SELECT count(*) FROM events WHERE session_id IS NULL") == [(0,)]
    assert query(database_url, "SELECT key, kind FROM sessions ORDER BY id")[1:] == [("abc", "lost")]
    assert caplog.text.count("the archive lacks 3 items") == 1


def test_an_answer_from_before_what_is_lacking_does_not_cover_it(
    tmp_path: Path, database_url: str, keep: Callable[[], Kept]
) -> None:
    with Spool(tmp_path / "spool.db") as spool:
        spool.append([stream()[0], message(1)])
        all_archived(spool, database_url)
        kept = keep()
        spool.append([message(number) for number in (2, 3, 4)])
        all_archived(spool, database_url)
        kept.put_back()
        spool.append([Observed(URL, "abc", "tutum", AT + 2, b'{"uri":"/api/v1/stack/1/"}'), message(30)])
        all_archived(spool, database_url)

    assert gaps(database_url)[:1] == [(AT + 1, AT + 30, "restored")]


def test_a_new_archive_under_a_running_daemon_has_its_session(tmp_path: Path, sqlite_url: str) -> None:
    begun, *_ = stream()
    with Spool(tmp_path / "spool.db") as spool:
        spool.append([begun, message(1)])
        ingest = Ingest(spool, sqlite_url, pace=AT_ONCE)
        with running(ingest):
            wait_until(lambda: ingest.position == 2)
            migrate.create(f"sqlite:///{tmp_path / 'new.db'}")
            os.replace(tmp_path / "new.db", str(make_url(sqlite_url).database))
            spool.append([message(2)])
            wait_until(lambda: ingest.position == 3)

    assert query(sqlite_url, "SELECT key, covered_from FROM sessions") == [("abc", "2023-11-14T22:13:20.000002Z")]


def test_what_waits_of_a_session_that_an_older_copy_does_not_know_is_of_that_session(
    tmp_path: Path, database_url: str, keep: Callable[[], Kept]
) -> None:
    with Spool(tmp_path / "spool.db") as spool:
        spool.append(stream(1))
        all_archived(spool, database_url)
        kept = keep()
        spool.append([Opened(URL, "later", "tutum", AT + 20, AT + 20), message(21)._replace(session="later")])
        all_archived(spool, database_url)
        spool.append([message(22)._replace(session="later"), Closed(URL, "later", AT + 30, "bye", "lost")])
    kept.put_back()
    with Spool(tmp_path / "spool.db") as spool:
        all_archived(spool, database_url)

    assert gaps(database_url)[:1] == [(AT + 9, AT + 22, "restored")]


def test_a_mirror_gets_what_is_new_in_an_older_copy(
    tmp_path: Path, database_url: str, keep: Callable[[], Kept]
) -> None:
    mirror = f"sqlite:///{tmp_path / 'mirror.db'}"
    migrate.create(mirror)
    with Spool(tmp_path / "spool.db") as spool:
        spool.append(stream(1))
        all_archived(spool, database_url)
        kept = keep()
        spool.append([message(2)])
        all_archived(spool, database_url)
        import_lines(mirror, [line.encode() for line in export(database_url)])
        kept.put_back()
        spool.append([message(3)])
        all_archived(spool, database_url)
    import_lines(mirror, [line.encode() for line in export(database_url)])

    assert sorted(extras(mirror)) == numbers(1, 2, 3)
