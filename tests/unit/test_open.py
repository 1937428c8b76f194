"""Which source speaks the language of which URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver.errors import ConfigurationWrong
from archiver.platforms.docker.source import DockerSource
from archiver.platforms.open import open_source
from archiver.platforms.playback import PlaybackSource
from archiver.platforms.tutum.source import WebsocketSource


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("wss://stream.example/v1/events", WebsocketSource),
        ("WSS://stream.example/v1/events", WebsocketSource),
        ("ws://127.0.0.1:1/v1/events", WebsocketSource),
        ("unix:///var/run/docker.sock", DockerSource),
        ("tcp://127.0.0.1:2375", DockerSource),
        ("podman://", DockerSource),
        ("file:day.jsonl", PlaybackSource),
    ],
)
def test_the_scheme_chooses(url: str, kind: type, tmp_path: Path) -> None:
    assert type(open_source(url, {}, tmp_path)) is kind


@pytest.mark.parametrize("url", ["ftp://x", "day.jsonl", "", "//x"])
def test_any_other_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationWrong, match="none of ws://"):
        open_source(url, {}, tmp_path)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("file:a%20day.jsonl", "a%20day.jsonl"),
        ("file:///tmp/a%20day.jsonl", "a day.jsonl"),
        ("file://localhost/tmp/day.jsonl", "day.jsonl"),
        ("file://day.jsonl", "day.jsonl"),
    ],
)
def test_a_recording_is_named_as_a_path_or_as_a_url(url: str, name: str, tmp_path: Path) -> None:
    assert open_source(url, {}, tmp_path).stream == f"file:{name}"


def test_credentials_come_from_the_environment(tmp_path: Path) -> None:
    source = open_source(
        "wss://s.example/v1/events", {"ARCHIVER_USER": "u", "ARCHIVER_TOKEN": "k"}, tmp_path, auth="query"
    )
    assert isinstance(source, WebsocketSource)
    assert "k" not in source.stream.removeprefix("wss://s.example/v1/events")
