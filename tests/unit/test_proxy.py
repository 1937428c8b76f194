"""Which proxy lies on the way to a stream."""

from __future__ import annotations

import pytest

from archiver.errors import ConfigurationWrong
from archiver.platforms.wire.proxy import Proxy, proxy_for

WSS, WS = "wss://stream.example.org/v1/events", "ws://stream.example.org/v1/events"


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({"https_proxy": "http://p:3128"}, WSS, Proxy("p", 3128)),
        ({"HTTPS_PROXY": "http://p:3128/"}, WSS, Proxy("p", 3128)),
        ({"https_proxy": "http://small:1", "HTTPS_PROXY": "http://BIG:2"}, WSS, Proxy("small", 1)),
        ({"https_proxy": "p:3128"}, WSS, Proxy("p", 3128)),
        ({"https_proxy": "p"}, WSS, Proxy("p", 80)),
        ({"https_proxy": "http://bob:s%40c@[::1]:3128"}, WSS, Proxy("::1", 3128, "bob", "s@c")),
        ({"http_proxy": "http://p:3128"}, WS, Proxy("p", 3128)),
        ({"http_proxy": "http://p:3128"}, WSS, None),
        ({"https_proxy": "http://p:3128"}, WS, None),
        ({"https_proxy": ""}, WSS, None),
        ({}, WSS, None),
    ],
)
def test_the_environment_names_it(environ: dict[str, str], url: str, proxy: Proxy | None) -> None:
    assert proxy_for(url, environ) == proxy


@pytest.mark.parametrize(
    "exceptions",
    [
        "*",
        "stream.example.org",
        "example.org",
        ".example.org",
        "*.example.org",
        "a.example, Example.ORG",
        "a.example example.org",
    ],
)
def test_no_proxy_names_hosts_without_one(exceptions: str) -> None:
    assert proxy_for(WSS, {"https_proxy": "p:1", "no_proxy": exceptions}) is None
    assert proxy_for(WSS, {"https_proxy": "p:1", "NO_PROXY": exceptions}) is None


@pytest.mark.parametrize("exceptions", ["", "ample.org", "org.example", "10.0.0.0/8", ",", "stream"])
def test_other_hosts_are_behind_it(exceptions: str) -> None:
    assert proxy_for(WSS, {"https_proxy": "p:1", "no_proxy": exceptions}) == Proxy("p", 1)


@pytest.mark.parametrize(
    ("host", "exceptions"),
    [("10.1.2.3", "10.0.0.0/8"), ("[fd00::7]", "fd00::/8"), ("127.0.0.1", ""), ("localhost", ""), ("[::1]", "")],
)
def test_networks_and_this_machine_are_reached_directly(host: str, exceptions: str) -> None:
    assert proxy_for(f"wss://{host}/", {"https_proxy": "p:1", "no_proxy": exceptions}) is None


@pytest.mark.parametrize(
    "text", ["socks5://bob:s3cret@p:1", "https://bob:s3cret@p:1", "http://", "http://bob:s3cret@p:x"]
)
def test_one_that_cannot_be_used_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigurationWrong, match="https_proxy is wrong") as wrong:
        proxy_for(WSS, {"https_proxy": text})
    assert "s3cret" not in str(wrong.value) + wrong.value.next_step


def test_its_password_does_not_show() -> None:
    assert "s3cret" not in repr(Proxy("p", 1, "bob", "s3cret"))
