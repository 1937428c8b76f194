"""The view of restarts: what stopped and why, and whether it came back; it says what the library says."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from archiver.api.archive import Archive
from archiver.model import Event, Message, Observation, Record, to_micros
from archiver.platforms.decoders import decode
from archiver.queries.causes import is_stop, stays_ended
from archiver.transfer.importer import import_lines

from .archives import STREAM, at, between, closed, event, micros, opened, record, rows, seen, uri

DATA = Path(__file__).parents[1] / "data"
ROW = "stopped_us, cause, exit_code, action_uri"


def engines(verb: str, second: float, number: int, session: str | None = None, **attributes: str) -> Event:
    """What an engine says of a container."""
    when = micros(second)
    actor = {"ID": f"{number:064x}", "Attributes": {"name": f"web-{number}", **attributes}}
    said = {"Type": "container", "Action": verb, "Actor": actor, "scope": "local", "timeNano": when * 1000}
    payload = json.dumps({"message": said, "engine": "E"}).encode()
    decoded = decode(Message(STREAM, session, "docker", when, payload))
    assert isinstance(decoded, Event), decoded
    return decoded


def docker_life(number: int, chance: random.Random) -> Iterator[Event]:
    """What an engine may tell of one container, in any way that these words can be told."""
    second = number * 1000.0
    for _ in range(6):
        second += chance.choice([0.5, 3, 20])
        yield engines("start", second, number)
        for verb in chance.sample(["kill", "kill", "kill", "oom", "exec_create: ls", "stop"], chance.randrange(4)):
            second += chance.choice([0.1, 4, 11])
            signal = {"signal": chance.choice(["1", "9", "15", "15"])} if chance.random() < 0.8 else {}
            yield engines(verb, second, number, **signal)
        second += chance.choice([0.1, 2, 9, 16])
        yield engines("die", second, number, exitCode=chance.choice(["0", "1", "129", "137", "143"]))
        for verb in chance.sample(["stop", "restart", "oom"], chance.randrange(3)):
            second += chance.choice([0.1, 1.5, 4, 12])
            yield engines(verb, second, number)
    yield engines("destroy", second + 1, number)


def tutum_life(number: int, chance: random.Random) -> Iterator[Event]:
    """What Tutum may tell of one container, and of the actions on it and above it."""
    me, second = f"container/t{number}", number * 1000.0
    place = [f"service/s{number}", f"stack/k{number % 3}", f"node/n{number % 2}"]
    targets = [[me, *place[:2]], place[:2], place[1:2], place[2:], ["node/elsewhere"]]
    yield event(me, "Running", second, place)
    for turn in range(5):
        second += chance.randrange(1, 60)
        for n in range(chance.randrange(3)):
            action, above = f"action/{number}.{turn}.{n}", chance.choice(targets)
            name = chance.choice([None, "Service Stop", "Service Start", "Stack Redeploy", "Node Upgrade"])
            begun = second - chance.randrange(5)
            yield event(action, "In progress", begun, above)._replace(name=name)
            if chance.random() < 0.8:
                yield event(action, chance.choice(["Success", "Failed"]), begun + chance.randrange(8), above)
        if chance.random() < 0.5:
            yield event(me, "Stopping", second, place)
            second += chance.randrange(3)
        yield event(me, "Stopped", second + 0.5, place)
        if chance.random() < 0.4:  # it did not go after all; nothing stops twice
            yield event(me, "Terminating", second + 1, place)
            yield event(me, "Stopped", second + 1.5, place)
        yield event(me, "Starting", second + 2, place)
        yield event(me, "Running", second + 3, place)


def told(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """What the library says of each container's ends that were followed by a start: as the view's rows."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    of_type = "SELECT r.uri FROM resources r JOIN event_types t ON t.id = r.type_id WHERE t.text = 'container'"
    with Archive.open(url) as archive:
        for (ref,) in rows(url, of_type):
            spans = archive.history(ref).spans
            states: list[str] = []
            for place, span in enumerate(spans):
                before = states[-1] if states else None
                states += [] if stays_ended(before, span.state) else [span.state]
                starts = any(later.state.lower().startswith("running") for later in spans[place:])
                if not is_stop(before, span.state) or not starts:
                    continue
                assert span.cause is not None
                proof = span.cause.actions[0].uri if len(span.cause.actions) == 1 else None
                row = (to_micros(span.since), span.cause.kind, span.cause.exit_code, proof)
                found.setdefault(ref, []).append(row)
    return found


def viewed(url: str) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = {}
    for ref, *row in rows(
        url, f"SELECT uri, {ROW} FROM restarts WHERE started_us IS NOT NULL ORDER BY uri, stopped_us"
    ):
        found.setdefault(ref, []).append(tuple(row))
    return found


def test_the_view_and_the_library_say_the_same_of_random_histories(database_url: str) -> None:
    chance = random.Random(7)
    told_of: list[Record] = []
    for number in range(1, 9):
        told_of += docker_life(number, chance)
        told_of += tutum_life(number, chance)
    record(database_url, *told_of)

    expected, kinds = told(database_url), {kind for found in told(database_url).values() for _, kind, _, _ in found}

    assert kinds == {"told", "forced", "crash", "oom"}
    found = viewed(database_url)
    assert {ref: found.get(ref) for ref in expected} == expected


def test_what_stopped_and_is_told_to_go_stops_once(database_url: str) -> None:
    me, place = "container/1", ["service/web"]
    told = ["Running", "Stopping", "Stopped", "Starting", "Running", "Stopped", "Terminating", "Terminated"]
    record(database_url, opened("s", 0), *[event(me, state, 1 + n, place, "s") for n, state in enumerate(told)])
    record(
        database_url, *[event("container/2", state, 1 + n, place, "s") for n, state in enumerate(told[4:5] + told[6:])]
    )
    record(database_url, *[event("container/3", state, 1 + n, place, "s") for n, state in enumerate(told[6:])])

    assert rows(database_url, "SELECT uri, stopped_us, cause FROM restarts ORDER BY uri, stopped_us") == [
        (uri(me), micros(3), "told"), (uri(me), micros(6), "crash"),
    ]  # fmt: skip
    ends = "SELECT r.key, q.stopped_us FROM told_stops q JOIN resources r ON r.id = q.resource_id ORDER BY 1, 2"
    assert rows(database_url, ends) == [("1", micros(3)), ("1", micros(6)), ("2", micros(3)), ("3", micros(2))]
    with Archive.open(database_url) as archive:
        causes = [span.cause and span.cause.kind for span in archive.history(me).spans]
        assert causes == [None, None, "told", None, None, "crash", None, None]
        assert [(row.slot, row.stopped_at) for row in archive.report("restarts", me).rows] == [
            (None, at(6)),
            (None, at(3)),
        ]
        assert archive.why(me).at == at(6)


def test_what_nobody_watched_is_the_same_in_both(database_url: str) -> None:
    place = ["service/web"]
    record(
        database_url,
        opened("a", 0),
        event("container/1", "Running", 1, place, session="a"),
        event("container/2", "Running", 1, place, session="a"),
        event("container/2", "Stopped", 5, place, session="a"),
        event("container/2", "Running", 6, place, session="a"),
        closed("a", 10),
        opened("b", 60),
        seen("container/1", "Stopped", 61, place, session="b"),
        event("container/1", "Running", 65, place, session="b"),
        event("container/2", "Stopped", 70, place, session="b"),
        closed("b", 75),
        opened("c", 90),
        event("container/2", "Running", 91, place, session="c"),
        closed("c", 100),
    )

    assert viewed(database_url) == told(database_url)
    shown = rows(database_url, "SELECT uri, cause, down_seconds, certain, service FROM restarts ORDER BY stopped_us")
    assert shown == [
        (uri("container/2"), "crash", 1.0, 1, uri("service/web")),
        (uri("container/1"), "unknown", 4.0, 0, uri("service/web")),
        (uri("container/2"), "crash", 21.0, 0, uri("service/web")),
    ]


def test_a_slot_lives_on_in_what_takes_the_place_of_its_container(database_url: str) -> None:
    import_lines(database_url, (DATA / "docker-swarm-events.jsonl").read_bytes().splitlines())

    shown = rows(
        database_url,
        "SELECT slot, service, cause, exit_code, round(CAST(down_seconds AS numeric), 1) FROM restarts"
        " WHERE service = 'shop_worker' AND started_us IS NOT NULL ORDER BY stopped_us",
    )

    assert [(*row[:-1], float(row[-1])) for row in shown] == [
        ("shop_worker.1", "shop_worker", "crash", 3, 1.4),
        ("shop_worker.1", "shop_worker", "crash", 3, 1.2),
        ("shop_worker.1", "shop_worker", "crash", 3, 1.2),
    ]
    assert rows(database_url, "SELECT count(*) FROM restarts WHERE slot LIKE 'shop_web.%' AND cause = 'forced'") == [
        (5,)
    ]


def test_a_pause_is_no_restart(database_url: str) -> None:
    record(
        database_url,
        *[engines(verb, second, 1) for verb, second in (("start", 0), ("pause", 5), ("unpause", 9))],
        engines("die", 20, 1, exitCode="1"),
        engines("start", 0, 2),
        engines("pause", 3, 2),
        engines("die", 5, 2, exitCode="2"),
        engines("start", 8, 2),
    )

    assert rows(database_url, "SELECT exit_code, cause, down_seconds FROM restarts ORDER BY exit_code") == [
        (1, "crash", None),
        (2, "crash", 3.0),
    ]


def reported(url: str) -> list[tuple[Any, ...]]:
    """What the report says of all stops, by time, as the view's rows."""
    with Archive.open(url) as archive:
        found = archive.report("restarts").rows
    stops = [
        (
            row.subject.uri,
            to_micros(row.stopped_at),
            None if row.started_at is None else to_micros(row.started_at),
            row.down_seconds,
            row.cause.kind,
            row.cause.exit_code,
        )
        for row in found
    ]
    return sorted(stops, key=lambda stop: (stop[1], stop[0]))


STOPS = "SELECT uri, stopped_us, started_us, down_seconds, cause, exit_code FROM restarts ORDER BY stopped_us, uri"


def test_a_successor_that_was_found_running_is_a_return(database_url: str) -> None:
    slot = {f"com.docker.swarm.{key}": value for key, value in (
        ("service.id", "s1"), ("service.name", "shop_web"), ("task.name", "shop_web.1.x"), ("task.id", "x"),
    )}  # fmt: skip
    new = engines("create", 21, 2, **slot)
    assert new.resource_uri is not None
    record(
        database_url,
        engines("start", 0, 1, **slot),
        engines("die", 20, 1, exitCode="3", **slot),
        new,
        Observation(new.resource_uri, "running", None, (), micros(30), None, None),
        engines("start", 50, 2, **slot),
    )

    (stop,) = rows(database_url, STOPS)

    assert stop[1:] == (micros(20), micros(30), 10.0, "crash", 3)
    assert [stop] == reported(database_url)


def test_what_never_came_back_is_in_the_view_as_in_the_report(database_url: str) -> None:
    def life(number: int, code: str, *after: str) -> Iterator[Event]:
        yield engines("start", number * 100, number)
        yield engines("die", number * 100 + 5, number, exitCode=code)
        for second, verb in enumerate(after, 6):
            yield engines(verb, number * 100 + second, number)

    record(
        database_url,
        *life(1, "3"),
        *life(2, "3", "destroy"),
        *life(3, "0"),
        *life(4, "0", "destroy"),
        *life(5, "143", "stop"),
        *life(6, "143", "stop", "destroy"),
        *life(7, "1", "start"),
    )

    found = rows(database_url, STOPS)

    assert found == reported(database_url)
    assert [(started is not None, cause, code) for _, _, started, _, cause, code in found] == [
        (False, "crash", 3),
        (False, "crash", 3),
        (False, "crash", 0),
        (False, "told", 143),
        (True, "crash", 1),
    ]


def at_one_instant(url: str) -> None:
    """Told in whole seconds: what stops, starts and stops again within one counts in the order in which it was told."""
    place = ["service/web"]
    record(
        url,
        opened("a", 0),
        *(event(f"container/{name}", "Running", 1, place, session="a") for name in ("again", "twice", "found")),
        event("container/again", "Stopped", 100, place, session="a"),
        event("container/again", "Running", 100, place, session="a"),
        event("container/twice", "Stopped", 200, place, session="a"),
        event("container/twice", "Running", 200, place, session="a"),
        event("container/twice", "Stopped", 200, place, session="a"),
        event("container/twice", "Running", 230, place, session="a"),
        event("container/found", "Stopped", 300, place, session="a"),
        seen("container/found", "Running", 300, place, session="a"),
        event("container/last", "Stopped", 400, place, session="a"),
        event("container/last", "Running", 400, place, session="a"),
        event("container/last", "Stopped", 400, place, session="a"),
        event("container/over", "Running", 400, place, session="a"),
        event("container/over", "Stopped", 400, place, session="a"),
        closed("a", 500),
    )


def test_what_runs_again_at_the_instant_of_its_stop_is_back_at_once(database_url: str) -> None:
    at_one_instant(database_url)

    found = rows(database_url, STOPS)

    assert sorted(found, key=str) == sorted(reported(database_url), key=str)
    assert sorted((ref.split("/")[-2], kind, -1 if down is None else down) for ref, _, _, down, kind, _ in found) == [
        ("again", "crash", 0),
        ("found", "crash", 0),
        ("last", "crash", -1),
        ("over", "crash", -1),
        ("twice", "crash", 0),
        ("twice", "crash", 30),
    ]
    with Archive.open(database_url) as archive:
        counted = {row.subject.uri: row for row in archive.report("restarts", per="container").rows}
        incident = archive.incident(between(0, 500))
    again, twice = counted[uri("container/again")], counted[uri("container/twice")]
    assert (again.restarts, again.not_back, twice.restarts, twice.down_seconds) == (1, 0, 2, 30)
    away = {note.split()[0] for note in incident.availability.notes if "has not come back" in note}
    assert away == {uri("container/last"), uri("container/over")}


def test_a_successor_that_runs_at_the_instant_of_a_stop_is_a_return(database_url: str) -> None:
    slot = {f"com.docker.swarm.{key}": value for key, value in (
        ("service.id", "s1"), ("service.name", "shop_web"), ("task.name", "shop_web.1.x"), ("task.id", "x"),
    )}  # fmt: skip
    record(
        database_url,
        engines("start", 0, 1, **slot),
        engines("create", 20, 2, **slot),
        engines("start", 20, 2, **slot),
        engines("die", 20, 1, exitCode="3", **slot),
    )

    (stop,) = rows(database_url, STOPS)

    assert stop[1:4] == (micros(20), micros(20), 0)
    assert [stop] == reported(database_url)
