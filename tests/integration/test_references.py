"""Resources named as people name them, one or several, and events by the words that people use; on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from archiver.api.archive import Archive
from archiver.errors import NoSuchResource, TooManyResources
from archiver.model import Event, Message, now_micros
from archiver.platforms.docker.decoder import decode
from archiver.queries import patterns

from ..conftest import NewArchive, RunArchiver
from .archives import START, at, between, event, micros, record, uri
from .growth import analysed, cost_of, grown

DIGEST = "ab12cd34" * 8
ENGINE = "0a1b2c3d-0000-4000-8000-000000000001"


def docker(second: int, kind: str, action: str, id: str, name: str = "", engine: str = "", **attributes: str) -> Event:
    message = {"Type": kind, "Action": action, "Actor": {"ID": id, "Attributes": {"name": name, **attributes}},
               "timeNano": (START + second * 1_000_000) * 1000}  # fmt: skip
    payload = json.dumps({"engine": engine, "message": message} if engine else message).encode()
    decoded = decode(Message("unix:///var/run/docker.sock", None, "docker", micros(second), payload))
    assert isinstance(decoded, Event)
    return decoded


@pytest.fixture(scope="module")
def archive(shared_url: NewArchive) -> Iterator[Archive]:
    url = shared_url()
    record(
        url,
        docker(1, "container", "start", "1" * 64, "blog"),
        docker(2, "container", "start", "2" * 64, "web-1"),
        docker(3, "container", "health_status: healthy", "2" * 64, "web-1"),
        docker(4, "container", "start", "3" * 64, "web-2"),
        docker(5, "container", "die", "3" * 64, "web-2", exitCode="137"),
        docker(5, "container", "destroy", "3" * 64, "web-2"),
        docker(6, "container", "exec_start: sh", "1" * 64, "blog", execID="4" * 64),
        docker(7, "container", "start", "5" * 64, "web-2"),
        docker(8, "image", "tag", f"sha256:{DIGEST}", "shop/web:1.2"),
        docker(9, "image", "pull", f"sha256:{'cd' * 32}", "other:latest", engine=ENGINE),
        docker(10, "volume", "create", "web-data", "web-data"),
        docker(11, "network", "create", "6" * 64, "\x1b[31mred\u202e\n"),
    )
    with Archive.open(url) as archive:
        yield archive


# --- whatever an answer, or docker, prints ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ref", "key"),
    [
        ("blog", "1" * 64),
        ("/blog", "1" * 64),
        ("container blog", "1" * 64),
        ("container/blog", "1" * 64),
        ("1" * 12, "1" * 64),
        ("image/ab12cd34ab12", f"sha256:{DIGEST}"),
        ("ab12cd34ab12", f"sha256:{DIGEST}"),
        ("sha256:ab12cd34ab12", f"sha256:{DIGEST}"),
        (f"sha256:{DIGEST}", f"sha256:{DIGEST}"),
        ("shop/web:1.2", f"sha256:{DIGEST}"),
        ("image/cdcdcdcdcdcd", f"{ENGINE}.sha256:{'cd' * 32}"),
        ("cdcdcdcdcdcd", f"{ENGINE}.sha256:{'cd' * 32}"),
        (f"web-2 ({'3' * 12})", "3" * 64),
        (f"container web-2 ({'3' * 12})", "3" * 64),
        (f"web-2 (/docker/v1/container/{'3' * 64}/)", "3" * 64),
        (f"web-2  container/{'3' * 12}", "3" * 64),
        (f"container web-2  /docker/v1/container/{'3' * 64}/", "3" * 64),
        ("shop/web:1.2 (ab12cd34ab12)", f"sha256:{DIGEST}"),
        (r"\x1b[31mred\u202e\n", "6" * 64),
        (r"network \x1b[31mred\u202e\n", "6" * 64),
    ],
)
def test_what_is_printed_is_a_reference(archive: Archive, ref: str, key: str) -> None:
    assert archive.resolve(ref).key == key


@pytest.mark.parametrize(
    "ref", ["/", "//", "/blog/", "exec", "/exec", "container ", "nothing blog", "web-2 (blog)", "web-2  container/blog"]
)
def test_what_is_not_is_none(archive: Archive, ref: str) -> None:
    with pytest.raises(NoSuchResource):
        archive.resolve(ref)


# --- several ---------------------------------------------------------------------------------------------------------


def names(archive: Archive, *refs: str) -> list[str]:
    return [f"{found.type}/{found.name}" for found in archive.resolve_all(refs)]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("web-?", ["container/web-1", "container/web-2"]),
        ("web-*", ["container/web-1", "container/web-2", "volume/web-data"]),
        ("container/web-*", ["container/web-1", "container/web-2"]),
        ("/web-[12]", ["container/web-1", "container/web-2"]),
        ("*-data", ["volume/web-data"]),
        ("shop/*", ["image/shop/web:1.2"]),
        ("volume/*", ["volume/web-data"]),
        ("/docker/v1/volume/*", ["volume/web-data"]),
        ("111*", ["container/blog"]),
    ],
)
def test_a_pattern_names_all_that_it_fits(archive: Archive, pattern: str, found: list[str]) -> None:
    assert sorted(names(archive, pattern)) == found


def test_of_those_that_bore_a_name_a_pattern_means_the_last(archive: Archive) -> None:
    assert [found.key[0] for found in archive.resolve_all(["web-[2]"])] == ["5"]


def test_of_those_that_bore_a_name_the_one_that_is_there_is_meant(database_url: str) -> None:
    """Compose starts the new container before it removes the old one; two cloned hosts have a volume of one name."""
    record(database_url, docker(1, "container", "start", "1" * 64, "web-1"),
           docker(2, "container", "start", "2" * 64, "web-1"),
           docker(3, "container", "destroy", "1" * 64, "web-1"))  # fmt: skip

    with Archive.open(database_url) as archive:
        assert archive.resolve("web-1").key == "2" * 64


@pytest.mark.parametrize("pattern", ["nothing-*", "container/volume-*", "exe?", "action/exec*", "/api/v1/*", "BLOG*"])
def test_a_pattern_that_fits_nothing_is_an_error(archive: Archive, pattern: str) -> None:
    with pytest.raises(NoSuchResource):
        archive.resolve_all([pattern])


def test_several_references_are_each_once_in_their_order(archive: Archive) -> None:
    assert names(archive, "web-2", "blog", "web-*") == [
        "container/web-2", "container/blog", "container/web-1", "volume/web-data",
    ]  # fmt: skip


def test_a_name_with_a_wildcard_in_it_is_meant_before_those_it_would_fit(database_url: str) -> None:
    record(database_url, docker(1, "container", "start", "1" * 64, "web-*"),
           docker(2, "container", "start", "2" * 64, "web-1"))  # fmt: skip

    with Archive.open(database_url) as archive:
        assert names(archive, "web-*") == ["container/web-*"]


def test_a_pattern_that_fits_too_many_is_refused(sqlite_url: str) -> None:
    many = [event(f"container/{number:08}", "Running", number) for number in range(patterns.MOST + 1)]
    record(sqlite_url, *many)

    told = r"'container/\*' matches more than 1,000"
    with Archive.open(sqlite_url) as archive, pytest.raises(TooManyResources, match=told):
        archive.resolve_all(["container/*"])


# --- names of the past -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def replaced(shared_url: NewArchive) -> Iterator[Archive]:
    """Containers 1 to 4, each called web from second 10, 20, 30 and 40 on until the next one is; 5 is late-web."""
    url = shared_url()
    for n in (1, 2, 3, 4):
        record(url, docker(n * 10, "container", "start", str(n) * 64, "web"))
        if n < 4:
            record(url, docker(n * 10 + 8, "container", "destroy", str(n) * 64, "web"))
    record(url, docker(50, "container", "start", "5" * 64, "late-web"))
    with Archive.open(url) as archive:
        yield archive


@pytest.mark.parametrize(
    ("since", "until", "key", "others"),
    [
        (None, None, "4", "321"),
        (35, None, "4", "3"),
        (45, None, "4", ""),
        (21, 35, "3", "2"),
        (5, 35, "3", "21"),
        (31, 35, "3", ""),
        (None, 29, "2", "1"),
        (28, 29, "2", ""),  # nobody had it then: who had it last
        (1, 2, "4", "321"),  # nobody had it by then: who has it now
    ],
)
def test_a_name_means_who_bore_it_as_the_range_ended_and_who_else_did_in_it_is_said(
    replaced: Archive, since: int | None, until: int | None, key: str, others: str
) -> None:
    found = replaced.resolve("web", range=between(since, until))

    assert found.key[0] == key
    told = found.namesakes.uris if found.namesakes else ()
    assert [each.rsplit("/", 2)[1][0] for each in told] == list(others)


@pytest.mark.parametrize(("ref", "until", "keys"), [
    ("we*", 35, "3"), ("*web", 35, "35"), ("container/w?b", 29, "2"), ("late-", 25, "5"), ("*web", None, "45"),
])  # fmt: skip
def test_patterns_and_beginnings_of_names_are_of_that_time_too(
    replaced: Archive, ref: str, until: int | None, keys: str
) -> None:
    assert [found.key[0] for found in replaced.resolve_all([ref], range=between(None, until))] == list(keys)


def test_the_latest_task_of_a_place_is_that_of_the_time_asked_about(database_url: str) -> None:
    for n in (1, 2):
        record(database_url, docker(n * 10, "container", "start", str(n) * 64, f"shop_web.1.{n}abc"),
               docker(n * 10 + 5, "container", "destroy", str(n) * 64, f"shop_web.1.{n}abc"))  # fmt: skip

    with Archive.open(database_url) as archive:
        found = [archive.resolve("shop_web.1", range=between(None, until)).key[0] for until in (13, 19, 21, None)]
    assert found == ["1", "1", "2", "2"]


def test_every_question_about_a_time_means_who_bore_the_name_then(replaced: Archive) -> None:
    within = between(5, 26)
    then, uri_then = at(25), f"/docker/v1/container/{'2' * 64}/"

    asked = [
        replaced.history("web", within).resource,
        replaced.timeline("web", within).resource,
        replaced.at(then, "web"),
        replaced.diff(at(5), then, "web").resource,
        replaced.lanes("web", within).resource,
        replaced.why("web", then).resource,
        replaced.report("restarts", "web", within).resource,
        replaced.incident(within, "web").resource,
    ]
    assert [found and found.uri for found in asked] == [uri_then] * len(asked)
    assert {event.resource_uri for event in replaced.events(under="web", range=within)} == {uri_then}


def test_a_name_of_a_time_costs_no_more_where_many_had_it_since(database_url: str) -> None:
    def used(first: int, last: int) -> int:
        told = [docker(n * 10 + late, "container", word, f"{n:064}", "web")
                for n in range(first, last) for late, word in ((0, "start"), (8, "destroy"))]  # fmt: skip
        record(database_url, *told)
        within = between(125, 145)
        return cost_of(analysed(database_url), lambda archive: archive.resolve("web", range=within))

    small, large = used(0, 100), used(100, 1_000)

    assert not grown(small, large, database_url), f"{small} became {large}"


# --- events by words -------------------------------------------------------------------------------------------------


RUNNING = ["running"] * 4 + ["running (healthy)"]


def states(archive: Archive, *words: str) -> list[str | None]:
    return [told.state for told in archive.events(types=["container"], states=words, limit=0)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["exited"], ["exited (137)"]),
        (["Exited (137)"], ["exited (137)"]),
        (["running"], RUNNING),
        (["running (healthy)"], ["running (healthy)"]),
        (["!running"], ["exited (137)", "removed"]),
        (["!exited"], ["removed", *RUNNING]),
        (["!exited", "!running"], ["removed"]),
        (["running", "!running (healthy)"], ["running"] * 4),
        (["*healthy*"], ["running (healthy)"]),
        (["exit"], []),
        (["exited ("], []),
        (["never heard of"], []),
        (["!never heard of"], ["exited (137)", "removed", *RUNNING]),
    ],
)
def test_a_word_stands_for_its_family_and_with_a_mark_for_all_others(
    archive: Archive, words: list[str], found: list[str]
) -> None:
    assert sorted(map(str, states(archive, *words))) == found


def test_not_an_action_leaves_health_checks_folded(database_url: str) -> None:
    probe = docker(1, "container", "exec_start: probe", "1" * 64, execID="4" * 64)._replace(action="healthcheck")
    record(database_url, probe, docker(2, "container", "start", "1" * 64), docker(3, "container", "die", "1" * 64))

    with Archive.open(database_url) as archive:
        assert [told.action for told in archive.events(actions=["!die"], healthchecks=False)] == ["start"]
        assert [told.action for told in archive.events(actions=["healthcheck"], healthchecks=False)] == ["healthcheck"]


def test_under_several_is_what_is_under_any_of_them_each_once(database_url: str) -> None:
    above = ["service/web", "stack/shop"]
    record(
        database_url,
        event("container/a1", "Running", 1, above),
        event("container/b1", "Running", 2, ["stack/other"]),
        event("container/c1", "Running", 3),
        event("action/x", "Success", 4, ["container/a1", *above]),
    )

    with Archive.open(database_url) as archive:
        both = ["stack/shop", "stack/other", "service/web"]
        assert [told.resource_uri for told in archive.events(under=both)] == [
            uri("container/a1"), uri("container/b1"), uri("action/x"),
        ]  # fmt: skip
        assert [action.uri for action in archive.actions(both)] == [uri("action/x")]
        assert list(archive.events(under=[])) == []
        assert list(archive.actions([])) == []


def test_what_is_ambiguous_says_what_tells_each_from_the_others(sqlite_url: str, run_archiver: RunArchiver) -> None:
    record(
        sqlite_url,
        event("node/1", "Deployed", 1)._replace(name="web"),
        event("node/1", "Deployed", 30),
        event("node/2", "Unreachable", 2, ["nodecluster/k"])._replace(name="web"),
    )

    said = run_archiver("--database", sqlite_url, "history", "web")

    assert said.returncode == 3
    assert said.stderr.splitlines() == [
        "archiver: error: 'web' matches 2 resources",
        f"  {uri('node/1')}  node web, Deployed since 2016-02-01 12:00:01Z, last heard of 2016-02-01 12:00:30Z",
        f"  {uri('node/2')}  node web, Unreachable since 2016-02-01 12:00:02Z, last heard of 2016-02-01 12:00:02Z",
        "  hint: name the one you mean by its URI, by type/key, or by as much of its key as no other begins with",
    ]


ABOUT_ONE = ("why", "gaps", "timeline", "report restarts", "report incident", "at now", "diff 2h now")


@pytest.mark.parametrize("command", ABOUT_ONE)
def test_a_pattern_means_one_where_one_is_asked_about(sqlite_url: str, run_archiver: RunArchiver, command: str) -> None:
    """Else the answer would be about the first of several, and nobody would know."""
    now = (now_micros() - micros(0)) / 1e6
    record(sqlite_url, *(event(f"container/{n}", "Running", now - 60)._replace(name=f"web-{n}") for n in (1, 2)))

    several, one, none = (
        run_archiver("--database", sqlite_url, *command.split(), ref, input="") for ref in ("web-*", "web-1*", "-")
    )

    assert (several.returncode, several.stdout) == (3, "")
    assert "'web-*' matches 2 resources" in several.stderr
    assert one.returncode == 0
    assert (none.returncode, "standard input names no resource" in none.stderr) == (2, True)
