"""What is under what: the closure that the recorder keeps is the closure of what the events say."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.api.archive import Archive
from archiver.platforms.tutum.facts import BELONGS_TO
from archiver.storage.recorder import Recorder
from archiver.storage.relations import target

from .archives import event, exported, record, rows, seen, uri

REFS = [f"{kind}/{n}" for kind in ("stack", "service", "container", "node", "action") for n in (1, 2)]
Told = tuple[str, list[str]]
TOLD = st.tuples(st.sampled_from(REFS), st.lists(st.sampled_from(REFS), max_size=4))
BATCHES = st.lists(st.lists(TOLD, max_size=5), min_size=1, max_size=4)
EXAMPLES = count()


def closed_over(told: Sequence[Told]) -> list[tuple[str, str]]:
    """By brute force: what the events name, what the platform's nature implies, and all that follows."""
    pairs = {(child, parent) for child, parents in told for parent in parents if parent != child}
    for _, parents in told:
        kinds = [parent.partition("/")[0] for parent in parents]
        for low in parents:
            for high in parents:
                kind, above = low.partition("/")[0], high.partition("/")[0]
                if above in BELONGS_TO.get(kind, ()) and kinds.count(kind) == kinds.count(above) == 1:
                    pairs.add((low, high))
    while more := {(a, d) for a, b in pairs for c, d in pairs if b == c and a != d} - pairs:
        pairs |= more
    return sorted((uri(low), uri(high)) for low, high in pairs)


def pairs(url: str, ending: str = "") -> list[tuple[str, str]]:
    """What is under what, of the resources whose keys end so."""
    query = "SELECT descendant_uri, ancestor_uri FROM subtree WHERE descendant_uri LIKE :ending ORDER BY 1, 2"
    return [(low, high) for low, high in rows(url, query, ending=f"%{ending}/")]


@settings(max_examples=40)
@given(batches=BATCHES)
def test_the_pairs_are_the_closure_of_what_was_told(database_url: str, batches: list[list[Told]]) -> None:
    own = f".{next(EXAMPLES)}"  # each example has resources of its own, in the same archive
    told = [[(child + own, [parent + own for parent in parents]) for child, parents in batch] for batch in batches]

    with Recorder(database_url, secrets.token_hex(4)) as recorder:
        for batch in told:
            recorder.record([event(child, None, 0, parents) for child, parents in batch])

    assert pairs(database_url, own) == closed_over([pair for batch in told for pair in batch])


def test_self_parents_and_circles_do_no_harm(database_url: str) -> None:
    told = [("stack/1", ["stack/1"]), ("stack/1", ["stack/2"]), ("stack/2", ["stack/1"]), ("node/1", ["stack/1"])]
    record(database_url, *(event(child, None, 0, parents) for child, parents in told))

    assert pairs(database_url) == closed_over(told)


def test_a_parent_that_follows_and_is_then_named_is_exported_as_named(database_url: str) -> None:
    with Recorder(database_url) as recorder:
        recorder.record([seen("container/1", None, 0, ["service/1"]), event("service/1", None, 1, ["stack/1"])])
        before = exported(database_url, "observation")
        recorder.record([seen("container/1", None, 2, ["stack/1"])])
        after = exported(database_url, "observation")

    assert [line["parents"] for line in before] == [[uri("service/1")]]
    assert [line["parents"] for line in after] == [[uri("service/1"), uri("stack/1")]] * 2


def test_a_pair_is_as_old_as_the_event_that_told_first(database_url: str) -> None:
    for second in (1, 2):
        record(database_url, event("container/1", None, second, ["stack/1"]))

    with Archive.open(database_url) as archive:
        first, _ = archive.events()
    ((since,),) = rows(database_url, "SELECT since FROM subtree")
    assert datetime.fromisoformat(str(since)) == first.occurred_at


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
