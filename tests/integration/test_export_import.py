"""An export, imported into an empty archive of the other database, answers every question the same."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.codec.uris import parse
from archiver.errors import DatabaseUnreachable
from archiver.model import Alive, Reject, TimeRange, iso, to_micros
from archiver.storage.recorder import Recorder, Whose
from archiver.transfer.importer import ImportResult, import_lines

from .archives import (
    LABELLED,
    START,
    STREAM,
    closed,
    event,
    export,
    micros,
    opened,
    record,
    rejected,
    rows,
    seen,
    uri,
    wire,
)

CAPTURES = (
    b'{"type":"container","action":"create","state":"Starting","parents":[],"resource_uri":"/api/v1/container/9/",'
    b'"date":"2015-12-07T04:01:01+00:00"}'
)


@pytest.fixture
def filled(database_url: str) -> str:
    """An archive with something of everything."""
    above = ["service/1", "stack/1", "node/1"]
    with Recorder(database_url, "spool") as recorder:
        recorder.record(
            [
                opened("a", 0),
                seen("container/3", "running", 0.5, ["node/1"], "a")._replace(extra=LABELLED),
                event("container/1", "Starting", 1, above, "a", uuid="u1"),
                event("container/1", "Running", 1, above, "a", more="\0\ud800"),
                Alive(STREAM, "a", micros(3)),
                Reject(b"\xff", "not UTF-8", micros(2), "a"),
                closed("a", 4, "cut"),
            ],
            7,
        )
        recorder.record(
            [
                opened("b", 9),
                event("container/3", "Stopped", 10, ["node/1", "stack/2"], "b")._replace(name="web", extra=LABELLED),
                event("container/1", "Stopped", 11, above, "b", resource_uri="/api/app/v1/ns/container/1/"),
                event("action/1", "Success", 12, ["container/1", *above], "b"),
                event("node/1", "Deployed", 13, ["nodecluster/1"], "b"),
                event("odd", None, 14, resource_uri="urn:odd"),
                seen("container/1", "Terminated", 15, above, "b"),
                Reject(b"", "empty", START),
            ],
            15,
        )
    return database_url


@pytest.fixture
def copy_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    """An empty archive of the other database."""
    other = "postgres_url" if database_url.startswith("sqlite") else "sqlite_url"
    return str(request.getfixturevalue(other))


def lines(url: str) -> list[bytes]:
    return [line.encode() + b"\n" for line in export(url)]


EVERY_URI = """
SELECT uri FROM event_log WHERE uri IS NOT NULL UNION SELECT uri FROM current_states
UNION SELECT ancestor_uri FROM subtree ORDER BY 1
"""


def answers(url: str) -> dict[str, Any]:
    with Archive.open(url) as archive:
        uris = [found for (found,) in rows(url, EVERY_URI)]
        return {
            "history": [archive.history(ref)[1:] + archive.resolve(ref)[1:] for ref in uris],
            "actions": [list(archive.actions(ref)) for ref in uris],
            "tree": [archive.tree(ref) for ref in uris],
            "events": list(archive.events(limit=0)),
            "coverage": archive.coverage(),
            # Whoever imports does not record, and how long ago something was moves on between two questions.
            "status": [*archive.status()[2:7], *(
                stream._replace(recorded=False, lag_seconds=None) for stream in archive.status().streams
            )],
            "views": [sorted(map(str, rows(url, f"SELECT uri, state FROM {view}"))) for view in
                      ("state_spans", "current_states", "event_log")],
        }  # fmt: skip


def test_the_copy_answers_the_same(filled: str, copy_url: str) -> None:
    import_lines(copy_url, lines(filled))

    assert answers(copy_url) == answers(filled)


def test_the_export_of_the_copy_is_that_of_the_original(filled: str, copy_url: str) -> None:
    import_lines(copy_url, lines(filled))

    assert export(copy_url)[1:] == export(filled)[1:]


def test_what_comes_while_it_is_written_is_not_in_it(filled: str) -> None:
    before = lines(filled)
    with Recorder(filled, "spool") as recorder, Archive.open(filled) as archive:
        meanwhile = []
        for number, line in enumerate(archive.export()):
            key = f"new{number}"
            recorder.record([opened(key, 20 + number), event("container/9", "Running", 20 + number, session=key)])
            meanwhile.append(line.encode() + b"\n")
    assert meanwhile == before


def test_the_same_export_twice_adds_nothing(filled: str, copy_url: str) -> None:
    first = import_lines(copy_url, lines(filled))
    before = export(copy_url)

    again = import_lines(copy_url, lines(filled) * 2)

    assert first == ImportResult(events=7, duplicates=0, rejects=2)
    assert again == ImportResult(events=0, duplicates=14, rejects=0)
    assert export(copy_url) == before


def test_an_archive_recognises_its_own_export(filled: str) -> None:
    before = export(filled)

    assert import_lines(filled, lines(filled)).events == 0
    assert export(filled) == before


def test_a_later_export_adds_what_is_new(filled: str, copy_url: str) -> None:
    import_lines(copy_url, lines(filled))
    record(filled, event("container/1", "Running", 20))

    assert import_lines(copy_url, lines(filled)).events == 1
    assert export(copy_url)[1:] == export(filled)[1:]


def test_an_interrupted_import_can_be_repeated(filled: str, copy_url: str) -> None:
    everything = lines(filled)

    def cut_off() -> Iterator[bytes]:
        yield from everything[:6]
        raise DatabaseUnreachable(database="here", reason="a cable")

    with pytest.raises(DatabaseUnreachable):
        import_lines(copy_url, cut_off(), batch_lines=3)
    import_lines(copy_url, everything, batch_lines=3)

    assert export(copy_url)[1:] == export(filled)[1:]


def test_a_part_imports_back_and_says_nothing_of_who_watched(filled: str, copy_url: str) -> None:
    with Archive.open(filled) as archive:
        whole = [event for event in archive.events(limit=0)]
        middle = whole[len(whole) // 2].occurred_at
        part = [line.encode() + b"\n" for line in archive.export(TimeRange(middle))]
        wanted = [
            (event.uuid, event.state, len(event.parents)) for event in archive.events(range=TimeRange(middle), limit=0)
        ]

    done = import_lines(copy_url, part)

    assert json.loads(part[0])["part"] == {"since": iso(to_micros(middle)), "until": None, "under": []}
    assert (done.events, done.rejects, done.lacks) == (len(wanted), 0, None)
    assert rows(copy_url, "SELECT count(*) FROM sessions WHERE key IS NOT NULL") == [(0,)]
    with Archive.open(copy_url) as copy:
        assert [(event.uuid, event.state, len(event.parents)) for event in copy.events(limit=0)] == wanted
        assert not copy.coverage().complete


def test_a_part_adds_nothing_to_the_archive_it_is_of_and_hides_nothing_from_a_whole_export(
    filled: str, copy_url: str
) -> None:
    with Archive.open(filled) as archive:
        middle = [event for event in archive.events(limit=0)][3].occurred_at
        part = [line.encode() + b"\n" for line in archive.export(TimeRange(None, middle))]

    assert import_lines(filled, part).events == 0
    import_lines(copy_url, part)
    import_lines(copy_url, lines(filled))

    copied, original = answers(copy_url), answers(filled)
    for what in ("history", "actions", "coverage", "views"):
        assert copied[what] == original[what]
    assert len(copied["events"]) == len(original["events"])


@pytest.mark.parametrize("order", [("early", "late", "whole"), ("late", "whole", "early"), ("whole", "late", "early")])
def test_an_export_in_parts_and_the_whole_are_one_archive_in_any_order(
    filled: str, copy_url: str, order: tuple[str, ...]
) -> None:
    other = f"{STREAM}?other"
    again = event("container/1", "Starting", 1, ["service/1", "stack/1", "node/1"], "c", uuid="u1")
    unnamed = event("container/7", "Running", 2, session="a")
    record(filled, opened("c", 0.5, stream=other), again._replace(received_at=micros(3)), unnamed, unnamed)
    with Archive.open(filled) as archive:
        middle = [event for event in archive.events(limit=0)][3].occurred_at
        parts = {"early": TimeRange(None, middle), "late": TimeRange(middle, None)}
        texts = {name: list(archive.export(part)) for name, part in parts.items()} | {"whole": export(filled)}

    for name in order:
        import_lines(copy_url, [line.encode() + b"\n" for line in texts[name]])

    assert unordered(copy_url) == unordered(filled)
    with Archive.open(copy_url) as copy, Archive.open(filled) as archive:
        for stream in (STREAM, other):
            told, wanted = (
                [
                    (parse(one.resource_uri or ""), one.state, one.received_at)
                    for one in each.events(stream=stream, limit=0)
                ]
                for each in (copy, archive)
            )
            assert sorted(told, key=str) == sorted(wanted, key=str)
            assert copy.coverage(stream=stream) == archive.coverage(stream=stream)


def unordered(url: str) -> list[str]:
    """The lines of an export, but for what follows the order of import: numbers, and how an object is spelled."""
    said = [json.loads(line) for line in export(url)[1:]]
    for line in said:
        line.pop("id", None)
        if "uri" in line:
            line["uri"] = parse(line["uri"])
    return sorted(map(json.dumps, said))


def test_a_part_under_a_resource_has_its_events_alone(filled: str) -> None:
    with Archive.open(filled) as archive:
        about = next(event for event in archive.events(types=["container"], limit=0)).resource_uri or ""
        part = [json.loads(line) for line in archive.export(under=about)]
        wanted = sorted(event.id for event in archive.events(under=about, limit=0))

    assert part[0]["part"]["under"] == [about]
    assert sorted(line["id"] for line in part if line["archiver"] == "event") == wanted
    assert {line["archiver"] for line in part} <= {"export", "platform", "event", "end"}


def test_two_exports_in_one_file(filled: str, copy_url: str, tmp_path: Path) -> None:
    """The lines of the first must not be taken for lines of the second."""
    from archiver.storage import migrate

    second, target = f"sqlite:///{tmp_path}/second.db", f"sqlite:///{tmp_path}/target.db"
    for url in (second, target):
        migrate.upgrade(url)
    record(second, *(event("container/77", f"s{n}", n) for n in range(3)))

    import_lines(target, lines(filled) + lines(second))

    assert rows(target, "SELECT count(*) FROM event_log WHERE uri = :uri", uri=uri("container/77")) == [(3,)]
    assert rows(target, "SELECT count(*) FROM event_log") == [(10,)]


def test_lines_as_on_the_wire(database_url: str) -> None:
    found = import_lines(database_url, [CAPTURES + b"\n", b"\n", b"garbage\n", wire("container/1", "Running", 1)])

    assert found == ImportResult(events=2, rejects=1)
    assert [payload for _, payload in rejected(database_url)] == [b"garbage"]


HEAD = b'{"archiver":"export","archive":"abc","revision":"0001"}'
GOOD = {"archiver": "event", "id": 1, "session": None, "received_at": "2016-02-01T12:00:00Z", "event": {"type": "x"}}
REJECTED = {
    "archiver": "reject",
    "id": 1,
    "session": None,
    "received_at": "2016-02-01T12:00:00Z",
    "reason": "r",
    "payload": "",
}
ODD = [
    {**GOOD, "id": "one"},
    {**GOOD, "id": 1 << 70},
    {**GOOD, "id": 0},
    {**GOOD, "id": True},
    {**GOOD, "session": ["a"]},
    {**GOOD, "session": "a\0"},
    {**GOOD, "name": "\ud800"},
    {**GOOD, "received_at": "2016-02-01T12:00:00"},
    {**GOOD, "received_at": 5},
    {**GOOD, "event": None},
    {**GOOD, "event": {"state": "no type"}},
    {"archiver": "event"},
    {**REJECTED, "payload": "?"},
    {**REJECTED, "reason": None},
    {**REJECTED, "reason": "\0"},
    {"archiver": "session", "stream": "s", "session": "x", "dialect": "morse"},
    {"archiver": "observation", "id": 1, "session": None, "observed_at": "2016-02-01T12:00:00Z"},
    {"archiver": "export", "archive": "\0"},
]


@pytest.mark.parametrize("value", ODD, ids=range(len(ODD)))
def test_a_line_of_an_export_that_makes_no_sense_is_a_reject_with_its_bytes(
    sqlite_url: str, value: dict[str, Any]
) -> None:
    line = json.dumps(value).encode()

    assert import_lines(sqlite_url, [HEAD, line]) == ImportResult(rejects=1)
    assert [payload for _, payload in rejected(sqlite_url)] == [line]


def test_lines_out_of_order_are_not_taken_for_archived_ones(sqlite_url: str) -> None:
    numbered = [json.dumps({**GOOD, "id": n}).encode() for n in (5, 2, 6)]

    assert import_lines(sqlite_url, [HEAD, *numbered]) == ImportResult(events=3)


def test_an_event_with_a_field_named_like_our_mark_is_an_event(sqlite_url: str) -> None:
    import_lines(sqlite_url, [b'{"archiver":"me","type":"x","resource_uri":"/api/v1/x/1/","date":"2015-12-07"}'])

    assert rows(sqlite_url, "SELECT uri, extra FROM event_log") == [
        (uri("x/1"), '{"archiver":"me","date":"2015-12-07"}')
    ]


def test_an_observation_stays_with_its_platform_however_its_object_was_spelled(
    database_url: str, copy_url: str
) -> None:
    asked = seen("service/1", "Running", 2)._replace(uri="/docker/v1/service/1/")
    record(database_url, event("action/1", "Success", 1, ["service/1"], resource_uri="/docker/v1/action/1/"), asked)
    import_lines(copy_url, lines(database_url))

    count = "SELECT count(*) FROM resources"
    assert rows(copy_url, count) == rows(database_url, count) == [(2,)]


def test_a_copy_says_of_which_platform_an_observation_is_as_the_original_does(database_url: str, copy_url: str) -> None:
    asked = seen("service/1", "Running", 1)._replace(uri="/docker/v1/service/1/")
    with Recorder(database_url, "an import") as recorder:
        recorder.whose = Whose("http://one.example")
        recorder.record([asked])
        recorder.record([event("action/1", "Success", 2, ["service/1"])])
    import_lines(copy_url, lines(database_url))

    said = [[line.get("platform") for line in map(json.loads, lines(url))] for url in (database_url, copy_url)]
    assert said[0] == said[1]


def test_lines_of_any_length_are_archived_some_megabytes_at_a_time(sqlite_url: str) -> None:
    line = b"x" * (1 << 20) + b"\n"
    reached = [0]

    import_lines(sqlite_url, (line for _ in range(20)), progress=reached.append)

    assert reached[-1] == 20
    assert max(after - before for before, after in pairwise(reached)) <= 17


def test_an_import_that_fails_does_not_wait_for_the_next_line(
    sqlite_url: str, program_environment: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "archiver", "--database", sqlite_url, "import", "-"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Recorder(sqlite_url) as other:
        other.identity()
        with subprocess.Popen(command, env=program_environment, **pipes) as process:  # type: ignore[call-overload]
            try:
                assert process.wait(30) == 4
                assert b"is being written by somebody else" in process.stderr.read()
            finally:
                process.kill()


def test_an_import_that_was_killed_leaves_the_archive_to_others(
    sqlite_url: str, program_environment: dict[str, str]
) -> None:
    """What reads and decodes for it may still wait for a line that never comes."""
    command = [sys.executable, "-m", "archiver", "--database", sqlite_url, "import", "-"]
    lock = Path(sqlite_url.removeprefix("sqlite:///") + "-lock")
    with subprocess.Popen(command, env=program_environment, stdin=subprocess.PIPE) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not (lock.exists() and lock.read_text().split()[:1] == [str(process.pid)] and children.read_text()):
            assert process.poll() is None
            threading.Event().wait(0.01)
        process.kill()
        process.wait()

        assert record(sqlite_url, event("container/1")).events == 1
