"""A COMMIT that stays undecided, as on a node of several: nothing is doubled or lost, and nobody waits without a word.

The recorder's transaction is prepared and its connection is gone; who goes on is the same one, a daemon started anew,
or another receiver. Then somebody commits or rolls it back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from archiver.api.archive import Archive
from archiver.errors import CommitUndecided, DatabaseBusy, DatabaseUnreachable
from archiver.model import Closed, Event, Message, Opened
from archiver.recording.ingest import Ingest, IngestPace
from archiver.recording.spool.queue import Spool
from archiver.storage import migrate
from archiver.storage.database import turns
from archiver.storage.database.address import libpq_url
from archiver.storage.recorder import Recorder

from ..conftest import PostgresServer
from .archives import STREAM, event, micros, record, rows, uri, wire
from .cutting import commit_undecided
from .test_ingest import running, wait_until
from .test_postgres import execute

DECISIONS = ["COMMIT PREPARED", "ROLLBACK PREPARED"]
ABOVE = ["service/web", "stack/shop"]
FIRST = [event(f"container/{n}", "Starting", n, ABOVE, uuid=f"first {n}") for n in range(3)]
LABELS = {"com.example.a": "v" * 250}
"""What is shared, and new with the second batch."""
SECOND = [event(f"container/{n}", "Running", 10 + n, ABOVE, uuid=f"second {n}", labels=LABELS) for n in range(3)]
THIRD = [event("container/0", "Stopped", 20, ABOVE, uuid="third", labels=LABELS)]


@pytest.fixture(autouse=True)
def _can_prepare(postgres_server: PostgresServer, postgres_url: str) -> None:
    if execute(postgres_url, "SHOW max_prepared_transactions") == [("0",)]:
        pytest.skip("the server's max_prepared_transactions is 0")


@contextmanager
def undecided(
    url: str,
    second: Sequence[Event],
    *,
    name: str = "it's 1",
    elsewhere: bool = False,
    between: Callable[[], object] = bool,
) -> Iterator[Callable[[str], None]]:
    """An archive in which `FIRST` is archived and the COMMIT of `second` undecided; yields how to decide it."""
    quoted = name.replace("'", "''")
    try:
        proxy = commit_undecided(url, quoted, elsewhere=elsewhere)
        with proxy as (proxied, armed), Recorder(proxied, "spool") as recorder:
            recorder.record(FIRST, len(FIRST))
            between()
            armed.set()
            with pytest.raises(DatabaseUnreachable):
                recorder.record(second, len(FIRST) + len(second))
        assert execute(url, PREPARED) == [(f"'{quoted}'",)]
        yield lambda decision: decide(url, decision, quoted)
    finally:
        leave_nothing(url)


def decide(url: str, decision: str, name: str) -> None:
    execute(url, f"{decision} '{name}'")


def leave_nothing(url: str) -> None:
    for (left,) in execute(url, PREPARED):
        execute(url, f"ROLLBACK PREPARED {left}")


PREPARED = "SELECT quote_literal(gid) FROM pg_prepared_xacts WHERE database = current_database()"


def states(url: str) -> list[tuple[Any, ...]]:
    return rows(url, "SELECT state, count(*) FROM event_log WHERE uuid IS NOT NULL GROUP BY state ORDER BY min(id)")


ALL = [("Starting", 3), ("Running", 3), ("Stopped", 1)]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", "100ms")


@pytest.mark.parametrize("decision", DECISIONS)
@pytest.mark.parametrize("elsewhere", [False, True], ids=["one node", "several nodes"])
def test_who_hands_an_undecided_batch_over_again_has_it_once(
    postgres_url: str, sqlite_url: str, decision: str, elsewhere: bool
) -> None:
    record(sqlite_url, *FIRST, *SECOND, *THIRD)
    with (
        undecided(postgres_url, SECOND, elsewhere=elsewhere) as decide,
        Recorder(postgres_url, "spool") as recorder,
    ):
        with pytest.raises(CommitUndecided) as caught:
            recorder.record(SECOND, 6)
        seen = states(postgres_url)
        decide(decision)
        recorder.record(SECOND, 6)
        recorder.record(THIRD, 7)

    assert "'it''s 1'" in str(caught.value)
    assert "ROLLBACK PREPARED 'it''s 1'" in caught.value.next_step
    assert seen == ALL[:1]
    assert states(postgres_url) == ALL
    assert migrate.check(postgres_url) == []
    with Archive.open(postgres_url) as archive, Archive.open(sqlite_url) as never_cut:
        assert list(archive.events()) == list(never_cut.events())
        assert archive.tree("stack/shop") == never_cut.tree("stack/shop")
        assert archive.history("container/0").spans == never_cut.history("container/0").spans


@pytest.mark.parametrize("decision", DECISIONS)
def test_another_receiver_goes_on_as_soon_as_it_is_decided(postgres_url: str, decision: str) -> None:
    with Recorder(postgres_url, "other") as other:
        other.record([event("container/9", "Running", 0)], 1)
        with undecided(postgres_url, SECOND, elsewhere=True) as decide:
            with pytest.raises(CommitUndecided):
                other.record(SECOND, 4)
            decide(decision)
            done = other.record(SECOND, 4)
            other.record(THIRD, 5)

    assert (done.events, done.duplicates) == ((0, 3) if decision.startswith("COMMIT") else (3, 0))
    assert states(postgres_url) == ALL
    assert migrate.check(postgres_url) == []


def test_what_another_receiver_remembers_is_no_older_than_the_decision(postgres_url: str) -> None:
    """It wrote last, but for what was undecided: by that, it need not look again at what it wrote."""
    with Recorder(postgres_url, "other") as other:
        home = [event("service/web", "Running", 100, ["stack/old"])]
        moved = [event("service/web", "Running", 150, ["stack/new"])]
        back = [event("service/web", "Running", 200, ["stack/old"])]
        with undecided(postgres_url, moved, elsewhere=True, between=lambda: other.record(home, 1)) as decide:
            deciding = threading.Thread(target=decided, args=(postgres_url, lambda: decide("COMMIT PREPARED")))
            deciding.start()
            turns.PATIENCE = "20s"
            other.record(back, 2)
            deciding.join()

    places = "SELECT ancestor_uri, count(*) FROM subtree WHERE descendant_uri = :uri GROUP BY 1 ORDER BY 1"
    found = dict(rows(postgres_url, places, uri=uri("service/web")))
    assert found[uri("stack/old")] == 2
    assert found[uri("stack/new")] == 1


def decided(url: str, decide: Callable[[], object]) -> None:
    """Decides as soon as somebody waits for a row."""
    wait_until(lambda: bool(execute(url, WAITING)))
    decide()


WAITING = """
SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()
"""


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_daemon_says_what_it_waits_for_and_goes_on(postgres_url: str, tmp_path: Path, decision: str) -> None:
    """It takes its connection for lost, as who is started anew does, and asks how far it has come."""
    told = [Message(STREAM, "s1", "tutum", micros(n), wire(f"container/{n}", "Running", n)) for n in range(1, 99)]
    with Spool(tmp_path / "spool.db") as spool, commit_undecided(postgres_url, "daemon") as (proxied, armed):
        spool.append([Opened(STREAM, "s1", "tutum", micros(0), micros(0)), *told])
        spool.append([Closed(STREAM, "s1", micros(99), "stopped", "stopped")])
        once: list[int] = []

        def half(archived: int) -> None:
            if archived == 49 and not once:
                once.append(archived)
                armed.set()

        pace = IngestPace(batch=10, first_delay=0.01, last_delay=0.05)
        ingest = Ingest(spool, proxied, on_archived=half, pace=pace)
        ingest.finish()
        try:
            with running(ingest):
                wait_until(lambda: "COMMIT PREPARED 'daemon'" in str(ingest.trouble))
                before = ingest.position
                decide(postgres_url, decision, "daemon")
                wait_until(lambda: ingest.position == spool.last)
        finally:
            leave_nothing(postgres_url)

    assert before == 50
    found = rows(postgres_url, "SELECT count(*), count(DISTINCT uri), max(id) FROM event_log")
    assert found == [(98, 98, 98)]
    assert rows(postgres_url, "SELECT count(*), count(closed_at) FROM sessions") == [(1, 1)]


def test_a_row_that_somebody_has_locked_is_said_to_be(postgres_url: str) -> None:
    """By hand, in a transaction that was forgotten."""
    record(postgres_url, *FIRST)
    with psycopg.connect(libpq_url(postgres_url)) as forgotten:
        forgotten.execute("UPDATE numbers SET last = last")
        with Recorder(postgres_url) as recorder, pytest.raises(DatabaseBusy, match="locked for more than 100ms"):
            recorder.record(SECOND)
