"""Actions, events, tree, references, status: what is asked of the archive, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.errors import AmbiguousReference, DatabaseMissing, NoSuchResource
from archiver.model import Action, Namesakes, Opened, Reject, TreeNode, now_micros
from archiver.model.health import Waiting
from archiver.queries import events_under
from archiver.storage.recorder import Recorder

from ..conftest import NewArchive
from .archives import SECOND, START, at, between, closed, event, opened, record, rows, seen, uri

ABOVE = ["service/web", "stack/shop", "node/n1"]


@pytest.fixture(scope="module")
def archive_url(shared_url: NewArchive) -> str:
    """A stack with a service and two containers, an action on one, and a container elsewhere."""
    return filled(shared_url())


@pytest.fixture(scope="module")
def archive(archive_url: str) -> Iterator[Archive]:
    with Archive.open(archive_url) as archive:
        yield archive


def filled(url: str) -> str:
    record(
        url,
        event("stack/shop", "Running", 0),
        event("service/web", "Running", 1, ["stack/shop"]),
        event("container/aaaa1", "Starting", 2, ABOVE),
        event("container/aaaa2", "Starting", 2, ABOVE),
        event("action/x", "Pending", 3, ["container/aaaa1", *ABOVE]),
        event("container/aaaa1", "Running", 4, ABOVE),
        event("action/x", "Success", 5, ["container/aaaa1", *ABOVE]),
        event("action/y", "In progress", 6, ["service/web", "stack/shop"]),
        event("container/zzzz", "Running", 7),
        event("auth", resource_uri=None),
    )
    return url


# --- actions ----------------------------------------------------------------------------------------------------------


def test_the_actions_under_a_stack_each_once_oldest_first(archive: Archive) -> None:
    assert list(archive.actions("stack/shop")) == [
        Action(uri("action/x"), uri("container/aaaa1"), "Success", at(3), at(5), 2),
        Action(uri("action/y"), uri("service/web"), "In progress", at(6), None, 1),
    ]


def test_without_a_reference_it_is_all_that_was_done(archive: Archive, database_url: str) -> None:
    assert list(archive.actions()) == list(archive.actions(["stack/*", "container/*", "service/*", "node/*"]))
    assert [action.uri for action in archive.actions(range=between(6, None))] == [uri("action/y")]
    record(database_url, event("action/alone", "Success", 3))
    with Archive.open(database_url) as other:
        assert [action.uri for action in other.actions(deeds=True)] == [uri("action/alone")]
        assert other.healthcheck_actions() == 0


def test_an_action_is_under_itself(archive: Archive) -> None:
    assert [action.uri for action in archive.actions("action/y")] == [uri("action/y")]


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        (4, 7, ["action/x", "action/y"]),  # x had begun, and ended within
        (5, 6, ["action/x"]),  # at the instant of its end
        (6, None, ["action/y"]),
        (8, None, ["action/y"]),  # still in progress
        (None, 3, []),
        (None, 4, ["action/x"]),
    ],
)
def test_actions_of_a_range_are_those_that_ran_in_it(
    archive: Archive, since: float | None, until: float | None, found: list[str]
) -> None:
    for root in ("stack/shop", "node/n1", "service/web"):
        ran = [action.uri for action in archive.actions(root, between(since, until))]
        assert ran == [uri(ref) for ref in found if root != "node/n1" or ref == "action/x"]


def test_an_action_is_under_what_its_target_was_under_when_it_began(database_url: str) -> None:
    record(
        database_url,
        event("service/web", "Running", 0, ["stack/old"]),
        event("action/x", "Pending", 5, ["service/web"]),
        event("service/web", "Running", 10, ["stack/new"]),
        event("action/x", "Success", 20, ["service/web"]),
    )

    with Archive.open(database_url) as archive:
        assert [action.uri for action in archive.actions("stack/old")] == [uri("action/x")]
        assert [action.uri for action in archive.actions("stack/old", between(15, None))] == [uri("action/x")]
        assert list(archive.actions("stack/new")) == []


def test_the_view_of_actions_says_the_same(archive_url: str) -> None:
    view = "SELECT action, target, state, seconds FROM action_log ORDER BY action"

    assert rows(archive_url, view) == [
        (uri("action/x"), uri("container/aaaa1"), "Success", 2.0),
        (uri("action/y"), uri("service/web"), "In progress", None),
    ]


# --- events -----------------------------------------------------------------------------------------------------------


def test_the_last_events_oldest_first(archive: Archive) -> None:
    assert [event.resource_uri for event in archive.events(limit=2)] == [uri("action/y"), uri("container/zzzz")]


def test_events_are_chosen_by_type_state_action_and_place(archive: Archive) -> None:
    found = archive.events(types=["container", "service"], states=["RUNNING"], actions=["update"], under="stack/shop")

    assert [event.resource_uri for event in found] == [uri("service/web"), uri("container/aaaa1")]


@pytest.mark.parametrize("never", [{"types": ["x"]}, {"states": ["x"]}, {"actions": ["x"]}])
def test_a_text_never_seen_matches_nothing(archive: Archive, never: dict[str, list[str]]) -> None:
    assert list(archive.events(limit=0, **never)) == []  # type: ignore[arg-type]


def test_events_of_a_range(archive: Archive) -> None:
    assert [event.occurred_at for event in archive.events(range=between(3, 5))] == [at(3), at(4)]


@pytest.mark.parametrize("limit", [0, 1, 3, 100])
@pytest.mark.parametrize("under", ["stack/shop", "node/n1", "service/web", "container/aaaa1", "action/x"])
def test_events_are_found_by_what_they_are_about_as_by_looking_at_each(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, under: str, limit: int
) -> None:
    expected = list(archive.events(under=under, limit=limit))
    monkeypatch.setattr(events_under, "_FEW", -1)
    monkeypatch.setattr(events_under, "_MANY", 0)
    monkeypatch.setattr(events_under, "LOOKED_AT", 1)
    monkeypatch.setattr(events_under.seeking, "PAGE", 1)

    assert list(archive.events(under=under, limit=limit)) == expected


def test_what_has_come_since(database_url: str) -> None:
    with Archive.open(filled(database_url)) as archive:
        last = archive.last_id()
        record(database_url, event("container/aaaa1", "Stopped", 1, ABOVE))

        assert [event.state for event in archive.follow(under="service/web", after=last)] == ["Stopped"]


def test_the_view_of_events_has_all_texts(archive_url: str) -> None:
    view = "SELECT type, action, state, uri FROM event_log WHERE id = 2"

    assert rows(archive_url, view) == [("service", "update", "Running", uri("service/web"))]


# --- tree -------------------------------------------------------------------------------------------------------------


def names(node: TreeNode) -> dict[str, object]:
    return {child.uri.split("/")[-2]: names(child) for child in node.children}


def test_everything_is_below_the_closest_of_its_parents(archive: Archive) -> None:
    assert names(archive.tree("stack/shop")) == {"web": {"aaaa1": {}, "aaaa2": {}}}


def test_a_node_of_the_tree_knows_its_state_and_since_when(archive: Archive) -> None:
    node = archive.tree("container/aaaa1")

    assert (node.type, node.state, node.since) == ("container", "Running", at(4))


def test_what_is_above_each_other_is_still_below_the_root(database_url: str) -> None:
    for child, parent in (("service/1", "service/2"), ("service/2", "service/1")):
        record(database_url, event(child, "Running", 1, [parent, "app/1"]))

    with Archive.open(database_url) as archive:
        assert names(archive.tree("app/1")) == {"1": {}, "2": {}}


def gone(database_url: str) -> None:
    """A stack of which a service and its container are gone, and one container has moved away."""
    record(
        database_url,
        event("container/old", "Running", 1, ["service/old", "stack/shop"]),
        event("service/old", "Running", 1, ["stack/shop"]),
        event("container/moved", "Running", 1, ["service/web", "stack/shop"]),
        event("container/new", "Running", 2, ["service/web", "stack/shop"]),
        event("container/old", "Terminated", 5, ["service/old", "stack/shop"]),
        event("service/old", "Terminated", 6, ["stack/shop"]),
        event("container/moved", "Running", 7, ["service/other", "stack/other"]),
    )


def test_a_tree_shows_what_lives(database_url: str) -> None:
    gone(database_url)

    with Archive.open(database_url) as archive:
        assert names(archive.tree("stack/shop")) == {"web": {"new": {}}}


def test_trees_and_pictures_are_in_the_order_of_names_and_of_one_name_the_older_first(database_url: str) -> None:
    names = {"a": "web-10", "b": "web-2", "c": "web-1", "d": None, "z": "web-1"}
    for second, (key, name) in zip((5, 4, 3, 2, 1), names.items(), strict=True):
        record(database_url, event(f"container/{key}", "Running", second, ["service/web"])._replace(name=name))

    with Archive.open(database_url) as archive:
        tree = archive.tree("service/web").children
        lanes = archive.lanes("service/web").lanes[1:]
    assert [each.uri for each in lanes] == [uri(f"container/{key}") for key in "zcbad"]
    assert [each.uri for each in tree] == [uri(f"container/{key}") for key in "czbad"]


def test_with_the_gone_a_tree_shows_where_they_were(database_url: str) -> None:
    gone(database_url)

    with Archive.open(database_url) as archive:
        tree = archive.tree("stack/shop", gone=True)
    assert names(tree) == {"old": {"old": {}}, "web": {"new": {}}}
    assert tree.gone_at is None
    assert (tree.children[0].gone_at, tree.children[0].children[0].gone_at) == (at(6), at(5))


def test_what_outlives_its_service_is_in_the_tree_of_the_service_and_with_the_gone_in_that_of_the_stack(
    database_url: str,
) -> None:
    record(
        database_url,
        event("container/1", "Running", 1, ["service/web", "stack/shop"]),
        event("service/web", "Terminated", 6, ["stack/shop"]),
    )

    with Archive.open(database_url) as archive:
        assert names(archive.tree("stack/shop")) == {}
        assert names(archive.tree("service/web")) == {"1": {}}
        assert names(archive.tree("stack/shop", gone=True)) == {"web": {"1": {}}}


@pytest.mark.parametrize(("late", "under"), [(7, True), (6 + 3599, True), (6 + 3600, False)])
def test_what_is_done_to_a_container_within_an_hour_of_its_services_end_is_done_in_the_stack(
    database_url: str, late: int, under: bool
) -> None:
    record(
        database_url,
        event("container/1", "Running", 1, ["service/web"]),
        event("service/web", "Running", 1, ["stack/shop"]),
        event("service/web", "Terminated", 6),
        event("action/kill", "Success", late, ["container/1"]),
        event("container/1", "Stopped", late),
    )

    with Archive.open(database_url) as archive:
        assert len(list(archive.actions("stack/shop"))) == under
        assert len(list(archive.events(under="stack/shop", states=["Stopped"], limit=0))) == under


def test_what_is_gone_can_be_asked_for(database_url: str) -> None:
    gone(database_url)

    with Archive.open(database_url) as archive:
        node = archive.tree("service/old")
    assert (node.state, node.gone_at, node.children) == ("Terminated", at(6), ())


@pytest.mark.parametrize("filters", [{}, {"under": "stack/1"}, {"states": ["Running"]}])
def test_of_events_of_one_instant_the_last_archived_are_the_last(database_url: str, filters: dict[str, Any]) -> None:
    names = [f"container/{n}" for n in (3, 1, 4, 2, 5)]
    record(database_url, *(event(name, "Starting", 0, ["stack/1"]) for name in sorted(names)))
    record(database_url, *(event(name, "Running", 1, ["stack/1"]) for name in names))

    with Archive.open(database_url) as archive:
        found = [[told.resource_uri for told in archive.events(limit=limit, **filters)] for limit in (2, 0)]

    assert found[0] == [uri(name) for name in names[-2:]]
    assert found[1][-5:] == [uri(name) for name in names]


def test_an_action_that_was_only_named_did_not_run(database_url: str) -> None:
    record(database_url, event("container/1", "Running", 1, ["action/1", "stack/1"]))

    with Archive.open(database_url) as archive:
        assert list(archive.actions("action/1")) == []


def test_a_thousand_levels_are_no_harm(database_url: str) -> None:
    record(database_url, *(event(f"service/{n:04}", None, 0, [f"service/{n + 1:04}"]) for n in reversed(range(300))))

    with Archive.open(database_url) as archive:
        assert len(list(archive.events(under="service/0300", limit=0))) == 300
        assert archive.tree("service/0300").children[0].uri == uri("service/0299")


def test_the_view_of_what_is_under_a_stack(archive_url: str) -> None:
    view = "SELECT descendant_uri FROM subtree WHERE ancestor_uri = :top ORDER BY 1"

    below = ["action/x", "action/y", "container/aaaa1", "container/aaaa2", "service/web"]
    assert rows(archive_url, view, top=uri("stack/shop")) == [(uri(ref),) for ref in below]


# --- references -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ref",
    [
        "/api/v1/container/aaaa1/",
        "/api/v1/container/aaaa1",
        "https://cloud.docker.com/api/app/v1/ns/container/aaaa1/",
        "container/aaaa1",
        "Container/aaaa1",
        "aaaa1",
        " aaaa1 ",
    ],
)
def test_every_way_to_name_a_resource(archive: Archive, ref: str) -> None:
    assert archive.resolve(ref).uri == uri("container/aaaa1")


def test_four_characters_that_are_unique_suffice(archive: Archive) -> None:
    assert archive.resolve("container/zzzz").key == "zzzz"
    assert archive.resolve("zzz" + "z").key == "zzzz"


@pytest.mark.parametrize("ref", ["", "aaa", "nothing", "container/", "a\0", "\ud800", "%", "aaaa%", "/svc/none/"])
def test_what_names_nothing(archive: Archive, ref: str) -> None:
    with pytest.raises(NoSuchResource):
        archive.resolve(ref)


def test_an_ambiguous_reference_has_its_candidates(archive: Archive) -> None:
    with pytest.raises(AmbiguousReference) as caught:
        archive.resolve("aaaa")

    assert caught.value.candidates == [uri("container/aaaa1"), uri("container/aaaa2")]


def test_the_parents_of_a_resource_are_those_that_were_named(archive: Archive) -> None:
    assert archive.resolve("aaaa1").parents == tuple(sorted(uri(ref) for ref in ABOVE))


def named(ref: str, state: str, second: float, name: str) -> Any:
    return event(ref, state, second)._replace(name=name)


def test_two_that_live_under_one_name_are_ambiguous(database_url: str) -> None:
    record(database_url, named("node/1", "Deployed", 1, "web"), named("node/2", "Deployed", 2, "web"))

    with Archive.open(database_url) as archive, pytest.raises(AmbiguousReference) as caught:
        archive.resolve("web")
    assert caught.value.candidates == [uri("node/1"), uri("node/2")]


def test_a_name_used_again_means_the_one_that_lives_and_says_who_else_had_it(database_url: str) -> None:
    told = [named(f"container/{n}", state, n * 10 + late, "web") for n in range(4)
            for late, state in enumerate(("Running", "Terminated"))]  # fmt: skip
    record(database_url, *told[:-1])

    with Archive.open(database_url) as archive:
        found = archive.resolve("web")
    assert found.uri == uri("container/3")
    assert found.namesakes == Namesakes(3, at(21), tuple(uri(f"container/{n}") for n in (2, 1, 0)))


def test_of_those_that_are_gone_a_name_means_the_one_that_bore_it_last(database_url: str) -> None:
    for n in (1, 0):
        record(database_url, named(f"container/{n}", "Running", n * 10, "web"))
        record(database_url, event(f"container/{n}", "Terminated", n * 10 + 5))

    with Archive.open(database_url) as archive:
        assert archive.resolve("web").uri == uri("container/1")


def test_what_was_renamed_is_found_by_its_old_name(database_url: str) -> None:
    record(database_url, named("service/1", "Running", 1, "web"), named("service/1", "Running", 5, "shop"))

    with Archive.open(database_url) as archive:
        assert (archive.resolve("web").name, archive.resolve("shop").uri) == ("shop", uri("service/1"))


def test_an_event_without_a_name_has_that_which_its_object_had_then(database_url: str) -> None:
    record(database_url, named("service/1", "Running", 1, "web"), event("service/1", "Stopped", 3),
           named("service/1", "Running", 5, "shop"), event("service/1", "Terminated", 7))  # fmt: skip

    with Archive.open(database_url) as archive:
        assert [told.name for told in archive.events(limit=0)] == ["web", "web", "shop", "shop"]


def test_what_an_object_that_was_gone_was_called_does_not_depend_on_what_else_is_listed(database_url: str) -> None:
    """Gone at 5, back under another name at 9."""
    record(
        database_url,
        event("container/1", "Running", 1)._replace(name="old"),
        event("container/1", "Terminated", 5),
        event("container/1", None, 7),
        event("container/1", "Running", 9)._replace(name="new"),
    )

    with Archive.open(database_url) as archive:
        together = [event.name for event in archive.events(limit=0)]
        alone = [event.name for event in archive.events(range=between(7, 8))]
    assert (together, alone) == (["old", "old", "old", "new"], ["old"])


def test_a_name_of_several_types_means_the_only_one_that_lives(database_url: str) -> None:
    many = [named(f"container/{n}", state, n, "web") for n in range(15) for state in ("Running", "Terminated")]
    record(database_url, *many, named("service/1", "Running", 3, "web"))

    with Archive.open(database_url) as archive:
        assert archive.resolve("web").uri == uri("service/1")


def test_a_name_of_several_types_of_which_several_live_is_ambiguous(database_url: str) -> None:
    many = [named(f"container/{n}", "Running", n, "web") for n in range(11)]
    record(database_url, *many, named("service/1", "Running", 3, "web"))

    with Archive.open(database_url) as archive, pytest.raises(AmbiguousReference):
        archive.resolve("web")


# --- status, and an archive that is not there -------------------------------------------------------------------------


def test_the_numbers_of_an_archive(database_url: str) -> None:
    record(
        database_url,
        opened("a", 0),
        event("container/1", "Running", 1, session="a"),
        event("container/2", "Running", 5, session="a"),
        Reject(b"", "odd", START),
        seen("container/3", "Running", 6),
        closed("a", 10, "cut"),
    )

    with Archive.open(database_url) as archive:
        found = archive.status()
    assert (found.events, found.rejects, found.resources) == (2, 1, 3)
    assert (found.first_event_at, found.last_event_at) == (at(1), at(5))
    assert found.size_bytes
    assert (found.streams[0].connected, found.streams[0].reason, found.streams[0].gaps) == (False, "cut", 1)


def test_an_empty_archive_has_a_status(database_url: str) -> None:
    with Archive.open(database_url) as archive:
        assert archive.status()[2:7] == (0, 0, 0, None, None)


def test_growth_is_that_of_the_last_days(database_url: str) -> None:
    day, now = 86_400 * SECOND, now_micros()
    # Nine came a month ago, and one two days ago: of the last seven days it is one in ten of all that is there.
    times = [now - 30 * day] * 9 + [now - 2 * day]
    events = [event(f"container/{n}", "Running")._replace(received_at=at) for n, at in enumerate(times)]
    record(database_url, *events)

    with Archive.open(database_url) as archive:
        found = archive.status()
    assert found.size_bytes
    assert found.bytes_per_day == pytest.approx(found.size_bytes / 10 / 7, abs=2)
    if database_url.startswith("sqlite"):
        assert found.free_bytes
    assert (found.problems, found.well) == ((), None)


def test_an_archive_of_a_daemon_is_judged(database_url: str) -> None:
    with Archive.open(database_url) as archive:
        assert [problem.kind for problem in archive.status().problems] == ["unrecorded"]
        with Recorder(database_url, "spool") as recorder:
            recorder.record([opened("a", 0), event("container/1", "Running", 1, session="a")], 2)
        assert [problem.kind for problem in archive.status().problems] == ["stale"]
        assert archive.archived_of("spool") == 2
        assert archive.archived_of("another") == 0


def test_a_daemon_that_waits_for_its_archive_still_has_its_spool(sqlite_url: str) -> None:
    held, free = (Waiting(0, 0, None, 1000, ours=True, held=held) for held in (True, False))
    now = now_micros()
    with Archive.open(sqlite_url) as archive:
        with Recorder(sqlite_url, "spool") as recorder:
            recorder.record([Opened("ws://a", "a", "tutum", now, now)], 1)
            assert [problem.kind for problem in archive.status(waiting=free).problems] == []
        assert archive.status(waiting=held).problems == ()
        (problem,) = archive.status(waiting=free).problems
    assert (problem.kind, problem.text.split(":")[0]) == ("stale", "no daemon runs")


def test_there_is_no_archive() -> None:
    with pytest.raises(DatabaseMissing):
        Archive.open("sqlite:////nowhere/archive.db")


def test_a_reader_cannot_write(database_url: str) -> None:
    from sqlalchemy import exc, text

    from archiver.storage.database.engine import reading_engine

    engine = reading_engine(database_url)
    with engine.connect() as connection, pytest.raises(exc.DBAPIError):
        connection.execute(text("DELETE FROM alembic_version"))
    engine.dispose()
