"""One event in full: everything that the platform said, as received."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archiver.api.archive import Archive
from archiver.errors import NoSuchEvent
from archiver.model import Event, Message
from archiver.platforms.decoders import decode
from archiver.transfer.importer import import_lines

from ..conftest import RunArchiver
from .archives import STREAM, event, opened, record, uri

RECORDED = (Path(__file__).parents[1] / "data" / "docker-swarm-events.jsonl").read_bytes().splitlines()


def test_every_recorded_message_of_docker_is_given_back_whole(database_url: str) -> None:
    import_lines(database_url, RECORDED)
    messages = list(enumerate(map(json.loads, RECORDED), 1))
    if database_url.startswith("postgresql"):  # which takes longer; of those that say the same of another object, one
        alike = {(told["Type"], told["Action"], tuple(told["Actor"]["Attributes"])): n for n, told in messages}
        messages = [(n, told) for n, told in messages if n in alike.values()]

    with Archive.open(database_url) as archive:
        assert [(n, archive.event(n).said) for n, _ in messages] == messages
    assert len(messages) > 20


def test_what_was_noted_beside_a_message_of_docker_stands_beside_it(database_url: str) -> None:
    envelope = {"engine": "E", "node": "N", "message": json.loads(RECORDED[0])}
    decoded = decode(Message("unix:///run/docker.sock", None, "docker", 1, json.dumps(envelope).encode()))
    assert isinstance(decoded, Event)
    record(database_url, decoded)

    with Archive.open(database_url) as archive:
        whole = archive.event(1)

    assert (whole.noted, whole.said) == ({"engine": "E", "node": "N"}, envelope["message"])


def test_an_event_of_tutum_is_given_back_in_its_own_words(database_url: str) -> None:
    value = {
        "type": "container",
        "state": "Running",
        "resource_uri": "/api/v1/container//ABC/",
        "parents": [uri("stack/1"), 7],
        "date": "2016-02-01T12:00:00+00:00",
        "message": {"env": ["PASSWORD=x"]},
    }
    import_lines(database_url, [json.dumps(value).encode()])

    with Archive.open(database_url) as archive:
        assert archive.event(1).said == value


def test_it_says_which_stream_and_session_it_came_in(database_url: str) -> None:
    record(database_url, opened("s", 0), event("container/1", "Running", 1, session="s"))

    with Archive.open(database_url) as archive:
        whole = archive.event(1)

    assert (whole.stream, whole.session) == (STREAM, "s")


def test_a_number_that_is_not_there(database_url: str) -> None:
    record(database_url, event("container/1", "Running", 1))

    with Archive.open(database_url) as archive, pytest.raises(NoSuchEvent, match="no event 2: the last event is 1"):
        archive.event(2)


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_json_shows_it_and_nothing_in_it_acts_on_a_terminal(
    sqlite_url: str, run_archiver: RunArchiver, format: str
) -> None:
    record(sqlite_url, event("container/1", "Running", 1, note="\x1b[2J\x7f\x9b", cmd="--password=x"))

    done = run_archiver("--database", sqlite_url, "events", "--id", "1", "-o", format)

    assert json.loads(done.stdout)["said"]["cmd"] == "--password=x"
    assert json.loads(done.stdout)["id"] == 1
    assert done.stdout.replace("\n", "").isprintable()


def test_other_formats_show_the_row_and_say_where_the_rest_is(sqlite_url: str, run_archiver: RunArchiver) -> None:
    record(sqlite_url, event("container/1", "Running", 1, cmd="--password=x"))

    done = run_archiver("--database", sqlite_url, "events", "--id", "1")

    assert done.stdout.startswith("1\tcontainer\t")
    assert "password" not in done.stdout
    assert done.stderr == "-o json shows all that it said\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--id", "5", "-o", "json"], 3, "there is no event 5"),
        (["--id", "1", "--id", "2"], 2, "--id is given twice"),
        (["--id", "1", "-f"], 2, "nothing else chooses beside it"),
        (["--id", "1", "--state", "Running"], 2, "nothing else chooses beside it"),
        (["--id", "1", "--since", "2016-01-01"], 2, "nothing else chooses beside it"),
    ],
)
def test_what_cannot_be_answered_is_said(
    sqlite_url: str, run_archiver: RunArchiver, arguments: list[str], code: int, words: str
) -> None:
    done = run_archiver("--database", sqlite_url, "-q", "events", *arguments)

    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
