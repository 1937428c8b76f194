"""Labels that an engine repeats with every event are kept once, and every question gets them as they were said."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from archiver.api.archive import Archive
from archiver.codec.forgetting import FORGOTTEN, Pattern
from archiver.codec.sharing import FIRST
from archiver.errors import RowRefused
from archiver.model import Event, Message, Reject
from archiver.platforms.decoders import decode
from archiver.storage import migrate
from archiver.storage.forgetting import Place
from archiver.storage.limits import CacheLimits
from archiver.storage.recorder import Recorder

from .archives import LABELLED, event, export, micros, opened, record, rejected, rows, seen

LABELS = {f"com.example.{n}": "v" * 100 for n in range(300)}
TOLD = ["create", "start", *["exec_create: probe", "exec_start: probe", "exec_die"] * 35, "kill", "die", "destroy"]
OWN = {
    "exec_create": {"execID": "4f"},
    "exec_start": {"execID": "4f"},
    "exec_die": {"execID": "4f", "exitCode": "0"},
    "kill": {"signal": "15"},
    "die": {"exitCode": "143", "execDuration": "9"},
}
SHARED = "SELECT id, length(text) FROM shared_texts ORDER BY id"


def docker(verb: str, second: float, labels: dict[str, str], session: str | None = None) -> Event:
    attributes = {**labels, **OWN.get(verb.partition(":")[0], {}), "image": "web:1", "name": "web"}
    actor = {"ID": "c0" * 32, "Attributes": dict(sorted(attributes.items()))}
    told = {"Type": "container", "Action": verb, "Actor": actor, "scope": "local", "timeNano": micros(second) * 1000}
    found = decode(Message("unix:///a", session, "docker", micros(second), json.dumps({"message": told}).encode()))
    assert isinstance(found, Event), found
    return found


def whole(url: str) -> list[str]:
    return [extra for (extra,) in rows(url, "SELECT extra FROM event_log ORDER BY id")]


def test_labels_of_thirty_kilobytes_are_there_once_and_every_event_has_them(database_url: str) -> None:
    life = [docker(verb, at, LABELS) for at, verb in enumerate(TOLD)]
    record(database_url, *life[:50])
    record(database_url, *life[50:])

    ((_, size),) = rows(database_url, SHARED)
    assert size > 30_000
    counted = "SELECT sum(length(extra)), count(shared_id), count(shared_too_id) FROM events"
    ((kept, shared, more),) = rows(database_url, counted)
    assert (kept < 500 * len(life), shared, more) == (True, len(life), 0)
    assert whole(database_url) == [event.extra for event in life]
    with Archive.open(database_url) as archive:
        said = [event.extra["message"]["Actor"]["Attributes"] for event in archive.events(limit=0)]
        assert all(attributes.items() >= LABELS.items() for attributes in said)
    assert migrate.check(database_url) == []
    told = [line for line in export(database_url) if '"com.example.299":"v' in line]
    assert (len(told), [line for line in told if FIRST in line]) == (len(life), [])


def test_what_is_told_again_is_known_and_other_labels_of_a_known_uuid_are_kept(database_url: str) -> None:
    life = [docker(verb, at, LABELS) for at, verb in enumerate(TOLD[:5])]
    record(database_url, *life)
    again = record(database_url, *life)
    other = life[0]._replace(extra=(life[0].extra or "").replace("v" * 100, "w" * 100))
    conflicting = record(database_url, other)

    assert (again.events, again.duplicates, again.rejects) == (0, len(life), 0)
    assert (conflicting.events, conflicting.rejects) == (0, 1)
    assert b"w" * 100 in rejected(database_url)[0][1]


def test_each_platform_has_its_own_and_an_observation_shares_as_well(database_url: str) -> None:
    labels = {"com.a": "v" * 250, "org.b": "w" * 220}
    for session in ("a", "b"):
        told = [docker(verb, at, labels, session) for at, verb in enumerate(TOLD[:3])]
        record(database_url, opened(session, -1, stream=f"unix:///{session}")._replace(dialect="docker"), *told)
    asked = seen("container/1", "Running", 9)._replace(extra=LABELLED)
    record(database_url, asked, asked._replace(observed_at=micros(10)))

    found = rows(database_url, "SELECT count(*) FROM shared_texts GROUP BY platform_id")
    assert sorted(found) == [(1,), (2,), (2,)]
    assert rows(database_url, "SELECT count(DISTINCT shared_id) FROM observations") == [(1,)]
    lines = [json.loads(line) for line in export(database_url)]
    asked_for = [line["extra"] for line in lines if line.get("archiver") == "observation"]
    assert asked_for == [json.loads(LABELLED)] * 2
    assert migrate.check(database_url) == []


def test_a_text_that_looks_as_if_it_were_divided_stays_whole(database_url: str) -> None:
    labels = {"com.a": "v" * 250, "com.b": FIRST}
    hostile = [docker("start", 1, labels), docker("start", 2, {**labels, "*": "x"})]
    hostile[1] = hostile[1]._replace(extra=(hostile[1].extra or "").replace('"*":"x"', FIRST))
    record(database_url, *hostile)

    assert whole(database_url) == [event.extra for event in hostile]
    assert rows(database_url, "SELECT count(shared_id) FROM events") == [(1,)]


def test_a_text_is_found_again_whatever_the_writer_remembers(database_url: str) -> None:
    """By one that starts anew, one that remembers a single text, and after a rollback."""
    told = [docker("start", second, {"com.a": f"{second % 3}" * 250}) for second in range(12)]
    for limits, some in ((CacheLimits(), told[:6]), (CacheLimits(shared=1), told[6:])):
        with Recorder(database_url, limits=limits) as recorder:
            for event in some:
                recorder.record([event])
    with Recorder(database_url) as recorder:
        new = docker("start", 20, {"com.a": "9" * 250})
        with pytest.raises((RowRefused, UnicodeEncodeError)):
            recorder.record([new, Reject(b"", "written last: \ud800", 0)])
        recorder.record([new])

    assert rows(database_url, SHARED) == [(number, 250 + len('"com.a":""')) for number in (1, 2, 3, 4)]
    assert whole(database_url) == [event.extra for event in (*told, new)]


def test_two_writers_that_bring_the_same_at_once_keep_it_once(postgres_url: str) -> None:
    labels = [{"com.a": f"{number}" * 250} for number in range(5)]

    def write(name: str) -> None:
        with Recorder(postgres_url, name) as recorder:
            for number, some in enumerate(labels):
                recorder.record([docker(f"exec_die {name}", number, some)], number + 1)

    with ThreadPoolExecutor() as writers:
        list(writers.map(write, ["a", "b"]))

    assert rows(postgres_url, "SELECT count(*), count(DISTINCT text) FROM shared_texts") == [(5, 5)]
    assert rows(postgres_url, "SELECT count(*), count(DISTINCT shared_id) FROM events") == [(10, 5)]
    assert migrate.check(postgres_url) == []


def test_what_another_writer_has_forgotten_is_in_no_text_that_comes_afterwards(postgres_url: str) -> None:
    told = [docker("start", at, {"com.a": "v" * 250, "com.b": "of-db-17"}) for at in (1, 2)]
    on = [event("service/db-17", "Running", at) for at in (1, 2)]
    place: Place | None = Place()
    with Recorder(postgres_url, "one") as one, Recorder(postgres_url, "two") as two:
        two.record([told[0], on[0]])
        while place is not None:
            place = one.forget(Pattern("db-17"), place).next
        one.record([event("container/9")])
        two.record([told[1], on[1]])

    assert [FORGOTTEN in extra for extra in whole(postgres_url) if "com.a" in extra] == [True, False]
    keys = rows(postgres_url, "SELECT key FROM resources WHERE uri LIKE '%/service/%' ORDER BY id")
    assert keys == [(FORGOTTEN,), ("db-17",)]
