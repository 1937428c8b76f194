"""How well an answer was watched: in every answer, on demand as an exit code, and by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.cli import main

from ..conftest import NewArchive
from .archives import STREAM, at, between, closed, event, opened, record

OTHER = "ws://other.example/"
Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def archive(shared_url: NewArchive) -> str:
    """Two streams: one watched from 0 to 100 but for 40 to 60, the other throughout; a container is told of by each."""
    url = shared_url()
    record(
        url,
        opened("a", 0),
        event("container/1", "Running", 10, session="a"),
        event("action/1", "Success", 12, ["container/1"], session="a"),
        closed("a", 40, "cable"),
        opened("c", 60),
        closed("c", 100, "stopped"),
        opened("b", 0, stream=OTHER),
        event("container/2", "Running", 20, session="b"),
        closed("b", 100, "stopped", stream=OTHER),
    )
    return url


@pytest.fixture
def ask(archive: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """The exit code, stdout and stderr of a command; who reads them is this very process, which must not die of it."""
    monkeypatch.setattr("archiver.cli.common.die_with_the_reader", lambda: None)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main([*arguments, "--database", archive])
        return code, *capsys.readouterr()

    return run


def since(second: float) -> str:
    return f"--since={at(second).isoformat()}"


def until(second: float) -> str:
    return f"--until={at(second).isoformat()}"


def json_of(found: tuple[int, str, str]) -> Any:
    return json.loads(found[1])


def test_coverage_is_that_of_the_streams_that_told_and_says_how_far_it_goes(archive: str) -> None:
    with Archive.open(archive) as found:
        assert found.coverage(between(0, 50), "container/2").complete
        assert not found.coverage(between(0, 50), "container/1").complete
        assert found.coverage(between(0, 50)).seen_to == at(50)
        assert found.coverage(between(70, None)).seen_to == at(100)
        assert found.coverage(between(70, None)).complete


def test_gaps_are_listed_as_the_view_has_them(ask: Ask) -> None:
    found = json_of(ask("gaps", since(0), "-o", "json"))

    assert [found[key] for key in ("resource", "complete", "seen_to")] == [None, False, "2016-02-01T12:01:40Z"]
    assert found["gaps"][0] == {
        "stream": STREAM,
        "since": "2016-02-01T12:00:40Z",
        "until": "2016-02-01T12:01:00Z",
        "seconds": 20,
        "kind": "lost",
        "reason": "cable",
        "proven": False,
    }
    assert [gap["until"] for gap in found["gaps"]] == ["2016-02-01T12:01:00Z", None, None]


def test_gaps_of_a_resource_are_those_of_the_streams_that_told_of_it(ask: Ask) -> None:
    found = json_of(ask("gaps", "container/2", since(0), until(100), "-o", "json"))

    assert (found["resource"]["uri"], found["complete"], found["gaps"]) == ("/api/v1/container/2/", True, [])


def test_gaps_in_a_table(ask: Ask) -> None:
    _, shown, _ = ask("gaps", "container/1", since(0), until(90), "-o", "table")

    head, row = shown.splitlines()
    assert head.split() == ["SINCE", "UNTIL", "DURATION", "STREAM", "KIND", "REASON"]
    assert row.split()[-4:] == ["20s", STREAM, "lost", "cable"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["history", "container/1", since(0), until(30)], 0),
        (["history", "container/1", since(0), until(50)], 6),
        (["history", "container/2", since(0)], 0),  # up to the last sign of life
        (["events", since(70)], 0),
        (["events", since(0)], 6),
        (["events", "--under", "container/2", since(0)], 0),
        (["actions", "container/1", since(0), "-o", "json"], 6),
        (["gaps", since(0), until(30)], 0),
        (["gaps", since(0)], 6),
        (["events", since(41), until(59), "--fail-if-empty"], 6),
        (["events", since(70), "--fail-if-empty"], 7),
    ],
)
def test_strict_ends_with_6_once_the_answer_is_written(ask: Ask, arguments: list[str], code: int) -> None:
    plain, strict = ask(*arguments), ask(*arguments, "--strict")

    assert strict == (code, *plain[1:])


def test_a_list_says_with_coverage_how_well_it_was_watched(ask: Ask) -> None:
    found = json_of(ask("events", since(0), "-o", "json", "--coverage"))

    assert list(found) == ["resource", "range", "coverage", "empty", "events"]
    assert found["range"] == {"since": "2016-02-01T12:00:00Z", "until": None}
    assert (found["coverage"]["complete"], found["coverage"]["gaps"][0]["stream"]) == (False, STREAM)
    assert [event["resource_uri"] for event in found["events"]] == [
        "/api/v1/container/1/",
        "/api/v1/action/1/",
        "/api/v1/container/2/",
    ]


def test_a_list_of_actions_has_its_resource_or_several(ask: Ask) -> None:
    one = json_of(ask("actions", "container/1", "-o", "json", "--coverage"))
    both = json_of(ask("actions", "container/1", "container/2", "-o", "json", "--coverage"))

    assert (one["resource"]["uri"], len(one["actions"])) == ("/api/v1/container/1/", 1)
    assert (both["resource"], len(both["resources"])) == (None, 2)


def test_other_formats_say_it_beside_the_list(ask: Ask) -> None:
    _, plain, said = ask("events", since(0), until(50), "-o", "plain", "--coverage")
    _, shown, _ = ask("events", since(0), until(50), "-o", "table", "--coverage")

    assert len(plain.splitlines()) == 3
    assert "nobody was watching for 1 gap, 10s in all: cable" in said
    assert shown.startswith("nobody was watching for 1 gap, 10s in all: cable\n\n")


@pytest.mark.parametrize(
    ("range", "why", "words"),
    [
        ([since(70), until(90)], "nothing_happened", "nothing of the kind happened"),
        ([since(30), until(50)], "gap", "nobody was watching for a part of that time"),
        ([since(-90), until(-50)], "before_archive", "before the archive begins"),
        ([since(120)], "after_archive", "nothing has been heard since then"),
    ],
)
def test_an_empty_answer_says_why(ask: Ask, range: list[str], why: str, words: str) -> None:
    _, nothing, said = ask("events", *range)
    found = json_of(ask("events", *range, "-o", "json", "--coverage"))

    assert (nothing, found["empty"], found["events"]) == ("", why, [])
    assert words in said


def test_an_empty_history_says_why(ask: Ask) -> None:
    found = json_of(ask("history", "container/2", until(15), "-o", "json"))
    _, _, said = ask("history", "container/2", until(15))

    assert (found["spans"], found["empty"]) == ([], "nothing_happened")
    assert "no states in this range: it was watched, and nothing of the kind happened" in said
    assert json_of(ask("history", "container/2", "-o", "json"))["empty"] is None


@pytest.mark.parametrize("flag", ["--strict", "--coverage"])
def test_what_has_no_end_is_not_judged(ask: Ask, flag: str) -> None:
    code, _, said = ask("events", "-f", flag)

    assert code == 2
    assert "--follow has no end" in said
