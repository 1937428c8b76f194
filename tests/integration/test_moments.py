"""The tree as it stood at a time, and what was otherwise at another: values, and how people and programs see them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.cli import main
from archiver.cli.answers.tree import walk
from archiver.errors import NotThen
from archiver.model import TreeNode

from ..conftest import NewArchive
from .archives import SECOND, START, at, closed, event, opened, record, seen

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def archive(shared_url: NewArchive) -> str:
    return filled(shared_url())


def filled(url: str) -> str:
    """Watched from 0 to 100, but for 40 to 60: a service with two containers, of which one moves and one ends."""
    shop = ["service/web", "stack/shop", "node/1"]
    record(
        url,
        opened("a", 0),
        event("service/web", "Running", 2, ["stack/shop"], session="a")._replace(name="web"),
        event("container/1", "Starting", 5, shop, session="a")._replace(name="web-1"),
        event("container/1", "Running", 10, shop, session="a"),
        event("container/2", "Running", 12, shop, session="a")._replace(name="web-2"),
        closed("a", 40, "cable"),
        opened("b", 60),
        event("container/2", "Running", 65, ["service/api", "stack/shop", "node/1"], session="b"),
        event("container/1", "Terminated", 70, shop, session="b"),
        event("container/3", "Running", 75, shop, session="b")._replace(name="web-3"),
        closed("b", 100, "stopped"),
    )
    return url


@pytest.fixture
def ask(archive: str, ask_of: Callable[[str], Ask]) -> Ask:
    return ask_of(archive)


@pytest.fixture
def ask_of(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Ask]:
    """The exit code, stdout and stderr of a command; who reads them is this very process, which must not die of it."""
    monkeypatch.setattr("archiver.cli.common.die_with_the_reader", lambda: None)

    def of(url: str) -> Ask:
        def run(*arguments: str) -> tuple[int, str, str]:
            code = main([*arguments, "--database", url])
            return code, *capsys.readouterr()

        return run

    return of


def written(second: float) -> str:
    return at(second).isoformat()


def stood(root: TreeNode) -> dict[str, tuple[Any, ...]]:
    """State and certainty of all in a tree, by their keys."""
    found = {(root.uri or "/").rstrip("/").rpartition("/")[2]: (root.state, root.certain)}
    for child in root.children:
        found |= stood(child)
    return found


@pytest.mark.parametrize(
    ("second", "states"),
    [
        (3, {"web": ("Running", True)}),
        (7, {"web": ("Running", True), "1": ("Starting", True)}),
        (20, {"web": ("Running", True), "1": ("Running", True), "2": ("Running", True)}),
        (50, {"web": ("Running", False), "1": ("Running", False), "2": ("Running", False)}),
        (62, {"web": ("Running", False), "1": ("Running", False), "2": ("Running", False)}),
        (80, {"web": ("Running", False), "3": ("Running", True)}),
        (120, {"web": ("Running", False), "3": ("Running", False)}),
    ],
)
def test_a_service_as_it_stood(archive: str, second: float, states: dict[str, Any]) -> None:
    with Archive.open(archive) as found:
        assert stood(found.at(at(second), "service/web")) == states


def test_the_platform_as_it_stood(archive: str) -> None:
    with Archive.open(archive) as found:
        root = found.at(at(66))

    assert (root.uri, root.type, root.name, root.empty) == (None, "platform", None, None)
    assert {child.uri for child in root.children} == {"/api/v1/stack/shop/", "/api/v1/node/1/"}
    assert stood(root)["2"] == ("Running", True)


def test_what_went_last_was_under_what_it_was_though_it_lingers_beyond_the_last_word(database_url: str) -> None:
    # Its place outlives it by an hour; of what holds until then the node may be later than all words, and than now.
    highest = ((7 << 49) - START) / SECOND
    record(
        database_url,
        event("stack/shop", "Running", highest - 1500),
        event("service/web", "Running", highest - 1200, ["stack/shop"]),
        event("service/web", "Terminated", highest - 600, ["stack/shop"]),
    )

    with Archive.open(database_url) as archive:
        shop = archive.at(at(highest - 700), "stack/shop")

    assert [child.uri for child in shop.children] == ["/api/v1/service/web/"]


@pytest.mark.parametrize(("second", "why"), [(-5, "before_archive"), (-3600, "before_archive")])
def test_a_platform_of_which_nothing_is_known_says_why(archive: str, second: float, why: str) -> None:
    with Archive.open(archive) as found:
        root = found.at(at(second))

    assert (root.children, root.empty) == ((), why)


@pytest.mark.parametrize(
    ("second", "complete", "gap"), [(20, True, None), (50, False, (40, 60)), (120, False, (100, None))]
)
def test_the_root_says_how_well_that_moment_was_watched(
    archive: str, second: float, complete: bool, gap: tuple[float, float | None] | None
) -> None:
    with Archive.open(archive) as found:
        watched = found.at(at(second), "service/web").coverage

    assert watched is not None
    assert watched.complete is complete
    assert watched.seen_to == at(min(second, 100))
    ends = [(each.since, each.until) for each in watched.gaps]
    assert ends == ([] if gap is None else [(at(gap[0]), gap[1] and at(gap[1]))])


def test_what_is_to_come_is_certain_of_nothing(archive: str) -> None:
    with Archive.open(archive) as found:
        tomorrow = found.at(datetime.now(at(0).tzinfo) + timedelta(days=1), "container/3")

    assert (tomorrow.state, tomorrow.certain) == ("Running", False)


@pytest.mark.parametrize(
    ("second", "hint"), [(1, "first heard of at 2016-02-01T12:00:05Z"), (90, "Terminated since 2016-02-01T12:01:10Z")]
)
def test_what_did_not_live_then_says_when_it_did(archive: str, second: float, hint: str) -> None:
    with Archive.open(archive) as found, pytest.raises(NotThen) as error:
        found.at(at(second), "container/1")

    assert hint in error.value.next_step
    assert error.value.exit_code == 3


def test_what_was_otherwise(archive: str) -> None:
    with Archive.open(archive) as found:
        changes = found.diff(at(20), at(80), "stack/shop").changes

    assert [(each.change, each.uri[8:-1], each.before, each.after, each.at, each.certain) for each in changes] == [
        ("appeared", "service/api", None, None, at(65), None),
        (
            "moved",
            "container/2",
            ("/api/v1/node/1/", "/api/v1/service/web/"),
            ("/api/v1/node/1/", "/api/v1/service/api/"),
            at(65),
            True,
        ),
        ("vanished", "container/1", "Running", "Terminated", at(70), True),
        ("appeared", "container/3", None, "Running", at(75), True),
        ("replicas", "service/web", 2, 1, at(75), True),
    ]


def changed(url: str, first: float, second: float, ref: str) -> list[tuple[Any, ...]]:
    with Archive.open(url) as found:
        changes = found.diff(at(first), at(second), ref).changes
    return [(each.change, each.uri[8:-1], each.at, each.certain) for each in changes]


def test_what_is_otherwise_is_as_certain_as_both_ends(archive: str) -> None:
    """At 62 nobody knows how it was since the gap, nor whether what is heard of first behind it was there already."""
    assert changed(archive, 62, 80, "container/2") == [("moved", "container/2", at(65), False)]
    assert changed(archive, 50, 80, "container/3") == [("appeared", "container/3", at(75), False)]
    assert changed(archive, 62, 80, "container/3") == [("appeared", "container/3", at(75), True)]


def replicas(url: str, first: float, second: float) -> list[tuple[Any, ...]]:
    with Archive.open(url) as found:
        changes = found.diff(at(first), at(second), "service/web").changes
    return [(each.before, each.after, each.at) for each in changes if each.change == "replicas"]


def test_replicas_change_when_a_container_ceases_to_run_for_its_service_and_not_when_it_goes(database_url: str) -> None:
    one, two, three = ("container/1", "container/2", "container/3")
    web, api = ["service/web"], ["service/api"]
    record(
        database_url,
        event("service/web", "Running", 0),
        *(event(ref, "Running", 1, web) for ref in (one, two, three)),
        event(one, "exited (0)", 20),  # then goes
        event(one, "removed", 50),
        event(two, "Stopped", 30),  # then starts anew
        event(two, "Starting", 60),
        event(three, "Running", 40, api),  # leaves, and then stops
        event(three, "Stopped", 70),
    )

    assert replicas(database_url, 10, 55) == [(3, 0, at(40))]
    assert replicas(database_url, 10, 35) == [(3, 1, at(30))]
    assert replicas(database_url, 10, 25) == [(3, 2, at(20))]
    assert replicas(database_url, 32, 90) == [(1, 0, at(40))]


def test_replicas_change_when_a_container_runs_and_is_there_whatever_is_told_of_its_health(database_url: str) -> None:
    record(
        database_url,
        event("service/web", "Running", 0),
        event("container/1", "Starting", 5, ["service/web"]),
        event("container/1", "running", 10),
        event("container/1", "running (unhealthy)", 20),
        event("container/2", "running", 3, ["service/api"]),
        event("container/2", None, 15, ["service/web"]),
    )

    assert replicas(database_url, 6, 12) == [(0, 1, at(10))]
    assert replicas(database_url, 12, 30) == [(1, 2, at(15))]
    assert replicas(database_url, 6, 30) == [(0, 2, at(15))]


def test_nothing_was_otherwise_says_why(archive: str) -> None:
    with Archive.open(archive) as found:
        assert found.diff(at(20), at(30)).empty == "nothing_happened"
        assert found.diff(at(30), at(50)).empty == "gap"
        assert found.diff(at(30), at(30)).changes == ()


def test_states_images_and_names_that_changed_are_told_with_both(database_url: str) -> None:
    record(
        database_url,
        event("container/1", "Starting", 0)._replace(name="one", image="nginx:1"),
        event("container/1", "Running", 5)._replace(name="two", image="nginx:2"),
        seen("container/1", "Stopped", 9),
    )
    with Archive.open(database_url) as found:
        changes = found.diff(at(1), at(8), "container/1").changes
        root = found.at(at(1), "container/1")

    assert [(each.change, each.before, each.after) for each in changes] == [
        ("name", "one", "two"),
        ("image", "nginx:1", "nginx:2"),
        ("state", "Starting", "Running"),
    ]
    assert (root.name, root.image, root.state) == ("one", "nginx:1", "Starting")


# --- at a shell -----------------------------------------------------------------------------------------------------


def test_a_tree_of_then_is_drawn_with_doubts(ask: Ask) -> None:
    code, shown, said = ask("at", written(50), "service/web", "-o", "table", "--utc")

    assert code == 0
    assert shown.splitlines() == [
        "service web  /api/v1/service/web/  Running?  48s",
        "├── container web-1  /api/v1/container/1/  Running?  40s",
        "└── container web-2  /api/v1/container/2/  Running?  38s",
    ]
    assert said.splitlines() == [
        "at 2016-02-01 12:00:50Z",
        "nobody was watching then since 2016-02-01 12:00:40Z until 2016-02-01 12:01:00Z: cable"
        " (ws://stream.example/v1/events)",
    ]


def test_a_tree_of_then_in_json(ask: Ask) -> None:
    root = json.loads(ask("at", written(20), "-o", "json")[1])

    assert {key: root[key] for key in ("uri", "type", "name", "at", "empty")} == {
        "uri": None,
        "type": "platform",
        "name": None,
        "at": "2016-02-01T12:00:20Z",
        "empty": None,
    }
    assert root["coverage"] == {"complete": True, "seen_to": "2016-02-01T12:00:20Z", "gaps": []}
    assert "at" not in root["children"][0]


def test_doubt_is_in_every_format(ask: Ask) -> None:
    """At 62 the moment was watched, and what is known is from before the gap."""
    plain = ask("at", written(62), "container/2", "-o", "plain")[1].splitlines()
    csv = ask("at", written(62), "container/2", "-o", "csv")[1].splitlines()
    chosen = ask("at", written(62), "container/2", "-o", "table", "--fields", "name,state")[1].splitlines()
    spans = ask("history", "container/2", "--since", written(62), "--until", written(64), "-o", "csv")[1].splitlines()
    one = ask("history", "container/2", "--since", written(62), "--until", written(64), "-o", "plain")[1]
    state = ask("history", "container/2", "--since", written(62), "-o", "table", "--fields", "state,certain")[1]

    assert plain[0].split("\t")[-1] == "false"
    assert (csv[0].split(",")[-1], csv[1].split(",")[-1]) == ("certain", "false")
    assert chosen[1].split() == ["web-2", "Running?"]
    assert (spans[0].split(",")[-1], spans[1].split(",")[-1]) == ("certain", "false")
    assert one.rstrip().split("\t")[-1] == "false"
    assert state.splitlines()[1].split() == ["Running?", "false"]


def test_the_image_of_then_stands_in_a_table_and_can_be_chosen(ask_of: Callable[[str], Ask], database_url: str) -> None:
    ask = ask_of(filled(database_url))
    record(database_url, event("container/3", None, 76, session="b")._replace(image="nginx:1.25"))
    record(database_url, event("container/3", None, 80, session="b")._replace(image="nginx:1.26"))

    drawn = ask("at", written(78), "container/3", "-o", "table", "--utc")[1]
    assert drawn == "container web-3  /api/v1/container/3/  Running  3s  nginx:1.25\n"
    assert ask("at", written(85), "container/3", "-o", "csv", "--fields", "image")[1].split() == ["image", "nginx:1.26"]
    changed = ask("diff", written(78), written(85), "container/3", "-o", "table", "--utc")[1].splitlines()[-1]
    assert changed.split()[2:] == ["image", "container", "web-3", "nginx:1.25", "nginx:1.26"]


def test_a_tree_of_now_says_when_that_is(ask: Ask) -> None:
    root = json.loads(ask("tree", "service/web", "-o", "json")[1])

    assert root["at"] == root["coverage"]["seen_to"] == "2016-02-01T12:01:40Z"
    assert (root["coverage"]["complete"], root["certain"], root["image"]) == (True, False, None)
    assert root["children"][0]["certain"] is True
    assert "nobody is watching now since" in ask("tree", "service/web", "-o", "table")[2]


def test_what_was_otherwise_in_a_table(ask: Ask) -> None:
    _, shown, _ = ask("diff", written(66), written(80), "stack/shop", "-o", "table", "--utc")

    lines = shown.splitlines()
    assert lines[:2] == [
        "/api/v1/stack/shop/: 2 changes",
        "watched throughout; what has a ? was last told before a gap",
    ]
    assert lines[3].split() == ["AT", "CHANGE", "WHAT", "BEFORE", "AFTER", "WHY"]
    assert lines[4].split()[2:] == ["vanished", "container", "web-1", "Running?", "Terminated", "crash"]


def test_all_that_lives_is_as_sure_as_the_tree_of_a_part_of_it(archive: str, ask: Ask) -> None:
    """Nobody has listened since 100: both are judged up to then. A moment of today is in that gap, and says so."""
    with Archive.open(archive) as found:
        whole, part = found.tree(), found.tree("stack/shop")
    places = {place.node.uri: place.node for place in walk(whole)}

    assert (whole.at, whole.coverage) == (part.at, part.coverage)
    assert whole.coverage is not None
    assert whole.coverage.complete
    assert [place.node for place in walk(part)][1:] == [places[place.node.uri] for place in walk(part)][1:]
    _, shown, said = ask("tree", "-o", "table", "--utc")
    assert "web-2  /api/v1/container/2/  Running  " in shown
    assert "nobody is watching now since 2016-02-01 12:01:40Z" in said
    assert said.splitlines()[-1] == "what has a ? was last told before a gap"
    code, shown, said = ask("at", "now", "--strict", "-o", "table", "--utc")
    assert (code, "web-2  /api/v1/container/2/  Running?  " in shown) == (6, True)
    assert "nobody was watching then since 2016-02-01 12:01:40Z" in said


def test_of_what_is_otherwise_only_the_side_is_doubtful_that_is(archive: str, ask: Ask) -> None:
    """Whatever has a ? or none is as `at` has it at that instant, and one ? is enough for --strict."""
    with Archive.open(archive) as found:
        doubts = {
            (first, second): {(each.change, each.doubtful) for each in found.diff(at(first), at(second)).changes}
            for first, second in ((62, 80), (20, 80), (20, 62), (50, 80))
        }

    assert doubts[62, 80] == {
        ("appeared", ()),
        ("moved", ("before",)),
        ("vanished", ("before",)),
        ("replicas", ("before",)),
    }
    assert {sides for _, sides in doubts[20, 80]} == {()}
    assert doubts[20, 62] == set()
    assert ("appeared", ("before",)) in doubts[50, 80]

    _, shown, _ = ask("diff", written(62), written(80), "-o", "table", "--utc")
    assert shown.splitlines()[1] == "watched throughout; what has a ? was last told before a gap"
    assert next(line.split()[-3:] for line in shown.splitlines() if " replicas " in line) == ["2?", "1", "-"]
    assert shown.splitlines()[1] not in ask("diff", written(66), written(69), "-o", "table", "--utc")[1]
    _, unwatched, _ = ask("diff", written(50), written(80), "container/3", "-o", "table", "--utc")
    assert unwatched.splitlines()[-1].split()[2:] == ["appeared", "container", "web-3", "-?", "Running"]


def test_json_says_which_side_is_doubtful(ask: Ask) -> None:
    found = json.loads(ask("diff", written(62), written(80), "container/2", "-o", "json")[1])["changes"]

    assert [(each["change"], each["certain"], each["doubtful"]) for each in found] == [("moved", False, ["before"])]


def test_what_was_otherwise_in_json(ask: Ask) -> None:
    found = json.loads(ask("diff", written(20), written(80), "stack/shop", "-o", "json")[1])

    assert list(found) == ["resource", "range", "coverage", "empty", "changes"]
    assert (found["resource"]["uri"], found["coverage"]["complete"]) == ("/api/v1/stack/shop/", False)
    assert found["changes"][-1] == {
        "change": "replicas",
        "uri": "/api/v1/service/web/",
        "type": "service",
        "name": "web",
        "before": 2,
        "after": 1,
        "at": "2016-02-01T12:01:15Z",
        "certain": True,
        "cause": None,
    }


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["at", "soonish"], 2),
        (["diff", written(30), written(20)], 2),
        (["at", written(1), "container/1"], 3),
        (["diff", written(1), written(2), "container/1"], 3),
        (["at", written(50)], 0),
        (["at", written(50), "--strict"], 6),
        (["at", written(20), "--strict"], 0),
        (["at", written(62), "container/2", "--strict", "-o", "csv"], 6),  # watched then, known from before
        (["at", written(66), "container/2", "--strict", "-o", "csv"], 0),
        (["history", "container/2", "--since", written(62), "--until", written(64), "--strict"], 6),
        (["diff", written(62), written(64), "container/2", "--strict"], 0),
        (["diff", written(62), written(66), "container/2", "--strict"], 6),
        (["diff", written(66), written(69), "container/2", "--strict"], 0),
        (["diff", written(20), written(50), "--strict"], 6),
        (["diff", written(20), written(30), "--strict"], 0),
        (["at", "2999-01-01"], 0),
        (["at", "2999-01-01", "--strict"], 6),
        (["diff", written(80), "2999-01-01"], 0),
        (["diff", "2998-01-01", "2999-01-01", "--strict"], 6),
        (["at", written(50), "--known-at", "2999-01-01"], 0),
        (["tree", "--strict"], 6),  # the service was told before the gap, as `at` has it at the last sign of life
        (["tree", "stack/shop", "--strict", "-o", "json"], 6),
        (["tree", "container/2", "--strict"], 0),  # up to the last sign of life
        (["tree", "container/2", "stack/shop", "--strict"], 6),
    ],
)
def test_exit_codes_of_any_moment(ask: Ask, arguments: list[str], code: int) -> None:
    assert ask(*arguments)[0] == code


def test_a_moment_to_come_is_an_answer_of_which_nothing_is_certain(ask: Ask) -> None:
    """Whoever meant yesterday is told so."""
    _, shown, said = ask("at", "2999-01-01", "container/2", "-o", "json", "--utc")
    found = json.loads(shown)

    assert (found["state"], found["certain"], found["coverage"]["complete"]) == ("Running", False, False)
    assert "that is yet to come; give a time before now" in said
    changes = json.loads(ask("diff", "2998-01-01", "2999-01-01", "-o", "json")[1])
    assert (changes["empty"], changes["coverage"]["gaps"][0]["reason"]) == ("after_archive", "stopped")


def test_what_ended_between_two_moments_says_why(archive: str, ask: Ask) -> None:
    """Of the last end within the range; nothing else has a cause."""
    found = json.loads(ask("diff", written(66), written(80), "-o", "json")[1])["changes"]
    assert {(each["change"], each["uri"].split("/")[-2]): each["cause"] for each in found if each["cause"]} == {
        ("vanished", "1"): {"kind": "crash", "exit_code": None, "actions": []}
    }
    _, shown, _ = ask("diff", written(66), written(70), "container/1", "-o", "table", "--utc")
    assert shown.splitlines()[3].split() == ["AT", "CHANGE", "WHAT", "BEFORE", "AFTER", "WHY"]
    assert shown.splitlines()[4].endswith("  crash")  # told at that very instant
    assert ask("diff", written(66), written(80), "container/1", "-o", "csv")[1].splitlines()[1].endswith(",crash")
    with Archive.open(archive) as found_by_python:
        assert [each.cause for each in found_by_python.diff(at(66), at(80), "container/1").changes] == [None]


def test_an_end_that_somebody_told_says_who_and_what(database_url: str, ask_of: Callable[[str], Ask]) -> None:
    stop = ["container/1", "service/web"]
    record(
        database_url,
        opened("a", 0),
        event("container/1", "Running", 10, ["service/web"], session="a"),
        event("container/1", "Stopped", 20, session="a"),
        event("container/1", "Running", 30, session="a"),
        event("action/1", "In progress", 40, stop, session="a", user="ada")._replace(name="Container Stop"),
        event("container/1", "Stopping", 41, session="a"),
        event("container/1", "Stopped", 42, session="a"),
        event("action/1", "Success", 43, stop, session="a"),
        closed("a", 100, "stopped"),
    )
    shown = ask_of(database_url)("diff", written(15), written(50), "container/1", "-o", "table", "--utc")[1]

    assert shown.splitlines()[-1].endswith("told: Container Stop by ada")
