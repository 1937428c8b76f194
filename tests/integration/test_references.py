"""Resources named as people name them, one or several, and events by the words that people use; on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from archiver.api.archive import Archive
from archiver.errors import NoSuchResource, TooManyResources
from archiver.model import Event, Message
from archiver.platforms.docker.decoder import decode
from archiver.queries import patterns

from .archives import START, event, micros, record, uri

DIGEST = "ab12cd34" * 8
ENGINE = "0a1b2c3d-0000-4000-8000-000000000001"


def docker(second: int, kind: str, action: str, id: str, name: str = "", engine: str = "", **attributes: str) -> Event:
    message = {"Type": kind, "Action": action, "Actor": {"ID": id, "Attributes": {"name": name, **attributes}},
               "timeNano": (START + second * 1_000_000) * 1000}  # fmt: skip
    payload = json.dumps({"engine": engine, "message": message} if engine else message).encode()
    decoded = decode(Message("unix:///var/run/docker.sock", None, "docker", micros(second), payload))
    assert isinstance(decoded, Event)
    return decoded


@pytest.fixture
def archive(database_url: str) -> Iterator[Archive]:
    record(
        database_url,
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
    )
    with Archive.open(database_url) as archive:
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
    ],
)
def test_what_is_printed_is_a_reference(archive: Archive, ref: str, key: str) -> None:
    assert archive.resolve(ref).key == key


@pytest.mark.parametrize("ref", ["/", "//", "/blog/", "exec", "/exec", "container ", "nothing blog"])
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
