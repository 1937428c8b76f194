"""The status, for people and for programs."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta

from archiver.cli.commands import status
from archiver.cli.presentation import Format, Presentation
from archiver.model import Status, StreamStatus
from archiver.model.health import Problem

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
SINCE = datetime(2026, 11, 20, 14, 48, tzinfo=UTC)
STREAM = StreamStatus("wss://x/events", True, SINCE, NOW, None, None, 2)
WHOLE = Status("archive.db", "0001", 1_204_381, 0, 12, SINCE, SINCE, 3 * 1024 * 1024, (STREAM,))
UNRECORDED = Problem("unrecorded", "no stream has been recorded yet", "start with: archiver run --stream URL")
FRESH = Status("archive.db", "0001", 0, 0, 0, None, None, None, ())


def shown(what: Status, format: Format = "table") -> list[str]:
    return list(status.lines(Presentation(format, now=NOW), what))


def test_people_see_how_things_stand() -> None:
    text = "\n".join(shown(WHOLE))

    assert "archive.db (3.0 MiB)" in text
    assert "1,204,381" in text
    assert "2026-11-20 14:48:00Z (3h12m ago)" in text
    assert "wss://x/events  yes" in text


def test_a_stream_that_cannot_be_reached_says_why_and_a_clock_that_is_off_says_how_far() -> None:
    bad = StreamStatus(
        "tcp://x:2375", False, None, None, None, None, 0, "connection \x1b[31mrefused", WHOLE.last_event_at, -90.0
    )

    text = shown(WHOLE._replace(streams=(bad,)))

    assert text[-2] == "tcp://x:2375: connection \\x1b[31mrefused (at 2026-11-20 14:48:00Z)"
    assert text[-1] == "tcp://x:2375: its clock is 1m30s behind ours"


def test_a_fresh_archive_names_the_next_step() -> None:
    assert "archiver run --stream URL" in shown(FRESH._replace(problems=(UNRECORDED,)))[-1]


def test_of_what_was_imported_it_is_said_that_no_stream_is_recorded() -> None:
    imported = FRESH._replace(events=1, last_event_at=NOW)

    assert shown(imported)[-1].startswith("no stream is recorded: what is here was imported")
    assert "yet" not in "".join(shown(imported))


def test_json_has_every_value() -> None:
    document = json.loads("\n".join(shown(WHOLE, "json")))

    assert document["last_event_at"] == "2026-11-20T14:48:00Z"
    assert document["streams"] == [
        {
            "url": "wss://x/events", "connected": True, "opened_at": "2026-11-20T14:48:00Z",
            "last_seen_at": "2026-11-20T18:00:00Z", "closed_at": None, "reason": None, "gaps": 2,
            "trouble": None, "trouble_since": None, "clock_offset_seconds": None,
            "recorded": True, "lag_seconds": None,
        }
    ]  # fmt: skip


def test_csv_has_a_record_a_stream_and_drops_nothing_of_the_archive() -> None:
    head, record = csv.reader(shown(WHOLE, "csv"))
    values = dict(zip(head, record, strict=True))

    assert head[:3] == ["url", "connected", "opened_at"]
    assert (values["url"], values["gaps"], values["database"], values["events"]) == (
        "wss://x/events", "2", "archive.db", "1204381",
    )  # fmt: skip
    assert dict(zip(*csv.reader(shown(FRESH, "csv")), strict=True))["revision"] == "0001"


def test_what_is_not_well_stands_above_the_streams_and_in_every_format() -> None:
    ill = WHOLE._replace(problems=(Problem("full", "no \x1b room", "make some"),), free_bytes=0, bytes_per_day=1 << 20)

    assert "not well: no \\x1b room; make some" in shown(ill)
    assert any(line.endswith("1.0 MiB a day, 0 B free") for line in shown(ill))
    document = json.loads("\n".join(shown(ill, "json")))
    assert document["well"] is False
    assert document["problems"] == [{"kind": "full", "text": "no \x1b room", "hint": "make some"}]
    assert "problem\tfull\tno \\x1b room\tmake some" in shown(ill, "plain")
    assert json.loads("\n".join(shown(WHOLE, "json")))["well"] is True


def test_the_day_on_which_the_disk_is_full_is_said_where_it_is_near() -> None:
    growing = WHOLE._replace(free_bytes=1 << 30, bytes_per_day=1 << 20, full_at=NOW + timedelta(days=1024))

    assert any(line.endswith("1.0 MiB a day, 1.0 GiB free: full in 1024 days") for line in shown(growing))
    assert not any("full in" in line for line in shown(growing._replace(full_at=NOW + timedelta(days=99_999))))


def test_plain_is_a_name_and_a_value_a_line() -> None:
    assert "events\t1204381" in shown(WHOLE, "plain")
    assert shown(WHOLE, "plain")[-1].startswith(
        "stream\twss://x/events\tconnected=true\topened_at=2026-11-20T14:48:00Z\t"
    )
