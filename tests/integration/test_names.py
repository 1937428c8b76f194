"""What an object was called when something was told of it."""

from __future__ import annotations

from archiver.api.archive import Archive
from archiver.model import TimeRange, to_datetime

from .archives import event, micros, record


def test_a_name_is_its_own_from_the_very_instant_in_which_it_was_told(database_url: str) -> None:
    record(database_url, event("container/1", "Running", 1)._replace(name="first"))
    record(database_url, event("container/1", "Running", 5)._replace(name="second"))
    record(database_url, event("container/1", "Stopped", 5), event("container/1", "Running", 9)._replace(name="third"))

    with Archive.open(database_url) as archive:
        told = list(archive.events(range=TimeRange(None, to_datetime(micros(6)))))

    assert [(one.state, one.name) for one in told] == [
        ("Running", "first"), ("Running", "second"), ("Stopped", "second"),
    ]  # fmt: skip
