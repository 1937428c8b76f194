"""A word that the archive has never heard is said to be one, with the word that may be meant."""

from __future__ import annotations

import json

import pytest

from tests.conftest import RunArchiver

from .archives import event, record


@pytest.fixture
def archive(sqlite_url: str) -> str:
    record(sqlite_url, event("container/1", state="Running"), event("service/2", state="exited (137)"))
    return sqlite_url


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--type", "contaner"], "the archive has no type 'contaner'; did you mean container?"),
        (["--type", "!Contaner"], ""),
        (["--type", "container", "--type", "servise"], "the archive has no type 'servise'; did you mean service?"),
        (["--state", "runing"], "the archive has no state 'runing'; did you mean Running?"),
        (["--state", "exitd"], "the archive has no state 'exitd'; did you mean exited?"),
        (["--state", "xyz"], "the archive has no state 'xyz'; it has Running, exited"),
        (["--type", "container", "--state", "exited"], ""),
        (["--type", "CONTAINER", "--until", "2000-01-01"], ""),
        (["--type", "cont*r", "--until", "2000-01-01"], ""),
    ],
)
def test_a_word_that_was_never_heard(archive: str, words: list[str], said: str, run_archiver: RunArchiver) -> None:
    done = run_archiver("--database", archive, "events", *words, "-o", "jsonl")

    assert done.returncode == 0
    told = [line for line in done.stderr.splitlines() if line.startswith("the archive has no")]
    assert told == ([said] if said else [])
    assert all(json.loads(line) for line in done.stdout.splitlines())


def test_a_quiet_command_says_nothing_of_it(archive: str, run_archiver: RunArchiver) -> None:
    assert run_archiver("-q", "--database", archive, "events", "--type", "contaner").stderr == ""


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("shop-wbe-1", "did you mean shop-web-1?"),
        ("container/Shop-web1", "did you mean container/shop-web-1?"),
        ("container/shop-web1", "did you mean container/shop-web-1?"),
        ("shrimps", None),
        ("xx", None),
    ],
)
def test_a_name_that_nothing_has_may_be_another(
    sqlite_url: str, ref: str, said: str | None, run_archiver: RunArchiver
) -> None:
    record(sqlite_url, event("container/1", "Running")._replace(name="shop-web-1"))

    done = run_archiver("--database", sqlite_url, "history", ref)

    assert done.returncode == 3
    complaint, hint = done.stderr.splitlines()
    assert complaint == f"archiver: error: no resource matches {ref!r}"
    assert hint.startswith(f"  hint: {said or 'give a URI'}")


@pytest.mark.parametrize("line", [["export", "--under"], ["note", "moved", "--under"], ["events", "--under"]])
def test_so_may_a_name_in_an_option(line: list[str], sqlite_url: str, run_archiver: RunArchiver) -> None:
    record(sqlite_url, event("container/1", "Running")._replace(name="shop-web-1"))

    done = run_archiver("--database", sqlite_url, *line, "shop-wbe-1")

    assert (done.returncode, done.stdout) == (3, "")
    assert "hint: did you mean shop-web-1?" in done.stderr


def test_what_was_not_there_is_called_by_its_name(sqlite_url: str, run_archiver: RunArchiver) -> None:
    record(sqlite_url, event("container/1", "Running")._replace(name="web"))

    done = run_archiver("--database", sqlite_url, "at", "2016-01-31", "web")

    assert done.returncode == 3
    assert "error: container web (/api/v1/container/1/) was not there at 2016-01-31" in done.stderr
