"""Several sessions tell of one event: it is there once, and who else told of it is known, on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archiver.model import Condition, Event, Message, Opened
from archiver.platforms.decoders import Decoder, decode
from archiver.storage import migrate
from archiver.storage.duplicates import value_of
from archiver.storage.recorder import Recorder
from archiver.transfer.format import event_line
from archiver.transfer.importer import import_file, import_lines
from archiver.transfer.lines import Export

from .archives import SECOND, START, STREAM, event, export, micros, opened, record, rows

UUID = "526d474c-45cf-4e5b-9768-5a21a9850848"
TOLD = (
    "SELECT e.id, s.key, t.received_at FROM tellings t"
    " JOIN events e ON e.id = t.event_id JOIN sessions s ON s.id = t.session_id ORDER BY 1, 2"
)
OTHER = f"{STREAM}?other"
"""Of the same account."""


def told(session: str | None, received: float = 1, uuid: str = UUID, **more: Any) -> Event:
    return event("container/1", "Running", 1, session=session, uuid=uuid, **more)._replace(received_at=micros(received))


@pytest.fixture
def watched(database_url: str) -> str:
    """An archive with two sessions, each of a stream of its own."""
    record(database_url, opened("a", 0), opened("b", 0, stream=OTHER))
    return database_url


@pytest.mark.parametrize("batches", [1, 2])
def test_another_session_that_tells_of_an_event_is_kept(watched: str, batches: int) -> None:
    first, second = told("a"), told("b", received=5)
    with Recorder(watched) as recorder:
        done = [recorder.record(batch) for batch in ([[first, second]] if batches == 1 else [[first], [second]])]

    assert sum(one.duplicates for one in done) == 1
    assert rows(watched, TOLD) == [(1, "b", micros(5))]


def test_a_session_that_tells_again_tells_once(watched: str) -> None:
    record(watched, told("a"), told("a", received=2), told("b", received=3), told("b", received=4))
    record(watched, told("b", received=5), told("a", received=6))

    assert rows(watched, TOLD) == [(1, "b", micros(3))]


def test_of_what_was_imported_every_session_that_tells_is_another(watched: str) -> None:
    record(watched, told(None))

    record(watched, told("a", received=2), told(None))

    assert rows(watched, TOLD) == [(1, "a", micros(2))]


def test_a_batch_with_other_events_before_a_repeated_one(watched: str) -> None:
    others = [event(f"service/{n}", "Running", n, session="a") for n in range(3)]

    record(watched, *others, told("a"), told("b"), told("a", uuid="v"), told("b", uuid="v", received=9))

    assert rows(watched, TOLD) == [(4, "b", micros(1)), (5, "b", micros(9))]


def test_to_tell_again_is_a_sign_of_life(watched: str) -> None:
    record(watched, told("a"))

    record(watched, told("b", received=60))

    ((seen, authenticated),) = rows(watched, "SELECT last_seen_at, authenticated_at FROM sessions WHERE key = 'b'")
    ((first,),) = rows(watched, "SELECT last_seen_at FROM sessions WHERE key = 'a'")
    assert str(seen) > str(first)
    assert authenticated is not None


# --- which event it is ----------------------------------------------------------------------------------------------


def test_the_same_uuid_at_another_time_is_an_event_of_its_own(database_url: str) -> None:
    first, second = (event("container/1", "Running", n, uuid=UUID) for n in (1, 2))

    done = [record(database_url, first, second).events, record(database_url, second, first).duplicates]

    assert done == [2, 2]
    assert rows(database_url, "SELECT count(*) FROM rejects") == [(0,)]


@pytest.mark.parametrize("batches", [1, 2])
def test_an_event_without_a_time_of_its_own_is_known_by_its_uuid(database_url: str, batches: int) -> None:
    first, second = (event("container/1", "Running", n, uuid=UUID, datetime=None) for n in (1, 2))
    assert first.occurred_at != second.occurred_at

    with Recorder(database_url) as recorder:
        done = [recorder.record(batch) for batch in ([[first, second]] if batches == 1 else [[first], [second]])]

    assert [sum(one.events for one in done), sum(one.duplicates for one in done)] == [1, 1]


def test_an_event_with_a_time_and_one_without_are_two(database_url: str) -> None:
    """And at one microsecond, by chance, the later one is in conflict with the other."""
    dated, undated = event("container/1", "Running", 1, uuid=UUID), told(None, received=2, datetime=None)
    assert undated.time_source == "received"

    assert record(database_url, dated, undated._replace(occurred_at=micros(2))).events == 2
    by_chance = event("container/1", "Running", 2, uuid=UUID)
    assert record(database_url, by_chance, event("container/2")).events == 1
    assert rows(database_url, "SELECT reason FROM rejects") == [("its uuid is archived already, with other content",)]


# --- what a swarm removes -------------------------------------------------------------------------------------------

MANAGERS = ("unix:///run/one.sock", "unix:///run/two.sock")


def removed(manager: int, second: float, scope: str = "swarm") -> Event:
    """What a manager tells of a service that is removed, at the time at which it tells."""
    at = START + int(second * SECOND)
    said = {"Type": "service", "Action": "remove", "Actor": {"ID": "s1", "Attributes": {"name": "web"}}}
    said |= {"scope": scope, "time": at // SECOND, "timeNano": at * 1000}
    payload = json.dumps({"engine": f"E{manager}", "swarm": "S", "message": said}).encode()
    found = decode(Message(MANAGERS[manager], f"m{manager}", "docker", at, payload))
    assert isinstance(found, Event)
    return found


@pytest.mark.parametrize("batches", [1, 2])
@pytest.mark.parametrize("first", [0, 1])
def test_a_removal_that_two_managers_tell_is_one_event(database_url: str, batches: int, first: int) -> None:
    sessions = [Opened(MANAGERS[n], f"m{n}", "docker", START, START) for n in (0, 1)]
    both = [removed(first, 1), removed(1 - first, 1.5)]
    with Recorder(database_url) as recorder:
        recorder.record(sessions)
        done = [recorder.record(batch) for batch in ([both] if batches == 1 else [[one] for one in both])]

    assert [sum(one.events for one in done), sum(one.duplicates for one in done)] == [1, 1]
    assert rows(database_url, TOLD) == [(1, f"m{1 - first}", micros(1.5))]
    assert rows(database_url, "SELECT time_source FROM events") == [(3,)]


def test_what_an_engine_removes_is_known_by_its_uuid_in_which_its_time_is(database_url: str) -> None:
    assert removed(0, 1, scope="local").time_source == "engine"
    assert record(database_url, removed(0, 1, scope="local"), removed(1, 2, scope="local")).events == 2


@pytest.mark.parametrize("scope", ["swarm", "local"])
def test_a_removal_is_read_from_an_export_as_what_it_was(scope: str) -> None:
    found = removed(0, 1, scope=scope)
    line = event_line(7, found.session, found.received_at, {"name": found.name}, value_of(found))

    assert Export().read(line.encode()) == ("event", 7, [found], None)


# --- what an engine tells over two connections ----------------------------------------------------------------------

ENGINES = ("tcp://vm:2375", "tcp://vm.example:2375")
LIFE = ("create", "start", "die", "destroy")


def line(action: str, number: int, step: int = SECOND) -> str:
    at = START + number * step
    actor = {"ID": "a" * 64, "Attributes": {"image": "x", "name": "web"}}
    said = {"Type": "container", "Action": action, "Actor": actor, "scope": "local"}
    return json.dumps({**said, "time": at // SECOND, "timeNano": at * 1000})


def heard(connection: int, ahead: int, lines: list[str]) -> list[Event]:
    """What one connection hears, that found the engine's clock to be some microseconds ahead."""
    decoder = Decoder()
    found = []
    for said in lines:
        payload = json.dumps({"engine": "E", "ahead": ahead, "message": json.loads(said)}).encode()
        told = decoder.decode(
            Message(ENGINES[connection], f"c{connection}", "docker", micros(60 + connection), payload)
        )
        assert isinstance(told, Event)
        found.append(told)
    return found


def connections() -> list[Opened]:
    return [Opened(stream, f"c{n}", "docker", START, START) for n, stream in enumerate(ENGINES)]


@pytest.mark.parametrize("batches", [1, 2])
def test_a_message_heard_over_two_connections_is_one_event_whatever_they_make_of_the_clock(
    database_url: str, batches: int
) -> None:
    lines = [line(action, n) for n, action in enumerate(LIFE)]
    first, second = heard(0, 7_000_120, lines), heard(1, 7_000_480, lines)
    assert {event.occurred_at for event in first}.isdisjoint(event.occurred_at for event in second)

    with Recorder(database_url) as recorder:
        recorder.record(connections())
        done = [recorder.record(batch) for batch in ([[*first, *second]] if batches == 1 else [first, second])]

    assert [sum(one.events for one in done), sum(one.duplicates for one in done)] == [4, 4]
    assert rows(database_url, TOLD) == [(number, "c1", micros(61)) for number in range(1, 5)]
    assert rows(database_url, "SELECT DISTINCT time_source FROM events") == [(4,)]
    assert rows(database_url, "SELECT DISTINCT time_source FROM event_log") == [("engine",)]


def test_what_was_heard_live_and_is_imported_as_of_its_stream_is_there_once(database_url: str, tmp_path: Path) -> None:
    """Live, the clock is put right and the order kept; what is read from a file stands where it says."""
    lines = [line("create", 0), line("start", 3, 1000), line("pause", 2, 1000)]
    live = heard(0, 7_000_120, lines)
    assert live[1].occurred_at == live[2].occurred_at
    whose = Condition(ENGINES[0], "docker", START, "identity", '{"engine":"E"}')
    record(database_url, *connections(), whose, *live)
    (tmp_path / "recorded.jsonl").write_text("\n".join(lines))

    with (tmp_path / "recorded.jsonl").open("rb") as file:
        done = import_file(database_url, file, stream=ENGINES[0])

    assert (done.events, done.duplicates, done.rejects) == (0, 3, 0)


def test_an_export_of_what_another_connection_heard_is_there_already_and_who_told_of_it_is_kept(
    database_url: str, tmp_path: Path
) -> None:
    lines = [line(action, n) for n, action in enumerate(LIFE)]
    source = f"sqlite:///{tmp_path}/source.db"
    migrate.create(source)
    record(source, *connections(), *heard(0, 0, lines), *heard(1, 480, lines))
    record(database_url, *[event._replace(session=None) for event in heard(1, 999, lines)])

    done = import_lines(database_url, [f"{said}\n".encode() for said in export(source)])

    assert (done.events, done.duplicates, done.rejects) == (0, 4, 0)
    assert [session for _, session, _ in rows(database_url, TOLD)] == ["c0", "c1"] * 4


def test_what_is_listed_is_there_already(database_url: str, run_archiver: Callable[..., Any]) -> None:
    lines = [line(action, n) for n, action in enumerate(LIFE)]
    record(database_url, *connections(), *heard(0, 7_000_120, lines), removed(0, 9))
    listed = run_archiver("--database", database_url, "events", "-o", "jsonl").stdout.splitlines(keepends=True)

    done = import_lines(database_url, [one.encode() for one in listed])

    assert (done.events, done.duplicates, done.rejects) == (0, 5, 0)
