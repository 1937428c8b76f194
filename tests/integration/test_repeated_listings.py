"""An engine that polls `docker top` 5,000 times and is told to kill once: which of it the commands show."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from archiver.transfer.importer import import_lines

Run = Callable[..., subprocess.CompletedProcess[str]]

POLLS = 5000
KILLED = 1700


@pytest.fixture
def ask(sqlite_url: str, run_archiver: Run) -> Run:
    polls = [told(number, "kill" if number == KILLED else "top") for number in range(POLLS)]
    import_lines(sqlite_url, [told(-1, "start"), *polls])
    return lambda *arguments: run_archiver(*arguments, "--database", sqlite_url)


def told(number: int, action: str) -> bytes:
    actor = {"ID": "0a" * 32, "Attributes": {"name": "web"}}
    return json.dumps(
        {"Type": "container", "Action": action, "Actor": actor, "timeNano": (1_795_000_000 + number) * 10**9}
    ).encode()


@pytest.mark.parametrize("question", [("actions", "web"), ("events",), ("events", "-n", "0")])
def test_a_table_shows_the_one_kill_and_how_often_it_was_polled(ask: Run, question: tuple[str, ...]) -> None:
    done = ask(*question, "-o", "table")

    assert len(done.stdout.splitlines()) < 20
    assert "kill" in done.stdout
    assert "top (4,995 times until" in done.stdout


def test_all_and_every_other_format_have_them_all(ask: Run) -> None:
    assert len(ask("actions", "web", "--all", "--no-deeds", "-o", "table").stdout.splitlines()) == 1 + POLLS
    assert len(json.loads(ask("actions", "web", "-o", "json").stdout)) == POLLS
    assert len(ask("events", "-n", "100", "-o", "plain").stdout.splitlines()) == 100
