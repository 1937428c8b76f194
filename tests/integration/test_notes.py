"""Notes from outside: where they stand, what shows them, and what they never are."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from archiver.api.archive import Archive
from archiver.cli import main
from archiver.codec.notes import Note, note_of
from archiver.model import Opened, Reject, TimeRange
from archiver.recording.control.place import new_socket, socket_beside
from archiver.recording.control.server import Control
from archiver.recording.control.words import NotUnderstood, decoded, encoded, read_line
from archiver.recording.errands import Errands
from archiver.recording.jobs import done, job_of
from archiver.recording.steps import finished
from archiver.storage.database.named import sqlite_path
from archiver.storage.recorder import Recorder
from archiver.storage.retrying import PAGE
from archiver.transfer.importer import How, import_file

from .archives import at, closed, event, exported, micros, opened, record, rows, uri
from .growth import cost_of

UUID = "01234567-89ab-4cde-8f01-23456789abcd"


@pytest.fixture
def url(database_url: str) -> str:
    """A service with a container that stops at 60 s, and another service."""
    record(
        database_url,
        opened("s1", 0),
        event("container/1", "Running", 0, ["service/1"], "s1"),
        event("container/2", "Running", 0, ["service/2"], "s1"),
        event("container/1", "Stopped", 60, ["service/1"], "s1"),
        closed("s1", 100),
    )
    return database_url


def noted(archive_url: str, text: str, second: float, under: str | None = None, **more: str) -> None:
    with Archive.open(archive_url) as archive:
        platform = None if under is None else archive.platform_of(archive.resolve(under))
    place = None if under is None else uri(under)
    uuid = more.pop("uuid", f"00000000-0000-4000-8000-{abs(int(second)):011d}{int(second < 0)}")
    told = Note(text, micros(second), uuid, place, **more)
    done(archive_url, Path("/nonexistent/spool.db"), {"do": "note", **told._asdict(), "platform": platform})


def test_history_has_what_was_noted_of_it_and_of_what_it_was_under(url: str) -> None:
    noted(url, "web 2.14", 50, "service/1", by="anna")
    noted(url, "firewall", 40)
    noted(url, "of others", 45, "service/2")
    with Archive.open(url) as archive:
        found, later = (archive.history("container/1", TimeRange(since, None)).notes for since in (None, at(45)))

    assert [(note.name, note.started_at, note.target, note.by) for note in found] == [
        ("firewall", at(40), None, None),
        ("web 2.14", at(50), uri("service/1"), "anna"),
    ]
    assert later == found[1:]


@pytest.mark.parametrize("engines", [1, 2])
def test_a_note_on_everything_makes_no_platform_of_its_own(database_url: str, engines: int) -> None:
    """Else every answer about the one engine that there is would say of which platform it is."""
    for number in range(engines):
        record(
            database_url,
            Opened(f"tcp://engine{number}:2375", f"s{number}", "docker", micros(0), micros(0)),
            event("container/1", "running", 5, session=f"s{number}")._replace(resource_uri="/docker/v1/container/1/"),
        )
    noted(database_url, "firewall", 40)

    with Archive.open(database_url) as archive:
        assert len(archive.platforms()) == engines
        assert [note.text for note in archive.notes()] == ["firewall"]


def test_history_shows_a_note_among_the_states(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    noted(url, "web 2.14", 50, "service/1", by="anna")

    assert main(["history", "container/1", "--utc", "-o", "table", "--database", url]) == 0

    lines = [line.split() for line in capsys.readouterr().out.splitlines()[4:]]
    assert [line[0] for line in lines[:3]] == ["Running", "(note)", "Stopped"]
    assert lines[1][-4:] == ["web", "2.14", "(by", "anna)"]


def test_a_note_is_an_annotation_of_grafana(url: str) -> None:
    noted(url, "web 2.14", 50, "service/1")
    noted(url, "firewall", 40)

    query = "SELECT time, timeend, text, tags, uri FROM grafana_annotations ORDER BY time"
    assert rows(url, query) == [
        (micros(40) // 1000, micros(40) // 1000, "note: firewall", "note", None),
        (micros(50) // 1000, micros(50) // 1000, "note: web 2.14", "note", uri("service/1")),
    ]


def test_what_was_noted_of_it_and_of_everything_is_among_what_changed_before(url: str) -> None:
    noted(url, "web 2.14", 50, "service/1", by="anna", url="https://ci.example/1")
    noted(url, "firewall", 40)
    noted(url, "of others", 45, "service/2")
    with Archive.open(url) as archive:
        found = archive.why("container/1").changes
        assert [(each.change, each.after, each.where, each.by) for each in found if each.change == "note"] == [
            ("note", "web 2.14", "above", "anna"),
            ("note", "firewall", "above", None),
        ]
        whole = TimeRange(at(0), at(100))
        changes = archive.incident(whole, "service/1").changes
        assert [each.after for each in changes if each.change == "note"] == ["firewall", "web 2.14"]
        reported = archive.report("changes", "service/1", whole).rows
        assert [each.after for each in reported if each.change == "note"] == ["firewall", "web 2.14"]
        lanes = archive.lanes("service/1", whole).lanes
        assert [(lane.uri, [done.name for done in lane.actions]) for lane in lanes if lane.actions] == [
            (uri("service/1"), ["note: firewall", "note: web 2.14"])
        ]
        # What was noted of everything was done to nothing.
        assert [each.name for each in archive.actions("service/1", deeds=True)] == ["note: web 2.14"]
        assert [each.name for each in archive.events(types=["note"])] == ["firewall", "of others", "web 2.14"]
        assert [each.name for each in archive.events(types=["note"], under="service/1")] == ["web 2.14"]


def test_what_changed_everywhere_has_what_was_noted_of_or_done_to_what_told_nothing_itself(url: str) -> None:
    record(url, event("action/1", "In progress", 20, ["service/1"], "s1"), event("action/1", "Failed", 30, (), "s1"))
    noted(url, "web 2.14", 10, "service/2")
    some = TimeRange(at(5), at(40))
    with Archive.open(url) as archive:
        found = archive.report("changes", None, some).rows
        assert archive.incident(some).changes == found
    assert [(each.change, each.uri) for each in found] == [("note", uri("service/2")), ("action", uri("service/1"))]


def _ends(archive: Archive) -> tuple[object, ...]:
    status = archive.status()
    return status.resources, status.first_event_at, status.last_event_at


def test_a_note_watches_nothing_and_is_nothing_of_the_tree(url: str) -> None:
    with Archive.open(url) as archive:
        before = archive.coverage(), _ends(archive), archive.tree("service/1"), archive.platforms()
        before = stand(archive)
    noted(url, "long after", 5000, "service/1")
    noted(url, "long before", -5000)
    with Archive.open(url) as archive:
        after = archive.coverage(), _ends(archive), archive.tree("service/1"), archive.platforms()
        after = stand(archive)
    assert after == before


def stand(archive: Archive) -> list[object]:
    """What a note is no part of; that something happened of late would silence who waits for it."""
    status = archive.status()
    return [archive.coverage(), status.resources, status.last_event_at, archive.tree("service/1"), archive.platforms()]


def test_told_twice_it_is_there_once_also_by_way_of_an_export(url: str, tmp_path: Path) -> None:
    noted(url, "web 2.14", 50, "service/1", uuid=UUID)
    noted(url, "web 2.14", 50, "service/1", uuid=UUID)
    (line,) = [line for line in exported(url, "event") if line["event"]["type"] == "note"]
    assert (line["name"], line["event"]["text"]) == ("web 2.14", "web 2.14")
    with Archive.open(url) as archive:
        (tmp_path / "export.jsonl").write_text("".join(f"{line}\n" for line in archive.export()))
    with (tmp_path / "export.jsonl").open("rb") as file:
        import_file(url, file, How(source="export"), again=True)
    assert rows(url, "SELECT type, stream FROM event_log WHERE type = 'note'") == [("note", None)]


def test_an_archive_that_holds_nothing_but_a_note_is_not_well(sqlite_url: str) -> None:
    noted(sqlite_url, "soon", 50)
    with Archive.open(sqlite_url) as archive:
        assert [problem.kind for problem in archive.status().problems] == ["unrecorded"]


def test_several_who_note_at_once_wait_for_each_other(sqlite_url: str) -> None:
    with ThreadPoolExecutor() as people:
        list(people.map(lambda second: noted(sqlite_url, f"at {second}", second), range(4)))
    with Archive.open(sqlite_url) as archive:
        assert [note.text for note in archive.notes()] == ["at 0", "at 1", "at 2", "at 3"]


def test_a_daemon_that_ends_before_it_answers_leaves_the_note_to_who_asked_and_it_is_there_once(
    sqlite_url: str, tmp_path: Path
) -> None:
    spool = tmp_path / "spool.db"
    with new_socket() as listening, ThreadPoolExecutor(1) as daemon:
        listening.bind(str(socket_beside(spool)))
        listening.listen()

        def does_it_and_dies() -> None:
            line, _ = listening.accept()
            with line, Recorder(sqlite_url) as recorder:
                finished(job_of(decoded(read_line(line, 30)))(recorder))
                listening.close()

        dead = daemon.submit(does_it_and_dies)
        answer = done(sqlite_url, spool, {"do": "note", "text": "web 2.14", "at": micros(50), "uuid": UUID})
        dead.result()
    assert answer["known"] is True
    with Archive.open(sqlite_url) as archive:
        assert [note.text for note in archive.notes()] == ["web 2.14"]


def test_a_note_does_not_wait_for_a_long_retry(sqlite_url: str, tmp_path: Path) -> None:
    record(sqlite_url, *[Reject(b"{", "odd", micros(n), None) for n in range(5 * PAGE)])
    path = str(sqlite_path(sqlite_url))
    asked = [{"do": "retry"}, {"do": "note", "text": "web", "at": micros(50), "uuid": UUID}]
    woken = threading.Semaphore(0)
    with ExitStack() as stack:
        recorder = stack.enter_context(Recorder(sqlite_url))
        errands = Errands(recorder, Control(tmp_path / "spool.db", lambda _: None, woken.release))
        errands.begin()
        stack.callback(errands.end)
        lines = []
        for wanted in asked:
            lines.append(line := stack.enter_context(new_socket()))
            line.connect(str(socket_beside(tmp_path / "spool.db")))
            line.sendall(encoded({**wanted, "archive": path}))
            assert woken.acquire(timeout=30)
        assert errands.are_waiting()
        with new_socket() as gone:
            gone.connect(str(socket_beside(tmp_path / "spool.db")))
            gone.sendall(encoded({**asked[1], "archive": path, "text": "given up", "uuid": UUID.replace("0", "1")}))
            assert woken.acquire(timeout=30)
            assert errands.are_waiting()
        for _ in range(5):
            errands.step()
        assert decoded(read_line(lines[1], 30))["answer"]["known"] is False
        while errands.step():
            pass
        assert decoded(read_line(lines[0], 30))["answer"]["rejects"] == 5 * PAGE
    with Archive.open(sqlite_url) as archive:
        assert [note.text for note in archive.notes()] == ["web"], "who has gone was told that nothing was done"


def test_its_text_is_one_line_without_credentials() -> None:
    told = {"text": " a\n\x1b[31mb ", "at": 0, "uuid": UUID, "url": "https://u:pw@ci.example/?token=abc", "by": ""}
    assert note_of(told) == Note("a \x1b[31mb", 0, UUID, None, "https://***@ci.example/?token=***", None)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("new password=hunter2, see below", "new password=***, see below"),
        ("DB_PASSWORD: hunter2", "DB_PASSWORD: ***"),
        ("api-key = k1", "api-key = ***"),
        ("the token was renewed", "the token was renewed"),
    ],
)
def test_a_credential_written_down_in_it_is_not_kept(text: str, kept: str) -> None:
    assert note_of({"text": text, "at": 0, "uuid": UUID}).text == kept


def test_what_is_yet_to_come_is_not_noted(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--database", sqlite_url, "note", "of tomorrow", "--at", "2999-01-01"]) == 2
    assert "lies in the future" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"text": 5},
        {"text": "x" * 2001},
        {"text": "a\0b"},
        {"at": True},
        {"at": 1 << 80},
        {"uuid": "x"},
        {"url": ["u"]},
        {"under": ""},
        {"platform": 7},
    ],
    ids=json.dumps,
)
def test_what_is_no_note_is_refused_in_words(wrong: dict[str, object]) -> None:
    with pytest.raises(NotUnderstood, match=r"a note|of a note|platform"):
        job_of({"do": "note", "text": "t", "at": 0, "uuid": UUID, **wrong})


def test_notes_are_found_without_looking_at_the_events(database_url: str) -> None:
    record(database_url, opened("s1", 0), event("container/1", "Running", 0, ["service/1"], "s1"))
    noted(database_url, "one", 1)

    def ask(archive: Archive) -> object:
        return list(archive.notes())

    costs = []
    for more in (200, 2000):
        record(database_url, *[event("container/1", "Running", more + n / 1000, (), "s1") for n in range(more)])
        costs.append(cost_of(database_url, ask))
    assert costs[1] <= 1.15 * costs[0] + 400
