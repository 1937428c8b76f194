"""Random histories: what the recorder writes and the archive answers is what a replay of them by the rules says.

`make test-model SECONDS=3600` goes on for as long as is asked, with other seeds than ever before.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import count

import pytest

from archiver.api.archive import Archive
from archiver.codec.uris import parse
from archiver.model import Event, Observation, iso, to_micros
from archiver.transfer.importer import import_lines

from ..conftest import RunArchiver
from ..model import semantics
from ..model.bridging import bridging
from ..model.found import FOUND
from ..model.histories import History, made, shuffled
from ..model.judging import Judge, require
from ..model.lasting import lasting
from ..model.platforms import written
from ..model.replay import Archived
from ..model.tables import differing
from .archives import export, rows

SECONDS = float(os.environ.get("ARCHIVER_TEST_MODEL_SECONDS", "0"))
ASKED = None if SECONDS else 2
"""About how many objects of each archive everything is asked: of a few in the suite, of all when there is time."""
SEEDS = [*range(22), 30, 44]
BRIDGING = [*range(6000, 6007), 6013]
"""The first, and of twice as many those that go ways through storage and queries which no other goes."""


@pytest.fixture
def judge(database_url: str) -> Iterator[Judge]:
    found = Judge(database_url, ASKED)
    yield found
    found.close()


@pytest.fixture
def both(sqlite_url: str, postgres_url: str) -> Iterator[tuple[Judge, Judge]]:
    """An archive on each database."""
    found = Judge(sqlite_url, ASKED), Judge(postgres_url, ASKED)
    yield found
    for one in found:
        one.close()


def late(seed: int) -> History:
    """The history of a seed in another order and other batches."""
    return shuffled(seed, made(seed))


def judged(judge: Judge, history: History, seed: int) -> None:
    """Written to an archive, it is as the model has it."""
    require(history, lambda tried: judge.differences(tried, seed))


def copied(source: Judge, copy: Judge, history: History) -> list[str]:
    """What the copy, made by export and import, holds and answers otherwise than the original must."""
    source.write(history)
    copy.empty()
    import_lines(copy.url, [line.encode() + b"\n" for line in export(source.url)])
    return [*copy.compared(Archived(history)), *differing("export of the copy", told(source.url), told(copy.url))]


def told(url: str) -> list[str]:
    """The lines of an export but the first, by what their URIs name."""
    lines = [json.loads(line) for line in export(url)[1:]]
    for line in lines:
        line.pop("authenticated_at", None)  # learnt anew from the events that are new
        if line["archiver"] == "observation":
            line |= {"uri": parse(line["uri"]), "parents": [parse(parent) for parent in line["parents"]]}
    return [json.dumps(line, sort_keys=True) for line in lines]


@pytest.mark.parametrize("part", range(6))
def test_an_archive_is_as_the_rules_say(judge: Judge, part: int) -> None:
    for seed in SEEDS[part::6]:
        judged(judge, late(seed) if seed % 2 else made(seed), seed)


@pytest.mark.parametrize("first", range(5000, 5008, 4))
def test_what_lasting_objects_say_late_is_as_the_rules_say(judge: Judge, first: int) -> None:
    for seed in range(first, first + 4):
        judged(judge, lasting(seed), seed)


@pytest.mark.parametrize("part", range(2))
def test_what_was_asked_on_both_sides_of_gaps_is_as_the_rules_say(judge: Judge, part: int) -> None:
    for seed in BRIDGING[part::2]:
        judged(judge, bridging(seed), seed)


@pytest.mark.parametrize("history", FOUND.values(), ids=FOUND)
def test_what_once_differed_is_as_the_rules_say(judge: Judge, history: History) -> None:
    assert judge.differences(history) == []


@pytest.mark.parametrize("first", range(1000, 1400, 100))
def test_the_rules_know_no_order_of_arrival(first: int) -> None:
    for seed in range(first, first + 100):
        assert essence(Archived(made(seed))) == essence(Archived(late(seed))), f"seed {seed}"


@pytest.mark.parametrize("first", range(2000, 2004, 2))
def test_a_copy_is_as_the_rules_say(both: tuple[Judge, Judge], first: int) -> None:
    for seed in range(first, first + 2):
        source, copy = both if seed % 2 else both[::-1]
        require(made(seed), lambda history, source=source, copy=copy: copied(source, copy, history))  # type: ignore[misc]


@pytest.mark.parametrize("first", range(3000, 3004, 2))
def test_both_databases_hold_the_same(both: tuple[Judge, Judge], first: int) -> None:
    for seed in range(first, first + 2):
        for one in both:
            one.write(made(seed), seed)
        sqlite, postgresql = (everything(one.url) for one in both)
        assert sqlite == postgresql, f"seed {seed}"


@pytest.mark.parametrize("seed", [4003])
def test_the_commands_say_what_the_library_says(sqlite_url: str, run_archiver: RunArchiver, seed: int) -> None:
    judge = Judge(sqlite_url)
    judge.write(made(seed), seed)
    judge.close()
    with Archive.open(sqlite_url) as archive:
        root = max(archive_refs(seed), key=lambda ref: len(list(archive.events(under=ref, limit=0))))
        events = [event.id for event in archive.events(under=root, limit=0)]
        actions = [action.uri for action in archive.actions(root)]
        spans = [span.state for span in archive.history(root).spans]
        uri = archive.tree(root).uri

    def said(*arguments: str) -> str:
        return run_archiver("--database", sqlite_url, *arguments).stdout

    listed = said("events", "--under", root, "-n", "0", "-o", "jsonl")
    assert [json.loads(line)["id"] for line in listed.splitlines()] == events
    assert [action["uri"] for action in json.loads(said("actions", root, "-o", "json"))] == actions
    assert [span["state"] for span in json.loads(said("history", root, "-o", "json"))["spans"]] == spans
    assert json.loads(said("tree", root, "-o", "json"))["uri"] == uri


@pytest.mark.skipif(not SECONDS, reason="runs for as many seconds as ARCHIVER_TEST_MODEL_SECONDS says")
def test_random_histories_for_as_long_as_is_asked(both: tuple[Judge, Judge]) -> None:
    first, end = time.time_ns(), time.monotonic() + SECONDS
    for done in count():
        if time.monotonic() > end:
            break
        seed = first + done
        print(f"seed {seed}")
        for one in both:
            judged(one, made(seed), seed)
            judged(one, late(seed), seed)
            judged(one, lasting(seed), seed)
            judged(one, bridging(seed), seed)
        source, copy = both if seed % 2 else both[::-1]
        require(made(seed), lambda history, source=source, copy=copy: copied(source, copy, history))  # type: ignore[misc]
    print(f"{done} histories, each in two orders, on both databases and as a copy")


def essence(expected: Archived) -> object:
    """What does not depend on the numbers that words have."""
    words: dict[int, dict[int, Event] | dict[int, Observation]] = {0: expected.events, 1: expected.observations}

    def teller(fact: semantics.Fact) -> object:
        nobody = fact.how == semantics.INFERRED or fact.told_by is None
        return None if nobody else words[fact.how][fact.told_by or 0]

    facts = {(fact._replace(told_by=None), teller(fact)) for fact in expected.facts}
    present = {ref: semantics.rule_9_present(expected.told, ref) for ref in expected.resources}
    events, observations = (sorted(map(repr, words[source].values())) for source in (0, 1))
    return facts, present, events, observations, len(expected.conflicts), expected.duplicates


def archive_refs(seed: int) -> list[str]:
    """References to everything in a history that is on one platform only."""
    found = Counter(f"{ref.type}/{written(ref)[0]}" for ref in Archived(made(seed)).resources)
    return sorted(ref for ref, platforms in found.items() if platforms == 1)


VIEWS = ("event_log", "event_parents", "state_spans", "current_states", "action_log", "subtree", "gap_log")


def everything(url: str) -> dict[str, list[str]]:
    """The export of an archive but for its first line, and all that its views show in numbers and texts."""
    found = {"export": export(url)[1:]}
    for view in VIEWS:
        listed = rows(url, f"SELECT * FROM {view}")
        found[view] = sorted(str([plain(value) for value in row]) for row in listed)
    return found


def plain(value: object) -> object:
    """An instant as SQLite's text has it; anything else as it is."""
    return iso(to_micros(value)) if isinstance(value, datetime) else value
