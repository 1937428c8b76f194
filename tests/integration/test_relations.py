"""What is under what: the closure that the recorder keeps is the closure of what the events say."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from archiver.platforms.tutum.facts import BELONGS_TO
from archiver.storage.engine import writing_engine
from archiver.storage.recorder import Recorder
from archiver.storage.relations import target

from .archives import event, record, rows, uri

REFS = [f"{kind}/{n}" for kind in ("stack", "service", "container", "node", "action") for n in (1, 2)]
TOLD = st.tuples(st.sampled_from(REFS), st.lists(st.sampled_from(REFS), max_size=4))
BATCHES = st.lists(st.lists(TOLD, max_size=5), min_size=1, max_size=4)
PAIRS = """
SELECT d.uri, a.uri, p.derived FROM resource_parents p
JOIN resources d ON d.id = p.child_id JOIN resources a ON a.id = p.parent_id ORDER BY 1, 2
"""
EMPTY = [
    "event_parents", "resource_parents", "events", "resources", "event_states", "event_actions", "event_types",
]  # fmt: skip


def closed_over(told: Sequence[tuple[str, list[str]]]) -> list[tuple[str, str, int]]:
    """By brute force: what the events name, what the platform's nature implies, and all that follows."""
    named = {(child, parent) for child, parents in told for parent in parents if parent != child}
    pairs = set(named)
    for _, parents in told:
        kinds = [parent.partition("/")[0] for parent in parents]
        for low in parents:
            for high in parents:
                kind, above = low.partition("/")[0], high.partition("/")[0]
                if above in BELONGS_TO.get(kind, ()) and kinds.count(kind) == kinds.count(above) == 1:
                    pairs.add((low, high))
    while more := {(a, d) for a, b in pairs for c, d in pairs if b == c and a != d} - pairs:
        pairs |= more
    return sorted((uri(low), uri(high), int((low, high) not in named)) for low, high in pairs)


@pytest.fixture
def emptied(database_url: str) -> Iterator[Callable[[], str]]:
    """The same archive again and again, without the rows of the last example."""
    engine = writing_engine(database_url)

    def empty() -> str:
        with engine.begin() as connection:
            for table in EMPTY:
                connection.execute(text(f"DELETE FROM {table}"))
        return database_url

    yield empty
    engine.dispose()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES)
def test_the_pairs_are_the_closure_of_what_was_told(emptied: Callable[[], str], batches: list[list[object]]) -> None:
    url = emptied()

    with Recorder(url, secrets.token_hex(4)) as recorder:
        for batch in batches:
            recorder.record([event(child, None, 0, parents) for child, parents in batch])  # type: ignore[misc]

    assert rows(url, PAIRS) == closed_over([told for batch in batches for told in batch])  # type: ignore[misc]


def test_what_follows_and_is_then_named_is_no_longer_derived(database_url: str) -> None:
    told = [("container/1", ["service/1"]), ("service/1", ["stack/1"]), ("container/1", ["stack/1"])]
    with Recorder(database_url) as recorder:
        for child, parents in told:
            recorder.record([event(child, None, 0, parents)])

    assert rows(database_url, PAIRS) == closed_over(told)


def test_self_parents_and_circles_do_no_harm(database_url: str) -> None:
    told = [("stack/1", ["stack/1"]), ("stack/1", ["stack/2"]), ("stack/2", ["stack/1"]), ("node/1", ["stack/1"])]
    record(database_url, *(event(child, None, 0, parents) for child, parents in told))

    assert rows(database_url, PAIRS) == closed_over(told)


def test_a_pair_knows_the_event_that_told_first(database_url: str) -> None:
    for second in (1, 2):
        record(database_url, event("container/1", None, second, ["stack/1"]))

    assert rows(database_url, "SELECT first_event_id FROM resource_parents") == [(1,)]


@pytest.mark.parametrize(
    ("parents", "expected"),
    [
        (["node/1", "service/1", "container/1", "stack/1"], "container/1"),
        (["stack/1", "service/1"], "service/1"),
        (["nodecluster/1", "node/1"], "node/1"),
        (["repository/1"], "repository/1"),
    ],
)
def test_an_action_applies_to_the_most_specific_of_its_parents(parents: list[str], expected: str) -> None:
    from archiver.codec.uris import parse

    assert target(parse(uri(parent)) for parent in parents) == tuple(expected.split("/"))
