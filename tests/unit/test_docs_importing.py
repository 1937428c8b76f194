"""Every example of docs/importing.md is read as the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archiver.model import Event
from archiver.transfer.reader import How, Reader

PAGE = Path(__file__).parents[2] / "docs" / "importing.md"
EXAMPLES = re.findall(r"^```recording\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 10


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_events_with_object_and_time(example: str) -> None:
    records = [record for part in Reader(How()).batches([example.encode()]) for record in part.records]

    assert records
    for record in records:
        assert isinstance(record, Event), record
        assert record.resource_uri
        assert record.time_source != "received"
