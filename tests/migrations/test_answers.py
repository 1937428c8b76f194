"""What version 0.1.0 answered of its archive, this program answers after the upgrade, or better, and that is named."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytest

from archiver.cli import main
from archiver.storage import migrate

from . import released

SPELLED = ("5d3b4f2a-7c11-4e0b-9b6f-0a4f6c2d1e00", "5D3B4F2A-7C11-4E0B-9B6F-0A4F6C2D1E00")
"""Of one object 0.1.0 had made two, when its uuid came in capitals once."""
BETTER = {
    "actions /api/v1/node/1/": "the container was on another node by then",
    "actions /api/v1/stack/other/": "an action on a service of one stack put that service under another stack",
    "events --under /api/v1/stack/other/": "the same, and a service is under it only since it moved there",
    "events --under /api/v1/stack/shop/": "what moved elsewhere is not under it any more",
    "status": "it ends with 6, and says why: what was recorded there is years old, and nothing records",
    "tree": "without a reference it shows everything",
    "tree /api/v1/nodecluster/a/": "two spellings are one; a tree shows what lives, where it is now",
    "tree /api/v1/stack/other/": "what an action had put there is not there",
    "tree /api/v1/stack/shop/": "what moved is where it moved to",
    "tree /docker/v1/nodecluster/xq0swarm/": "a tree shows what lives",
    "tree /docker/v1/stack/xq0swarm.shop/": "a tree shows what lives",
    f"history /api/v1/container/{SPELLED[0]}/": "two spellings are one",
    "history /api/v1/container/m2/": "`complete` is judged up to the last sign of life, which stands beside it",
}
"""Questions that are answered otherwise, and why."""
CHANGED = {"database", "revision", "size_bytes", "resources", "parents"}
"""What `status` says of the file; and parents are those of now, over all levels."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An archive of 0.1.0, upgraded, once on each database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('upgraded') / 'old.db'}"
        released.load(url)
        migrate.upgrade(url)
        yield url
        return
    with request.getfixturevalue("postgres_server").database() as url:
        released.load(url)
        migrate.upgrade(url)
        yield url


def asked(url: str, question: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Exit code and output of a question, put to the command line of this program."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "argv", ["archiver", "--database", url, *question.split(" ")])
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        code = main()
    return [code, out.getvalue()]


def read(question: str, output: str) -> Any:
    if "jsonl" in question:
        return [json.loads(line) for line in output.splitlines()]
    return json.loads(output) if output else None


def as_before(new: Any, old: Any) -> Any:
    """An answer with no more keys than the old one has, and two spellings as one."""
    if isinstance(new, dict) and isinstance(old, dict):
        return {key: as_before(value, old[key]) for key, value in new.items() if key in old and key not in CHANGED}
    if isinstance(new, list) and isinstance(old, list):
        return [as_before(found, old[place]) if place < len(old) else found for place, found in enumerate(new)]
    return new.replace(*SPELLED) if isinstance(new, str) else new


def test_every_question_is_answered_as_before_or_better(upgraded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    otherwise = set()
    for question, (code, output) in released.answers().items():
        new_code, new_output = asked(upgraded, question, monkeypatch)
        old, new = read(question, output), read(question, new_output)
        if (new_code, as_before(new, old)) != (code, as_before(old, old)):
            otherwise.add(question.partition(" -n")[0].partition(" -o")[0])

    assert otherwise == BETTER.keys()


def test_what_two_spellings_hid_is_one_history(upgraded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for spelled in SPELLED:
        found = read("", asked(upgraded, f"history /api/v1/container/{spelled}/ -o json", monkeypatch)[1])
        assert [span["state"] for span in found["spans"]] == ["Running", "Stopped", "Running"]


def test_a_service_is_under_the_stack_that_its_own_events_name(upgraded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def below(stack: str) -> list[str]:
        found = read("", asked(upgraded, f"tree /api/v1/stack/{stack}/ -o json", monkeypatch)[1])
        return [child["uri"] for child in found["children"]]

    assert below("other") == ["/api/v1/service/worker/"]
    assert "/api/v1/service/web/" in below("shop")


def test_status_says_that_nothing_records(upgraded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = asked(upgraded, "status -o json", monkeypatch)

    assert code == 6
    assert json.loads(output)["well"] is False
