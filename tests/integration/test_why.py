"""What changed before something stopped: to it, and above, below and beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.errors import UsageError
from archiver.model.nearby import Before, Differs
from archiver.transfer.importer import import_lines

from ..conftest import RunArchiver
from .archives import at, between, closed, event, opened, record, rows, seen, uri
from .growth import analysed, cost_of, grown
from .test_restarts import engines

DATA = Path(__file__).parents[1] / "data"
WEB, DB = ["service/web", "stack/shop", "node/1"], ["service/db", "stack/shop", "node/2"]


def story(url: str) -> None:
    record(
        url,
        opened("a", 0),
        event("container/web", "Running", 10, WEB, session="a"),
        event("container/far", "Running", 10, ["service/far", "stack/other", "node/3"], session="a"),
        event("container/db", "Running", 20, DB, session="a"),
        event("service/web", "Running", 30, ["stack/shop"], session="a"),
        event("container/far", "Stopped", 940, session="a"),
        event("container/db", "Stopped", 950, session="a"),
        event("action/redeploy", "In progress", 980, ["service/web", "stack/shop"], session="a", user="ada"),
        event("service/web", "Redeploying", 985, ["stack/shop"], session="a"),
        event("container/web", "Stopping", 990, WEB, session="a"),
        event("container/web", "Stopped", 995, WEB, session="a"),
        event("action/redeploy", "Success", 1000, ["service/web", "stack/shop"], session="a"),
        closed("a", 2000),
    )


def told(found: Before) -> list[tuple[Any, ...]]:
    return [
        (each.seconds_before, each.where, each.distance, each.change, each.uri.split("/")[-2], each.before, each.after)
        for each in found.changes
    ]


def why(url: str, ref: str, moment: float | None = None, since: float | None = None) -> Before:
    with Archive.open(url) as archive:
        return archive.why(ref, None if moment is None else at(moment), None if since is None else at(since))


def test_before_its_last_stop_the_nearest_first(database_url: str) -> None:
    story(database_url)

    found = why(database_url, uri("container/web"))

    assert found.at == at(995)
    assert told(found) == [
        (0, "self", 0, "state", "web", "Stopping", "Stopped"),
        (5, "self", 0, "state", "web", "Running", "Stopping"),
        (10, "above", 1, "state", "web", "Running", "Redeploying"),
        (15, "above", 1, "action", "web", None, None),
        (45, "beside", 4, "state", "db", "Running", "Stopped"),
    ]
    assert found.coverage.complete
    assert {each.certain for each in found.changes} == {True}


def test_a_stop_says_its_cause_and_an_action_who_did_it(database_url: str) -> None:
    story(database_url)

    web, _, _, action, db = why(database_url, uri("container/web")).changes

    assert web.cause is not None
    assert db.cause is not None
    assert (web.cause.kind, db.cause.kind) == ("told", "crash")
    assert (action.by, action.action) == ("ada", uri("action/redeploy"))


def test_seen_from_above(sqlite_url: str) -> None:
    story(sqlite_url)

    found = why(sqlite_url, uri("stack/shop"), 996, since=900)

    assert {(each.where, each.distance, each.type) for each in found.changes} == {
        ("below", 1, "service"),
        ("below", 2, "container"),
    }


def test_it_looks_back_ten_minutes_or_as_far_as_is_asked(sqlite_url: str) -> None:
    story(sqlite_url)

    assert len(why(sqlite_url, uri("container/web"), 700).changes) == 0
    assert why(sqlite_url, uri("container/web"), 700).empty == "nothing_happened"
    assert told(why(sqlite_url, uri("container/web"), 700, since=5))[-1] == (
        690, "self", 0, "appeared", "web", None, "Running",
    )  # fmt: skip
    with pytest.raises(UsageError):
        why(sqlite_url, uri("container/web"), 700, since=800)


def test_an_image_and_a_name_are_changes(sqlite_url: str) -> None:
    import_lines(sqlite_url, (DATA / "docker-swarm-events.jsonl").read_bytes().splitlines())

    found = why(sqlite_url, "blog-app-2")

    assert ("name", "blog-app-1", "blog-app-2") in {(each.change, each.before, each.after) for each in found.changes}


def test_at_a_shell(sqlite_url: str, run_archiver: RunArchiver) -> None:
    story(sqlite_url)

    def said(*words: str) -> str:
        return run_archiver("--database", sqlite_url, "why", uri("container/web"), *words).stdout

    document = json.loads(said("-o", "json"))
    assert list(document) == [
        "resource", "at", "at_is", "range", "coverage", "empty", "left_out", "changes",
    ]  # fmt: skip
    assert document["at"] == "2016-02-01T12:16:35Z"
    assert list(document["changes"][0]) == [
        "change", "uri", "type", "name", "before", "after", "at", "certain", "cause", "action", "by", "where",
        "distance", "seconds_before",
    ]  # fmt: skip
    table = said("-o", "table").splitlines()
    assert table[3].split() == ["AGO", "WHERE", "CHANGE", "WHAT", "BEFORE", "AFTER", "WHY", "BY"]
    assert table[0].endswith(f", its last stop: {uri('container/web')}")
    assert "told: action/redeploy by ada" in table[4]
    assert said("-o", "plain").count("\n") == 5


def test_it_costs_what_it_answers(database_url: str) -> None:
    """However long the object, and what is beside it, have lived before."""
    past = [
        event(ref, ("Stopped", "Running")[n % 2], n - 100_000, place)
        for n in range(1_500)
        for ref, place in (("container/web", WEB), ("container/db", DB))
    ]
    done = [event(f"action/{n}", "Success", n - 90_000, ["service/web", "stack/shop"]) for n in range(1_000)]
    record(database_url, *past[:300], *done[:100])
    story(database_url)
    small = cost_of(analysed(database_url), lambda archive: archive.why(uri("container/web")))
    record(database_url, *past[300:], *done[100:])

    large = cost_of(analysed(database_url), lambda archive: archive.why(uri("container/web")))

    assert not grown(small, large, database_url), (small, large)


def test_what_was_only_found_did_not_appear_when_it_stopped(database_url: str) -> None:
    record(database_url, opened("a", 0), seen("container/1", "Running", 10, session="a"))
    record(database_url, event("container/1", "Stopped", 1000, session="a"), closed("a", 2000))

    with Archive.open(database_url) as archive:
        found = archive.why("container/1", at(1000)).changes

    assert [(each.change, each.before, each.cause and each.cause.kind) for each in found] == [
        ("state", "Running", "crash")
    ]


def changed(url: str, since: float, until: float) -> list[tuple[Any, ...]]:
    with Archive.open(url) as archive:
        rows = archive.report("changes", None, between(since, until)).rows
    return [(row.at, row.change, row.before, row.after, row.certain) for row in rows]


def test_what_comes_back_where_it_was_has_not_moved(database_url: str) -> None:
    first, second = ["service/web", "node/1"], ["service/web", "node/2"]
    record(
        database_url,
        opened("a", 0),
        event("container/1", "Running", 10, first, session="a")._replace(name="x"),
        event("container/1", "Running", 100, second, session="a"),
        event("container/1", "Terminated", 200, session="a"),
        event("container/1", "Running", 300, second, session="a"),
        event("container/1", "Terminated", 400, session="a"),
        event("container/1", "Running", 500, first, session="a")._replace(name="y"),
        closed("a", 1000),
    )
    was, became = (tuple(sorted(map(uri, place))) for place in (first, second))

    told = [(at_, change, *more) for at_, change, *more in changed(database_url, 0, 450) if change in ("moved", "name")]
    later = [row[1:4] for row in changed(database_url, 450, 600) if row[1] in ("moved", "name")]

    assert told == [(at(100), "moved", was, became, True)]
    assert later == [("moved", became, was), ("name", "x", "y")]


def test_what_is_found_behind_a_gap_may_have_come_at_any_time_in_it(database_url: str) -> None:
    other = "ws://other.example/v1/events"
    record(
        database_url,
        *(opened("a", 0), opened("o", 0, stream=other), closed("o", 20, stream=other)),
        event("container/1", "Running", 10, session="a"),
        event("container/2", "Running", 90, session="a"),
        closed("a", 100),
        opened("b", 200),
        *(seen("container/1", "Stopped", 210, session="b"), seen("container/3", "Running", 210, session="b")),
        event("container/1", "Running", 300, session="b"),
        event("container/2", "Stopped", 400, ["node/1"], session="b"),
        event("container/2", None, 410, ["node/2"], session="b"),
        event("container/4", "Running", 420),
        closed("b", 1000),
    )

    whole = changed(database_url, 0, 1000)

    assert [(row[1], row[3], row[4]) for row in whole] == [
        ("appeared", "Running", True),
        ("appeared", "Running", True),
        ("state", "Stopped", False),
        ("appeared", "Running", False),
        ("state", "Running", True),
        ("state", "Stopped", False),
        ("moved", (uri("node/2"),), True),
        ("appeared", "Running", None),
    ]
    assert changed(database_url, 205, 1000) == whole[2:]
    viewed = rows(database_url, "SELECT change, certain FROM changes ORDER BY at_us, uri")
    assert viewed == [(row[1], row[4]) for row in whole]


def test_what_was_found_running_before_it_was_found_stopped_has_a_last_stop(database_url: str) -> None:
    record(
        database_url,
        *(opened("a", 0), seen("container/1", "Running", 10, session="a")),
        *(event("container/1", "Stopped", 5000, session="a"), closed("a", 9000)),
    )

    assert why(database_url, "container/1").at == at(5000)


@pytest.mark.parametrize("apart", [10, 700])
def test_what_was_removed_without_having_run_did_not_stop_when_it_had_before(database_url: str, apart: float) -> None:
    states = {0: "Running", 100: "exited (137)", 100 + apart: "created", 110 + apart: "removed"}
    record(database_url, *(event("container/web", state, second) for second, state in states.items()))

    found = why(database_url, uri("container/web"))

    assert (found.at, found.at_is) == (at(110 + apart), "change")


def test_what_never_stopped_is_asked_about_its_last_change(database_url: str) -> None:
    story(database_url)

    found = why(database_url, uri("service/web"))

    assert (found.at, found.at_is) == (at(985), "change")
    assert (found.changes[0].uri, found.changes[0].after) == (uri("service/web"), "Redeploying")


def test_the_nearest_in_the_tree_are_shown_first(sqlite_url: str, run_archiver: RunArchiver) -> None:
    story(sqlite_url)
    crowd = [
        event(f"container/{n}", state, 985 + n / 10, ["service/other", "stack/shop", "node/1"])
        for n in range(80)
        for state in ("Running", "Stopped")
    ]
    record(sqlite_url, *crowd)

    with Archive.open(sqlite_url) as archive:
        found = archive.why(uri("container/web"), at(995), limit=4)
    said = run_archiver("--database", sqlite_url, "why", uri("container/web"), "-n", "4")

    assert [(each.where, each.after) for each in found.changes] == [
        ("self", "Stopped"),
        ("self", "Stopping"),
        ("above", "Redeploying"),
        ("above", None),
    ]
    assert found.left_out == 161
    assert "161 more changes, farther away in the tree, are left out; -n 0 shows all" in said.stderr


def test_what_is_beside_only_passes_through_its_states(database_url: str) -> None:
    beside = ["service/other", "stack/shop", "node/1"]
    told = (
        ("container/old", ("Stopping", "Stopped", "Terminating", "Terminated")),
        ("container/new", ("Starting", "Running")),
        ("container/back", ("Stopped", "Starting", "Running")),
        ("container/crashed", ("Stopped", "Starting")),
        ("service/other", ("Redeploying", "Running")),
    )
    story(database_url)
    for ref, _ in told:
        if ref != "container/new":
            record(database_url, event(ref, "Running", 10, beside[ref == "service/other" :], session="a"))
    for number, (ref, states) in enumerate(told):
        for n, state in enumerate(states):
            record(
                database_url, event(ref, state, 960 + number + n / 10, beside[ref == "service/other" :], session="a")
            )

    with Archive.open(database_url) as archive:
        found, whole = (archive.why(uri("container/web"), at(995), limit=most).changes for most in (50, None))
    shown = {ref: [(each.before, each.after) for each in found if each.uri == uri(ref)][::-1] for ref, _ in told}

    assert shown == {
        "container/old": [("Running", "Stopping"), ("Terminating", "Terminated")],
        "container/new": [(None, "Starting")],
        "container/back": [("Running", "Stopped"), ("Stopped", "Running")],
        "container/crashed": [("Running", "Stopped"), ("Stopped", "Starting")],
        "service/other": [],
    }
    assert all(len([each for each in whole if each.uri == uri(ref)]) == len(states) for ref, states in told)
    assert [each for each in found if each.where in ("self", "above")] == [
        each for each in whole if each.where in ("self", "above")
    ]


def compose(key: str, second: float, image: str, digest: str, configuration: str) -> Any:
    """An engine's word that Compose made a container."""
    attributes = {
        "name": f"web-{key}",
        "image": image,
        "com.docker.compose.project": "blog",
        "com.docker.compose.service": "app",
        "com.docker.compose.container-number": "1",
        "com.docker.compose.config-hash": configuration,
        "com.docker.compose.image": digest,
        "password": "secret",
    }
    return engines("create", second, int(key), "a", **attributes)


def test_what_was_recreated_says_why(database_url: str, run_archiver: RunArchiver) -> None:
    record(
        database_url,
        opened("a", 0),
        *(compose("1", 10, "app:1", "sha256:1", "f00"), engines("start", 11, 1, "a")),
        *(engines("die", 20, 1, "a", exitCode="0"), compose("2", 21, "app:2", "sha256:2", "f00")),
        *(engines("start", 22, 2, "a"), engines("destroy", 23, 1, "a"), engines("destroy", 30, 2, "a")),
        *(compose("3", 31, "app:2", "sha256:2", "bar"), engines("destroy", 40, 3, "a")),
        *(compose("4", 41, "app:2", "sha256:2", "bar"), closed("a", 100)),
    )
    with Archive.open(database_url) as archive:
        found = archive.report("changes", None, between(0, 100)).rows
    new = [each.replaced for each in found if each.change == "appeared" and each.type == "container"]

    assert [each and each.why for each in new] == [None, "image", "configuration", "neither"]
    assert new[1] is not None
    assert new[1].name == "web-1"
    assert new[1].differs == (
        Differs("image", "app:1", "app:2"),
        Differs("com.docker.compose.image", "sha256:1", "sha256:2"),
    )
    told = run_archiver(
        "--database", database_url, "report", "changes", "--since", at(0).isoformat(), "--until", at(100).isoformat(),
        "-o", "table",
    ).stdout  # fmt: skip
    assert "instead of web-1: image app:1 -> app:2, image's digest sha256:1 -> sha256:2" in told
    assert "instead of web-3: neither image nor configuration changed" in told
    assert "secret" not in told


def test_what_is_gone_had_neighbours_until_its_end(database_url: str) -> None:
    place = ["service/1", "stack/s"]
    record(
        database_url,
        opened("a", 0),
        *(event(f"container/{key}", "Running", 0, place, session="a") for key in "12"),
        event("container/2", "Stopped", 720, session="a"),
        event("container/1", "Terminated", 740, session="a"),
        closed("a", 2000),
    )
    with Archive.open(database_url) as archive:
        for moment in (None, at(800)):
            found = archive.why("container/1", moment).changes
            assert [(each.after, each.where) for each in found] == [("Terminated", "self"), ("Stopped", "beside")]


def test_what_was_only_found_by_asking_has_the_coverage_of_who_asked(database_url: str) -> None:
    record(database_url, opened("b", 0, stream="ws://other.example/v1/events"))
    record(database_url, closed("b", 100, stream="ws://other.example/v1/events"))
    record(database_url, opened("a", 0), *(seen("container/1", "Running", n, session="a") for n in (10, 700)))
    record(database_url, closed("a", 2000))
    with Archive.open(database_url) as archive:
        assert archive.why("container/1", at(800)).coverage.complete


def test_of_one_instant_what_was_told_behind_the_stop_is_not_before_it(database_url: str) -> None:
    record(
        database_url,
        opened("a", 0),
        event("container/web", "Running", 10, WEB, session="a"),
        event("container/web", "Stopped", 100, WEB, session="a"),
        event("container/web", "Running", 100, WEB, session="a"),
        event("container/web", "Stopped", 100, WEB, session="a"),
        event("container/db", "Running", 100, DB, session="a"),
        event("container/web", "Running", 100, WEB, session="a"),
        closed("a", 2000),
    )

    stopped, asked = (why(database_url, uri("container/web"), when).changes for when in (None, 100))
    with Archive.open(database_url) as archive:
        changed = [row for row in archive.report("changes").rows if row.uri == uri("container/web")]

    def own(found: Any) -> list[tuple[Any, ...]]:
        return [(each.after, each.cause and each.cause.kind) for each in found if each.where == "self"]

    back = [("Running", None), ("Stopped", "crash"), ("Running", None), ("Stopped", "crash"), ("Running", None)]
    assert own(stopped) == back[1:]
    assert own(asked) == back
    assert uri("container/db") in {each.uri for each in stopped}
    assert [(row.after, row.cause and row.cause.kind) for row in changed] == back[::-1]
