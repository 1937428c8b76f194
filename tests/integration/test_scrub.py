"""A SQLite archive is read through while the daemon runs, so that damage is found before somebody asks for it."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.api.archive import Archive
from archiver.recording.ingest import Ingest
from archiver.recording.scrub import Scrub, ScrubPace
from archiver.recording.spool.queue import Spool
from archiver.storage.database.walking import Place, Walk
from archiver.storage.recorder import Recorder

from .test_ingest import AT_ONCE, message, running, stream, wait_until

EVENTS = 300
OFTEN = replace(AT_ONCE, scrub=ScrubPace(every=0.001, rows=10_000, noted=0.01, round=0.05))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive at rest, with several pages of events."""
    folder = tmp_path_factory.mktemp("sound")
    with Spool(folder / "spool.db") as spool:
        spool.append(stream(*range(1, EVENTS + 1)))
        ingest = Ingest(spool, f"sqlite:///{folder / 'archive.db'}", pace=AT_ONCE)
        ingest.finish()
        ingest.run()
    return folder / "archive.db"


@pytest.fixture
def archive(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sound, tmp_path / "archive.db"))


def _page_size(file: Path) -> int:
    with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as database:
        return int(database.execute("PRAGMA page_size").fetchone()[0])


def _spoil(file: Path, page: int) -> bytes:
    """Fills a page with zeros; what it was."""
    data, size = bytearray(file.read_bytes()), _page_size(file)
    place = slice((page - 1) * size, page * size)
    before, data[place] = bytes(data[place]), bytes(size)
    file.write_bytes(data)
    return before


def _page_of(file: Path, text: bytes) -> int:
    return file.read_bytes().index(text) // _page_size(file) + 1


def _walked(file: Path, most: int = 1_000) -> tuple[int, list[str]]:
    """How many rows were read, and what was damaged."""
    place: Place | None = Place()
    rows, found = 0, []
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        walk = Walk(database)
        while place is not None:
            step = walk.step(place, most, 10.0)
            assert step.rows <= most
            rows += step.rows
            found += [step.damage] if step.damage is not None else []
            place = step.next
    return rows, found


def test_every_row_is_read_once_however_short_the_steps_are(archive: Path) -> None:
    with closing(sqlite3.connect(archive)) as database:
        sources = [
            f'"{table}" {how}'
            for kind, name, table, sql in database.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema")
            if kind in ("table", "index")
            for how in [("NOT INDEXED" if kind == "table" else f'INDEXED BY "{name}"') + _condition(sql)]
        ]
        there = sum(database.execute(f"SELECT count(*) FROM {source}").fetchone()[0] for source in sources)
    assert _walked(archive) == (there, [])
    assert _walked(archive, most=50) == (there, [])


def _condition(sql: str | None) -> str:
    found = (sql or "").partition(") WHERE ")[2]
    return f" WHERE {found}" if found else ""


def test_every_page_that_is_spoilt_is_noticed_but_for_what_only_deleting_needs(archive: Path) -> None:
    """Page 2 says which page belongs to which; SQLite needs it to give pages back, and no answer comes out of it."""
    pages = archive.stat().st_size // _page_size(archive)
    sound = archive.read_bytes()
    unnoticed = []
    for page in {2, *range(3, pages + 1, 5), pages}:
        _spoil(archive, page)
        if not _walked(archive)[1]:
            unnoticed.append(page)
        archive.write_bytes(sound)
    assert unnoticed == [2]


def test_a_text_that_is_none_any_more_is_damage_that_quotes_nothing_and_the_rest_is_read(archive: Path) -> None:
    data = archive.read_bytes()
    assert data.count(b'{"n":150}') == 1
    archive.write_bytes(data.replace(b'{"n":150}', b'{"n":1\xff\xfe}'))
    rows, found = _walked(archive)
    assert found == ["events: Could not decode to UTF-8 column 'extra'"]
    assert rows > EVENTS


def test_a_daemon_says_what_is_damaged_once_and_when_it_is_sound_again(
    archive: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    url = f"sqlite:///{archive}"
    page = _page_of(archive, b'{"n":150}')
    before = _spoil(archive, page)
    with Spool(tmp_path / "spool.db") as spool:
        ingest = Ingest(spool, url, pace=OFTEN)
        with running(ingest):
            wait_until(lambda: ingest.scrub.rounds > 1)
            assert ingest.scrub.damage is not None
            assert ingest.scrub.damage.startswith("events: ")
            assert ingest.trouble is None
            spool.append([message(EVENTS + 1)])
            wait_until(lambda: ingest.archived == 1)
    said = [record.getMessage() for record in caplog.records if "is damaged" in record.getMessage()]
    assert len(said) == 1
    assert "archiver db restore" in said[0]
    with closing(Archive.open(url)) as asked:
        assert asked.status().problems[0].kind == "damaged"

    data = bytearray(archive.read_bytes())
    data[(page - 1) * len(before) : page * len(before)] = before
    archive.write_bytes(data)
    with Spool(tmp_path / "spool.db") as spool:
        ingest = Ingest(spool, url, pace=OFTEN)
        with running(ingest):
            wait_until(lambda: ingest.scrub.rounds > 1)
    assert "sound again" in caplog.text
    with closing(Archive.open(url)) as asked:
        assert "damaged" not in [problem.kind for problem in asked.status().problems]


def test_damage_that_the_archive_did_not_take_at_first_is_kept_later(archive: Path, tmp_path: Path) -> None:
    _spoil(archive, _page_of(archive, b'{"n":150}'))
    kept = "SELECT value FROM archive_properties WHERE key = 'damage'"
    with closing(sqlite3.connect(archive, timeout=30)) as other, Spool(tmp_path / "spool.db") as spool:
        when = "BEFORE INSERT ON archive_properties WHEN new.key = 'damage'"
        other.execute(f"CREATE TRIGGER refusing {when} BEGIN SELECT RAISE(ABORT, 'not now'); END")
        other.commit()
        ingest = Ingest(spool, f"sqlite:///{archive}", pace=OFTEN)
        with running(ingest):
            wait_until(lambda: ingest.scrub.rounds > 1)
            assert other.execute(kept).fetchall() == []
            other.execute("DROP TRIGGER refusing")
            other.commit()
            wait_until(lambda: other.execute(kept).fetchall() == [(ingest.scrub.damage,)])


def test_the_next_daemon_reads_on_from_where_the_last_one_was(archive: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{archive}"
    with Spool(tmp_path / "spool.db") as spool, Recorder(url) as recorder:
        spool.note("scrub", f'[{datetime.now(UTC).timestamp()}, ["events", [{EVENTS - 1}]], []]')
        scrub = Scrub(url, recorder, spool, replace(OFTEN.scrub, round=1e9))
        _spoil(archive, _page_of(archive, b'{"n":1}'))
        scrub.begin()
        wait_until(lambda: scrub.rounds == 1)
        scrub.end()
        assert scrub.damage is None
