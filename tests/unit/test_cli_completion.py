"""TAB offers what is in the archive, as it can be typed, or nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archiver.cli import completion
from archiver.queries.completion import Known

RunArchiver = Callable[..., object]

CONTAINERS = [
    Known(f"/api/v1/{kind}/{key}/", kind, key, name)
    for kind, key, name in (
        ("container", "0fc9f01d-a726", "web-1"),
        ("container", "0fd11111-a726", "web-2"),
        ("container", "abcd0000-a726", None),
        ("container", "dead0000-a726", "$(rm -rf /)"),
        ("container", "dead1111-a726", "--all"),
        ("image", "sha256:1234", "shop/web:1.2"),
        ("action", "beef0000-a726", "exec"),
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
        ("exe", []),
        ("container/web-1", ["container/web-1"]),
        ("shop/", ["shop/web:1.2"]),
        ("--", []),
    ],
)
def test_resources_are_offered_as_they_are_typed(typed: str, words: list[str]) -> None:
    assert completion.spelt(CONTAINERS, typed) == words


def test_without_a_word_all_are_offered_and_no_hostile_name() -> None:
    offered = completion.spelt(CONTAINERS, "")

    assert {"abcd0000-a726", "container/0fc9f01d-a726", "beef0000-a726"} < set(offered)
    assert not any("$" in word for word in offered)


@pytest.mark.parametrize("url", [NOWHERE, "postgresql://127.0.0.1:9/x", "mysql://x", "://"])
def test_a_database_that_is_not_there_offers_nothing(url: str) -> None:
    assert completion.references(Line(url), "web") == []  # type: ignore[arg-type]
    assert completion.states(Line(url), "run") == []  # type: ignore[arg-type]
