"""Why things stopped, as the archive tells it: by the actions that it has, and by what nobody watched."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.model import Cause, Span
from archiver.queries import acted, causing
from archiver.transfer.importer import import_lines

from ..conftest import RunArchiver
from .archives import at, between, closed, event, opened, record, rows, seen, uri
from .growth import noted

DATA = Path(__file__).parents[1] / "data"
CONTAINER = "c0" * 32


def told(verb: str, second: float, **attributes: str) -> bytes:
    """What an engine says of its container."""
    nano = int((at(0) + timedelta(seconds=second)).timestamp() * 1e6) * 1000
    message = {"Type": "container", "Action": verb, "scope": "local", "time": nano // 10**9, "timeNano": nano}
    return json.dumps(message | {"Actor": {"ID": CONTAINER, "Attributes": {"name": "web", **attributes}}}).encode()


def ends(url: str, ref: str = "container/1", since: float | None = None) -> list[tuple[str, str, list[Any]]]:
    """State, kind of the cause and what did it, of each end."""
    with Archive.open(url) as archive:
        found = archive.history(ref, between(since, None)).spans
    return [_shown(span, span.cause) for span in found if span.cause]


def _shown(span: Span, cause: Cause) -> tuple[str, str, list[Any]]:
    return span.state, cause.kind, [proof.name or proof.uri for proof in cause.actions]


def test_a_recorded_swarm_says_why_each_of_its_containers_ended(database_url: str) -> None:
    import_lines(database_url, (DATA / "docker-swarm-events.jsonl").read_bytes().splitlines())

    assert ends(database_url, "blog-app-2") == [("exited (137)", "told", ["kill"])]
    assert ends(database_url, "blog-db-1") == [("exited (137)", "forced", ["stop"])]
    assert ends(database_url, "shop_web.3.d5bs0gh5l5xkdkfi4zig8eqmw") == [
        ("exited (137)", "forced", ["restart"]),
        ("exited (137)", "forced", ["stop"]),
    ]
    # Its service was made by an update just before: that told nothing to end.
    assert ends(database_url, "shop_worker.1.gnfs86843bnkq6kl9khq14uqp") == [("exited (3)", "crash", [])]
    # The update of the service replaced it.
    assert ends(database_url, "shop_web.2.r6dpkukx7ev054e4gn7zwv5jh") == [("exited (137)", "forced", ["stop"])]


def test_a_recreation_by_compose_is_no_crash(sqlite_url: str) -> None:
    steps = [("create", 0), ("start", 1), ("kill", 5), ("die", 6), ("stop", 6.1), ("destroy", 6.2)]
    more = {"kill": {"signal": "15"}, "die": {"exitCode": "143"}}
    import_lines(sqlite_url, [told(verb, second, **more.get(verb, {})) for verb, second in steps])

    assert ends(sqlite_url, "web") == [("exited (143)", "told", ["stop"])]


def test_out_of_memory_is_a_cause(sqlite_url: str) -> None:
    import_lines(sqlite_url, [told("start", 0), told("oom", 5), told("die", 5.2, exitCode="137")])

    assert ends(sqlite_url, "web") == [("exited (137)", "oom", [])]


def test_an_action_above_that_ran_over_the_end_is_named(database_url: str) -> None:
    place = ["service/web", "stack/shop"]
    record(
        database_url,
        event("container/1", "Running", 0, place),
        event("action/old", "In progress", 1, ["service/web", "stack/shop"]),
        event("action/old", "Success", 2, ["service/web", "stack/shop"]),
        event("action/stop", "In progress", 50, ["stack/shop"]),
        event("container/1", "Stopping", 52, place),
        event("container/1", "Stopped", 55, place),
        event("action/stop", "Success", 56, ["stack/shop"]),
        event("container/1", "Starting", 60, place),
        event("container/1", "Running", 61, place),
        event("container/1", "Stopped", 90, place),
    )

    assert ends(database_url) == [("Stopped", "told", [uri("action/stop")]), ("Stopped", "crash", [])]
    assert ends(database_url, since=53) == [("Stopped", "told", [uri("action/stop")]), ("Stopped", "crash", [])]


@pytest.mark.parametrize("target", [["node/a", "nodecluster/c"], ["nodecluster/c"]])
def test_what_is_done_to_a_node_stops_what_was_told_to_stop_and_explains_no_crash(
    database_url: str, target: list[str]
) -> None:
    place = ["service/web", "node/a", "nodecluster/c"]
    record(
        database_url,
        event("container/1", "Running", 0, place),
        event("action/up", "In progress", 5, target)._replace(name="Node Upgrade"),
        event("container/1", "Stopped", 7, place),
        event("container/1", "Running", 10, place),
        event("container/1", "Stopping", 12, place),
        event("container/1", "Stopped", 14, place),
        event("container/1", "Running", 16, place),
        event("action/up", "Success", 20, target),
    )

    assert ends(database_url) == [("Stopped", "crash", []), ("Stopped", "told", ["Node Upgrade"])]
    assert rows(database_url, "SELECT cause, action_uri FROM restarts ORDER BY stopped_us") == [
        ("crash", None), ("told", uri("action/up")),
    ]  # fmt: skip


def test_several_that_may_have_done_it_are_candidates(sqlite_url: str) -> None:
    record(
        sqlite_url,
        event("container/1", "Running", 0, ["service/web"]),
        event("action/a", "In progress", 5, ["container/1", "service/web"]),
        event("action/b", "In progress", 6, ["service/web"]),
        event("container/1", "Stopped", 7, ["service/web"]),
    )

    assert ends(sqlite_url) == [("Stopped", "told", [uri("action/a"), uri("action/b")])]


@pytest.mark.parametrize(
    ("over", "stop", "named"), [(10, 12, ["action/stop"]), (12, 12, ["action/scale", "action/stop"])]
)
def test_what_was_over_before_the_end_did_not_do_it_where_another_was_under_way(
    database_url: str, over: int, stop: int, named: list[str]
) -> None:
    place = ["service/web", "node/a", "nodecluster/c"]
    record(
        database_url,
        event("container/1", "Running", 0, place),
        event("action/scale", "In progress", 5, ["nodecluster/c"]),
        event("action/scale", "Success", over, ["nodecluster/c"]),
        event("action/stop", "In progress", 11, ["service/web"]),
        event("container/1", "Stopping", 11.5, place),
        event("container/1", "Stopped", stop, place),
        event("action/stop", "Success", 13, ["service/web"]),
        event("container/1", "Running", 15, place),
    )

    assert ends(database_url) == [("Stopped", "told", [uri(each) for each in named])]
    assert rows(database_url, "SELECT cause, action_uri FROM restarts") == [
        ("told", uri(named[0]) if len(named) == 1 else None)
    ]


def test_who_did_it_is_said_where_the_source_knows(database_url: str) -> None:
    record(
        database_url,
        event("container/1", "Running", 0),
        event("action/a", "In progress", 5, ["container/1"], user="ada"),
        event("container/1", "Stopped", 7),
    )

    with Archive.open(database_url) as archive:
        cause = archive.history("container/1").spans[-1].cause

    assert cause is not None
    assert [(proof.by, proof.target, proof.started_at) for proof in cause.actions] == [
        ("ada", uri("container/1"), at(5))
    ]


def test_what_ended_while_nobody_was_watching_has_an_unknown_cause(database_url: str) -> None:
    record(
        database_url,
        opened("a", 0),
        event("container/1", "Running", 1, session="a"),
        closed("a", 10),
        opened("b", 60),
        seen("container/1", "Stopped", 61, session="b"),
        event("container/1", "Running", 62, session="b"),
        event("container/1", "Stopped", 70, session="b"),
        closed("b", 80),
    )

    assert ends(database_url) == [("Stopped", "unknown", []), ("Stopped", "crash", [])]


def test_a_span_is_certain_where_somebody_watched_it_throughout(database_url: str) -> None:
    record(
        database_url,
        opened("a", 0),
        event("container/1", "Starting", 1, session="a"),
        event("container/1", "Running", 2, session="a"),
        closed("a", 10),
        opened("b", 60),
        event("container/1", "Stopped", 70, session="b"),
        closed("b", 80),
    )

    with Archive.open(database_url) as archive:
        certain = [span.certain for span in archive.history("container/1").spans]

    assert certain == [True, False, True]


def test_causes_do_not_depend_on_how_many_spans_are_read_at_once(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = []
    for n in range(12):
        begin = n * 2
        lines += [told("start", begin), told("die", begin + 1, exitCode="1" if n % 3 else "143")]
        lines += [] if n % 3 else [told("stop", begin + 1.1)]
    import_lines(sqlite_url, lines)
    expected = ends(sqlite_url, "web")
    monkeypatch.setattr(causing, "_TOGETHER", 3)
    together = ends(sqlite_url, "web")
    monkeypatch.setattr(acted, "_MOST", 0)

    assert [kind for _, kind, _ in expected] == ["told", "crash", "crash"] * 4
    assert together == expected
    assert ends(sqlite_url, "web") == expected


def test_history_says_it_in_a_word_and_as_json(sqlite_url: str, run_archiver: RunArchiver) -> None:
    import_lines(sqlite_url, [told("start", 0), told("die", 5, exitCode="143"), told("stop", 5.1)])

    table = run_archiver("--database", sqlite_url, "history", "web", "-o", "table").stdout
    document = json.loads(run_archiver("--database", sqlite_url, "history", "web", "-o", "json").stdout)

    assert "told: stop" in table
    cause = document["spans"][1]["cause"]
    assert cause["kind"] == "told"
    assert cause["exit_code"] == 143
    assert [(each["name"], each["by"]) for each in cause["actions"]] == [("stop", None)]
    assert list(document["spans"][0].items())[-3:] == [("certain", None), ("seen_at", None), ("cause", None)]


def test_the_causes_of_many_ends_are_asked_for_at_once(database_url: str) -> None:
    days = [(number, day) for number in range(1, 9) for day in range(3)]
    lines = [
        event(f"container/{number}", state, day * 86_400 + number * 60 + second, parents=[uri("stack/1")])
        for second, state in ((0, "Running"), (30, "Stopped"))
        for number, day in days
    ]
    record(database_url, *lines)
    asked = []
    for ask in (
        lambda archive, within: archive.history("container/1", within),
        lambda archive, within: archive.report("restarts", "stack/1", within),
        lambda archive, within: archive.incident(within, "stack/1"),
        lambda archive, within: archive.lanes("stack/1", within),
    ):
        for days_asked in (1, 3):
            with noted() as statements, Archive.open(database_url) as archive:
                ask(archive, between(0, days_asked * 86_400))
            asked.append(sum("f.what = 2 AND f.value" in text for text, _ in statements))

    # Sixteen ends more; of a longer time there may be a part more to look through.
    assert all(many - few < 3 for few, many in zip(asked[::2], asked[1::2], strict=True))
    assert max(asked) < 16
