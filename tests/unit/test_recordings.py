"""Recordings as people have them: the messages in them are found, and what is none is told why."""

from __future__ import annotations

import io
import json
import lzma
import zlib
from bz2 import compress as bzip2
from collections.abc import Callable
from gzip import compress as gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import BadInput
from archiver.model import Event, Record, Reject, iso
from archiver.transfer.files import plain_pieces
from archiver.transfer.reader import How, Reader

EVENTS: list[dict[str, Any]] = [
    {
        "type": "container",
        "action": "update",
        "state": state,
        "parents": ["/api/v1/service/s1/"],
        "resource_uri": "/api/v1/container/c1/",
        "date": f"2015-12-07T04:0{minute}:01+00:00",
    }
    for minute, state in enumerate(["Starting", "It's \"up\" {}[]'", "Stopped"])
]
LINES = [json.dumps(event) for event in EVENTS]
ID = "3f0c9d5e2f0b8a6f1c7d4e9b3a5c8d2e6f1a0b9c7d8e5f4a3b2c1d0e9f8a7b6c"


def read(data: bytes | str, **how: Any) -> list[Record]:
    pieces = plain_pieces(io.BytesIO(data.encode() if isinstance(data, str) else data), "a file")
    return [record for part in Reader(How(**how)).batches(pieces) for record in part.records]


def told(records: list[Record]) -> list[tuple[str | None, str]]:
    assert all(isinstance(record, Event) for record in records), records
    return [(record.state, iso(record.occurred_at)[:19]) for record in records if isinstance(record, Event)]


def each(shape: Callable[[str], str]) -> str:
    return "\n".join(map(shape, LINES))


def python2(value: dict[str, Any]) -> str:
    return repr(value).replace("{'", "{u'").replace(", '", ", u'").replace(": '", ": u'")


EXPECTED = [(event["state"], event["date"][:19]) for event in EVENTS]
SHAPES: dict[str, bytes | str] = {
    "lines": "\n".join(LINES),
    "glued": "".join(LINES),
    "list": json.dumps(EVENTS),
    "pretty": json.dumps(EVENTS, indent=2),
    "objects over lines": "\n".join(json.dumps(event, indent=4) for event in EVENTS),
    "mark": "\ufeff" + "\r\n".join(LINES),
    "utf-16": "\n".join(LINES).encode("utf-16"),
    "utf-16 without mark": "\r\n".join(LINES).encode("utf-16-be"),
    "utf-32": "\n".join(LINES).encode("utf-32"),
    "gzip": gzip("\n".join(LINES).encode()),
    "gzip, two parts": gzip(f"{LINES[0]}\n".encode()) + gzip("\n".join(LINES[1:]).encode()),
    "gzip of utf-16": gzip("\n".join(LINES).encode("utf-16")),
    "gzip, padded": gzip(f"{LINES[0]}\n".encode()) + bytes(40) + gzip("\n".join(LINES[1:]).encode()) + bytes(9),
    "bzip2": bzip2("\n".join(LINES).encode()),
    "bzip2, two parts": bzip2(f"{LINES[0]}\n".encode()) + bzip2("\n".join(LINES[1:]).encode()),
    "xz": lzma.compress("\n".join(LINES).encode()),
    "xz, two parts": lzma.compress(f"{LINES[0]}\n".encode()) + bytes(8) + lzma.compress("\n".join(LINES[1:]).encode()),
    "xz, more behind it": lzma.compress("\n".join(LINES).encode()) + b"no part of what was compressed",
    "python 2": "\n".join(map(python2, EVENTS)),
    "python 3": "\n".join(map(repr, EVENTS)),
    "python bytes": each(lambda line: repr(line.encode())),
    "logger": each(lambda line: f"2016-01-01 04:00:02,123 INFO tutum [main]: {line}"),
    "logger before and behind": each(lambda line: f'INFO request={{"id": 1}} got {line} (done)'),
    "logger, python": "\n".join(f"DEBUG:root:{python2(event)}" for event in EVENTS),
    "colours": each(lambda line: f"\x1b[36mweb_1  |\x1b[0m {line}"),
    "quoted": each(lambda line: f"level=info msg={json.dumps(line)}"),
    "strings": each(json.dumps),
    "json-file": each(
        lambda line: json.dumps({"log": f"{line}\n", "stream": "stdout", "time": "2016-01-01T00:00:00Z"})
    ),
    "json-file of a logger": each(lambda line: json.dumps({"log": f"INFO {line}\n", "stream": "stdout", "time": "x"})),
    "cri": each(lambda line: f"2016-01-01T00:00:00.123Z stdout F {line}"),
    "journal": each(lambda line: json.dumps({"__REALTIME_TIMESTAMP": "1", "MESSAGE": line})),
    "journal, bytes": each(lambda line: json.dumps({"MESSAGE": list(f"\x1b[0m{line}".encode())})),
    "sse": each(lambda line: f": comment\nevent: message\nid: 7\nretry: 10\ndata: {line}\n"),
    "answer": json.dumps({"meta": {"limit": 25}, "objects": EVENTS}),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_events_in_every_shape(shape: str) -> None:
    assert told(read(SHAPES[shape])) == EXPECTED


class Dribbling(io.BytesIO):
    """Gives no more than so many bytes at once, as a pipe does."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self._most = most

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read(self._most)


@pytest.mark.parametrize("most", [1, 7])
@pytest.mark.parametrize("shape", [name for name, data in SHAPES.items() if isinstance(data, bytes)])
def test_the_same_text_however_a_pipe_cuts_it(shape: str, most: int) -> None:
    data = SHAPES[shape]
    assert isinstance(data, bytes)

    pieces = plain_pieces(Dribbling(data, most), "-", pauses=True)

    assert told([record for part in Reader(How()).batches(pieces) for record in part.records]) == EXPECTED


@pytest.mark.parametrize("key", ["datetime", "date", "timestamp", "@timestamp", "time", "created"])
@pytest.mark.parametrize(
    "value",
    [
        "Mon, 07 Dec 2015 04:00:01 +0000",
        "2015-12-07t04:00:01z",
        "2015-12-07 05:00:01.000 +0100 CET",
        "2015-12-07T04:00:01,000000999Z",
        "2015-12-07T04:00:01",
        1449460801,
        1449460801.0,
        "1449460801",
        1449460801000,
        1449460801000000,
        1449460801000000000,
        "1449460801.000000",
    ],
)
def test_an_event_has_its_own_time_whatever_it_calls_it(key: str, value: object) -> None:
    event = {"type": "container", "resource_uri": "/api/v1/container/c1/", key: value}

    (record,) = read(json.dumps(event))

    assert isinstance(record, Event)
    assert (iso(record.occurred_at), record.time_source in {"datetime", "date"}) == (
        "2015-12-07T04:00:01.000000Z",
        True,
    )


def test_a_leap_second_is_the_second_after_it() -> None:
    (record,) = read('{"type":"x","resource_uri":"/api/v1/x/1/","date":"2016-12-31T23:59:60Z"}')

    assert isinstance(record, Event)
    assert iso(record.occurred_at) == "2017-01-01T00:00:00.000000Z"


@pytest.mark.parametrize("value", ["last week", -5, 1e400, True, {"at": 1}, "2015-13-07T04:00:01Z", "9" * 50, 10**30])
def test_a_time_that_cannot_be_read_makes_a_reject(value: object) -> None:
    line = json.dumps({"type": "container", "resource_uri": "/api/v1/container/c1/", "timestamp": value})

    (record,) = read(line)

    assert isinstance(record, Reject)
    assert record.payload == line.encode()


DOCKER = [
    f"2015-12-07T04:00:01.123456789Z container die {ID} (exitCode=3, image=web:3, name=web)",
    f"2015-12-07 04:00:01.123456 container die {ID} (exitCode=3, image=web:3, name=web)",
    json.dumps(
        {
            "action": "die",
            "attributes": {"name": "web", "exitCode": "3"},
            "id": ID,
            "service": "web",
            "time": "2015-12-07T04:00:01.123456Z",
            "type": "container",
        }
    ),
    json.dumps({"Type": "container", "Action": "die", "Actor": {"ID": ID, "Attributes": {"exitCode": "3"}},
                "time": "1449460801.123456"}),
]  # fmt: skip


@pytest.mark.parametrize("line", DOCKER)
def test_what_dockers_tools_print_is_the_engines_message(line: str) -> None:
    (record,) = read(line)

    assert isinstance(record, Event)
    assert (record.resource_uri, record.state) == (f"/docker/v1/container/{ID}/", "exited (3)")
    assert iso(record.occurred_at) == "2015-12-07T04:00:01.123456Z"


def test_a_line_of_docker_events_is_the_same_message_as_its_json() -> None:
    line = f"2015-12-07T04:00:01.123456789Z container exec_create: sh -c echo (x) a=b {ID} (execID=e1, name=web)"
    message = {"Type": "container", "Action": "exec_create: sh -c echo (x) a=b",
               "Actor": {"ID": ID, "Attributes": {"execID": "e1", "name": "web"}},
               "scope": "local", "timeNano": 1449460801123456789}  # fmt: skip

    (text,), (whole,) = read(line), read(json.dumps(message))

    assert isinstance(text, Event)
    assert isinstance(whole, Event)
    assert text._replace(received_at=0) == whole._replace(received_at=0)


@pytest.mark.parametrize("shape", ["json-file", "logger", "python 2", "list"])
def test_an_event_is_archived_as_it_was_on_the_wire_whatever_was_around_it(shape: str) -> None:
    """So that it is the same as the one that came live."""
    assert [record._replace(received_at=0) for record in read(SHAPES[shape])] == [
        record._replace(received_at=0) for record in read(SHAPES["lines"])
    ]


LOOKS = {
    "podman": (
        '{"ID":"1","Name":"web","Status":"died","Time":"2026-11-18T12:06:45+01:00","Type":"container"}',
        "podman",
    ),
    "podman text": ("2026-11-18 12:06:45.1 +0100 CET container died 1 (image=web)", "podman"),
    "fluent-bit": ('{"date":1795000005.0,"message":"{\\"Type\\":\\"container\\"}"}', "jq -r .message"),
    "elastic": (
        '{"@timestamp":"2026-11-18T11:06:45Z","docker":{"event":{"Type":"container","Action":"die"}}}',
        "Elastic",
    ),
    "kubernetes": ('{"type":"ADDED","object":{"kind":"Pod"}}', "Kubernetes"),
    "incus": ('{"type":"lifecycle","timestamp":"2026-11-25T06:33:51Z","metadata":{"action":"x"}}', "Incus"),
    "html": ("<html>", "no JSON object"),
    "cut": ('{"type":"container","Actor":{"type":"x","date":"2015-12-07"}', "not JSON"),
}


@pytest.mark.parametrize(
    "line", ["{}", "2016-02-01 12:00:00 INFO got {}", '{{"events":[{}]}}', "got {} and more"], ids=str
)
def test_a_message_that_says_two_things_in_one_place_is_kept_as_it_was_written(line: str) -> None:
    twice = line.format('{"type":"container","state":"Stopped","state":"Running"}')

    (found,) = [each for each in read(f"{twice}\n{LINES[0]}\n") if isinstance(each, Reject)]

    assert found.payload.decode() == twice
    assert "is there twice" in found.reason


@pytest.mark.parametrize("name", LOOKS)
def test_what_is_not_read_says_what_it_looks_like(name: str) -> None:
    line, words = LOOKS[name]

    (record,) = read(line)

    assert isinstance(record, Reject)
    assert words in record.reason
    assert record.payload == line.encode()


MAGIC = {
    "zstd": (b"\x28\xb5\x2f\xfd" + b"0" * 20, "zstd"),
    "zip": (b"PK\x03\x04" + b"0" * 20, "zip archive"),
    "sqlite": (b"SQLite format 3\x00" + b"0" * 20, "SQLite"),
    "cut gzip": (gzip(b"x" * 1000)[:-9], "damaged"),
    "bad gzip": (b"\x1f\x8b\x08\x00garbage-garbage", "damaged"),
    "cut in the second part": (gzip(b"x") + gzip(b"x" * 1000)[:-9], "damaged"),
    "gzip, and what is none": (gzip(b"x") + b"more", "damaged"),
    "cut bzip2": (bzip2(b"x" * 1000)[:-9], "damaged"),
    "bad bzip2": (bzip2(b"x" * 1000)[:20] + b"0" * 40, "damaged"),
    "cut xz": (lzma.compress(b"x" * 1000)[:-9], "damaged"),
}


@pytest.mark.parametrize("name", MAGIC)
def test_a_file_that_needs_another_program_or_is_damaged_says_so(name: str) -> None:
    data, words = MAGIC[name]

    with pytest.raises(BadInput, match=words):
        read(data)


def test_a_small_file_that_unpacks_to_much_does_not_fill_the_memory() -> None:
    packer = zlib.compressobj(wbits=31)
    packed = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(100)) + packer.flush()

    assert max(map(len, plain_pieces(io.BytesIO(packed), "a file"))) <= 1 << 20


def test_the_greeting_has_the_time_of_what_follows_it() -> None:
    greeting, first, *_ = read("\n".join(['{"type":"auth","state":"ok"}', *LINES]))

    assert isinstance(greeting, Event)
    assert isinstance(first, Event)
    assert greeting.occurred_at == first.occurred_at


def test_a_greeting_waits_for_what_follows_it_though_a_pipe_pauses() -> None:
    greeting, *lines = (f"{line}\n".encode() for line in ['{"type":"auth","state":"ok"}', *LINES])
    pieces = [greeting, b"", lines[0], b"", greeting, b"", lines[1]]

    parts = [list(part.records) for part in Reader(How()).batches(pieces)]

    times = [[record.occurred_at for record in part if isinstance(record, Event)] for part in parts]
    assert [len(set(part)) for part in times] == [1, 1]
    assert [len(part) for part in times] == [2, 2]


def test_what_has_no_time_has_that_of_the_log_it_stands_in() -> None:
    inner = json.dumps({"type": "container", "resource_uri": "/api/v1/container/c1/"})
    log = json.dumps({"log": inner, "stream": "stdout", "time": "2015-12-07T04:00:01Z"})
    journal = json.dumps({"MESSAGE": inner, "__REALTIME_TIMESTAMP": "1449460801000000"})

    records = read("\n".join([log, journal, f"2015-12-07T04:00:01Z stdout F {inner}"]))

    assert [(iso(r.occurred_at), r.time_source) for r in records if isinstance(r, Event)] == [
        ("2015-12-07T04:00:01.000000Z", "received")
    ] * 3


UNDATED = '{"type":"container","resource_uri":"/api/v1/container/c1/"}'


def test_events_without_a_time_are_refused_unless_somebody_dates_them() -> None:
    with pytest.raises(BadInput, match=r"2 of 5 events"):
        read("\n".join([*LINES, UNDATED, UNDATED]))

    (record,) = read(UNDATED, dated_by=1449460801000000)
    assert isinstance(record, Event)
    assert (iso(record.occurred_at), record.time_source) == ("2015-12-07T04:00:01.000000Z", "received")


SECRETS = [
    "GET wss://bob:hunter2@stream.tutum.co/v1/events",
    "GET wss://stream.tutum.co/v1/events?token=hunter2&user=bob",
    "GET wss://s/v1?auth=hunter2 HTTP/1.1",
    '{"url":"https:\\/\\/bob:hunter2@h\\/","broken',
    "https://h/?x=1&access_token=hunter2#a",
    "https://h/?apikey=hunter2",
    "https://h/?password=hunter2",
    "Authorization: Basic hunter2",
    "{'Authorization': u'ApiKey bob:hunter2'}",
    '{"type":"x","resource_uri":"/x/","date":"https://bob:hunter2@h/"}',
]


@pytest.mark.parametrize("line", SECRETS)
def test_a_reject_holds_no_credentials(line: str) -> None:
    (record,) = read(line)

    assert isinstance(record, Reject)
    assert b"hunter2" not in record.payload
    assert "hunter2" not in record.reason
    assert b"***" in record.payload


def test_a_long_line_is_a_reject_and_the_next_is_read() -> None:
    long = b'{"type":"' + b"x" * (17 << 20) + b'"}\n'

    reject, event = read(long + LINES[0].encode())

    assert isinstance(reject, Reject)
    assert "exceeds the cap" in reject.reason
    assert isinstance(event, Event)


@given(st.text(alphabet="{}[]\"':u,b\\ \n\x1e\x1bae1é", max_size=60))
def test_any_text_is_events_or_rejects(text: str) -> None:
    for record in read(text, dated_by=0):
        assert isinstance(record, (Event, Reject))


LISTED = {
    "id": 7,
    "type": "container",
    "action": None,
    "state": "Running",
    "resource_uri": "/api/v1/container/c1/",
    "parents": ["/api/v1/service/s1/"],
    "occurred_at": "2015-12-07T04:00:01Z",
    "received_at": "2015-12-07T04:00:02.5Z",
    "uuid": "u1",
    "name": "web",
    "time_source": "date",
}


@pytest.mark.parametrize("listing", [json.dumps(LISTED), json.dumps([LISTED]), json.dumps([LISTED], indent=2)])
def test_what_events_lists_as_json_has_its_own_times(listing: str) -> None:
    (event,) = read(listing)

    assert isinstance(event, Event)
    assert (iso(event.occurred_at), iso(event.received_at)) == (
        "2015-12-07T04:00:01.000000Z",
        "2015-12-07T04:00:02.500000Z",
    )
    assert event[:5] == ("container", None, "Running", "/api/v1/container/c1/", ("/api/v1/service/s1/",))
    assert (event.uuid, event.name, event.time_source, event.extra) == ("u1", "web", "date", None)


@pytest.mark.parametrize(
    ("source", "occurred_at"), [("received", "2015-12-07T04:00:02.500000Z"), (None, "2015-12-07T04:00:01.000000Z")]
)
def test_of_a_listed_event_the_time_is_from_where_it_says(source: str | None, occurred_at: str) -> None:
    """0.1.0 did not say."""
    listed = {key: value for key, value in {**LISTED, "time_source": source}.items() if value is not None}
    if source == "received":
        listed["occurred_at"] = listed["received_at"]
    listed |= {"action": None}

    (event,) = read(json.dumps(listed))

    assert isinstance(event, Event)
    assert (iso(event.occurred_at), event.time_source) == (occurred_at, source or "datetime")


@pytest.mark.parametrize("source", ["engine", "told", None])
def test_of_a_listed_event_of_an_engine_the_time_is_found_anew(source: str | None) -> None:
    listed = {**LISTED, "resource_uri": "/docker/v1/service/s1/", "time_source": source}

    (event,) = read(json.dumps({key: value for key, value in listed.items() if value is not None} | {"action": None}))

    assert isinstance(event, Event)
    assert (iso(event.occurred_at), event.time_source) == ("2015-12-07T04:00:01.000000Z", source or "engine")
