"""What was true from when until when, as the recorder keeps it: whatever comes, in whatever order and batches."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator, Sequence
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.model import Event, Record
from archiver.storage import intervals
from archiver.storage.limits import CacheLimits
from archiver.storage.recorder import Recorder
from archiver.storage.schema import IMAGE, NAME, OPEN, PARENT, SLOT, TARGET, TEXTUAL

from .archives import START, event, micros, record, rows, seen, uri
from .growth import analysed, cost_of_sql, grown, looked_up

EXAMPLES = count()
Known = tuple[str, str | None, int, int | None, int]
"""Who, what of it, from which second until which (None: still), and how it is known."""


def facts(url: str, what: int = PARENT) -> list[Known]:
    """What was true of whom, in seconds, in order."""
    meant = "texts v ON v.id = f.value" if what in TEXTUAL else "resources v ON v.id = f.value"
    shown = "v.text" if what in TEXTUAL else "v.uri"
    found = rows(
        url,
        f"SELECT r.uri, {shown}, f.since, f.until, f.how, f.node FROM facts f"
        f" JOIN resources r ON r.id = f.resource_id LEFT JOIN {meant} WHERE f.what = :what ORDER BY 1, 3, 2",
        what=what,
    )
    assert all(node == intervals.node(since, until) for _, _, since, until, _, node in found)
    return [(who, value, second(since), second(until), how) for who, value, since, until, how, _ in found]  # type: ignore[misc]


def second(at: int | None) -> int | None:
    return None if at is None or at == OPEN else (at - START) // 1_000_000


def present(url: str, ref: str, columns: str) -> tuple[object, ...]:
    (found,) = rows(
        url,
        f"SELECT {columns} FROM present p JOIN resources r ON r.id = p.resource_id WHERE r.uri = :uri",
        uri=uri(ref),
    )
    return found


SERVICE_1, SERVICE_2, STACK_1, STACK_2 = map(uri, ("service/1", "service/2", "stack/1", "stack/2"))
CONTAINER, ACTION = uri("container/1"), uri("action/1")


# --- one batch after the other ---------------------------------------------------------------------------------------


def test_a_container_moves_and_ends(database_url: str) -> None:
    with Recorder(database_url) as recorder:
        recorder.record([event("container/1", "Running", 1, ["service/1"])._replace(name="web")])
        recorder.record([event("container/1", "Running", 3, ["service/2"])])
        recorder.record([seen("container/1", "Terminated", 5)])

    assert facts(database_url) == [(CONTAINER, SERVICE_1, 1, 3, 0), (CONTAINER, SERVICE_2, 3, 5, 0)]
    assert facts(database_url, NAME) == [(CONTAINER, "web", 1, 5, 0)]
    assert present(database_url, "container/1", "first_at, last_at, last_source, gone_at, heads") == (
        micros(1), micros(5), 1, micros(5), 0
    )  # fmt: skip


def test_image_and_slot_hold_as_a_name_does(database_url: str) -> None:
    made = event("container/1", "Running", 1)._replace(image="web:1", slot="shop_web.1")
    record(database_url, event("container/1", "Running", 5)._replace(image="web:2"), made)
    record(database_url, seen("container/1", None, 3)._replace(image="web:3"), event("container/1", "Terminated", 9))

    assert facts(database_url, IMAGE) == [
        (CONTAINER, "web:1", 1, 3, 0), (CONTAINER, "web:3", 3, 5, 1), (CONTAINER, "web:2", 5, 9, 0)
    ]  # fmt: skip
    assert facts(database_url, SLOT) == [(CONTAINER, "shop_web.1", 1, 9, 0)]
    assert rows(database_url, "SELECT image, slot FROM current_states") == [("web:2", "shop_web.1")]


def test_a_recorder_that_knows_nothing_goes_on_as_one_that_knows_all(database_url: str) -> None:
    record(database_url, event("container/1", "Running", 1, ["service/1"])._replace(name="web"))
    record(database_url, event("container/1", "Terminated", 3))
    record(database_url, event("container/1", "Running", 5))
    record(database_url, event("container/1", "Running", 7, ["node/1"]))

    assert facts(database_url) == [
        (CONTAINER, uri("node/1"), 1, 3, 0), (CONTAINER, SERVICE_1, 1, 3, 0),
        (CONTAINER, uri("node/1"), 5, None, 0), (CONTAINER, SERVICE_1, 5, None, 0),
    ]  # fmt: skip
    assert facts(database_url, NAME) == [(CONTAINER, "web", 1, 3, 0), (CONTAINER, "web", 5, None, 0)]


def test_a_late_word_splits_what_held(database_url: str) -> None:
    record(database_url, event("container/1", None, 1, ["service/1"]), event("container/1", None, 9, ["service/1"]))
    record(database_url, event("container/1", None, 4, ["service/2"]))

    assert facts(database_url) == [
        (CONTAINER, SERVICE_1, 1, 4, 0), (CONTAINER, SERVICE_2, 4, 9, 0), (CONTAINER, SERVICE_1, 9, None, 0)
    ]  # fmt: skip


def test_who_is_named_earlier_than_heard_of_was_there_before(database_url: str) -> None:
    record(database_url, event("service/1", "Running", 5, ["stack/1"]))
    record(database_url, event("container/1", "Running", 2, ["service/1"]))

    assert (SERVICE_1, STACK_1, 2, None, 0) in facts(database_url)
    assert present(database_url, "service/1", "first_at, last_at, heads") == (micros(2), micros(5), 1)
    assert present(database_url, "stack/1", "first_at, last_at, heads") == (micros(5), None, 1)


def test_an_action_runs_until_it_ends(database_url: str) -> None:
    with Recorder(database_url) as recorder:
        recorder.record([event("action/1", "Pending", 1, ["stack/1"])])
        assert facts(database_url, TARGET) == [(ACTION, STACK_1, 1, None, 0)]
        recorder.record([event("action/1", "In progress", 2, ["service/1", "stack/1"])])
        assert facts(database_url, TARGET) == [(ACTION, SERVICE_1, 1, None, 0)]
        recorder.record([event("action/1", "Success", 3)])
        assert facts(database_url, TARGET) == [(ACTION, SERVICE_1, 1, 3, 0)]
        recorder.record([event("action/1", "Pending", 0, ["stack/2"])])
    assert facts(database_url, TARGET) == [(ACTION, SERVICE_1, 0, 3, 0)]
    assert facts(database_url) == []  # nor does an action's list prove anything of the service


def test_what_nothing_is_said_to_have_been_under_any_more_heads_nothing(database_url: str) -> None:
    record(database_url, event("container/1", None, 5, ["service/1"]))
    record(database_url, event("container/1", "Terminated", 5))

    assert facts(database_url) == []
    assert present(database_url, "service/1", "heads") == (0,)


# --- what lists prove of others --------------------------------------------------------------------------------------


def implied(url: str) -> list[tuple[str, str, int | None]]:
    """Steps of what others say, in seconds."""
    statement = (
        "SELECT r.uri, v.uri, i.since FROM implied i JOIN resources r ON r.id = i.resource_id"
        " JOIN resources v ON v.id = i.value ORDER BY 1, 3"
    )
    return [(who, value, second(since)) for who, value, since in rows(url, statement)]


def test_a_service_is_where_its_containers_say_until_it_speaks_for_itself(database_url: str) -> None:
    record(database_url, event("container/1", None, 1, ["service/1", "stack/1"]))
    assert facts(database_url) == [(CONTAINER, SERVICE_1, 1, None, 0), (SERVICE_1, STACK_1, 1, None, 2)]
    assert implied(database_url) == [(SERVICE_1, STACK_1, 1)]

    record(database_url, event("service/1", None, 6, ["stack/2"]))

    assert facts(database_url) == [(CONTAINER, SERVICE_1, 1, None, 0), (SERVICE_1, STACK_2, 1, None, 0)]
    assert implied(database_url) == []


def test_late_evidence_holds_until_the_next_that_says_otherwise(database_url: str) -> None:
    record(database_url, event("container/1", None, 1, ["service/1", "stack/1"]))
    record(database_url, event("container/2", "Terminated", 5, ["service/1", "stack/1"]))  # who was never under it
    record(database_url, event("container/3", None, 9, ["service/1", "stack/1"]))
    record(database_url, event("container/4", None, 3, ["service/1", "stack/2"]))

    assert implied(database_url) == [(SERVICE_1, STACK_1, 1), (SERVICE_1, STACK_2, 3), (SERVICE_1, STACK_1, 5)]
    assert [fact[1:] for fact in facts(database_url) if fact[0] == SERVICE_1] == [
        (STACK_1, 1, 3, 2), (STACK_2, 3, 5, 2), (STACK_1, 5, None, 2)
    ]  # fmt: skip


def test_who_ended_before_others_put_it_elsewhere_was_never_there(database_url: str) -> None:
    record(database_url, event("container/1", None, 1, ["service/1", "stack/1"]), event("service/1", "Running", 1))
    record(database_url, event("container/2", None, 20, ["service/1", "stack/2"]))
    record(database_url, event("service/1", "Terminated", 15))

    assert facts(database_url)[2:] == [(SERVICE_1, STACK_1, 1, 15 + 3600, 2)]


def test_a_service_is_in_its_stack_for_an_hour_after_its_end_or_until_it_is_back(database_url: str) -> None:
    record(database_url, event("service/1", "Running", 1, ["stack/1"]))
    record(database_url, event("service/1", "Terminated", 5))
    assert facts(database_url) == [(SERVICE_1, STACK_1, 1, 5 + 3600, 0)]
    assert present(database_url, "service/1", "gone_at") == (micros(5),)

    record(database_url, event("service/1", "Running", 9, ["stack/2"]))
    assert facts(database_url) == [(SERVICE_1, STACK_1, 1, 9, 0), (SERVICE_1, STACK_2, 9, None, 0)]


# --- any order, any batches ------------------------------------------------------------------------------------------

REFS = [f"{kind}/{n}" for kind in ("stack", "service", "container", "node", "action") for n in (1, 2)]
TOLD = st.tuples(
    st.sampled_from(REFS),
    st.sampled_from([None, "Running", "running", "Terminated", "Pending"]),
    st.lists(st.sampled_from(REFS), max_size=4),
    st.sampled_from([None, "a", "b"]),
    st.booleans(),
)
TABLES = {
    "facts": "SELECT r.uri, f.what, coalesce(t.text, v.uri), f.since, f.until, f.node, f.how FROM facts f"
    f" LEFT JOIN texts t ON t.id = f.value AND f.what IN {TEXTUAL}"
    f" LEFT JOIN resources v ON v.id = f.value AND f.what NOT IN {TEXTUAL}",
    "implied": "SELECT r.uri, v.uri, f.since FROM implied f JOIN resources v ON v.id = f.value",
    "present": "SELECT r.uri, f.first_at, f.last_at, f.last_source, s.text, f.state_since, f.state_at, f.state_source,"
    " f.gone_at, f.lasted, f.name_id, f.image_id, f.slot_id, f.heads"
    " FROM present f LEFT JOIN event_states s ON s.id = f.state_id",
}


def everything(url: str, ending: str) -> list[list[tuple[object, ...]]]:
    """All that follows from the words about resources whose keys end so, but for that ending."""
    found = []
    for statement in TABLES.values():
        joined = f"{statement} JOIN resources r ON r.id = f.resource_id WHERE r.uri LIKE :ending"
        told = rows(url, joined, ending=f"%{ending}/")
        plain = [tuple(v.replace(ending, "") if isinstance(v, str) else v for v in row) for row in told]
        found.append(sorted(plain, key=repr))
    return found


def words(told: Sequence[tuple[str, str | None, list[str], str | None, bool]], ending: str) -> list[Record]:
    """Events and observations, each at a second of its own."""
    made: list[Record] = []
    for at, (ref, state, parents, name, is_event) in enumerate(told):
        named = [parent + ending for parent in parents]
        if is_event:
            made.append(event(ref + ending, state, at, named)._replace(name=name))
        else:
            made.append(seen(ref + ending, state, at, named)._replace(name=name))
    return made


def cut(pick: random.Random, records: list[Record]) -> Iterator[list[Record]]:
    while records:
        size = pick.randint(1, 4)
        yield records[:size]
        records = records[size:]


@settings(max_examples=16)
@given(told=st.lists(TOLD, min_size=2, max_size=14), pick=st.randoms(use_true_random=False))
def test_the_order_of_arrival_makes_no_difference(database_url: str, told: list[object], pick: random.Random) -> None:
    number = next(EXAMPLES)
    in_order, mixed = f".{number}a", f".{number}b"
    with Recorder(database_url, secrets.token_hex(4)) as recorder:
        recorder.record(words(told, in_order))  # type: ignore[arg-type]
    shuffled = words(told, mixed)  # type: ignore[arg-type]
    pick.shuffle(shuffled)
    limits = pick.choice([None, CacheLimits(2, 2, 2, 2, 2, 2)])
    with Recorder(database_url, secrets.token_hex(4), limits) as recorder:
        for batch in cut(pick, shuffled):
            recorder.record(batch)

    assert everything(database_url, mixed) == everything(database_url, in_order)


# --- what it costs ---------------------------------------------------------------------------------------------------


def read_for(url: str, earlier: int) -> tuple[int, int]:
    """Statements that read, and what they cost, while ten more words are recorded about an object that has so many."""

    def word(n: int, state: str) -> Event:
        return event(f"container/{earlier}", state, n, ["service/1", "stack/1"])._replace(name="web")

    record(url, *[word(n, "Running") for n in range(earlier)])
    with looked_up() as statements:
        record(url, *[word(earlier + n, state) for n, state in enumerate("abcdefghij")])
    return len(statements), sum(cost_of_sql(url, sql, values) for sql, values in statements)


def test_a_word_costs_no_more_for_all_that_were_said_before(database_url: str) -> None:
    few, many = read_for(database_url, 100), read_for(database_url, 10_000)

    assert many[0] == few[0] > 0
    assert many[1] <= few[1] * 1.2


def read_for_a_late_word(url: str, earlier: int, late: Event) -> tuple[int, int]:
    """The same for one word that falls into the middle of so many."""
    ref = f"container/of-{earlier}-{late.state}"

    def word(n: int) -> Event:
        return event(ref, ("Running", "Stopped")[n % 2], 2 * n, ["service/1", "stack/1"])._replace(name="web")

    record(url, *map(word, range(earlier)))
    analysed(url)
    with looked_up() as statements:
        record(url, late._replace(resource_uri=uri(ref), occurred_at=micros(earlier + 1)))
    return len(statements), sum(cost_of_sql(url, sql, values, by_index=True) for sql, values in statements)


@pytest.mark.parametrize(
    "late",
    [
        event("container/1", None, 1, ["service/1", "stack/1"])._replace(name="web"),
        event("container/1", "Starting", 1, ["service/2", "stack/1"])._replace(name="other"),
    ],
    ids=["that says nothing new", "that tells of another place and name"],
)
def test_a_late_word_costs_no_more_for_all_that_were_said_around_it(database_url: str, late: Event) -> None:
    few, many = (read_for_a_late_word(database_url, earlier, late) for earlier in (200, 2_000))

    assert many[0] == few[0] > 0
    assert not grown(few[1], many[1], database_url)


def test_no_statement_is_made_for_each_resource(database_url: str) -> None:
    record(database_url, *[event(f"container/{n}", "Running", 0, ["service/1"]) for n in range(3000)])
    with looked_up() as statements:
        record(database_url, *[event(f"container/{n}", "Terminated", 1) for n in range(3000)])

    assert 0 < len(statements) < 60
