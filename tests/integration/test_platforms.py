"""Objects live in platforms: what is of which account, swarm or engine, on both databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from archiver.api.archive import Archive
from archiver.codec.notes import Note
from archiver.errors import AmbiguousReference, NoSuchPlatform
from archiver.model import Condition, Event, Opened, Reject
from archiver.recording.jobs import done
from archiver.storage.database.engine import writing_engine
from archiver.storage.recorder import Recorder, Whose
from archiver.transfer.importer import import_lines

from ..conftest import RunArchiver
from .archives import START, at, between, event, export, exported, micros, opened, record, rows, uri

ONE, TWO = "wss://one.example/api/audit/v1/events", "wss://two.example/api/audit/v1/events"
SOCKETS = ("unix:///run/one.sock", "unix:///run/two.sock")
RESOURCES = (
    "SELECT p.name, count(*) FROM resources r JOIN platforms p ON p.id = r.platform_id GROUP BY p.name ORDER BY 1"
)


def two_accounts(url: str) -> None:
    """Two accounts that have a container of the same key, told of by events of the same uuid and time."""
    record(url, opened("a", 0, stream=ONE), opened("b", 0, stream=TWO))
    uuid = "526d474c-45cf-4e5b-9768-5a21a9850848"
    record(url, event("container/1", "Running", 1, session="a", uuid=uuid))
    record(url, event("container/1", "Stopped", 1, session="b", uuid=uuid))


def engine(number: int, told: dict[str, Any] | None, volume: str = "data") -> list[Opened | Condition | Event]:
    """A connection to an engine, who it says it is, and a volume without the engine's id in its key."""
    stream, session = SOCKETS[number], f"s{number}"
    said: list[Opened | Condition | Event] = [Opened(stream, session, "docker", START, START)]
    if told is not None:
        said.append(Condition(stream, "docker", START, "identity", json.dumps(told)))
    uri = f"/docker/v1/volume/{volume}/"
    return [*said, event("volume/x", "created", 1, session=session)._replace(resource_uri=uri)]


def test_two_accounts_with_one_key_are_two_objects(database_url: str) -> None:
    two_accounts(database_url)

    with Archive.open(database_url) as archive:
        states = {name: archive.history(archive.resolve("container/1", platform=name)) for name in platforms(archive)}

    assert {name: [span.state for span in found.spans] for name, found in states.items()} == {
        "one.example": ["Running"], "two.example": ["Stopped"],
    }  # fmt: skip
    assert rows(database_url, "SELECT platform, state FROM current_states ORDER BY 1") == [
        ("one.example", "Running"), ("two.example", "Stopped"),
    ]  # fmt: skip


def test_a_tree_of_everything_says_on_which_platform_each_is(database_url: str, run_archiver: RunArchiver) -> None:
    """Else two that have one URI are one line, twice."""
    two_accounts(database_url)

    def told(*words: str) -> str:
        return run_archiver("--database", database_url, *words, "--utc").stdout

    for command in (["tree"], ["at", at(2).isoformat()]):
        found = json.loads(told(*command, "-o", "json"))
        assert {(each["platform"], each["state"]) for each in found["children"]} == {
            ("one.example", "Running"), ("two.example", "Stopped"),
        }  # fmt: skip
        drawn = told(*command, "-o", "table").splitlines()
        assert sorted(line.split("  ")[-1] for line in drawn[1:]) == ["on one.example", "on two.example"]


def test_one_uri_on_two_platforms_flaps_on_that_where_it_does(database_url: str) -> None:
    record(database_url, opened("a", 0, stream=ONE), opened("b", 0, stream=TWO))
    for second in range(1, 9):
        record(database_url, event("container/1", "Running" if second % 2 else "Stopped", second, session="a"))
    for second in range(1, 5):
        record(database_url, event("container/1", "Running" if second % 2 else "Stopped", second, session="b"))
    record(database_url, event("action/1", "Success", 9, ["container/1"], session="a"))

    assert rows(database_url, "SELECT platform, changes FROM flaps") == [("one.example", 8)]
    assert len(rows(database_url, "SELECT text FROM grafana_annotations")) == 1
    for view in ("inventory", "changes", "watched_spans", "restarts"):
        found = rows(database_url, f"SELECT platform FROM {view} WHERE type = 'container' GROUP BY platform ORDER BY 1")
        assert found == [("one.example",), ("two.example",)], view


def test_reports_tell_one_uri_on_two_platforms_apart(database_url: str) -> None:
    place = ["service/web", "stack/shop"]
    record(database_url, opened("a", 0, stream=ONE), opened("b", 0, stream=TWO))
    for session, user, length in (("a", "ada", 30), ("b", "bob", 50)):
        record(
            database_url,
            event("service/web", "Running", 10, place[1:], session=session),
            event("action/1", "In progress", 99, place, session=session, user=user),
            event("service/web", "Redeploying", 100, place[1:], session=session),
            event("action/1", "Success", 99 + length, place, session=session),
            event("service/web", "Running", 100 + length, place[1:], session=session),
            *[
                event("container/1", ("Running", "Stopped")[n % 2], 200 + 20 * n, place, session=session)
                for n in range(6 if session == "a" else 8)
            ],
        )
    deploys = [("one.example", 30, "ada"), ("two.example", 50, "bob")]
    flaps = [("one.example", 6), ("two.example", 8)]

    with Archive.open(database_url) as archive:
        roots = {name: archive.resolve("stack/shop", platform=name) for name in platforms(archive)}
        for name, root in ((None, None), *roots.items()):
            found = [(row.subject.platform, row.seconds, row.by) for row in archive.report("deploys", root).rows]
            assert found == [row for row in deploys if name in (None, row[0])], name
            found = [(row.subject.platform, row.changes) for row in archive.report("flaps", root).rows]
            assert found == [row for row in flaps if name in (None, row[0])], name


def test_what_takes_a_slot_on_another_platform_is_no_return(database_url: str) -> None:
    def life(number: int, session: str, *told: tuple[str, float]) -> list[Event]:
        uri = f"/docker/v1/container/{number:064x}/"
        place = ("/docker/v1/service/s/",)
        return [
            event("container/x", state, second, session=session)._replace(
                resource_uri=uri, parents=place, slot="shop_web.1"
            )
            for state, second in told
        ]

    record(database_url, opened("a", 0, stream=ONE), opened("b", 0, stream=TWO))
    record(
        database_url,
        *life(1, "a", ("running", 1), ("exited (3)", 20)),
        *life(1, "b", ("running", 1), ("exited (3)", 30)),
        *life(2, "b", ("running", 33)),
    )

    found = rows(database_url, "SELECT platform, down_seconds FROM restarts ORDER BY platform")

    assert found == [("one.example", None), ("two.example", 3.0)]
    with Archive.open(database_url) as archive:
        report = archive.report("restarts").rows
    assert sorted((row.subject.platform, row.down_seconds) for row in report) == found


def test_a_reference_to_objects_of_two_platforms_names_both(database_url: str) -> None:
    two_accounts(database_url)

    with Archive.open(database_url) as archive:
        with pytest.raises(AmbiguousReference, match="matches 2 resources") as found:
            archive.resolve("container/1")
        assert found.value.platforms == ("one.example", "two.example")
        assert "--platform" in str(found.value.next_step)
        assert archive.resolve("container/1", platform=TWO).platform == "two.example"
        uri = archive.resolve("container/1", platform=TWO).uri
        assert archive.resolve(f"web-1 ({uri}, two.example)").platform == "two.example"  # as a table prints it
        with pytest.raises(NoSuchPlatform, match=r"three\.example"):
            archive.resolve("container/1", platform="three.example")


def test_an_archive_of_one_platform_says_nothing_of_it(database_url: str) -> None:
    record(database_url, opened("a", 0, stream=ONE), event("container/1", "Running", 1, session="a"))

    with Archive.open(database_url) as archive:
        assert archive.resolve("container/1").platform is None


def test_another_way_to_an_account_is_the_same_account(database_url: str) -> None:
    record(database_url, opened("a", 0, stream=ONE), opened("b", 0, stream="wss://ONE.example:443/v1/events"))
    record(database_url, event("container/1", session="a"), event("container/1", session="b"))

    assert rows(database_url, RESOURCES) == [("one.example", 1)]


SWARM = {"swarm": "S", "node": "N1", "engine": "E1", "managers": ["N1"]}
WORKER = {"node": "N2", "engine": "E2", "managers": ["N1"]}


@pytest.mark.parametrize(
    ("one", "two", "count"),
    [
        (SWARM, {**SWARM, "node": "N2", "engine": "E2", "managers": ["N1", "N2"]}, 1),
        (SWARM, WORKER, 1),
        (WORKER, SWARM, 1),
        ({"engine": "E1"}, {"engine": "E1"}, 1),
        ({"engine": "E1"}, {"engine": "E2"}, 2),
        ({"engine": "E1"}, None, 2),
        (None, None, 2),
    ],
    ids=["two managers", "its worker", "its worker first", "twice", "two engines", "one unknown", "both unknown"],
)
def test_what_an_engine_says_of_itself_tells_which_platform_it_is(
    database_url: str, one: dict[str, Any] | None, two: dict[str, Any] | None, count: int
) -> None:
    record(database_url, *engine(0, one))
    record(database_url, *engine(1, two))

    assert rows(database_url, "SELECT count(*) FROM resources") == [(count,)]


def test_an_engine_that_says_late_who_it_is_stays_the_platform_it_was(database_url: str) -> None:
    record(database_url, *engine(0, None))
    record(database_url, Condition(SOCKETS[0], "docker", START, "identity", '{"engine":"E","host":"build-1"}'))

    assert rows(database_url, "SELECT key, name FROM platforms") == [("docker:engine:E", "build-1")]


@pytest.mark.parametrize("batches", [1, 2])
def test_a_host_that_is_built_anew_is_another_platform_and_what_was_told_before_stays(
    database_url: str, batches: int
) -> None:
    """One URL, two engines: the first one's last words may wait in the spool until the second has told who it is."""
    record(database_url, *engine(0, {"engine": "E1"}))
    last = engine(0, None, "late")[-1]._replace(occurred_at=micros(5))  # type: ignore[union-attr]
    again = Opened(SOCKETS[0], "again", "docker", START + 10, START + 10)
    identity = Condition(SOCKETS[0], "docker", START + 10, "identity", '{"engine":"E2"}')
    new = engine(0, None)[-1]._replace(session="again", occurred_at=micros(20))  # type: ignore[union-attr]
    parts = [[last, again], [identity, new]]

    for part in parts if batches == 2 else [[*parts[0], *parts[1]]]:
        record(database_url, *part)

    told = "SELECT p.key, r.key FROM resources r JOIN platforms p ON p.id = r.platform_id"
    assert sorted(rows(database_url, told)) == [
        ("docker:engine:E1", "data"), ("docker:engine:E1", "late"), ("docker:engine:E2", "data"),
    ]  # fmt: skip
    with Archive.open(database_url) as archive:
        assert [gap.stream for gap in archive.coverage(stream=SOCKETS[0]).gaps if gap.since and gap.until] == []


def test_one_engine_by_two_urls_is_one_platform_and_two_streams(database_url: str) -> None:
    record(database_url, *engine(0, {"engine": "E1"}))
    record(database_url, *engine(1, {"engine": "E1"}))

    assert rows(database_url, "SELECT count(*) FROM platforms") == [(1,)]
    assert rows(database_url, "SELECT count(*), count(DISTINCT platform_id) FROM streams") == [(2, 1)]


def test_two_sessions_of_a_new_stream_in_one_batch_are_of_one_platform(database_url: str) -> None:
    again = Opened(SOCKETS[0], "again", "docker", START, START)
    record(database_url, *engine(0, None), again, event("volume/x", "removed", 2, session="again"))

    assert rows(database_url, "SELECT key FROM platforms") == [(f"stream:{SOCKETS[0]}",)]


def test_an_engine_that_makes_a_swarm_stays_the_platform_it_was(database_url: str) -> None:
    record(database_url, *engine(0, {"engine": "E1"}))
    record(database_url, Condition(SOCKETS[0], "docker", START + 1, "identity", json.dumps(SWARM)))
    record(database_url, *engine(1, WORKER))

    assert rows(database_url, "SELECT count(*) FROM platforms") == [(1,)]


@pytest.mark.parametrize("first", ["import", "stream"])
def test_what_is_imported_and_says_nothing_is_of_the_only_platform(database_url: str, first: str) -> None:
    steps = [lambda: record(database_url, event("container/1"))]
    steps.append(lambda: record(database_url, opened("a", 0, stream=ONE), event("container/1", session="a")))
    for step in steps if first == "import" else reversed(steps):
        step()

    assert rows(database_url, RESOURCES) == [("one.example", 1)]


def test_of_several_platforms_what_is_imported_is_of_the_one_that_knows_the_object(database_url: str) -> None:
    two_accounts(database_url)
    record(database_url, event("service/7", session="b"))

    record(database_url, event("service/7", second=2), event("service/8", second=2))

    assert rows(database_url, "SELECT platform FROM event_log WHERE uri LIKE '%service/7/' ORDER BY id") == [
        ("two.example",), ("two.example",),
    ]  # fmt: skip
    assert rows(database_url, "SELECT platform FROM event_log WHERE uri LIKE '%service/8/'") == [("imported",)]


def test_a_copy_has_the_same_platforms(database_url: str, request: pytest.FixtureRequest) -> None:
    two_accounts(database_url)
    with Recorder(database_url) as recorder:
        recorder.whose = Whose("staging")
        recorder.record([event("container/1", "Starting", 3)])
    other = "postgres_url" if database_url.startswith("sqlite") else "sqlite_url"
    copy = str(request.getfixturevalue(other))

    import_lines(copy, [line.encode() + b"\n" for line in export(database_url)])

    assert export(copy)[1:] == export(database_url)[1:]
    assert rows(copy, RESOURCES) == rows(database_url, RESOURCES)


def platforms(archive: Archive) -> list[str]:
    return [platform.name for platform in archive.platforms()]


def test_one_recording_of_two_platforms_is_archived_for_both(
    sqlite_url: str, tmp_path: Path, run_archiver: RunArchiver
) -> None:
    recorded = tmp_path / "events.jsonl"
    told = {"type": "container", "state": "Running", "resource_uri": "/api/v1/container/1/"}
    recorded.write_text(json.dumps({**told, "datetime": "2016-02-01T12:00:00Z", "uuid": "u"}) + "\n")

    for name in ("east", "west"):
        run_archiver("--database", sqlite_url, "import", "--platform", name, str(recorded))

    again = run_archiver("--database", sqlite_url, "import", "--platform", "east", str(recorded)).stdout
    found = run_archiver("--database", sqlite_url, "history", "container/1", "--platform", "west", "-o", "json").stdout
    assert "nothing is added" in again
    assert json.loads(found)["resource"]["platform"] == "west"
    assert run_archiver("--database", sqlite_url, "history", "container/1").returncode == 3


def test_what_was_otherwise_and_what_was_noted_says_on_which_platform(database_url: str, tmp_path: Path) -> None:
    place = ["service/web", "stack/shop"]
    record(database_url, opened("a", 0, stream=ONE), opened("b", 0, stream=TWO))
    for session in ("a", "b"):
        record(
            database_url,
            event("service/web", "Running", 1, place[1:], session=session),
            event("container/1", "Running", 1, place, session=session),
            event("container/1", "Stopped", 10, place, session=session),
            event("container/2", "Running", 11, place, session=session),
            event("container/3", "Running", 11, place, session=session),
        )
    with Archive.open(database_url) as archive:
        two = archive.platform_of(archive.resolve("stack/shop", platform="two.example"))
        note = Note("web 2.14", micros(12), "7d9bb9b3-13a4-4cf2-9a87-5d90ed9b2f71", uri("stack/shop"))
        done(database_url, tmp_path / "spool.db", {"do": "note", **note._asdict(), "platform": two})

        changes = archive.diff(at(5), at(20)).changes
        near = archive.why(archive.resolve("container/2", platform="two.example"), at(13)).changes
        reported = archive.report("changes", None, between(0, 20)).rows

    for kind in ("state", "appeared", "replicas"):
        of_kind = [change.platform for change in changes if change.change == kind]
        assert set(of_kind) == {"one.example", "two.example"}, kind
    assert [change.platform for change in near if change.change == "note"] == ["two.example"]
    assert [change.platform for change in reported if change.change == "note"] == ["two.example"]


def test_events_of_two_platforms_are_asked_about_together_whatever_their_numbers(database_url: str) -> None:
    record(database_url, opened("a", 0, stream=ONE), opened("b", 0, stream=TWO))
    record(database_url, event("container/1", "Running", 1, session="a"))
    engine = writing_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE numbers SET last = 40000 WHERE name = 'events'"))
    engine.dispose()
    record(database_url, event("container/2", "Running", 2, session="a"))
    record(database_url, event("container/3", "Running", 3, session="b"))

    with Archive.open(database_url) as archive:
        numbers = [event.id for event in archive.events()]
        found = [archive.containers_of(asked) for asked in (numbers, numbers[::-1], [numbers[0], numbers[2]])]

    assert [[each.key for each in containers] for containers in found] == [["1", "2", "3"], ["1", "2", "3"], ["1", "3"]]


def test_who_told_of_an_event_as_well_is_kept_with_the_event_of_its_platform(
    database_url: str, request: pytest.FixtureRequest
) -> None:
    """Two accounts tell of one uuid at one time; that one of the events is not there gives its tellers no other."""
    two_accounts(database_url)
    record(database_url, opened("b2", 2, stream=TWO))
    uuid = "526d474c-45cf-4e5b-9768-5a21a9850848"
    record(database_url, event("container/1", "Stopped", 1, session="b2", uuid=uuid))
    lines = [json.loads(line) for line in export(database_url)]
    (told,) = [line for line in lines if line["archiver"] == "telling"]
    lines.insert(lines.index(told), {**told, "session": "b", "platform": "https://one.example"})  # its stream has moved
    kept = [line for line in lines[:-1] if not (line["archiver"] == "event" and line["session"] == "b")]
    other = "postgres_url" if database_url.startswith("sqlite") else "sqlite_url"
    copy = str(request.getfixturevalue(other))

    import_lines(copy, [json.dumps(line).encode() + b"\n" for line in kept])

    found = "SELECT p.name, s.key FROM tellings t JOIN platforms p ON p.id = t.platform_id"
    assert rows(copy, f"{found} JOIN sessions s ON s.id = t.session_id") == [("one.example", "b")]
    assert [line["platform"] for line in exported(copy, "telling")] == ["https://one.example"]


@pytest.mark.parametrize("several", [True, False])
def test_a_reject_without_a_session_stays_of_its_platform_in_a_copy(
    database_url: str, several: bool, request: pytest.FixtureRequest
) -> None:
    if several:
        two_accounts(database_url)
    with Recorder(database_url) as recorder:
        recorder.record([Reject(b"{", "no JSON", START)], whose=Whose("staging"))
        recorder.record([Reject(b"[", "no JSON", START)])
    other = "postgres_url" if database_url.startswith("sqlite") else "sqlite_url"
    copy = str(request.getfixturevalue(other))

    import_lines(copy, [line.encode() + b"\n" for line in export(database_url)])

    told = "SELECT j.payload, p.name FROM rejects j LEFT JOIN platforms p ON p.id = j.platform_id ORDER BY j.id"
    assert [(bytes(payload), name) for payload, name in rows(copy, told)] == [(b"{", "staging"), (b"[", None)]
    assert export(copy)[1:] == export(database_url)[1:]
