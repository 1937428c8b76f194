"""What one stream told, of what all told: events, actions, states and gaps of its own, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.errors import NoSuchStream
from archiver.model import Event
from archiver.storage import migrate

from .archives import STREAM, at, closed, event, opened, record, seen
from .growth import analysed, cost_of, grown

OTHER = f"{STREAM}?other"
"""Of the same account."""
ELSEWHERE = "ws://elsewhere.example/v1/events"
WEB = "container/1"


def told(ref: str, state: str, second: float, session: str, **more: Any) -> Event:
    return event(ref, state, second, ["stack/shop"], session, uuid=f"{ref} {second}", **more)


@pytest.fixture
def archive(database_url: str) -> Any:
    """Two ways to one account; each was away for a while, and heard what the other did not."""
    record(
        database_url,
        *(opened("a", 0), opened("b", 0, stream=OTHER)),
        told(WEB, "Starting", 10, "a"),
        told(WEB, "Running", 20, "a"),
        told(WEB, "Running", 20, "b"),
        told("action/1", "Success", 30, "b"),
        told(WEB, "Stopped", 40, "b"),
        told("action/2", "Success", 50, "a"),
        seen(WEB, "Stopping", 60, ["stack/shop"], "a"),
        *(closed("a", 100), closed("b", 200, stream=OTHER)),
    )
    with Archive.open(database_url) as archive:
        yield archive


@pytest.mark.parametrize("limit", [0, 100])
@pytest.mark.parametrize("under", [None, "stack/shop"])
def test_events_are_those_that_it_told_if_not_alone(archive: Archive, limit: int, under: str | None) -> None:
    found = {
        url: [found.state for found in archive.events(stream=url, limit=limit, under=under)] for url in (STREAM, OTHER)
    }

    assert found == {STREAM: ["Starting", "Running", "Success"], OTHER: ["Running", "Success", "Stopped"]}


def test_what_comes_is_that_which_it_tells(archive: Archive) -> None:
    assert [found.state for found in archive.follow(stream=OTHER, after=0)] == ["Running", "Success", "Stopped"]


def test_the_last_of_a_type_is_that_which_it_told(archive: Archive) -> None:
    assert [found.occurred_at for found in archive.events(types=["action"], stream=OTHER, limit=1)] == [at(30)]


def test_states_are_those_that_it_told_and_found(archive: Archive) -> None:
    first, second = (archive.history(WEB, stream=url) for url in (STREAM, OTHER))

    assert [(span.state, span.since) for span in first.spans] == [
        ("Starting", at(10)),
        ("Running", at(20)),
        ("Stopping", at(60)),
    ]
    assert [span.state for span in second.spans] == ["Running", "Stopped"]
    assert [[gap.stream for gap in found.coverage.gaps] for found in (first, second)] == [[STREAM], [OTHER]]


def test_actions_are_those_of_which_it_told(archive: Archive) -> None:
    found = {url: [each.started_at for each in archive.actions("stack/shop", stream=url)] for url in (STREAM, OTHER)}

    assert found == {STREAM: [at(50)], OTHER: [at(30)]}


def test_gaps_are_its_own(archive: Archive) -> None:
    assert [(gap.stream, gap.since) for gap in archive.coverage(stream=OTHER).gaps if gap.since] == [(OTHER, at(200))]


def test_an_export_of_what_it_told_is_a_part(archive: Archive) -> None:
    head, *lines = archive.export(stream=OTHER)

    assert len([line for line in lines if '"resource_uri"' in line]) == 3
    assert "sessions" not in head


def test_a_stream_that_is_not_there_is_said_with_those_that_are(archive: Archive) -> None:
    with pytest.raises(NoSuchStream) as raised:
        list(archive.events(stream="ws://none.example/"))

    assert raised.value.known == (STREAM, OTHER)


def test_the_last_of_a_stream_that_told_long_ago_cost_the_same_in_a_larger_archive(empty_database_url: str) -> None:
    migrate.create(empty_database_url)
    record(empty_database_url, opened("a", 0), *[told(f"container/{n}", "Running", n, "a") for n in range(20)])
    record(empty_database_url, opened("z", 100, stream=ELSEWHERE))
    costs = []
    for others in (range(2_000), range(2_000, 12_000)):
        record(
            empty_database_url,
            *(event(f"container/other-{n % 50}", "Running", 200 + n, session="z", uuid=f"{n}") for n in others),
        )
        analysed(empty_database_url)
        costs.append(cost_of(empty_database_url, lambda archive: list(archive.events(stream=STREAM, limit=5))))

    assert not grown(*costs, empty_database_url), costs
