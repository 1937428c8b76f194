"""What a question about the present, or about an hour, costs does not grow with what is gone, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.api.metrics import Counted
from archiver.queries.waking import States, Word
from archiver.storage import migrate
from archiver.storage.recorder import Recorder

from ..conftest import DATABASES, PostgresServer
from .archives import at, between, event, seen
from .growth import analysed, cost_of, grown

HOUR, DAY = 3_600, 86_400
STACKS, SERVICES, CONTAINERS, NODES, GONE = 6, 2, 6, 3, 900
"""What lives: 72 containers. A unit of the past: a day with 900 containers that came and went, and what ran on them."""
TODAY = 100 * DAY


def living() -> Iterator[Any]:
    for place, (stack, service, container) in enumerate(places()):
        above = parents(place, stack, service)
        name = f"container/{stack}.{service}.{container}"
        yield event(name, "Starting", TODAY - DAY, above)
        for second in (5, 1_200 + place, 2_400 + place):
            yield event(name, "Running", TODAY + second, above)
        for n, state in enumerate(("Pending", "Success" if place % 9 else "In progress")):
            yield event(f"action/now-{place}", state, TODAY + 1_500 + place * 5 + n, [name, *above])
    yield seen("volume/odd", "seen once", TODAY)


def past(unit: int) -> Iterator[Any]:
    for place, (stack, service, _) in enumerate(places() * 13):
        if place >= GONE:
            break
        above, begin = parents(place, stack, service), unit * DAY + place * 80
        name = f"container/gone-{unit}-{place}"
        for n, state in enumerate(("Starting", "Running", "Stopped", "Terminated")):
            yield event(name, state, begin + n * 900, above)
        yield event(f"action/gone-{unit}-{place}", "Pending", begin + 30, [name, *above])
        yield event(f"action/gone-{unit}-{place}", "Success", begin + 40, [name, *above])
    # What lives on has a past, too.
    for place, (stack, service, container) in enumerate(places()):
        if container == 0:
            for n in range(12):
                told = ("Redeploying", "Running")[n % 2]
                yield event(f"service/{stack}.{service}", told, unit * DAY + n * 1_000 + place, [f"stack/{stack}"])


def places() -> list[tuple[int, int, int]]:
    return [(s, v, c) for s in range(STACKS) for v in range(SERVICES) for c in range(CONTAINERS)]


def parents(place: int, stack: int, service: int) -> list[str]:
    return [f"service/{stack}.{service}", f"stack/{stack}", f"node/{place % NODES}", "nodecluster/all"]


def filled(url: str, units: int) -> str:
    migrate.create(url)
    with Recorder(url) as recorder:
        for unit in range(units):
            recorder.record(list(past(unit)))
        recorder.record(list(living()))
    return analysed(url)


@pytest.fixture(scope="module", params=DATABASES)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """An archive with a unit of the past, and one with ten."""
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("grown")
        yield filled(f"sqlite:///{folder / Path('1.db')}", 1), filled(f"sqlite:///{folder / Path('10.db')}", 10)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as small, server.database() as large:
        yield filled(small, 1), filled(large, 10)


def newest(archive: Archive) -> tuple[int, int]:
    """The numbers of the last hundred events."""
    end = archive.end().events
    return end - 100, end


LAST_HOUR = between(TODAY, None)
BUSY = between(TODAY + 1_190, TODAY + 1_260)
QUESTIONS: dict[str, Callable[[Archive], object]] = {
    "tree of the cluster": lambda archive: archive.tree("nodecluster/all"),
    "tree of a stack": lambda archive: archive.tree("stack/2"),
    "tree of a service": lambda archive: archive.tree("service/2.1"),
    "a stack as it stood": lambda archive: archive.at(at(TODAY + 1_800), "stack/2"),
    "everything as it stood": lambda archive: archive.at(at(TODAY + 1_800)),
    "everything as it stands": lambda archive: archive.tree(),
    "a stack as it stood long ago": lambda archive: archive.at(at(40_000), "stack/2"),
    "what was otherwise in a stack": lambda archive: archive.diff(at(TODAY - 60), at(TODAY + 1_800), "stack/2"),
    "what was otherwise": lambda archive: archive.diff(at(TODAY - 60), at(TODAY + 1_800)),
    "gaps": lambda archive: archive.coverage(LAST_HOUR, "stack/2"),
    "actions of the cluster's last hour": lambda archive: list(archive.actions("nodecluster/all", LAST_HOUR)),
    "all actions of the last hour": lambda archive: list(archive.actions(range=LAST_HOUR)),
    "actions of a stack's last hour": lambda archive: list(archive.actions("stack/2", LAST_HOUR)),
    "actions of a container": lambda archive: list(archive.actions("container/2.1.3")),
    "events": lambda archive: list(archive.events(limit=100)),
    "events under the cluster": lambda archive: list(archive.events(under="nodecluster/all", limit=100)),
    "events under a service": lambda archive: list(archive.events(under="service/2.1", limit=10)),
    "events of a container": lambda archive: list(archive.events(under="container/2.1.3", limit=100)),
    "events of an hour under a stack": lambda archive: list(archive.events(under="stack/2", range=LAST_HOUR, limit=0)),
    "events of a type of which there are none": lambda archive: list(archive.events(types=["stack"], limit=100)),
    "events of that type under the cluster": lambda archive: list(
        archive.events(types=["stack"], under="nodecluster/all", limit=100)
    ),
    "a reference": lambda archive: archive.resolve("container/2.1.3"),
    "history": lambda archive: archive.history("container/2.1.3"),
    "history of something gone": lambda archive: archive.history("container/gone-0-7"),
    "lanes of a stack's last hour": lambda archive: archive.lanes("stack/2", LAST_HOUR),
    "lanes of everything in the last hour": lambda archive: archive.lanes(None, LAST_HOUR),
    "what was done to a stack": lambda archive: list(archive.actions("stack/2", LAST_HOUR, deeds=True)),
    "how available a stack was": lambda archive: archive.report("availability", "stack/2", LAST_HOUR),
    "what restarted in a stack": lambda archive: archive.report("restarts", "stack/2", LAST_HOUR),
    "what changed in a stack": lambda archive: archive.report("changes", "stack/2", LAST_HOUR),
    "how available everything was": lambda archive: archive.report("availability", None, BUSY),
    "what restarted": lambda archive: archive.report("restarts", None, BUSY),
    "what changed": lambda archive: archive.report("changes", None, BUSY),
    "deploys": lambda archive: archive.report("deploys", None, LAST_HOUR),
    "flaps": lambda archive: archive.report("flaps", None, between(TODAY + 1_200, TODAY + 1_210)),
    "flaps of a stack": lambda archive: archive.report("flaps", "stack/2", LAST_HOUR),
    "what changed before": lambda archive: archive.why("container/2.1.3", at(TODAY + 1_800)),
    "what changed before, around a service": lambda archive: archive.why("service/2.1", at(TODAY + 1_800)),
    "an incident": lambda archive: archive.incident(BUSY),
    "status": lambda archive: archive.status(),
    "a look for a monitor": lambda archive: list(Counted().families(archive, at(TODAY + 2_500))),
    "what ended just now": lambda archive: archive.words("events", *newest(archive), States(["run*"], stops=True), 500),
    "how much did": lambda archive: archive.how_many_words("events", *newest(archive), States([], stops=True), 500),
    "what a state means": lambda archive: archive.change(
        Word("events", 1, archive.resolve("container/2.1.3"), at(TODAY + 5), "Running")
    ),
    "what a stop long ago meant": lambda archive: archive.change(
        Word("events", 1, archive.resolve("container/gone-0-7"), at(7 * 80 + 1_800), "Stopped")
    ),
    "containers of the last events": lambda archive: archive.containers_of(range(*newest(archive))),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_price_of_an_answer_does_not_grow_with_the_past(both: tuple[str, str], question: str) -> None:
    small, large = (cost_of(url, QUESTIONS[question]) for url in both)

    assert not grown(small, large, both[0]), f"{small} became {large}"


# --- what came later ------------------------------------------------------------------------------------------------

THEN = at(DAY)
EARLIER: dict[str, Callable[[Archive], object]] = {
    "as it stood": lambda archive: archive.at(THEN, "nodecluster/all"),
    "what was otherwise": lambda archive: archive.diff(THEN, at(DAY + 3_600), "nodecluster/all"),
}


def cluster(words: range) -> Iterator[Any]:
    """Containers that change their states once a day."""
    for day in words:
        for place, (stack, service, container) in enumerate(places()):
            above = parents(place, stack, service)
            state = ("Running", "Stopped")[day % 2]
            yield event(f"container/{stack}.{service}.{container}", state, day * DAY - 100 + place, above)


@pytest.mark.parametrize("question", EARLIER)
def test_the_price_of_an_instant_does_not_grow_with_what_came_later(empty_database_url: str, question: str) -> None:
    migrate.create(empty_database_url)
    costs = []
    with Recorder(empty_database_url) as recorder:
        # Something came later in both: what stands so still is in its present row, where it costs less to find.
        for words in (range(3), range(3, 13)):
            recorder.record(list(cluster(words)))
            costs.append(cost_of(analysed(empty_database_url), EARLIER[question]))

    assert not grown(*costs, empty_database_url), costs


def test_the_price_of_what_changed_does_not_grow_with_what_was_done_later(empty_database_url: str) -> None:
    migrate.create(empty_database_url)
    costs = []
    with Recorder(empty_database_url) as recorder:
        recorder.record(list(cluster(range(2))))
        for days in (range(0), range(2, 12)):
            recorder.record(list(done(days)))
            url = analysed(empty_database_url)
            hour = between(DAY + 3_600, DAY + 7_200)
            costs.append(cost_of(url, lambda archive, hour=hour: archive.report("changes", "stack/2", hour)))

    assert not grown(*costs, empty_database_url), costs


def done(days: range) -> Iterator[Any]:
    """Something is done to every container once a day."""
    for day in days:
        for place, (stack, service, container) in enumerate(places()):
            above = [f"container/{stack}.{service}.{container}", *parents(place, stack, service)]
            yield event(f"action/{day}.{place}", "Pending", day * DAY + place, above)
            yield event(f"action/{day}.{place}", "Success", day * DAY + place + 30, above)


OTHERWISE: dict[str, Callable[[Archive], object]] = {
    "in the cluster": lambda archive: archive.diff(at(DAY), at(DAY + 60), "nodecluster/all"),
    "anywhere": lambda archive: archive.diff(at(DAY), at(DAY + 60)),
}


@pytest.mark.parametrize("question", OTHERWISE)
def test_the_price_of_what_was_otherwise_does_not_grow_with_what_stayed(empty_database_url: str, question: str) -> None:
    migrate.create(empty_database_url)
    changed = [event(f"container/1{n:03}", "Stopped", DAY + 1 + n, stays(n, 1)) for n in range(10)]
    costs = []
    with Recorder(empty_database_url) as recorder:
        for unit, lines in ((1, changed), (10, [])):
            stayed = [event(f"container/{unit}{n:03}", "Starting", n, stays(n, unit)) for n in range(60 * unit)]
            recorder.record([*stayed, *lines])
            costs.append(cost_of(analysed(empty_database_url), OTHERWISE[question]))

    assert not grown(*costs, empty_database_url), costs


def test_the_price_of_what_was_otherwise_in_a_stack_does_not_grow_with_what_changed_elsewhere(
    empty_database_url: str,
) -> None:
    migrate.create(empty_database_url)
    costs = []
    with Recorder(empty_database_url) as recorder:
        recorder.record([event(f"container/{n}", "Running", n, ["stack/small"]) for n in range(10)])
        for words in (range(60, 300), range(300, 2_000)):
            recorder.record([event(f"container/{n}", "Running", n, ["stack/large"]) for n in words])
            url = analysed(empty_database_url)
            costs.append(cost_of(url, lambda archive: archive.diff(at(5), at(2_000), "stack/small")))

    assert not grown(*costs, empty_database_url), costs


def stays(place: int, unit: int) -> list[str]:
    return [f"service/{unit}-{place % 5}", f"stack/{place % 5}", f"node/{place % 3}", "nodecluster/all"]
