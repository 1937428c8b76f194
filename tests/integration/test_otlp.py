"""What a collector of OpenTelemetry is sent, and that it gets everything."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from archiver.codec.otlp import Names, of_event, rejected
from archiver.model import ArchivedEvent
from archiver.recording.outward import otlp
from archiver.recording.outward.everybody import Collector, Outward, Wanted
from archiver.recording.outward.pace import OutwardPace

from .archives import at, event, opened, record, uri
from .receiving import Receiver, receiving
from .test_causes import CONTAINER
from .test_daemon import wait_for
from .test_hooks import QUICK, docker


@contextmanager
def sending(
    url: str, folder: Path, receiver: Receiver, pace: OutwardPace = QUICK, path: str = "/"
) -> Iterator[Outward]:
    address = f"http://127.0.0.1:{receiver.server_address[1]}{path}"
    collector = Collector.of(address, {"x-api-key": "s3cret"}, "test")
    with Outward(Wanted((), 1, collector), url, folder / "spool.db", lambda: (0, 0), pace) as outward:
        assert outward.exporter is not None
        assert wait_for(lambda: outward.exporter and outward.exporter.mark)
        yield outward


def plain(value: dict[str, Any]) -> Any:
    """A value as it was meant."""
    ((kind, told),) = value.items()
    if kind == "kvlistValue":
        return {each["key"]: plain(each["value"]) for each in told["values"]}
    if kind == "arrayValue":
        return [plain(each) for each in told["values"]]
    return int(told) if kind == "intValue" else told


def records(receiver: Receiver) -> list[dict[str, Any]]:
    """All log records that were taken, with plain attributes."""
    found = []
    for request in receiver.taken:
        (logs,) = request["resourceLogs"]
        about = {each["key"]: plain(each["value"]) for each in logs["resource"]["attributes"]}
        assert about["service.name"] == "archiver"
        (scope,) = logs["scopeLogs"]
        for log in scope["logRecords"]:
            attributes = {each["key"]: plain(each["value"]) for each in log["attributes"]}
            found += [log | {"attributes": attributes}]
    return found


def events(receiver: Receiver) -> list[str]:
    return [log["attributes"]["archiver.resource.uri"] for log in records(receiver) if "body" in log]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_an_event_is_a_log_record_with_both_its_times(database_url: str, tmp_path: Path, receiver: Receiver) -> None:
    record(database_url, opened("a", -100), event("service/old", "Running", -50, session="a"))
    with sending(database_url, tmp_path, receiver):
        late = event("service/1", "Running", 5, ["stack/1"], session="a", uuid="4f" * 16)
        record(database_url, late._replace(received_at=late.received_at + 1_500_000))
        assert wait_for(lambda: receiver.taken)
    (log,) = records(receiver)
    assert log["timeUnixNano"] == str(int(at(5).timestamp()) * 10**9)
    assert log["observedTimeUnixNano"] == str(int(at(6.5).timestamp() * 10) * 10**8)
    assert (log["eventName"], log["severityNumber"], log["severityText"]) == ("archiver.service.update", 9, "INFO")
    assert log["body"] == {"stringValue": f"service {uri('service/1')} update Running"}
    assert log["attributes"] | {"archiver.event.id": 0, "log.record.uid": ""} == {
        "archiver.event.id": 0,
        "archiver.event.type": "service",
        "archiver.event.action": "update",
        "archiver.event.state": "Running",
        "archiver.event.time_source": "datetime",
        "archiver.resource.uri": uri("service/1"),
        "archiver.resource.parents": [uri("stack/1")],
        "log.record.uid": "",
    }
    path, headers, _ = receiver.tries[0]
    assert path == "/v1/logs"
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Content-Type"] == "application/json"
    assert headers["x-api-key"] == "s3cret"


def test_a_container_is_an_entity_until_it_is_no_more(database_url: str, tmp_path: Path, receiver: Receiver) -> None:
    record(database_url, opened("a", -100))
    with sending(database_url, tmp_path, receiver):
        secret = {"image": "nginx:1.25", "env": "PASSWORD=hunter2"}
        record(database_url, docker("create", 0, "c0", **secret), docker("start", 1, "c0", **secret))
        assert wait_for(lambda: len(records(receiver)) >= 3)
        record(database_url, docker("die", 5, exitCode="0"), docker("destroy", 6))
        assert wait_for(lambda: any(log["eventName"] == "entity.delete" for log in records(receiver)))
    entities = [log for log in records(receiver) if log["eventName"].startswith("entity.")]
    first, last = entities[0]["attributes"], entities[-1]["attributes"]
    assert first["entity.type"] == last["entity.type"] == "container"
    assert first["entity.id"] == last["entity.id"] == {"container.id": CONTAINER}
    assert first["entity.description"]["container.image.name"] == "nginx:1.25"
    assert first["entity.description"]["container.name"] == "web"
    assert entities[-1]["timeUnixNano"] == str(int(at(6).timestamp()) * 10**9)
    assert "hunter2" not in json.dumps(receiver.taken)


def test_everything_arrives_in_order_whatever_the_collector_does(
    database_url: str, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "MOST_OF_BATCH", 7)
    record(database_url, opened("a", -100))
    sent = [uri(f"service/{number}") for number in range(30)]
    receiver.status, receiver.headers = 503, {"Retry-After": "0"}
    with sending(database_url, tmp_path, receiver, path="/own/place"):
        record(database_url, *[event(f"service/{number}", "Running", number, session="a") for number in range(20)])
        assert wait_for(lambda: len(receiver.tries) >= 3)
    record(database_url, *[event(f"service/{number}", "Running", number, session="a") for number in range(20, 30)])
    receiver.status = 200
    with sending(database_url, tmp_path, receiver, path="/own/place") as outward:
        assert wait_for(lambda: len(events(receiver)) == 30)
        assert wait_for(lambda: outward.exporter and outward.exporter.events == 30)
    assert events(receiver) == sent
    assert {path for path, _, _ in receiver.tries} == {"/own/place"}


def test_what_a_collector_refuses_for_its_content_is_left_out_alone(
    sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(sqlite_url, opened("a", -100))
    with receiving() as receiver:
        receiver.wants = lambda value: "service/5/" not in json.dumps(value)
        with sending(sqlite_url, tmp_path, receiver) as outward:
            record(sqlite_url, *[event(f"service/{number}", "Running", number, session="a") for number in range(12)])
            assert wait_for(lambda: len(events(receiver)) == 11)
            assert wait_for(lambda: outward.exporter and outward.exporter.unwanted == 1)
            numbers = {family.name: family.samples[0].value for family in outward.metrics() if family.samples}
    assert events(receiver) == [uri(f"service/{number}") for number in range(12) if number != 5]
    assert numbers["archiver_otlp_unwanted_total"] == 1
    assert "is not wanted: HTTP 400" in caplog.text


def test_a_partial_success_is_counted_and_not_sent_again(
    sqlite_url: str, tmp_path: Path, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    record(sqlite_url, opened("a", -100))
    receiver.answer = b'{"partialSuccess": {"rejectedLogRecords": "2", "errorMessage": "too \\u001b[31m old"}}'
    with caplog.at_level(logging.WARNING), sending(sqlite_url, tmp_path, receiver) as outward:
        record(sqlite_url, event("service/1", "Running", 1, session="a"))
        assert wait_for(lambda: outward.exporter and outward.exporter.events == 1)
        assert outward.exporter is not None
        assert outward.exporter.unwanted == 2
    assert "too \\x1b[31m old" in caplog.text
    assert len(receiver.tries) == 1


@pytest.mark.parametrize("answer", [b"", b"{}", b"[]", b"{", b'{"partialSuccess": null}', b"[" * 100_000])
def test_an_answer_that_says_nothing_of_it_refuses_nothing(answer: bytes) -> None:
    assert rejected(answer) == (0, "")


def told(type: str, action: str | None = "update", uri: str = "/a/") -> ArchivedEvent:
    return ArchivedEvent(1, type, action, None, uri, (), at(0), at(0), None)


def test_names_of_events_are_few_whatever_a_stream_invents() -> None:
    names = Names(most=3)
    found = {names.of(told(f"type{number}")) for number in range(100)}
    assert found == {"archiver.type0.update", "archiver.type1.update", "archiver.type2.update", "archiver.event"}
    assert Names().of(told("container", "exec_create: sh -c secret")) == "archiver.container.exec_create"
    assert Names().of(told("\x1b[31m")) == Names().of(told("a.b")) == "archiver.event"
    assert Names().of(told("node", None)) == "archiver.node"


def test_what_is_no_unicode_is_sent_all_the_same() -> None:
    log = of_event(told("node", uri="/\ud800/"), Names())
    assert json.loads(json.dumps(log))["attributes"][-2]["value"]["stringValue"].encode()
