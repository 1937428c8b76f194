"""Tags have a life each, however they are told; all that are told together replace those before."""

from __future__ import annotations

import json
from random import Random

import pytest

from archiver.api.archive import Archive
from archiver.model import Answers, Event, Observation
from archiver.storage import migrate

from ..conftest import RunArchiver
from .archives import at, between, event, micros, opened, record, rows, seen, uri
from .growth import answer_of_sql, grown

BORE = "SELECT tag, since_us, until_us, how FROM resource_tags WHERE uri = '/api/v1/service/1/' ORDER BY since_us, tag"


def tagged(second: float, *tags: str, state: str | None = "Running") -> Event:
    return event("service/1", state, second, tags=[{"name": tag} for tag in tags])


def found(second: float, *tags: str) -> Observation:
    return seen("service/1", "Running", second)._replace(extra=json.dumps({"tags": tags}))


def bore(url: str) -> list[tuple[str, int, int | None, str]]:
    """Tag, since and until in seconds, and how it is known."""
    said = rows(url, BORE)
    zero = micros(0)
    return [
        (tag, (since - zero) // 10**6, None if until is None else (until - zero) // 10**6, how)
        for tag, since, until, how in said
    ]


def test_a_tag_is_borne_from_the_first_word_that_lists_it_to_the_first_that_does_not(database_url: str) -> None:
    record(database_url, event("service/1", "Starting", 0), tagged(1, "prod", "blue"), event("service/1", "Running", 2))
    record(database_url, found(3, "prod", "grün|'\""), tagged(4, "prod"), tagged(6), tagged(8, "prod"))

    assert bore(database_url) == [
        ("blue", 0, 3, "told"),
        ("prod", 0, 6, "told"),
        ("grün|'\"", 3, 4, "asked"),
        ("prod", 8, None, "told"),
    ]
    assert migrate.check(database_url) == []


def test_what_is_told_late_and_what_ends_count_as_for_names(database_url: str) -> None:
    record(database_url, tagged(0, "a"), tagged(9, "b"))
    record(database_url, tagged(5, "a", "c"))
    record(database_url, event("service/1", "Terminated", 10))

    assert bore(database_url) == [("a", 0, 9, "told"), ("c", 5, 9, "told"), ("b", 9, 10, "told")]


def test_no_list_says_nothing_and_neither_does_what_is_no_list(database_url: str) -> None:
    odd = [
        event("service/1", "Running", second, tags=tags) for second, tags in ((1, None), (2, "x"), (3, {"name": "x"}))
    ]
    record(
        database_url,
        tagged(0, "a"),
        *odd,
        event("service/2", "Running", 4, tags=[1, {"name": 2}, {"name": "b\0"}, "c"]),
    )

    assert bore(database_url) == [("a", 0, None, "told")]
    assert rows(database_url, "SELECT uri, tag FROM resource_tags WHERE tag = 'c'") == [(uri("service/2"), "c")]


def test_the_tree_and_its_difference_show_them(database_url: str) -> None:
    record(database_url, tagged(0, "prod", "blue"), tagged(5, "prod", "green"))
    with Archive.open(database_url) as archive:
        assert [archive.at(at(second), "service/1").tags for second in (1, 6)] == [("blue", "prod"), ("green", "prod")]
        assert archive.tree("service/1").tags == ("green", "prod")
        (change,) = archive.diff(at(1), at(6), "service/1").changes

    assert (change.change, change.before, change.after, change.at) == (
        "tags",
        ("blue", "prod"),
        ("green", "prod"),
        at(5),
    )


@pytest.mark.parametrize("where", [f"uri = '{uri('service/1')}'", "tag = 'rare'"])
def test_the_view_costs_the_same_where_there_is_more_without_tags(database_url: str, where: str) -> None:
    statement = f"SELECT * FROM resource_tags WHERE {where}"
    record(database_url, tagged(0, "rare", "a"), tagged(5, "rare", "b"), *others(range(200)))
    small = answer_of_sql(database_url, statement, by_index=True)
    record(database_url, *others(range(200, 2000)))
    large = answer_of_sql(database_url, statement, by_index=True)

    assert small.rows == large.rows > 0
    assert not grown(small.cost, large.cost, database_url), (small, large)


def others(numbers: range) -> list[Event]:
    return [event(f"container/{n}", "Running", n, ["service/2"])._replace(name=f"c{n}") for n in numbers]


def test_an_answer_of_before_the_tags_were_told_changes_none_until_it_must_know_of_them(database_url: str) -> None:
    record(database_url, opened("s", 0), tagged(1, "a"), tagged(100, "b"))

    def asked(second: float) -> int:
        old = found(second, "a")._replace(session="s", name=f"named at {second}")
        return record(database_url, Answers((old,), micros(second), 0)).observed

    assert (asked(110), rows(database_url, BORE)[1:]) == (1, [("b", micros(100), None, "told")])
    assert (asked(170), rows(database_url, BORE)[2:]) == (1, [("a", micros(170), None, "asked")])


# --- what became of them ----------------------------------------------------------------------------------------------


def test_other_tags_are_a_change(database_url: str) -> None:
    record(database_url, tagged(0, "prod", "blue"), tagged(5, "prod", "green"), tagged(6, "prod", "green"), tagged(7))
    with Archive.open(database_url) as archive:
        nearby = archive.why("service/1", at(8)).changes
        reported = archive.report("changes", "service/1", between(0, 9)).rows

    wanted = [(at(5), ("blue", "prod"), ("green", "prod")), (at(7), ("green", "prod"), ())]
    assert [(each.at, each.before, each.after) for each in nearby if each.change == "tags"] == wanted[::-1]
    assert [(each.at, each.before, each.after) for each in reported if each.change == "tags"] == wanted
    assert rows(database_url, CHANGED) == [
        (micros(second), json.dumps(before, separators=(",", ":")), json.dumps(after, separators=(",", ":")))
        for second, before, after in ((5, ["blue", "prod"], ["green", "prod"]), (7, ["green", "prod"], []))
    ]


def test_they_are_shown_at_a_shell(sqlite_url: str, run_archiver: RunArchiver) -> None:
    record(sqlite_url, tagged(0, "prod", "blue"), tagged(5, "prod"), tagged(7))

    def said(*words: str) -> str:
        return run_archiver("--database", sqlite_url, "why", "service/1", *words).stdout

    first, second = [line.split()[2:] for line in said("-o", "table").splitlines()[4:6]]
    assert first == ["tags", uri("service/1"), "prod", "-", "-", "-"]
    assert second == ["tags", uri("service/1"), "blue,", "prod", "prod", "-", "-"]
    changes = json.loads(said("-o", "json"))["changes"]
    assert [(each["before"], each["after"]) for each in changes[:2]] == [(["prod"], []), (["blue", "prod"], ["prod"])]


@pytest.mark.parametrize("seed", range(4))
def test_they_are_as_counted_instant_by_instant(database_url: str, seed: int) -> None:
    """In whatever order it arrives: which tags were borne when, and when they became others."""
    random = Random(seed)
    told: list[tuple[int, tuple[str, ...] | None, str]] = []
    for second in random.sample(range(1, 40), 25):
        tags = None if random.random() < 0.2 else tuple(sorted(random.sample("abcd", random.randrange(4))))
        told.append((second, tags, "Terminated" if random.random() < 0.2 else "Running"))
    for begin in range(0, len(told), 5):
        lines = [
            event("service/1", state, second) if tags is None else tagged(second, *tags, state=state)
            for second, tags, state in told[begin : begin + 5]
        ]
        record(database_url, *lines)
    by_second = by_hand(told)

    with Archive.open(database_url) as archive:
        reported = archive.report("changes", "service/1", between(0, 41)).rows
    became = [(each.at, each.before, each.after) for each in reported if each.change == "tags"]
    assert became == [(at(second), before, after) for second, before, after in changes_by_hand(by_second)]
    assert rows(database_url, CHANGED) == [
        (micros(second), *map(as_list, two)) for second, *two in changes_by_hand(by_second)
    ]
    borne = {(tag, second) for tag, since, until, _ in bore(database_url) for second in range(since, until or 41)}
    assert borne == {(tag, second) for second, tags in by_second.items() for tag in tags or ()}


CHANGED = "SELECT at_us, before, after FROM changes WHERE uri = '/api/v1/service/1/' AND change = 'tags' ORDER BY at_us"


def as_list(tags: tuple[str, ...]) -> str:
    return json.dumps(tags, separators=(",", ":"))


def by_hand(told: list[tuple[int, tuple[str, ...] | None, str]]) -> dict[int, tuple[str, ...] | None]:
    """The tags at each second; None: it was no more, was not heard of yet, or never told any."""
    said = sorted(told)
    first = next((tags for _, tags, _ in said if tags is not None), None)
    found: dict[int, tuple[str, ...] | None] = {}
    for second in range(41):
        until = [each for each in said if each[0] <= second]
        lists = [tags for _, tags, _ in until if tags is not None]
        lives = bool(until) and until[-1][2] != "Terminated"
        found[second] = (lists[-1] if lists else first) if lives else None
    return found


def changes_by_hand(
    by_second: dict[int, tuple[str, ...] | None],
) -> list[tuple[int, tuple[str, ...], tuple[str, ...]]]:
    """When it bore others than it had borne last."""
    found: list[tuple[int, tuple[str, ...], tuple[str, ...]]] = []
    last: tuple[str, ...] | None = None
    for second, tags in by_second.items():
        if tags is not None and last is not None and tags != last:
            found.append((second, last, tags))
        last = last if tags is None else tags
    return found


def test_many_changes_of_one_object_cost_no_more_each_than_few(database_url: str) -> None:
    statement = "SELECT * FROM resource_tags WHERE uri = '/api/v1/service/1/'"
    record(database_url, *[tagged(n, "always", f"t{n % 5}", f"t{n % 7}") for n in range(100)])
    few = answer_of_sql(database_url, statement, by_index=True)
    record(database_url, *[tagged(n, "always", f"t{n % 5}", f"t{n % 7}") for n in range(100, 800)])
    many = answer_of_sql(database_url, statement, by_index=True)

    assert many.rows > 7 * few.rows
    assert not grown(few.cost * many.rows // few.rows, many.cost, database_url), (few, many)
