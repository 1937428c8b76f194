"""Which questions are put to an archive: to the library, and to every view by each of its filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from archiver.api.archive import Archive
from archiver.model import TreeNode, iso, to_micros
from bench.counting import Question
from bench.subjects import Subjects


def asked(about: Subjects) -> Iterator[Question]:
    """Every question, to the library and to the views."""
    yield from _of_library(about)
    yield from _of_views(about)


def _of_library(about: Subjects) -> Iterator[Question]:
    def tree(ref: str) -> Callable[[Archive], int]:
        return lambda archive: _nodes(archive.tree(ref))

    def actions(ref: str) -> Callable[[Archive], int]:
        return lambda archive: _length(archive.actions(ref, about.hour))

    def last(**which: Any) -> Callable[[Archive], int]:
        return lambda archive: _length(archive.events(**which))

    yield Question("tree of the cluster", tree(about.cluster))
    yield Question("tree of a stack with many dead containers", tree(about.busy))
    yield Question("history of a container", lambda archive: len(archive.history(about.container).spans))
    yield Question("actions of an hour, under the cluster", actions(about.cluster))
    yield Question("actions of an hour, under a busy stack", actions(about.busy))
    yield Question("events -n 100", last())
    yield Question("events -n 100 --under the cluster", last(under=about.cluster))
    yield Question("events -n 100 --under a quiet stack", last(under=about.quiet))
    yield Question("events -n 100 --type of which is none", last(types=["nodecluster"]))


def _of_views(about: Subjects) -> Iterator[Question]:
    assert about.hour.since is not None
    assert about.hour.until is not None
    since, until = to_micros(about.hour.since), to_micros(about.hour.until)
    below = f"JOIN subtree u ON u.ancestor_uri = '{about.quiet}' AND u.descendant_uri ="
    for view, uri, text, number in (
        ("event_log", "uri", "occurred_at", "occurred_us"),
        ("state_spans", "uri", "since", "since_us"),
        ("action_log", "action", "started_at", "started_us"),
    ):
        of_hour = f"v.{text} >= '{iso(since)}' AND v.{text} < '{iso(until)}'"
        of_hour_number = f"v.{number} >= {since} AND v.{number} < {until}"
        yield Question(f"{view} of an hour", f"SELECT * FROM {view} v WHERE {of_hour}")
        yield Question(f"{view} of an hour in microseconds", f"SELECT * FROM {view} v WHERE {of_hour_number}")
        yield Question(f"{view} of a stack in an hour", _under(view, uri, text, of_hour, about.quiet))
    for view in ("event_log", "state_spans", "current_states"):
        yield Question(f"{view} of a container", f"SELECT * FROM {view} WHERE uri = '{about.container}'")
    above = f"SELECT p.* FROM event_log e JOIN event_parents p ON p.event_id = e.id WHERE e.uri = '{about.container}'"
    yield Question("event_parents of a container", above)
    yield Question("state_spans of a stack", f"SELECT v.* FROM state_spans v {below} v.uri")
    yield Question("current_states of a type", "SELECT * FROM current_states WHERE type = 'node'")
    yield Question("action_log of an action", f"SELECT * FROM action_log WHERE action = '{about.action}'")
    yield Question("action_log of a target", f"SELECT * FROM action_log WHERE target = '{about.container}'")
    now = "WHERE u.holds = 1"
    yield Question("current_states of a stack, now", f"SELECT v.* FROM current_states v {below} v.uri {now}")
    yield Question("subtree of the cluster, now", f"SELECT * FROM subtree u {now} AND ancestor_uri = '{about.cluster}'")
    yield Question("subtree above a container", f"SELECT * FROM subtree WHERE descendant_uri = '{about.container}'")


def _under(view: str, uri: str, at: str, of_hour: str, stack: str) -> str:
    """What a view says of a range of time, of what was under a stack then; as docs/sql.md asks it."""
    below = f"u.ancestor_uri = '{stack}' AND {of_hour.replace(f'v.{at}', 'u.at')}"
    if view == "event_log":
        return f"SELECT v.* FROM words_under u JOIN event_log v ON v.id = u.id WHERE {below} AND u.source = 'event'"
    if view == "state_spans":
        return f"""WITH b AS MATERIALIZED (SELECT DISTINCT u.uri, u.at FROM words_under u WHERE {below})
            SELECT v.* FROM b CROSS JOIN state_spans v WHERE v.uri = b.uri AND v.since = b.at"""
    own = f"u.ancestor_uri = '{stack}' AND u.uri = v.{uri} AND u.at = v.{at}"
    return f"SELECT v.* FROM {view} v WHERE {of_hour} AND 1 = (SELECT 1 FROM words_under u WHERE {own} LIMIT 1)"


def _nodes(node: TreeNode) -> int:
    return 1 + sum(map(_nodes, node.children))


def _length(answer: Iterable[object]) -> int:
    return sum(1 for _ in answer)
