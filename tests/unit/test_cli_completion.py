"""TAB offers what is in the archive, as it can be typed, or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from archiver.cli import completion
from archiver.queries.completion import Known

RunArchiver = Callable[..., object]

CONTAINERS = [
    Known(f"/api/v1/container/{key}/", "container", key, name)
    for key, name in (
        ("0fc9f01d-a726", "web-1"),
        ("0fd11111-a726", "web-2"),
        ("abcd0000-a726", None),
        ("dead0000-a726", "$(rm -rf /)"),
    )
]
NOWHERE = "sqlite:////nowhere/at.all"


class Line:
    """What is known of the command line while a word on it is completed."""

    def __init__(self, database: str, parent: Line | None = None) -> None:
        self.params = {"database": database}
        self.parent = parent


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("web", ["web-1", "web-2"]),
        ("0fc", ["0fc9f01d-a726"]),
        ("container/0f", ["container/0fc9f01d-a726", "container/0fd11111-a726"]),
        ("/api/v1/container/abcd", ["/api/v1/container/abcd0000-a726/"]),
        ("nothing", []),
        ("service/", []),
        ("$", []),
    ],
)
def test_resources_are_offered_as_they_are_typed(typed: str, words: list[str]) -> None:
    assert completion.spelt(CONTAINERS, typed) == words


def test_without_a_word_all_are_offered_and_no_hostile_name() -> None:
    offered = completion.spelt(CONTAINERS, "")

    assert offered[:2] == ["abcd0000-a726", "container/0fc9f01d-a726"]
    assert not any("$" in word for word in offered)


@pytest.mark.parametrize("url", [NOWHERE, "postgresql://127.0.0.1:9/x", "mysql://x", "://"])
def test_a_database_that_is_not_there_offers_nothing(url: str) -> None:
    assert completion.references(Line(url), "web") == []  # type: ignore[arg-type]
    assert completion.states(Line(url), "run") == []  # type: ignore[arg-type]


# --- the program as a shell calls it ---------------------------------------------------------------------------------


@pytest.fixture
def archive(sqlite_url: str, run_archiver: Callable[..., object]) -> str:
    """An archive with two containers."""
    lines = [
        json.dumps({"Type": "container", "Action": "start", "Actor": {"ID": key * 64, "Attributes": {"name": name}},
                    "timeNano": 1763632811000000000})
        for key, name in (("1", "web-1"), ("2", "web-2"))
    ]  # fmt: skip
    run_archiver("--database", sqlite_url, "import", "-", input="\n".join(lines))
    return sqlite_url


@pytest.fixture
def tab(run_archiver: Callable[..., object]) -> Callable[[str], list[str]]:
    """What the program offers for the last word of a line."""

    def press(line: str) -> list[str]:
        environment = {
            "_ARCHIVER_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(line.count(" ")),
        }
        return run_archiver(env=environment).stdout.split("\n")[:-1]  # type: ignore[attr-defined, no-any-return]

    return press


def test_the_shell_gets_the_words(archive: str, tab: Callable[[str], list[str]]) -> None:
    assert tab(f"archiver history --database {archive} web") == ["web-1", "web-2"]
    assert tab(f"archiver events --database {archive} --type con") == ["container"]


def test_the_database_before_the_command_counts(archive: str, tab: Callable[[str], list[str]]) -> None:
    assert tab(f"archiver --database {archive} history web-1") == ["web-1"]
