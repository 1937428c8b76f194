"""What a platform answers that is asked about everything becomes observations: of what is news, and not twice."""

from __future__ import annotations

import json
import random
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.codec.text import dump
from archiver.model import Alive, Answers, Event, Item, Listed, Message, Observation, Observed, Opened, now_micros
from archiver.platforms.decoders import Decoder
from archiver.platforms.tutum.api import Api
from archiver.platforms.tutum.beside import BesidePace
from archiver.platforms.tutum.credentials import Credentials
from archiver.platforms.tutum.facts import LAGS
from archiver.platforms.tutum.rest import Rest
from archiver.platforms.tutum.source import WebsocketSource
from archiver.platforms.tutum.stock import Stock, Taken
from archiver.recording.failures import Failures
from archiver.recording.spooled import decode_item
from archiver.simulator.service.server import STILL, Admission, Lying, Simulator, World
from archiver.simulator.world.objects import Action
from archiver.storage.limits import CacheLimits
from archiver.storage.recorder import Recorded, Recorder, Whose

from .archives import STREAM, at, closed, event, micros, opened, record, rows, seen, uri

OBSERVED = "SELECT count(*) FROM observations"


def told(ref: str, state: str | None, second: float, *parents: str, **more: Any) -> Observation:
    return seen(ref, state, second, parents, "s2")._replace(**more)


def answers(*observations: Observation, asked: float, known_from: float) -> Answers:
    return Answers(observations, micros(asked), micros(known_from))


def listed(second: float, **keys: str) -> Listed:
    there = {kind: frozenset(found.split()) for kind, found in keys.items()}
    return Listed(there, micros(second), micros(second), "s2")


def words(url: str) -> list[tuple[Any, ...]]:
    text = (
        "SELECT r.uri, s.text, n.text, o.observed_at FROM observations o JOIN resources r ON r.id = o.resource_id"
        " LEFT JOIN event_states s ON s.id = o.state_id LEFT JOIN texts n ON n.id = o.name_id ORDER BY o.id"
    )
    return [tuple(row[:3]) for row in rows(url, text)]


# --- what is compared, on both databases ------------------------------------------------------------------------------


@pytest.fixture
def gap_url(database_url: str) -> str:
    """An archive with a session, a gap from 20 to 100, and another session, of a container in a service on a node."""
    record(
        database_url,
        opened("s1", 0),
        event("service/web", "Running", 1, ["stack/shop"], "s1"),
        event("container/1", "Running", 2, ["service/web", "node/a", "stack/shop", "nodecluster/c"], "s1"),
        event("container/2", "Running", 3, ["service/web", "node/a"], "s1"),
        closed("s1", 20),
        opened("s2", 100),
        Alive(STREAM, "s2", micros(200)),
    )
    return database_url


def asked(url: str, *records: Answers | Listed) -> Recorded:
    return record(url, *records)


def test_tags_that_differ_are_observed_once_and_none_where_nobody_spoke_of_any_are_no_news(gap_url: str) -> None:
    def found(second: float, web: list[str]) -> Answers:
        bears: dict[str, list[str]] = {"service/web": web, "node/a": []}
        shown = [told(ref, None, second, extra=dump({"tags": tags})) for ref, tags in bears.items()]
        return answers(*shown, asked=second, known_from=0)

    recorded = [asked(gap_url, found(second, tags)).observed for second, tags in ((30, ["a"]), (40, ["a"]), (50, []))]

    assert recorded == [1, 0, 1]
    said = rows(gap_url, "SELECT tag, until IS NULL FROM resource_tags")
    assert [(tag, bool(still)) for tag, still in said] == [("a", False)]


def test_what_differs_is_observed_and_once(gap_url: str) -> None:
    found = answers(
        told("container/1", "Stopped", 101, "service/web", "node/a", name="web-1", image="nginx:1"),
        told("container/9", "Running", 101, "service/web", "node/a", name="web-9"),
        asked=101,
        known_from=100,
    )
    assert asked(gap_url, found).observed == 2
    assert words(gap_url) == [(uri("container/1"), "Stopped", "web-1"), (uri("container/9"), "Running", "web-9")]
    again = answers(*[one._replace(observed_at=micros(150)) for one in found.observations], asked=150, known_from=100)
    assert asked(gap_url, again) == Recorded()
    assert len(words(gap_url)) == 2


def test_what_is_still_so_after_a_gap_is_confirmed_once(gap_url: str) -> None:
    still = answers(told("container/1", "running", 161, "service/web", "node/a"), asked=161, known_from=100)
    assert asked(gap_url, still).observed == 1
    assert asked(gap_url, still, still) == Recorded()
    with Archive.open(gap_url) as archive:
        tree = archive.at(at(170), "container/1")
        assert (tree.state, tree.certain) == ("Running", True)
        other = archive.at(at(170), "container/2")
        assert (other.state, other.certain) == ("Running", False)


def test_what_an_api_that_lags_says_just_behind_a_gap_may_be_of_the_gap(gap_url: str) -> None:
    life = '{"started":"2016-02-01T12:00:02.000000Z"}'
    known = told("container/1", "Running", 15, "service/web", "node/a", extra=life)._replace(session="s1")
    asked(gap_url, answers(known, asked=15, known_from=0))
    lagging = known._replace(observed_at=micros(159), session="s2")

    assert asked(gap_url, answers(lagging, asked=159, known_from=100)) == Recorded()
    with Archive.open(gap_url) as archive:
        assert [archive.at(at(second), "container/1").certain for second in (15, 60, 160)] == [True, False, False]
    stopped = told("container/1", "Stopped", 165, "service/web", "node/a")
    assert asked(gap_url, answers(stopped, asked=165, known_from=100)).observed == 1


def test_what_was_found_in_one_life_before_and_after_a_gap_did_not_change_in_it(gap_url: str) -> None:
    life = '{"started":"2016-02-01T12:00:02.000000Z"}'
    before = told("container/1", "Running", 15, "service/web", "node/a", extra=life)._replace(session="s1")
    assert asked(gap_url, answers(before, asked=15, known_from=0)).observed == 1
    assert asked(gap_url, answers(before, asked=15, known_from=0)) == Recorded()
    after = before._replace(observed_at=micros(161), session="s2")
    assert asked(gap_url, answers(after, asked=161, known_from=100)).observed == 1
    with Archive.open(gap_url) as archive:
        assert archive.at(at(60), "container/1").certain
        assert not archive.at(at(60), "container/2").certain


def test_a_moved_object_is_where_it_was_found(gap_url: str) -> None:
    moved = answers(told("container/1", "Running", 101, "service/web", "node/b"), asked=101, known_from=100)
    assert asked(gap_url, moved).observed == 1
    assert asked(gap_url, moved) == Recorded()
    with Archive.open(gap_url) as archive:
        assert [child.uri for child in archive.tree("node/b").children] == [uri("container/1")]
        assert [child.uri for child in archive.tree("node/a").children] == [uri("container/2")]


def test_what_is_listed_no_more_is_gone_and_once(gap_url: str) -> None:
    lists = listed(101, container="2 7", service="web", node="a", stack="shop", nodecluster="c")
    assert asked(gap_url, lists).gone == 1
    assert words(gap_url) == [(uri("container/1"), "Terminated", None)]
    assert asked(gap_url, lists) == Recorded()
    with Archive.open(gap_url) as archive:
        assert [child.uri for child in archive.tree("service/web").children] == [uri("container/2")]


def test_any_number_of_objects_that_a_stream_only_named_ends_in_the_memory_of_few(gap_url: str) -> None:
    """A stream may name what never was, a thousand in each event."""
    lists = listed(1000, container="1 2", service="web", node="a", stack="shop", nodecluster="c")
    most = list[int]()
    for count in (2, 8):
        for number in range(count):
            named = [f"service/{count}-{number}-{each}" for each in range(1000)]
            record(gap_url, event("container/1", "Running", 101, named, "s2", n=f"{count}-{number}"))
        with Recorder(gap_url, limits=CacheLimits(*[500] * 7)) as recorder:
            tracemalloc.start()
            try:
                assert recorder.record([lists]).gone == 1000 * count
                most.append(tracemalloc.get_traced_memory()[1])
            finally:
                tracemalloc.stop()
    assert most[1] < 1.5 * most[0], most


def test_of_very_many_that_are_listed_no_more_each_list_ends_some(gap_url: str) -> None:
    """A transaction that ends them all might take longer than one may, and be tried for ever."""
    record(gap_url, event("container/1", "Running", 101, [f"service/{each}" for each in range(25)], "s2"))
    lists = listed(1000, container="1 2", service="web", node="a", stack="shop", nodecluster="c")

    with Recorder(gap_url, limits=CacheLimits(gone=10)) as recorder:
        assert [recorder.record([lists]).gone for _ in range(4)] == [10, 10, 5, 0]


def test_nothing_is_gone_of_a_type_whose_list_was_not_whole(gap_url: str) -> None:
    assert asked(gap_url, listed(101, service="web", stack="shop")) == Recorded()


def test_the_lists_of_another_account_end_nothing(gap_url: str, caplog: pytest.LogCaptureFixture) -> None:
    assert asked(gap_url, listed(101, container="x y", service="z")) == Recorded()
    assert "another account" in caplog.text


def test_lists_without_any_entry_end_nothing_that_told_of_itself(
    gap_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What ended just now is listed still: nothing at all is shown to a key that may see nothing."""
    assert asked(gap_url, listed(101, container="", service="", node="", stack="", nodecluster="")) == Recorded()
    assert "another account" in caplog.text


def test_what_a_list_never_shows_ends_once_and_not_every_ten_minutes(gap_url: str) -> None:
    """Of an account's member who may see some objects only: what tells of itself after its end lives on, unlisted."""
    lists = listed(101, container="2", service="web")
    assert asked(gap_url, lists).gone == 1
    record(gap_url, event("container/1", "Running", 110, ["service/web", "node/a"], "s2"))
    assert asked(gap_url, lists._replace(at=micros(120), asked=micros(120))) == Recorded()
    with Archive.open(gap_url) as archive:
        assert archive.tree("container/1").state == "Running"


@pytest.mark.parametrize("session", ["acme", None])
def test_a_list_ends_nothing_that_only_another_stream_of_its_platform_told_of(
    database_url: str, session: str | None
) -> None:
    """Two members of an organisation tell of one platform, and each may be shown what he may see only."""
    url = "wss://{}@ws.cloud.docker.com/api/audit/v1/org/events".format
    record(
        database_url,
        opened("acme", 0, stream=url("acme")),
        opened("other", 0, stream=url("other")),
        event("container/1", "Running", 1, ["service/web"], "acme"),
        event("container/2", "Running", 2, ["service/web"], "acme"),
        event("container/3", "Running", 3, ["service/api"], "other"),
    )
    lists = listed(101, container="1", service="web")._replace(session=session)
    with Recorder(database_url) as recorder:
        gone = recorder.record([lists], whose=Whose(url("acme"))).gone
    assert (gone, words(database_url)) == (1, [(uri("container/2"), "Terminated", None)])


def test_what_told_of_itself_since_it_was_asked_about_knows_better(gap_url: str) -> None:
    late = event("container/1", "Running", 101, (), "s2")._replace(received_at=micros(102))
    record(gap_url, late, event("container/8", "Starting", 101, ["service/web"], "s2"))
    stale = answers(told("container/1", "Stopped", 101, "service/web", "node/a"), asked=101, known_from=100)
    assert asked(gap_url, stale) == Recorded()
    assert asked(gap_url, listed(100.5, container="2", service="web")) == Recorded()


def test_what_told_of_its_end_does_not_come_back_by_a_list_that_lags(gap_url: str) -> None:
    record(gap_url, event("container/1", "Terminated", 101, (), "s2"))
    lag = answers(told("container/1", "Running", 103, "service/web", "node/a"), asked=103, known_from=100)
    assert asked(gap_url, lag) == Recorded()


def test_what_was_not_listed_and_is_again_lives_again(gap_url: str) -> None:
    asked(gap_url, listed(101, container="2", service="web"))
    back = answers(told("container/1", "Running", 120, "service/web", "node/a"), asked=120, known_from=100)
    assert asked(gap_url, back).observed == 1
    assert asked(gap_url, back) == Recorded()


def test_what_told_of_itself_in_the_second_of_the_question_is_confirmed_later(gap_url: str) -> None:
    record(gap_url, event("container/1", "Running", 101, ["service/web", "node/a"], "s2"))
    same = told("container/1", "Running", 101.5, "service/web", "node/a")
    assert asked(gap_url, answers(same, asked=101.5, known_from=100)) == Recorded()
    later = same._replace(observed_at=micros(130))
    assert asked(gap_url, answers(later, asked=130, known_from=100)).observed == 1
    assert asked(gap_url, answers(later, asked=130, known_from=100)) == Recorded()


def test_a_platform_whose_clock_is_behind_is_believed_nonetheless(gap_url: str) -> None:
    """What is dated before the last event, and was asked after that came, is of a later moment."""
    early = answers(told("container/1", "Stopped", 1, "service/web", "node/a"), asked=101, known_from=0)
    assert asked(gap_url, early).observed == 1
    assert asked(gap_url, early) == Recorded()
    with Archive.open(gap_url) as archive:
        assert archive.tree("container/1").state == "Stopped"


def ran(ref: str, began: float, ended: float | None, state: str, *target: str) -> list[Observation]:
    """An action as it is read back: that it began, and what became of it."""
    first = told(f"action/{ref}", None, began, *target, name="Service Redeploy", extra='{"user":"anna"}')
    return [first, told(f"action/{ref}", state, began if ended is None else ended)]


def test_an_action_that_ran_in_a_gap_is_among_the_actions_with_its_times(gap_url: str) -> None:
    record(gap_url, event("action/b", "Pending", 15, ["service/web"], "s1"))
    found = answers(
        *ran("a", 30, 40, "Success", "service/web"),
        *ran("b", 15, 50, "Failed", "service/web"),  # of which only the beginning was told
        *ran("c", 90, 101, "In progress", "container/1"),
        asked=101,
        known_from=100,
    )
    assert asked(gap_url, found).actions == 3
    assert asked(gap_url, found) == Recorded()
    with Archive.open(gap_url) as archive:
        told_of = [
            (action.uri, action.name, action.state, action.by, action.target, action.events)
            for action in archive.actions("stack/shop")
        ]
        times = [(action.started_at, action.finished_at) for action in archive.actions("stack/shop")]
    assert told_of == [
        (uri("action/b"), "Service Redeploy", "Failed", "anna", uri("service/web"), 1),
        (uri("action/a"), "Service Redeploy", "Success", "anna", uri("service/web"), 0),
        (uri("action/c"), "Service Redeploy", "In progress", "anna", uri("container/1"), 0),
    ]
    assert times == [(at(15), at(50)), (at(30), at(40)), (at(90), None)]
    log = "SELECT action, state, seconds, started_us FROM action_log ORDER BY started_us"
    assert rows(gap_url, log) == [
        (uri("action/b"), "Failed", 35, micros(15)),
        (uri("action/a"), "Success", 10, micros(30)),
        (uri("action/c"), "In progress", None, micros(90)),
    ]


def test_what_an_action_told_of_its_end_is_not_told_otherwise(gap_url: str) -> None:
    record(gap_url, event("action/a", "Success", 110, ["service/web"], "s2"))
    late = answers(*ran("a", 110, None, "In progress", "service/web"), asked=111, known_from=100)
    other = answers(*ran("a", 110, 112, "Failed", "service/web"), asked=120, known_from=100)
    assert asked(gap_url, late, other).actions == 1  # its name
    assert asked(gap_url, late, other) == Recorded()
    with Archive.open(gap_url) as archive:
        (action,) = archive.actions("service/web")
        assert (action.state, action.name, action.finished_at) == ("Success", "Service Redeploy", at(110))


# --- from the platform to the archive ---------------------------------------------------------------------------------


class Kept:
    """What a source notes from one run to the next."""

    def __init__(self, asked: int | None = None) -> None:
        self.texts: dict[str, str] = {} if asked is None else {"*": f'{{"asked": {asked}}}'}

    def note(self, stream: str, text: str) -> None:
        self.texts[stream] = text

    def noted(self, stream: str) -> str | None:
        return self.texts.get(stream, self.texts.get("*"))


AT_ONCE = BesidePace(least=0.0, again=3600.0, after_news=0.0, apart=0.0, share=1.0, settle=0.0, look=0.01)
GAP = 600.0


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A platform of which the last ten minutes are still to be lived."""
    start = datetime.now(UTC) - timedelta(seconds=900 + GAP)
    with Simulator(world=World(seed=7, stacks=2, settled=900.0, start=start, rate=6.0), pacing=STILL) as simulator:
        yield simulator


def taken(
    url: str,
    simulator: Simulator,
    notes: Kept | None = None,
    credentials: Credentials | None = None,
    enough: Callable[[Item], bool] = lambda item: isinstance(item, Observed) and b'"listed"' in item.payload,
    pace: BesidePace = AT_ONCE,
) -> list[Item]:
    """Listens until stock has been taken, and archives all that came."""
    source = WebsocketSource(
        simulator.stream_url,
        credentials,
        api=Api(simulator.rest_url, False),
        notes=notes,
        beside=pace,
    )
    stop, decoder, failures = threading.Event(), Decoder(), Failures()
    limit = threading.Timer(30.0, stop.set)
    limit.start()
    items: list[Item] = []
    with Recorder(url, "spool") as recorder:
        for item in source.items(stop):
            items.append(item)
            recorder.record([decode_item(item, decoder, failures)])
            if enough(item):
                stop.set()
    limit.cancel()
    assert any(map(enough, items)), items
    return items


def states(url: str) -> dict[str, str]:
    return dict(tuple(row) for row in rows(url, "SELECT uri, state FROM current_states"))  # type: ignore[misc]


def living(simulator: Simulator) -> dict[str, str]:
    types = ("nodecluster", "node", "stack", "service", "container")
    found = [one for kind in types for one in simulator.platform.objects(kind)]
    return {one.uri: str(one.state) for one in found if one.state != "Terminated"}


def test_what_changed_in_a_gap_is_observed_and_asking_again_adds_nothing(
    database_url: str, simulator: Simulator
) -> None:
    platform = simulator.platform

    def second(virtual: float | None) -> int | None:
        return None if virtual is None else int(platform.spelling.moment(virtual).timestamp()) * 1_000_000

    taken(database_url, simulator)
    assert states(database_url) == living(simulator)
    before = platform.now
    platform.settle(900.0 + GAP - 60)  # nobody listens
    since = int(platform.spelling.moment(before).timestamp() * 1e6)
    taken(database_url, simulator, Kept(since))
    found = states(database_url)
    there = {key: state for key, state in found.items() if state != "Terminated" and "/action/" not in key}
    assert there == living(simulator)
    ((count,),) = rows(database_url, OBSERVED)
    taken(database_url, simulator, Kept(since))
    assert states(database_url) == found
    ((again,),) = rows(database_url, OBSERVED)
    assert again == count  # so shortly behind a gap an answer that says the same proves nothing
    log = rows(database_url, "SELECT action, name, started_us, finished_us FROM action_log")
    acted = [one for one in platform.objects("action") if isinstance(one, Action) and (one.stopped or before) >= before]
    assert len(acted) > 10
    assert {(one.uri, one.name, second(one.created), second(one.stopped)) for one in acted} <= set(log)
    with Archive.open(database_url) as archive:
        assert archive.status().rejects == 0


@pytest.mark.parametrize("late", [False, True])
def test_what_is_told_of_the_second_of_a_question_comes_after_the_answer_however_late_it_is(
    database_url: str, simulator: Simulator, late: bool
) -> None:
    container = next(one for one in simulator.platform.objects("container") if one.state == "Running")
    rest = Rest(Api(simulator.rest_url, False))
    found = [Observed("", "", "tutum", *each) for each in Stock(rest, threading.Event(), Taken()).take(now_micros(), 0)]
    asked = next(json.loads(one.payload)["asked"] for one in found if container.uri.encode() in one.payload)
    second = asked // 1_000_000 * 1_000_000
    told = event(container.uri, "Stopped", type="container")
    told = told._replace(occurred_at=second, received_at=asked + 9_000_000)
    answered = [Decoder().decode(one) for one in found]

    for batch in [answered, [told]] if late else [[told], answered]:
        record(database_url, *batch)

    assert states(database_url)[container.uri] == "Stopped"


def test_nothing_is_asked_in_the_second_in_which_a_session_begins(sqlite_url: str, simulator: Simulator) -> None:
    items = taken(sqlite_url, simulator)

    (opened_at,) = (item.at for item in items if isinstance(item, Opened))
    asked = [json.loads(item.payload)["asked"] for item in items if isinstance(item, Observed)]
    assert min(asked) // 1_000_000 > opened_at // 1_000_000
    assert min(item.at for item in items if isinstance(item, Observed)) >= opened_at


def test_what_vanished_while_the_archiver_was_down_is_gone(sqlite_url: str, simulator: Simulator) -> None:
    platform = simulator.platform
    taken(sqlite_url, simulator)
    container = next(one for one in platform.objects("container") if one.state == "Running")
    stack = platform.stacks[0]
    for one in (container, stack):
        platform.forget(one)
    taken(sqlite_url, simulator)
    found = states(sqlite_url)
    assert (found[container.uri], found[stack.uri]) == ("Terminated", "Terminated")
    assert sum(state == "Terminated" for state in found.values()) == 2


def test_events_are_delivered_while_the_platform_takes_its_time(sqlite_url: str, simulator: Simulator) -> None:
    simulator.lie(Lying("slow", "/container/", seconds=60.0))
    container = simulator.platform.objects("container")[0]
    told = simulator.platform.spelling.event("container", "update", container.uri, "Stopping", [], "u", 1.0)

    def enough(item: Item) -> bool:
        if isinstance(item, Observed) and b"/service/" in item.payload:
            simulator.send(told)
        return isinstance(item, Message) and b"Stopping" in item.payload

    items = taken(sqlite_url, simulator, enough=enough)
    assert not any(isinstance(item, Observed) and b'"listed"' in item.payload for item in items)


def test_what_is_new_is_asked_about_soon(sqlite_url: str, simulator: Simulator) -> None:
    told = simulator.platform.spelling.event(
        "stack", "create", simulator.platform.stacks[0].uri, "Starting", [], "u", 1.0
    )
    seen = []

    def enough(item: Item) -> bool:
        if isinstance(item, Observed) and b'"listed"' in item.payload:
            seen.append(item)
            if len(seen) == 1:
                simulator.send(told)
        return len(seen) == 2

    taken(sqlite_url, simulator, enough=enough)


def test_what_is_made_while_somebody_listens_has_its_name_soon(sqlite_url: str, simulator: Simulator) -> None:
    platform, lists = simulator.platform, list[Item]()
    old = {one.uri for one in platform.objects("container")}

    def enough(item: Item) -> bool:
        if isinstance(item, Observed) and b'"listed"' in item.payload:
            lists.append(item)
            if len(lists) == 1:
                while all(one.uri in old for one in platform.objects("container")):
                    for told in platform.step():
                        simulator.send(told)
        return len(lists) == 2

    taken(sqlite_url, simulator, enough=enough)

    new = {(one.uri, one.name) for one in platform.objects("container") if one.uri not in old}
    assert new <= set(rows(sqlite_url, "SELECT uri, name FROM current_states WHERE type = 'container'"))


def test_what_an_answer_may_not_know_of_is_asked_about_once_more(sqlite_url: str, simulator: Simulator) -> None:
    told = simulator.platform.spelling.event(
        "stack", "update", simulator.platform.stacks[0].uri, "Running", [], "u", 1.0
    )
    pace, lists = replace(AT_ONCE, least=0.2, in_doubt=0.0), list[Item]()
    simulator.lie(Lying("slow", "/container/", seconds=2.0))  # it is heard before all is answered

    def enough(item: Item) -> bool:
        if isinstance(item, Opened) and not lists:
            simulator.wait_for_clients()
            simulator.send(told)
        if isinstance(item, Observed) and b'"listed"' in item.payload:
            lists.append(item)
        return len(lists) >= 2

    items = taken(sqlite_url, simulator, enough=enough, pace=pace)

    assert sum(isinstance(item, Observed) and b'"listed"' in item.payload for item in items) >= 2


def test_no_secret_gets_into_the_archive(sqlite_url: str, simulator: Simulator) -> None:
    with Simulator(
        world=World(settled=600.0), pacing=STILL, admission=Admission(credentials=("user", "canary-key"))
    ) as other:
        taken(sqlite_url, other, credentials=Credentials("canary-key", "user"))
    path = Path(sqlite_url.partition("///")[2])
    kept = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    for secret in (b"do-not-archive", b"canary-key", b"SECRET_KEY", b"envvars"):
        assert secret not in kept
    assert b"web" in kept or b"nginx" in kept


def test_names_and_images_of_tutum_are_shown(sqlite_url: str, simulator: Simulator) -> None:
    taken(sqlite_url, simulator)
    stack = simulator.platform.stacks[0]
    with Archive.open(sqlite_url) as archive:
        tree = archive.tree(stack.name)
        assert (tree.name, {child.name for child in tree.children}) == (stack.name, {s.name for s in stack.services})
        container = next(one for one in simulator.platform.objects("container") if one.state == "Running")
        assert archive.history(container.uri).resource.name == container.name


# --- an API that lags behind the stream -------------------------------------------------------------------------------


class _Lived:
    """An object of a platform that tells of all its changes, and whose API may show it as it was a while ago."""

    STATES = ("Starting", "Running", "Stopping", "Stopped", "Redeploying")

    def __init__(self, ref: str, dice: random.Random) -> None:
        self.ref, self._dice = ref, dice
        self.past: list[tuple[float, Observation]] = []

    def change(self, second: float) -> Event:
        """Something becomes of it: what the stream tells."""
        last = self.past[-1][1].state if self.past else None
        state = self._dice.choice([one for one in self.STATES if one != last])
        dates = dict(json.loads(self.past[-1][1].extra or "{}")) if self.past else {}
        if name := {"Running": "started", "Stopped": "finished"}.get(state):
            dates[name] = at(int(second)).strftime("%Y-%m-%dT%H:%M:%SZ")
        node = f"node/{self._dice.randrange(2)}"
        self.past.append((second, told(self.ref, state, second, node, extra=json.dumps(dates))))
        return event(self.ref, state, int(second), [node], "s2")._replace(received_at=micros(second))

    def shown(self, second: float) -> Observation:
        """What the API says when it is asked then: how it was at most so long ago as an API may lag."""
        known = [one for _, one in self.past]
        lost = sum(changed > second - LAGS + 1 for changed, _ in self.past)
        number = self._dice.randrange(max(0, len(known) - 1 - lost), len(known))
        return known[number]._replace(observed_at=micros(second))


@pytest.mark.parametrize("seed", [1])
def test_however_an_api_lags_what_is_is_what_the_stream_told_last(database_url: str, seed: int) -> None:
    dice, second = random.Random(seed), 100.0
    waiting = [_Lived(f"{kind}/{number}", dice) for kind in ("container", "service") for number in range(10)]
    there: list[_Lived] = []
    with Recorder(database_url) as recorder:
        recorder.record([opened("s2", second)])
        while waiting:
            second += dice.choice([2.5, 3, 20, 70])  # an answer waits for what is told within two seconds of it
            new, waiting = waiting[:2], waiting[2:]
            changed = [
                one.change(second - dice.random() / 5) for one in [*there, *new] if one in new or dice.random() < 0.5
            ]
            there += new
            recorder.record(changed)
            old = [one for one in there if one.past[0][0] < second - LAGS or dice.random() < 0.3]
            keys = {
                kind: " ".join(one.ref.partition("/")[2] for one in old if kind in one.ref)
                for kind in ("container", "service")
            }
            recorder.record([answers(*[one.shown(second) for one in old], asked=second, known_from=100)])
            recorder.record([listed(second, **keys)])

    query = "SELECT uri, state FROM current_states"
    assert dict(rows(database_url, query)) == {uri(one.ref): one.past[-1][1].state for one in there}


def test_an_answer_that_says_it_is_newer_counts_at_once_and_one_that_does_not_later(gap_url: str) -> None:
    record(gap_url, event("container/1", "Stopped", 200, (), "s2"), event("container/2", "Stopped", 200, (), "s2"))
    newer = told("container/1", "Running", 210, extra='{"started":"2016-02-01T12:03:25.000000Z"}')
    unclear = told("container/2", "Running", 210)
    assert asked(gap_url, answers(newer, unclear, asked=210, known_from=100)).observed == 1

    later = unclear._replace(observed_at=micros(280))
    assert asked(gap_url, answers(later, asked=280, known_from=100)).observed == 1
    assert states(gap_url)[uri("container/2")] == "Running"


def test_what_has_not_started_again_does_not_run_again_however_long_an_api_says_so(gap_url: str) -> None:
    record(gap_url, event("container/1", "Stopped", 200, (), "s2"))
    old = told("container/1", "Running", 900, extra='{"started":"2016-02-01T12:00:02.000000Z"}')

    assert asked(gap_url, answers(old, asked=900, known_from=100)) == Recorded()


def test_an_action_does_not_go_back(gap_url: str) -> None:
    record(gap_url, event("action/a", "In progress", 110, ["service/web"], "s2"))

    asked(gap_url, answers(*ran("a", 110, None, "Pending", "service/web"), asked=400, known_from=100))

    with Archive.open(gap_url) as archive:
        assert [action.state for action in archive.actions("service/web")] == ["In progress"]


@pytest.fixture
def today() -> Iterator[Simulator]:
    """A platform whose clock shows what ours does."""
    start = datetime.now(UTC) - timedelta(seconds=890)
    with Simulator(world=World(seed=7, stacks=2, settled=900.0, start=start, rate=6.0), pacing=STILL) as simulator:
        yield simulator


def test_a_rest_api_that_lags_overrides_nothing_of_a_real_stream(database_url: str, today: Simulator) -> None:
    """Stock is taken, the platform lives on, and stock is taken again of a copy that has heard of nothing since."""
    platform, lists, told, heard = today.platform, list[Item](), list[Any](), list[Item]()

    def enough(item: Item) -> bool:
        if isinstance(item, Message):
            heard.append(item)
        if isinstance(item, Observed) and b'"listed"' in item.payload:
            lists.append(item)
            if len(lists) == 1:
                today.lie(Lying("lagging", times=None))
                limit, stack = platform.now + 60, platform.stacks[0]
                while platform.now < limit:
                    told.extend(platform.step())
                told.append(platform.spelling.event("stack", "create", stack.uri, str(stack.state), [], "u", 1.0))
                for one in told:
                    today.send(one)
        return len(lists) >= 2 and len(heard) > len(told)

    taken(database_url, today, enough=enough)

    assert len(told) > 20
    found = states(database_url)
    assert {key: found.get(key) for key in living(today)} == living(today)
