"""What a monitor is told, read by Prometheus' own parser."""

from __future__ import annotations

import socket
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from archiver.api.archive import Archive
from archiver.api.metrics import Counted, of_status
from archiver.codec.prometheus import Family, Sample, exposition
from archiver.errors import CannotServe
from archiver.model import Event
from archiver.recording.daemon import Daemon
from archiver.recording.metrics import Metrics
from archiver.recording.spool.queue import Spool
from archiver.transfer.importer import import_lines

from ..conftest import RunArchiver
from .archives import at, between, closed, event, micros, opened, record
from .test_causes import told
from .test_daemon import Told, running, wait_for

Numbers = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def numbers(text: str) -> Numbers:
    found: Numbers = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type in ("gauge", "counter")
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found
            found[key] = sample.value
    return found


def of(found: Numbers, name: str) -> dict[tuple[str, ...], float]:
    """The numbers of a name, by the values of their labels in the order of the labels' names."""
    return {tuple(value for _, value in labels): number for (of, labels), number in found.items() if of == name}


@pytest.mark.parametrize("text", ["plain", 'a"b\\c', "line\nend", "\x1b[31m\ud800", "x" * 10_000, ""])
def test_any_text_can_be_a_label(text: str) -> None:
    found = numbers(exposition([Family("a", "gauge", "What\nit \\ is.", (Sample(0.5, {"of": text}),))]))
    ((label,),) = of(found, "a")
    assert label[:200] == text.replace("\x1b", "\\x1b").replace("\ud800", "\\ud800")[:200]
    assert list(found.values()) == [0.5]


def test_two_texts_are_two_labels_however_alike_they_are() -> None:
    long = "x" * 300
    texts = ["a\x1b", "a\x1c", f"{long}1", f"{long}2", "a\ud800", "a\ud801"]
    family = Family("a", "gauge", "What it is.", tuple(Sample(1, {"of": text}) for text in texts))
    assert len(numbers(exposition([family]))) == len(texts)


STACK = ["service/web", "stack/shop"]
UNKNOWN = "archiver_unknown_seconds_total"
TO_MIDNIGHT = 43_200
"""Seconds of the tests' first day."""


def stopping(ref: str, second: float) -> list[Event]:
    """A container that ran, stopped, and ran again a minute later."""
    return [
        event(ref, "Running", second, STACK),
        event(ref, "Stopped", second + 60, STACK),
        event(ref, "Running", second + 120, STACK),
    ]


def test_what_stopped_is_counted_by_stack_service_and_cause_day_by_day(database_url: str) -> None:
    now = datetime(2016, 2, 1, 20, 0, tzinfo=UTC)
    record(
        database_url,
        event("stack/shop", "Running", -9)._replace(name="shop"),
        event("service/web", "Running", -8, ["stack/shop"])._replace(name="web"),
        *stopping("container/1", 0),
        *stopping("container/2", 10),
    )
    counted = Counted()
    with Archive.open(database_url) as archive:

        def restarts(at: datetime, by: Counted = counted) -> dict[tuple[str, ...], float]:
            return of(numbers(exposition(by.families(archive, at))), "archiver_restarts_total")

        first = restarts(now)
        assert sum(first.values()) == 2
        assert {labels[1:] for labels in first} == {("web", "shop")}
        record(database_url, *stopping("container/1", 86_400))
        later = restarts(now + timedelta(days=1))
        assert sum(later.values()) == 3
        assert sum(restarts(now + timedelta(days=2)).values()) == 3, "a counter never goes back"
        assert sum(restarts(now + timedelta(days=1), Counted()).values()) == 1, "a new one begins with the day"


def test_memory_that_was_short_and_what_nobody_watched_are_counted(database_url: str) -> None:
    record(database_url, opened("a", 0), closed("a", 100), opened("b", 160), closed("b", 180))
    import_lines(database_url, [told("start", 0), told("oom", 5), told("die", 5.2, exitCode="137"), told("start", 9)])
    with Archive.open(database_url) as archive:
        found = numbers(exposition(Counted().families(archive, at(170))))
    assert sum(of(found, "archiver_oom_total").values()) == 1
    assert {labels[0]: value for labels, value in of(found, "archiver_gap_seconds_total").items()} == {"lost": 60}


def test_what_nobody_knows_of_is_counted_by_stack_and_service(database_url: str) -> None:
    record(
        database_url,
        opened("a", -100),
        event("stack/shop", "Running", -9, session="a")._replace(name="shop"),
        event("service/web", "Running", -8, ["stack/shop"], "a")._replace(name="web"),
        event("container/1", "Running", 0, STACK, "a"),
        event("container/2", "Running", 0, STACK, "a"),
        event("container/alone", "Running", 0, session="a"),
        event("container/alone", "Terminated", 50, session="a"),
        closed("a", 100),
        opened("b", 160),
        event("container/1", "Running", 160, STACK, "b"),
        event("container/2", "Running", 170, STACK, "b"),
        closed("b", TO_MIDNIGHT + 10),
    )
    counted = Counted()
    with Archive.open(database_url) as archive:
        first = of(numbers(exposition(counted.families(archive, at(TO_MIDNIGHT - 1)))), UNKNOWN)
        total = archive.report("availability", None, between(None, TO_MIDNIGHT)).total
        later = of(numbers(exposition(counted.families(archive, at(2 * TO_MIDNIGHT)))), UNKNOWN)
    assert first == {("", ""): 0, ("web", "shop"): 60 + 70}
    assert total is not None
    assert total.unknown_seconds == sum(first.values())
    assert later == {("web", "shop"): 60 + 70 + 2 * (86_400 - 10)}


def test_the_numbers_of_an_archive(database_url: str) -> None:
    record(database_url, event("container/1", "Running", 0))
    with Archive.open(database_url) as archive:
        found = numbers(exposition(of_status(archive.status())))
    assert of(found, "archiver_events") == {(): 1}
    assert of(found, "archiver_well") == {(): 1}
    assert of(found, "archiver_last_event_timestamp_seconds") == {(): micros(0) / 1e6}
    assert set(of(found, "archiver_problem")) >= {("blind",), ("full",)}


def fetched(port: int) -> Numbers:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return numbers(answer.read().decode())


def test_a_daemon_serves_its_numbers_and_slow_scrapers_delay_nothing(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archiver.recording.metrics._SHARE", 1)
    with Spool(tmp_path / "spool.db") as spool:
        source = Told("a", 5, ends=False)
        daemon = Daemon([source], spool, sqlite_url)
        with Metrics(("127.0.0.1", 0), sqlite_url, daemon.metrics, look_seconds=0.05) as metrics, running(daemon):
            assert wait_for(lambda: daemon.ingest.archived == 5)
            slow = [socket.create_connection(("127.0.0.1", metrics.port)) for _ in range(6)]
            try:
                for line in slow:
                    line.sendall(b"GET /metr")
                assert wait_for(lambda: of(fetched(metrics.port), "archiver_events") == {(): 5})
                found = fetched(metrics.port)
            finally:
                for line in slow:
                    line.close()
    assert of(found, "archiver_connected") == {("told:a",): 1}
    assert of(found, "archiver_stream_connected") == {("told:a",): 1}
    assert of(found, "archiver_events_archived_total") == {(): 5}
    assert of(found, "archiver_spool_items") == {(): 0}


def test_who_comes_beyond_the_room_or_says_nothing_is_hung_up_on(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archiver.recording.metrics._PATIENCE", 0.2)
    monkeypatch.setattr("archiver.recording.metrics._SHARE", 1)
    with Metrics(("127.0.0.1", 0), sqlite_url, lambda: ()) as metrics:
        lines = [socket.create_connection(("127.0.0.1", metrics.port), timeout=20) for _ in range(30)]
        assert [line.recv(1) for line in lines] == [b""] * 30
        for line in lines:
            line.close()
        assert wait_for(lambda: of(fetched(metrics.port), "archiver_well"))


def test_an_address_that_is_taken_is_said_to_be(sqlite_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CannotServe, match="in use"):
        Metrics(taken.getsockname(), sqlite_url, lambda: ())


def test_status_writes_them_for_a_collector_of_files(sqlite_url: str, run_archiver: RunArchiver) -> None:
    record(sqlite_url, event("container/1", "Running", 0))
    done = run_archiver("status", "-o", "prom", "--database", sqlite_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert of(numbers(done.stdout), "archiver_events") == {(): 1}
