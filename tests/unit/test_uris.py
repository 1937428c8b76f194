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
        ("/docker/v1/network/abc/", "network", "abc"),
        ("/api/v1/volume/x/", "volume", "x"),
    ],
)
def test_other_objects(uri: str, type: str, key: str) -> None:
    assert parse(uri) == (type, key)


@pytest.mark.parametrize("uri", ["/svc/b/", "urn:x", "container/6d0a", "/", "", "/api/v1/container/", "\u20ac" * 9])
def test_an_odd_uri_is_the_key_of_a_resource_of_unknown_type(uri: str) -> None:
    assert parse(uri) == (UNKNOWN, uri)


@given(st.text())
def test_any_text_names_something(uri: str) -> None:
    assert parse(uri).type
