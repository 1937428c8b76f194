"""Figures of questions to a small and to a large archive: an answer costs what it holds, not what lies around it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from archiver.api.archive import Archive
from bench.figures import Figure, alternating

RUNS = 51

MOST_EVENTS = """
    SELECT r.uri, count(*) FROM events e JOIN resources r ON r.id = e.resource_id
    GROUP BY r.uri ORDER BY 2 DESC, 1"""
EVENTS_OF = "SELECT count(*) FROM events e JOIN resources r ON r.id = e.resource_id WHERE r.uri = ?"

MOST_ACTIONS = """
    SELECT p.uri, count(*) FROM resource_parents e
    JOIN resources p ON p.id = e.parent_id JOIN resources c ON c.id = e.child_id
    WHERE c.type_id = (SELECT id FROM event_types WHERE text = 'action')
    GROUP BY p.uri ORDER BY 2 DESC, 1"""
ACTIONS_OF = """
    SELECT count(*) FROM resource_parents e
    JOIN resources p ON p.id = e.parent_id JOIN resources c ON c.id = e.child_id
    WHERE p.uri = ? AND c.type_id = (SELECT id FROM event_types WHERE text = 'action')"""


def popular(archive: Path) -> str:
    """The container of which the archive knows most events, of those it does not know a thousand of."""
    with _reading(archive) as connection:
        for uri, events in connection.execute(MOST_EVENTS):
            if "/container/" in uri and events < 1_000:
                return str(uri)
    raise RuntimeError("the archive has no container")


def figures(small: Path, large: Path) -> list[Figure]:
    """`history` and `actions` about a resource of which both archives know exactly the same."""
    return [
        _figure("history", small, large, same_in_both(small, large, MOST_EVENTS, EVENTS_OF)),
        _figure("actions", small, large, same_in_both(small, large, MOST_ACTIONS, ACTIONS_OF)),
    ]


def same_in_both(small: Path, large: Path, most: str, of: str) -> str:
    """The resource with the largest answer in the small archive that did not grow until the large one."""
    with _reading(small) as connection, _reading(large) as other:
        for uri, number in connection.execute(most):
            if other.execute(of, (uri,)).fetchone() == (number,):
                return str(uri)
    raise RuntimeError("everything that the small archive knows went on in the large one; take more events")


def _figure(question: str, small: Path, large: Path, uri: str) -> Figure:
    with Archive.open(f"sqlite:///{small}") as few, Archive.open(f"sqlite:///{large}") as many:
        quick, slow = alternating(
            RUNS, lambda: _seconds(_ask(few, question), uri), lambda: _seconds(_ask(many, question), uri)
        )
    return Figure(
        f"{question}, {_events(large):,} against {_events(small):,} events",
        f"{slow * 1000:.2f} ms",
        f"the small archive: {quick * 1000:.2f} ms",
        slow / quick,
        1.15,
        at_most=True,
    )


def _ask(archive: Archive, question: str) -> Callable[[str], object]:
    if question == "history":
        return archive.history
    return lambda uri: list(archive.actions(uri))


def _seconds(ask: Callable[[str], object], uri: str) -> float:
    began = time.perf_counter()
    ask(uri)
    return time.perf_counter() - began


def _events(archive: Path) -> int:
    with _reading(archive) as connection:
        return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])


def _reading(archive: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"file:{archive}?mode=ro", uri=True))
