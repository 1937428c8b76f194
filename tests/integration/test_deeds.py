"""What was done: actions by name, who did them, and what an engine tells of the object alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.transfer.importer import import_lines

from ..conftest import RunArchiver
from .archives import event, record, uri

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def swarm_url(database_url: str) -> str:
    import_lines(database_url, (DATA / "docker-swarm-events.jsonl").read_bytes().splitlines())
    return database_url


def done(url: str, ref: str, **more: Any) -> list[tuple[str | None, str | None, bool, str | None]]:
    """What was done, to what, whether it is an action of its own, and by whom."""
    with Archive.open(url) as archive:
        found = archive.actions(ref, **more)
        return [(each.name, each.target_name, each.uri is not None, each.by) for each in found]


def test_the_whole_life_of_a_container_is_told_by_what_was_done(swarm_url: str) -> None:
    assert done(swarm_url, "blog-app-2", deeds=True) == [
        ("run", "blog-app-1", False, None),
        ("rename", "blog-app-2", True, None),
        ("kill", "blog-app-2", True, None),
        ("rm", "blog-app-2", False, None),
    ]


def test_what_a_swarm_makes_by_itself_is_told_apart(swarm_url: str) -> None:
    (first, *_, last) = done(swarm_url, "shop_worker.1.gnfs86843bnkq6kl9khq14uqp", deeds=True)

    assert first == ("run", "shop_worker.1.gnfs86843bnkq6kl9khq14uqp", False, "swarm")
    assert last[0] == "rm"


def test_a_stack_that_is_removed_and_services_that_are_made_are_there(swarm_url: str) -> None:
    found = done(swarm_url, "stack/shop", deeds=True)

    assert [each for each in found if each[1] == "shop_web" and each[0] in ("create", "update", "scale", "rm")] == [
        ("create", "shop_web", False, None),
        ("update", "shop_web", True, None),
        ("scale", "shop_web", True, None),
        ("update", "shop_web", True, None),
        ("rm", "shop_web", False, None),
    ]


def test_without_the_deeds_it_is_the_actions(swarm_url: str) -> None:
    assert done(swarm_url, "blog-app-2") == [
        ("rename", "blog-app-2", True, None),
        ("kill", "blog-app-2", True, None),
    ]


def test_only_what_somebody_did(database_url: str) -> None:
    record(
        database_url,
        event("action/1", "Success", 1, ["service/web"], user="ada"),
        event("action/2", "Success", 2, ["service/web"], user="ben"),
        event("action/3", "Success", 3, ["service/web"]),
    )

    with Archive.open(database_url) as archive:
        assert [action.by for action in archive.actions("service/web")] == ["ada", "ben", None]
        assert [action.uri for action in archive.actions("service/web", by="ben")] == [uri("action/2")]


def test_at_a_shell(swarm_url: str, run_archiver: RunArchiver) -> None:
    def said(*words: str) -> str:
        return run_archiver("--database", swarm_url, "actions", "blog-app-2", *words).stdout

    table = [line.split() for line in said("-o", "table").splitlines()]
    assert table[0] == ["STARTED", "AT", "DURATION", "STATE", "ACTION", "WHAT", "BY"]
    assert [row[4] for row in table[1:]] == ["run", "rename", "kill", "rm"]
    # A program gets what it got before, with more keys; what has no action of its own it has to ask for.
    rename, kill = json.loads(said("-o", "json"))
    assert (rename["name"], kill["name"], kill["target_name"]) == ("rename", "kill", "blog-app-2")
    assert [each["uri"] is None for each in json.loads(said("-o", "json", "--deeds"))] == [True, False, False, True]
    assert said("-o", "plain").count("\n") == 2
    assert said("--by", "nobody") == ""
