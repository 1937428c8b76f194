"""The archive's own tables, partitioned by platform and by month: the recorder fills them, and a question about one
platform looks into one part of each table that grows.

The rehearsal of a database of several nodes, on one: see `partitioned`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.model import Event, Resource
from archiver.storage.database.engine import reading_engine
from archiver.storage.integrity import lost_rows, missing_rows
from archiver.storage.recorder import Recorder
from archiver.storage.views import VIEWS
from archiver.storage.writer import Whose

from ..conftest import PostgresServer
from .archives import at, between, event, rows, seen, uri
from .partitioned import PARTS, Touched, make, seem_large, touched, touched_by_recorder, touched_by_sql
from .test_catalogue import GROWING

PLATFORMS = ("one", "two", "three", "four", "five")
ASKED = "two"
"""The platform that is asked about, which has a stack that no other has."""
DAY = 86_400
NOW = 40 * DAY
"""Seconds from the first of February: the second month that there are partitions for."""


def told(stacks: str = "ab") -> Iterator[Any]:
    """What every platform tells: the same, so that whoever forgets the platform finds the others' as well."""
    for stack in stacks:
        for number in range(3):
            name = f"container/{stack}{number}"
            above = [f"service/{stack}", f"stack/{stack}", "node/n", "nodecluster/all"]
            for day, state in ((0, "Starting"), (1, "Running"), (30, "Stopped"), (31, "Running")):
                yield event(name, state, day * DAY + number, above, uuid=f"{stack}{number}.{day}")
            for n, state in enumerate(("Pending", "Success")):
                yield event(f"action/{stack}{number}", state, 30 * DAY - 1 + n, [name, *above])
            yield seen(name, "Running", 35 * DAY, above)._replace(name=f"{stack}.{number}")
        yield event(f"container/gone-{stack}", "Running", DAY, [f"service/{stack}", f"stack/{stack}"])
        yield event(f"container/gone-{stack}", "Terminated", 20 * DAY, [f"service/{stack}", f"stack/{stack}"])
        tags = [{"name": "prod"}, {"name": stack}]
        yield event(f"service/{stack}", "Running", 32 * DAY, [f"stack/{stack}"], action="update", tags=tags)


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.database() as url:
        make(url, GROWING)
        for name in PLATFORMS:
            with Recorder(url, name) as recorder:
                recorder.whose = Whose(platform=name)
                batch = list(told("abc" if name == ASKED else "ab"))
                recorder.record(batch, len(batch))
        seem_large(url)
        yield url


@pytest.fixture(scope="module")
def archive(url: str) -> Iterator[Archive]:
    with Archive.open(url) as archive:
        yield archive


@pytest.fixture(scope="module")
def part(url: str) -> str:
    """The part in which the platform lies that is asked about."""
    return part_of(url, ASKED)


def part_of(url: str, platform: str) -> str:
    """The part in which a platform lies."""
    which = "SELECT DISTINCT r.tableoid::regclass::text FROM resources r JOIN platforms p ON p.id = r.platform_id"
    ((table,),) = rows(url, f"{which} WHERE p.name = :name", name=platform)
    return str(table).partition("__")[2]


def test_the_tables_accept_the_keys_and_the_recorder_fills_them(url: str) -> None:
    found = rows(url, "SELECT p.name, count(*) FROM events e JOIN platforms p ON p.id = e.platform_id GROUP BY p.name")
    events = {
        name: sum(isinstance(each, Event) for each in told("abc" if name == ASKED else "ab")) for name in PLATFORMS
    }

    assert dict(found) == events
    assert len({part_of(url, name) for name in PLATFORMS}) > PARTS // 2
    assert lost(url) == []


def lost(url: str) -> list[str]:
    """What `db check` finds of rows that are missing or belong nowhere."""
    engine = reading_engine(url)
    try:
        with engine.connect() as connection:
            return [*missing_rows(connection), *lost_rows(connection)]
    finally:
        engine.dispose()


Of = Callable[[str], Resource]
"""Gives a resource of the platform that is asked about."""

LAST_DAYS = between(NOW - 12 * DAY, None)
THEN, AGO = at(NOW - DAY), at(NOW - 30 * DAY)
QUESTIONS: dict[str, Callable[[Archive, Of], object]] = {
    "history": lambda archive, of: archive.history(of("container/a1")),
    "history of a range": lambda archive, of: archive.history(of("container/a1"), LAST_DAYS),
    "actions of a container": lambda archive, of: list(archive.actions(of("container/a1"))),
    "actions of a stack": lambda archive, of: list(archive.actions(of("stack/a"), LAST_DAYS)),
    "what was done to a stack": lambda archive, of: list(archive.actions(of("stack/a"), LAST_DAYS, deeds=True)),
    "events of a container": lambda archive, of: list(archive.events(under=of("container/a1"))),
    "events under a stack": lambda archive, of: list(archive.events(under=of("stack/a"), limit=5)),
    "events of a range under a stack": lambda archive, of: list(
        archive.events(under=of("stack/a"), range=LAST_DAYS, limit=0)
    ),
    "events of a type under a stack": lambda archive, of: list(archive.events(types=["service"], under=of("stack/a"))),
    "tree": lambda archive, of: archive.tree(of("stack/a")),
    "tree with what is gone": lambda archive, of: archive.tree(of("stack/a"), gone=True),
    "as it stood": lambda archive, of: archive.at(AGO, of("stack/a")),
    "what was otherwise": lambda archive, of: archive.diff(AGO, THEN, of("stack/a")),
    "lanes": lambda archive, of: archive.lanes(of("stack/a"), LAST_DAYS),
    "gaps": lambda archive, of: archive.coverage(LAST_DAYS, of("stack/a")),
    "why": lambda archive, of: archive.why(of("container/a1")),
    "what changed before": lambda archive, of: archive.why(of("service/a"), at(32 * DAY + 60)),
    "an incident": lambda archive, of: archive.incident(LAST_DAYS, of("stack/a")),
    "report availability": lambda archive, of: archive.report("availability", of("stack/a"), LAST_DAYS),
    "report restarts": lambda archive, of: archive.report("restarts", of("stack/a"), LAST_DAYS),
    "report deploys": lambda archive, of: archive.report("deploys", of("service/a"), LAST_DAYS),
    "report flaps": lambda archive, of: archive.report("flaps", of("container/a1"), LAST_DAYS),
    "report changes": lambda archive, of: archive.report("changes", of("stack/a"), LAST_DAYS),
}


BY_VIEWS = {"report deploys", "report flaps"}
"""Are rows of a view: see there. Here there are none, and so each part is asked from when until when it has events."""


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_about_one_platform_looks_into_its_part_alone(
    url: str, archive: Archive, part: str, question: str
) -> None:
    known = {ref: archive.resolve(ref, platform=ASKED) for ref in ("container/a1", "service/a", "stack/a")}

    found = touched(url, lambda archive: QUESTIONS[question](archive, known.__getitem__))

    others = elsewhere(found, part)
    assert (
        others if question not in BY_VIEWS else {look.table for look in others if not look.by} - {"events"}
    ) == set()
    assert found or question == "gaps"


@pytest.mark.parametrize("ref", ["container/a1", "a.1", uri("container/a1"), "container/a*", "a.*"])
def test_a_reference_on_one_platform_is_looked_up_in_its_part_alone(url: str, part: str, ref: str) -> None:
    found = touched(url, lambda archive: archive.resolve_all([ref], platform=ASKED))

    assert elsewhere(found, part) == set()
    assert found


def test_who_writes_of_one_platform_looks_into_its_part_alone(url: str, part: str) -> None:
    """What is new, late, and known; only who connects asks all parts, for the last numbers that were given."""
    known = [each for each in told() if isinstance(each, Event)][:8]
    later = [event("container/a1", "Stopped", NOW + 1, ["service/b", "stack/b"], uuid="later")]
    late = [
        event("container/a1", "Paused", 2 * DAY, ["service/b"], uuid="late"),
        event("service/a", "Stopped", 3 * DAY),
    ]
    with Recorder(url) as recorder:
        recorder.whose = Whose(platform=ASKED)
        recorder.record(known)

        found = touched_by_recorder(url, lambda: [recorder.record(batch) for batch in (known, later, late)])

    assert elsewhere(found, part) == set()
    assert found


ABOUT = {"action_log": "target", "subtree": "ancestor_uri", "words_under": "ancestor_uri"}
ON_A_DAY = {"availability_daily": " AND day = '2016-03-04'"}
OF_ONE = {view.name: ABOUT.get(view.name, "uri") for view in VIEWS if "platform" in view.columns}


@pytest.mark.parametrize("view", OF_ONE)
def test_a_view_of_one_object_looks_into_the_part_of_its_platform_alone(url: str, part: str, view: str) -> None:
    """Once it is found by its URI, for which all parts are asked.

    Behind a UNION ALL in a loop PostgreSQL leaves no part out, but looks in each for what the platform has.
    """
    others = {"subtree": "stack/c", "words_under": "stack/c", "deploys": "service/c", "resource_tags": "service/c"}
    about = uri(others.get(view, "container/c1"))

    found = touched_by_sql(url, f"SELECT * FROM {view} WHERE {OF_ONE[view]} = '{about}'{ON_A_DAY.get(view, '')}")

    assert {look for look in elsewhere(found, part) if not look.by} == set()
    assert {look for look in found if look.part == part}


def elsewhere(found: Touched, part: str) -> Touched:
    """What was looked for in other parts than one."""
    return {look for look in found if look.part != part}
