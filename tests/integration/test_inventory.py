"""What an archive holds of an export is known by all that an item says, on both databases."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text

from archiver.model import Observation, Record
from archiver.storage.database.engine import writing_engine
from archiver.storage.recorder import Recorder

from .archives import event, micros, record, rows, uri

OBSERVATIONS = (
    "SELECT t.text, m.resource_id FROM observations o LEFT JOIN texts t ON t.id = o.name_id"
    " LEFT JOIN parent_list_members m ON m.list_id = o.parent_list_id"
)


def found(name: str | None, *parents: str, state: str = "Running") -> Observation:
    return Observation(uri("container/1"), state, name, tuple(map(uri, parents)), micros(1), None, None)


def brought(url: str, *records: Record) -> None:
    """As an import of an export that holds these."""
    with Recorder(url) as recorder:
        inventory, _ = recorder.take_stock(None)
        recorder.record(records, inventory=inventory)


def names(url: str) -> Counter[Any]:
    return Counter(name for name, _ in rows(url, OBSERVATIONS))


def test_an_observation_that_differs_in_its_name_only_is_another(database_url: str) -> None:
    record(database_url, found("web"))

    brought(database_url, found("web_old"), found("web"))

    assert names(database_url) == {"web": 1, "web_old": 1}


@pytest.mark.parametrize(("parents", "there"), [(("service/1",), 1), (("service/2",), 2), ((), 2)])
def test_an_observation_that_differs_in_its_parents_only_is_another(
    database_url: str, parents: tuple[str, ...], there: int
) -> None:
    record(database_url, event("service/2"), found("web", "service/1"))

    brought(database_url, found("web", *parents))

    assert rows(database_url, "SELECT count(*) FROM observations") == [(there,)]


def test_the_spelling_of_a_parent_makes_no_other_observation(database_url: str) -> None:
    record(database_url, found("web", "service/1"))

    brought(database_url, found("web", "/api/app/v1/service/1/"))

    assert rows(database_url, "SELECT count(*) FROM observations") == [(1,)]


def test_what_version_0_1_0_kept_without_name_and_parents_is_the_same(database_url: str) -> None:
    """Its exports had them all the same, as they stood in the end."""
    record(database_url, found(None), found(None))

    brought(database_url, *[found("web", "service/1")] * 3)

    assert names(database_url) == {None: 2, "web": 1}


def test_each_item_is_held_by_a_row_of_its_own_whatever_order_they_stand_in(database_url: str) -> None:
    record(database_url, found(None), found("web", "service/1"))

    brought(database_url, *[found("web", "service/1")] * 2)

    assert names(database_url) == {None: 1, "web": 1}


def test_an_event_without_uuid_is_found_after_its_names_and_parents_are_stored_once(database_url: str) -> None:
    told = [event("container/1", "Running", n, ["service/1", "stack/1"])._replace(name="web") for n in (1, 2, 2)]
    record(database_url, *told[:2])

    brought(database_url, *told)

    assert rows(database_url, "SELECT count(*) FROM events") == [(3,)]


def test_what_came_after_the_stock_was_taken_holds_nothing(database_url: str) -> None:
    with Recorder(database_url) as recorder:
        inventory, _ = recorder.take_stock(None)
        for _ in range(2):
            recorder.record([found("web")], inventory=inventory)

    assert names(database_url) == {"web": 2}


def test_an_export_is_alone_only_while_no_number_was_given_to_anything_else(database_url: str) -> None:
    engine = writing_engine(database_url)
    with Recorder(database_url) as recorder:
        recorder.record([found("web"), found("web")])
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM observations WHERE id = 2"))
    engine.dispose()
    with Recorder(database_url) as recorder:
        recorder.remember("export:x", {"observation": 1})

        _, reached = recorder.take_stock("export:x")

    assert reached["observation"] == (1, 0)
