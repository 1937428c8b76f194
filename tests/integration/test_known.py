"""What was known at a time: an archive answers from what had been received by then as it did then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.api.known import as_known_at
from archiver.errors import NoSuchResource, NotThen
from archiver.model import Change, Diff, Event, Observation, Record, TreeNode
from archiver.storage import migrate

from ..conftest import RunArchiver
from .archives import at, closed, event, micros, opened, record, seen, uri
from .growth import analysed, cost_of, grown

PLACES = [["service/a", "stack/x"], ["service/b", "stack/x"], ["service/c", "stack/y"], ["stack/y"], []]
ROOTS = ["stack/x", "container/1", None]


def world(seed: int) -> Iterator[tuple[float, Record]]:
    """What is told of containers and services that move, end and return, each with when it is received."""
    chance = Random(seed)
    for number, since in enumerate((0, 400)):
        yield since, opened(f"s{number}", since)
    for _ in range(90):
        second = float(chance.randrange(800))
        late = chance.choice([0, 0, 5, 300])
        session = f"s{int(second + late >= 400)}"
        ref = chance.choice(["container/1", "container/2", "container/3", "service/a", "service/b", "stack/x"])
        above = {"c": chance.choice(PLACES), "s": chance.choice([["stack/x"], ["stack/y"], []])}[
            ref[0] if not ref.startswith("stack") else "s"
        ]
        state = chance.choice(["Running", "Stopped", "Terminated", None])
        above = [] if ref.startswith("stack") else above
        told = event(ref, state, second, above, session, name=chance.choice([None, "n1", "n2"]), uuid=f"{_}")
        yield second + late, told._replace(received_at=micros(second + late))
    for second in (100, 500):
        yield second, seen("container/2", "Running", second, ["stack/x"], f"s{int(second >= 400)}")
    yield 390, closed("s0", 390)


def arrived(seed: int) -> list[tuple[float, Record]]:
    return sorted(world(seed), key=lambda each: (each[0], not hasattr(each[1], "opened_at")))


def answers(archive: Archive, moment: float, ref: str | None) -> Any:
    try:
        return plain(archive.at(at(moment), ref)), diffed(archive.diff(at(moment / 2), at(moment), ref))
    except (NotThen, NoSuchResource) as error:
        return type(error)


def plain(node: TreeNode) -> Any:
    told = node.uri, node.type, node.name, node.state, node.since, node.certain
    return told, sorted(map(plain, node.children), key=str)


def diffed(found: Diff) -> list[Any]:
    return [_change(each) for each in found.changes]


def _change(each: Change) -> Any:
    return each.change, each.uri, each.name, each.before, each.after, each.at, each.certain


@pytest.mark.parametrize("seed", range(2))
def test_it_is_answered_as_it_was_when_nothing_more_had_arrived(
    seed: int, empty_database_url: str, tmp_path: Path
) -> None:
    records, chance = arrived(seed), Random(seed)
    migrate.create(empty_database_url)
    record(empty_database_url, *(each for _, each in records))
    known, then = chance.randrange(150, 1100), f"sqlite:///{tmp_path / 'then.db'}"
    migrate.create(then)
    record(then, *(each for second, each in records if second <= known))
    # Behind the last sign of life nobody could tell then whether it was still watched; later one can.
    moments = chance.sample([second for second, _ in records if 20 < second <= known], 2)
    with Archive.open(empty_database_url) as archive, Archive.open(then) as before:
        for ref in ROOTS:
            about = None if ref is None else archive.resolve(ref)
            with as_known_at(archive, at(known), about) as heard:
                for moment in moments:
                    assert answers(heard, moment, ref) == answers(before, moment, ref), (known, moment, ref)


@pytest.fixture
def late(database_url: str) -> str:
    """A container ran at 100, as was known at once; that it had moved at 50 was heard at 500."""
    first = event("container/1", "Running", 10, ["stack/x"], "a", name="web")
    moved = event("container/1", "Stopped", 50, ["stack/y"], "a")._replace(received_at=micros(500))
    record(database_url, opened("a", 0), first, moved)
    return database_url


def test_the_command_answers_from_what_had_been_received(late: str, run_archiver: RunArchiver) -> None:
    asked = ("at", "2016-02-01T12:01:40Z", "stack/x", "-o", "plain", "--database", late)

    now = run_archiver(*asked)
    then = run_archiver(*asked, "--known-at", "2016-02-01T12:02:00Z")

    assert uri("container/1") not in now.stdout
    assert uri("container/1") in then.stdout
    assert "Running" in then.stdout


def test_what_nobody_had_heard_of_was_not_there(late: str, run_archiver: RunArchiver) -> None:
    done = run_archiver(
        "at", "2016-02-01T12:01:40Z", "stack/y", "--known-at", "2016-02-01T12:02:00Z", "--database", late
    )

    assert done.returncode == 3
    assert "nothing had been received of it by then" in done.stderr


def test_difference_is_that_which_was_known(late: str, run_archiver: RunArchiver) -> None:
    asked = ("diff", "2016-02-01T12:00:20Z", "2016-02-01T12:01:40Z", "container/1", "-o", "csv", "--database", late)

    assert "Stopped" in run_archiver(*asked).stdout
    assert "Stopped" not in run_archiver(*asked, "--known-at", "2016-02-01T12:02:00Z").stdout


def test_what_is_read_is_of_what_is_asked_about(empty_database_url: str) -> None:
    migrate.create(empty_database_url)
    mine: list[Event | Observation] = [event("container/1", "Running", n, ["stack/x"]) for n in range(20)]
    record(empty_database_url, *mine)
    costs = []
    for others in (range(1_000), range(1_000, 10_000)):
        record(empty_database_url, *(event(f"container/o{n % 90}", "Running", n, ["stack/y"]) for n in others))
        analysed(empty_database_url)
        costs.append(cost_of(empty_database_url, lambda archive: list(archive.export_known(at(10_000), "stack/x"))))

    assert not grown(*costs, empty_database_url), costs


def test_history_is_that_which_was_known_up_to_then(late: str, run_archiver: RunArchiver) -> None:
    asked = ("history", "container/1", "-o", "csv", "--fields", "state,until", "--database", late)

    now = run_archiver(*asked, "--until", "2016-02-01T12:02:00Z")
    then = run_archiver(*asked, "--known-at", "2016-02-01T12:02:00Z")
    again = run_archiver(*asked, "--known-at", "2016-02-01T12:20:00Z", "--until", "2016-02-01T12:02:00Z")

    assert [line.partition(",")[0] for line in now.stdout.splitlines()] == ["state", "Running", "Stopped"]
    assert [line.partition(",")[0] for line in then.stdout.splitlines()] == ["state", "Running"]
    assert again.stdout == now.stdout


def test_histories_of_several_are_each_of_what_was_known_of_it(late: str, run_archiver: RunArchiver) -> None:
    asked = ("history", "container/[1]", "-o", "json", "--database", late)

    done = run_archiver(*asked, "--known-at", "2016-02-01T12:02:00Z")

    assert [[span["state"] for span in each["spans"]] for each in json.loads(done.stdout)] == [["Running"]]


def test_a_range_that_begins_when_nothing_more_was_known_is_refused(late: str, run_archiver: RunArchiver) -> None:
    ends = ("--since", "2016-02-01T13:00:00Z", "--known-at", "2016-02-01T12:02:00Z")

    done = run_archiver("history", "container/1", *ends, "--database", late)

    assert done.returncode == 2
    assert "is not before --known-at" in done.stderr
