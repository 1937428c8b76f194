"""What Compose recreates is a deploy in `report deploys`: which service, what was different, and how that went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.model import Event
from archiver.model.reports import Deploy
from archiver.storage import migrate

from ..conftest import NewArchive, RunArchiver
from .archives import at, between, closed, opened, record
from .growth import analysed, cost_of, grown
from .test_restarts import engines

Change = tuple[str, str, str]
"""Image, its digest, and the hash of the configuration."""
FIRST: Change = ("app:1", "sha256:1", "f00")


def labels(place: int, made: Change, service: str = "app", **more: str) -> dict[str, str]:
    image, digest, configuration = made
    return {
        "name": f"blog-{service}-{place}",
        "image": image,
        "com.docker.compose.project": "blog",
        "com.docker.compose.service": service,
        "com.docker.compose.container-number": str(place),
        "com.docker.compose.config-hash": configuration,
        "com.docker.compose.image": digest,
        "com.docker.compose.oneoff": "False",
        **more,
    }


def up(second: float, number: int, place: int, made: Change = FIRST, **more: str) -> Iterator[Event]:
    """What an engine tells of a container that Compose makes."""
    yield engines("create", second, number, "a", **labels(place, made, **more))
    yield engines("start", second + 1, number, "a", **labels(place, made, **more))


def down(second: float, number: int, place: int, made: Change = FIRST, **more: str) -> Iterator[Event]:
    """And of one that it stops and removes."""
    told = labels(place, made, **more)
    yield engines("kill", second, number, "a", signal="15", **told)
    yield engines("die", second + 0.2, number, "a", exitCode="0", **told)
    yield engines("stop", second + 0.3, number, "a", **told)
    yield engines("destroy", second + 0.4, number, "a", **told)


def recreated(second: float, old: int, new: int, place: int, was: Change, made: Change, **more: str) -> Iterator[Event]:
    """As Compose does it: the new one under another name, the old one away, the new one renamed and started."""
    told = labels(place, made, **more)
    yield engines("create", second, new, "a", **{**told, "name": f"{old:012x}_{told['name']}"})
    yield from down(second + 1, old, place, was, **more)
    yield engines("rename", second + 2, new, "a", oldName=f"/{old:012x}_{told['name']}", **told)
    yield engines("start", second + 3, new, "a", **told)


def deploys(url: str, *told: Event, ref: str | None = None) -> list[Deploy]:
    migrate.create(url)
    record(url, opened("a", 0), *told, closed("a", 5000))
    with Archive.open(url) as archive:
        found = archive.report("deploys", ref, between(0, 5000))
    return list(found.rows)


def seen(found: list[Deploy]) -> list[tuple[Any, ...]]:
    return [(row.subject.name, row.why, row.containers, row.result, row.seconds) for row in found]


SECOND: Change = ("app:2", "sha256:2", "f00")
THIRD: Change = ("app:2", "sha256:2", "bar")


def test_containers_recreated_together_are_a_deploy(database_url: str) -> None:
    first, second = deploys(
        database_url,
        *(*up(1, 1, 1), *up(2, 2, 2), *up(3, 9, 1, service="db")),
        *recreated(100, 1, 3, 1, FIRST, SECOND),
        *recreated(104, 2, 4, 2, FIRST, SECOND),
        *recreated(1000, 3, 5, 1, SECOND, THIRD),
    )

    assert seen([first, second]) == [("blog-app", "image", 2, "ok", 7), ("blog-app", "configuration", 1, "ok", 3)]
    assert (first.started_at, first.finished_at, first.image_before, first.image_after) == (
        at(100),
        at(107),
        "app:1",
        "app:2",
    )
    assert (first.recovered_seconds, first.not_up, first.certain, first.by) == (7, (), True, None)


def test_a_deploy_is_of_the_range_in_which_it_began_and_whole_there(database_url: str) -> None:
    (whole,) = deploys(
        database_url,
        *(*up(1, 1, 1), *up(2, 2, 2)),
        *(*recreated(100, 1, 3, 1, FIRST, SECOND), *recreated(660, 2, 4, 2, FIRST, SECOND)),
    )
    with Archive.open(database_url) as archive:
        before, after = (archive.report("deploys", None, between(*ends)).rows for ends in ((50, 400), (400, 5000)))

    assert whole.containers == 2
    assert (before, after) == ((whole,), ())


def test_what_was_recreated_though_nothing_was_different_is_one(database_url: str) -> None:
    found = deploys(database_url, *up(1, 1, 1), *recreated(100, 1, 2, 1, FIRST, FIRST))

    assert seen(found) == [("blog-app", "neither", 1, "ok", 3)]


def test_each_time_is_one_of_its_own(database_url: str) -> None:
    found = deploys(
        database_url,
        *(*up(1, 1, 1), *recreated(100, 1, 2, 1, FIRST, SECOND), *recreated(200, 2, 3, 1, SECOND, THIRD)),
    )

    assert [row.why for row in found] == ["image", "configuration"]


def test_what_was_removed_before_is_one_where_anything_is_different(database_url: str) -> None:
    found = deploys(database_url, *up(1, 1, 1), *down(100, 1, 1), *up(120, 2, 1, SECOND))

    assert seen(found) == [("blog-app", "image", 1, "ok", 1)]


@pytest.mark.parametrize(
    "told",
    [
        [*up(1, 1, 1), *up(100, 2, 2), *up(101, 3, 3)],
        [*up(1, 1, 1), *up(2, 2, 2), *down(100, 2, 2), *up(200, 3, 2)],
        [
            *up(1, 1, 1),
            engines("kill", 100, 1, "a", signal="15", **labels(1, FIRST)),
            engines("die", 101, 1, "a", exitCode="0", **labels(1, FIRST)),
            engines("start", 102, 1, "a", **labels(1, FIRST)),
            engines("restart", 102, 1, "a", **labels(1, FIRST)),
        ],
        [*up(1, 1, 1), *up(50, 2, 1, SECOND, **{"com.docker.compose.oneoff": "True"})],
        [engines("create", 1, 1, "a"), engines("destroy", 50, 1, "a"), engines("create", 51, 2, "a")],
    ],
    ids=["scaled up", "scaled down and up", "restarted", "run once", "not of Compose"],
)
def test_these_are_none(sqlite_url: str, told: list[Event]) -> None:
    assert deploys(sqlite_url, *told) == []


def test_what_crashes_has_failed(database_url: str) -> None:
    crash = engines("die", 106, 3, "a", exitCode="1", **labels(1, SECOND))
    found = deploys(
        database_url,
        *(*up(1, 1, 1), *up(2, 2, 2), *recreated(100, 1, 3, 1, FIRST, SECOND)),
        *(crash, *recreated(107, 2, 4, 2, FIRST, SECOND)),
    )

    assert seen(found) == [("blog-app", "image", 2, "failed", 6)]
    assert (found[0].not_up, found[0].recovered_seconds) == (("blog-app-1",), None)


def test_what_never_ran_has_failed(database_url: str) -> None:
    *told, _ = recreated(100, 1, 2, 1, FIRST, SECOND)
    found = deploys(database_url, *up(1, 1, 1), *told)

    assert [(row.result, row.finished_at, len(row.not_up)) for row in found] == [("failed", None, 1)]


def test_what_does_its_work_and_ends_has_not_failed(database_url: str) -> None:
    done = engines("die", 110, 2, "a", exitCode="0", **labels(1, SECOND))

    assert seen(deploys(database_url, *up(1, 1, 1), *recreated(100, 1, 2, 1, FIRST, SECOND), done)) == [
        ("blog-app", "image", 1, "ok", 3)
    ]


@pytest.fixture(scope="module")
def two_services(shared_url: NewArchive) -> str:
    url = shared_url()
    deploys(
        url,
        *(*up(1, 1, 1), *up(3, 9, 1, service="db")),
        *(*recreated(100, 1, 3, 1, FIRST, SECOND), *recreated(200, 9, 10, 1, FIRST, THIRD, service="db")),
    )
    return url


@pytest.mark.parametrize(
    ("ref", "services"),
    [("service/E.blog.db", ["blog-db"]), ("stack/E.blog", ["blog-app", "blog-db"]), ("blog-app-1", ["blog-app"])],
)
def test_they_are_those_of_what_is_asked_about(two_services: str, ref: str, services: list[str]) -> None:
    with Archive.open(two_services) as archive:
        assert [row.subject.name for row in archive.report("deploys", ref).rows] == services


def test_a_table_says_what_was_different(two_services: str, run_archiver: RunArchiver) -> None:
    told = run_archiver("report", "deploys", "stack/E.blog", "-o", "table", "--database", two_services).stdout

    assert "CONTAINERS" in told
    assert "app:1 -> app:2" in told
    assert "image and configuration" in told


def test_they_cost_the_same_in_a_larger_archive(empty_database_url: str) -> None:
    deploys(empty_database_url, *up(1, 1, 1), *recreated(4000, 1, 2, 1, FIRST, SECOND))
    costs = []
    for others in (range(10, 60), range(60, 600)):
        record(empty_database_url, *(each for n in others for each in (*up(n, n, n), *down(n + 1, n, n))))
        analysed(empty_database_url)
        costs.append(cost_of(empty_database_url, lambda archive: archive.report("deploys", None, between(3900, 5000))))

    assert not grown(*costs, empty_database_url), costs
