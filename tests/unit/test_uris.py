"""URIs: one object is one (type, key) in every spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.codec.uris import UNKNOWN, parse


@pytest.mark.parametrize(
    "uri",
    [
        "/api/v1/container/6d0a/",
        "/api/v1/container/6d0a",
        "/api/app/v1/container/6d0a/",
        "/api/app/v1/some_namespace/container/6d0a/",
        "https://cloud.docker.com/api/app/v1/some_namespace/container/6d0a/",
        "https://dashboard.tutum.co/api/v1/container/6d0a/",
        "/api/v1/Container/6d0a/?limit=1",
        "/container/6d0a/",
        "//api/v1/container/6d0a/",
        "https://cloud.docker.com//api/app/v1/container/6d0a/",
        "cloud.docker.com/api/app/v1/container/6d0a/",
        "/api//v1//container//6d0a//",
        "/api/app/v1.1/container/6d0a/",
        "/api/v1.1/container/6d0a/",
        "/app/v1/container/6d0a/",
        "/v1/container/6d0a/",
        "/api/v1/container%2F6d0a%2f",
        "%2Fapi%2Fv1%2Fcontainer%2F6d0a%2F",
        "/api/v1/container/6d0a/logs/",
        "/api/app/v1/ns/container/6d0a/logs/?tail=10",
        "/api/v1/container/6d0a/tags/blue/",
        "/container/6d0a/logs/",
        "/api/app/v1/node/container/6d0a/",
        "/api/app/v1/container/container/6d0a/",
        "/api/app/v1/repository/container/6d0a/",
        "/api/app/v1/region/container/6d0a/logs/",
        "/api/app/v1/Action/Container/6d0a/",
        "/api/app/v1/container/6d0a/exec/",
    ],
)
def test_every_spelling_names_the_same_container(uri: str) -> None:
    assert parse(uri) == ("container", "6d0a")


@pytest.mark.parametrize(
    ("uri", "type", "key"),
    [
        ("/api/audit/v1/action/a1/", "action", "a1"),
        ("/api/infra/v1/org/nodecluster/n/", "nodecluster", "n"),
        ("/api/repo/v1/repository/library/redis/", "repository", "library/redis"),
        ("/api/infra/v1/region/digitalocean/lon1/", "region", "digitalocean/lon1"),
        ("/api/infra/v1/nodetype/aws/t2.micro/", "nodetype", "aws/t2.micro"),
        ("/api/v1/image/tutum.co/a/b/buildsetting/latest/", "image", "tutum.co/a/b/buildsetting/latest"),
        ("/api/repo/v1/repository/library%2Fredis/", "repository", "library/redis"),
        ("/api/repo/v1/repository/node/container/", "repository", "node/container"),
        ("/api/repo/v1/node/repository/library/redis/", "repository", "library/redis"),
        ("/api/audit/v1/node/action/a1/", "action", "a1"),
        ("/api/audit/v1/action/container/x/", "action", "container"),
        ("/api/infra/v1/provider/node/n1/", "node", "n1"),
        ("/api/infra/v1/container/node/n1/", "node", "n1"),
        ("/api/infra/v1/provider/digitalocean/regions/", "provider", "digitalocean/regions"),
        ("/api/infra/v1/region/node/lon1/", "region", "node/lon1"),
        (
            "/api/infra/v1/region/node/0339f59e-2cb2-4a8b-ac2e-5e0968e80196/",
            "node",
            "0339f59e-2cb2-4a8b-ac2e-5e0968e80196",
        ),
        (
            "/api/app/v1/volume/0339f59e-2cb2-4a8b-ac2e-5e0968e80196/logs/",
            "volume",
            "0339f59e-2cb2-4a8b-ac2e-5e0968e80196",
        ),
        ("/api/app/v1/node/n1/logs/", "node", "n1"),
        ("/api/v1/volume/0339f59e-2cb2-4a8b-ac2e-5e0968e80196/logs/", "volume", "0339f59e-2cb2-4a8b-ac2e-5e0968e80196"),
        ("/docker/v1/network/abc/", "network", "abc"),
        ("/api/v1/volume/x/", "volume", "x"),
    ],
)
def test_other_objects(uri: str, type: str, key: str) -> None:
    assert parse(uri) == (type, key)


@pytest.mark.parametrize(
    "spelling",
    [
        "/api/v1/container/{}/",
        "/container/{}/",
        "/api/app/v1/ns/container/{}/logs/",
        "/API/V1/CONTAINER/{}/",
    ],
)
def test_a_uuid_is_the_same_in_capitals(spelling: str) -> None:
    uuid = "0339f59e-2cb2-4a8b-ac2e-5e0968e80196"

    assert parse(spelling.format(uuid.upper())) == parse(spelling.format(uuid)) == ("container", uuid)


def test_a_key_that_is_no_uuid_keeps_its_capitals() -> None:
    assert parse("/api/v1/service/Web/") == ("service", "Web")


@pytest.mark.parametrize(
    "key", ["data%2Fbase", "Q2DR:GA5L.data", "0339F59E-2CB2-4A8B-AC2E-5E0968E80196", "sha256:6d0a"]
)
def test_the_archivers_own_uris_are_taken_to_the_letter(key: str) -> None:
    assert parse(f"/docker/v1/volume/{key}/") == ("volume", key)


def test_slashes_without_end_take_no_time() -> None:
    assert parse("/api/v1/x" + "/" * 2000 + "?").type == UNKNOWN


@pytest.mark.parametrize(
    "uri",
    [
        "/svc/b/",
        "/v1/thing/x/",
        "example/api",
        "/docker/v1/x/",
        "/docker/v1//",
        "urn:x",
        "container/6d0a",
        "/",
        "",
        "/api/v1/container/",
        "\u20ac" * 9,
    ],
)
def test_an_odd_uri_is_the_key_of_a_resource_of_unknown_type(uri: str) -> None:
    assert parse(uri) == (UNKNOWN, uri)


@given(st.text())
def test_any_text_names_something(uri: str) -> None:
    assert parse(uri).type
