"""Reports, with rows that were reckoned by hand for a small fleet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from archiver.api.archive import Archive
from archiver.cli.presentation import Presentation
from archiver.cli.words.remarks import remarks
from archiver.model import Event
from archiver.model.reports import Available, Per, Report, Restart, Restarts, Subject, Watched
from archiver.report.reports import document
from archiver.transfer.importer import import_lines

from ..conftest import RunArchiver
from .archives import STREAM, at, between, closed, event, opened, record, rows, seen, uri

DATA = Path(__file__).parents[1] / "data"
SHOP = ["service/web", "stack/shop"]


def named(name: str, *told: Any, **more: Any) -> Event:
    """An event that gives its object a name."""
    return event(*told, **more)._replace(name=name)


def fleet() -> Iterator[Any]:
    """Watched from 0 to 1000 and from 1200 to 2000 seconds."""
    yield opened("a", 0)
    # Runs still; nobody knows how it was from 1000 until it was found again at 1250.
    yield named("still", "container/still", "Running", 0, SHOP, session="a")
    # Crashes at 400 for 20 seconds; is told to stop at 600 for 50, ten of which it takes to end.
    yield named("web", "container/web", "Running", 100, [*SHOP, "node/1"], session="a")
    yield event("container/web", "Stopped", 400, session="a")
    yield event("container/web", "Running", 420, session="a")
    stop = ["container/web", *SHOP]
    yield event("action/stop", "In progress", 595, stop, session="a", user="ada")
    yield event("container/web", "Stopping", 600, session="a")
    yield event("container/web", "Stopped", 610, session="a")
    yield event("action/stop", "Success", 611, stop, session="a")
    yield event("container/web", "Running", 650, session="a")
    # Moves to another node at 800, and is gone at 900.
    yield event("container/web", "Running", 800, [*SHOP, "node/2"], session="a")
    yield event("container/web", "Terminated", 900, session="a")
    # Pauses from 300 to 330; was told to stop at 700, and never came back.
    yield named("db", "container/db", "running", 200, SHOP, session="a")
    yield event("container/db", "paused", 300, session="a")
    yield event("container/db", "running", 330, session="a")
    yield event("container/db", "Stopping", 700, session="a")
    yield event("container/db", "Stopped", 710, session="a")
    yield closed("a", 1000)
    yield opened("b", 1200)
    yield seen("container/still", "Running", 1250, SHOP, session="b")
    # Of another stack: it was imported, and nobody watched it.
    yield named("other", "container/other", "Running", 100, ["stack/other"])
    yield closed("b", 2000)


@pytest.fixture
def archive_url(database_url: str) -> str:
    record(database_url, *fleet())
    return database_url


def report(url: str, name: str, ref: str | None = None, until: float = 1500, per: Per | None = None) -> Report:
    with Archive.open(url) as archive:
        return archive.report(name, ref, between(0, until), per=per)


def container(key: str) -> Subject:
    return Subject(uri(f"container/{key}"), "container", key)


def test_a_life_is_up_down_planned_or_not_watched(archive_url: str) -> None:
    found = report(archive_url, "availability")

    assert found.rows == (
        Available(None, container("db"), 100 + 370, 30, 300, 500),
        Available(None, container("other"), 0, 0, 0, 1400),
        Available(None, container("still"), 1000 + 250, 0, 0, 250),
        Available(None, container("web"), 300 + 180 + 250, 20, 50, 0),
    )
    assert "db was told to stop at 2016-02-01T12:11:50Z and has not come back" in found.notes


def test_the_ratio_has_bounds(archive_url: str) -> None:
    db = report(archive_url, "availability", "db").rows[0]

    assert (db.availability, db.worst, db.best) == (470 / 500, 470 / 1000, 970 / 1000)


def test_of_what_is_below_a_resource(archive_url: str) -> None:
    found = report(archive_url, "availability", uri("stack/shop"), per="service")

    assert found.rows == (
        Available(None, Subject(uri("service/web"), "service", None), 470 + 1250 + 730, 50, 350, 750),
    )


def test_a_day_is_one_of_the_zone(archive_url: str) -> None:
    found = report(archive_url, "availability", "still", until=1500, per="day")

    assert found.zone == "UTC"
    assert found.rows == (Available("2016-02-01", None, 1250, 0, 0, 250),)


def test_what_was_told_to_stop_before_the_range_is_planned(archive_url: str) -> None:
    with Archive.open(archive_url) as archive:
        found = archive.report("availability", "db", between(800, 900))

    assert found.rows == (Available(None, container("db"), 0, 0, 100, 0),)


def test_a_loop_of_crashes_is_down(sqlite_url: str) -> None:
    record(sqlite_url, opened("a", 0), named("web", "container/1", "Running", 0, session="a"))
    for crash in (100, 200, 300):
        record(sqlite_url, event("container/1", "Stopped", crash, session="a"))
        record(sqlite_url, event("container/1", "Running", crash + 10, session="a"))
    record(sqlite_url, closed("a", 2000))

    found = report(sqlite_url, "availability", until=1000)

    assert found.rows == (Available(None, Subject(uri("container/1"), "container", "web"), 100 + 690, 210, 0, 0),)


def test_what_stopped_and_came_back(archive_url: str) -> None:
    found = report(archive_url, "restarts").rows

    assert all(isinstance(row, Restart) for row in found)
    assert [(row.subject.name, row.stopped_at, row.started_at, row.down_seconds, row.cause.kind) for row in found] == [
        ("web", at(900), None, None, "crash"),
        ("db", at(710), None, None, "told"),
        ("web", at(400), at(420), 20, "crash"),
        ("web", at(610), at(650), 40, "told"),
    ]
    assert [proof.by for proof in found[3].cause.actions] == ["ada"]


def test_what_crashed_most_stands_first(database_url: str) -> None:
    import_lines(database_url, (DATA / "docker-swarm-events.jsonl").read_bytes().splitlines())

    with Archive.open(database_url) as archive:
        found = archive.report("restarts", per="service").rows
        each = archive.report("restarts").rows

    assert [row._replace(subject=row.subject.name, down_seconds=0) for row in found] == [
        Restarts(None, "shop_worker", 3, 0, 0, 4, 0, 0, 0, not_back=1),  # type: ignore[arg-type]
        Restarts(None, "shop_web", 5, 0, 5, 0, 0, 0, 0),  # type: ignore[arg-type]
    ]
    viewed = rows(database_url, "SELECT uri, slot, cause, exit_code, down_seconds FROM restarts ORDER BY stopped_us")
    assert [
        (row.subject.uri, row.slot, row.cause.kind, row.cause.exit_code, row.down_seconds)
        for row in sorted(each, key=lambda row: row.stopped_at)
    ] == viewed


def test_how_long_each_stream_was_watched(archive_url: str) -> None:
    assert report(archive_url, "coverage").rows == (Watched(None, STREAM, 1300, 200, 1, 200),)
    assert report(archive_url, "coverage", per="day").rows == (Watched("2016-02-01", STREAM, 1300, 200, 1, 200),)


def test_reports_at_a_shell(archive_url: str, run_archiver: RunArchiver) -> None:
    def told(*words: str) -> str:
        times = ("--since", "2016-02-01T12:00:00Z", "--until", "2016-02-01T12:25:00Z")
        return run_archiver("--database", archive_url, "report", *words, *times).stdout

    table = told("availability", "db", "-o", "table")
    document = json.loads(told("availability", "db", "-o", "json"))
    assert "94 % (47-97)" in table
    assert list(document) == [
        "report",
        "resource",
        "range",
        "per",
        "zone",
        "coverage",
        "empty",
        "notes",
        "total",
        "rows",
    ]
    assert document["rows"] == [
        {
            "uri": uri("container/db"), "type": "container", "name": "db", "up_seconds": 470, "down_seconds": 30,
            "planned_seconds": 300, "unknown_seconds": 500, "availability": 0.94, "worst": 0.47, "best": 0.97,
        }
    ]  # fmt: skip
    assert "web   told      -  action/stop by ada" in told("restarts", "-o", "table")
    assert "never back  web   crash" in told("restarts", "-o", "table")
    assert not table.splitlines()[-1].startswith("in all")
    assert told("availability", uri("stack/shop"), "-o", "table").splitlines()[-1].split()[-3:] == [
        "98", "%", "(75.38-98.46)",
    ]  # fmt: skip
    assert told("restarts", "-o", "csv").splitlines()[0] == (
        "uri,type,name,slot,stopped_at,started_at,down_seconds,cause,exit_code,action_uri,certain"
    )
    assert json.loads(told("restarts", "-o", "json"))["rows"][1]["cause"]["kind"] == "told"


def test_notes_speak_as_the_table_beside_them_does(archive_url: str) -> None:
    """The reader's zone, durations, and the keys of those that share a name."""
    twins = [f"{letter * 8}-0000-4000-8000-000000000000" for letter in "ab"]
    for key in twins:
        record(
            archive_url,
            named("twin", f"container/{key}", "Running", 300, SHOP, session="a"),
            named("twin", f"container/{key}", "Stopped", 400.5, SHOP, session="a"),
        )
    with Archive.open(archive_url) as archive:
        found = archive.report("availability", range=between(0, 600))
        nothing = archive.report("flaps", range=between(0, 600))
    shown = Presentation("table", at(600), ZoneInfo("Asia/Tokyo"), short=True)

    texts = [note for note in found.notes if note.startswith("twin")]
    assert texts == [
        f"twin ({uri(f'container/{key}')}) crashed at 2016-02-01T12:06:40Z and has not come back" for key in twins
    ]
    assert [line for line in remarks(shown, found) if line.startswith("twin")] == [
        f"twin ({key}) crashed at 2016-02-01 21:06:40.500+09:00 and has not come back"
        for key in ("aaaaaaaa", "bbbbbbbb")
    ]
    assert (found.empty, nothing.empty) == (None, "nothing_happened")


def test_an_incident_takes_the_words_for_a_range_that_all_questions_take(
    archive_url: str, run_archiver: RunArchiver
) -> None:
    ends = ("2016-02-01T12:05:00Z", "2016-02-01T12:20:00Z")
    own, common = (
        run_archiver("--database", archive_url, "report", "incident", uri("stack/shop"), since, ends[0], until, ends[1])
        for since, until in (("--from", "--to"), ("--since", "--until"))
    )
    assert (common.returncode, common.stdout) == (0, own.stdout)


def test_an_incident_is_told_in_markdown(archive_url: str, run_archiver: RunArchiver) -> None:
    record(archive_url, named("a|b*", "container/evil", "Running", 450, SHOP, session="a"))
    times = ("--from", "2016-02-01T12:05:00Z", "--to", "2016-02-01T12:20:00Z", "--utc")

    told = run_archiver("--database", archive_url, "report", "incident", uri("stack/shop"), *times).stdout.splitlines()

    assert told[0] == "# Incident: /api/v1/stack/shop/, 2016-02-01 12:05:00Z to 2016-02-01 12:20:00Z"
    assert [line for line in told if line.startswith("## ")] == [
        "## What stopped and never came back",
        "## What stopped and came back",
        "## How available it was",
        "## Timeline",
        "## Who did it",
        "## When nobody was watching",
        "## What is not known",
    ]
    assert "| 2016-02-01 12:15:00Z | container web | crash |  |" in told
    assert "| 2016-02-01 12:06:40Z | 20s | container web | crash |  |" in told
    assert "| 2016-02-01 12:10:10Z | 40s | container web | told: action/stop by ada |  |" in told
    assert "- 2016-02-01 12:09:55Z **action/stop** on container web by ada" in told
    assert "- ada: action/stop" in told
    assert any(line.startswith("- **all together: ") and "%" in line for line in told)
    assert r"- 2016-02-01 12:07:30Z container a\|b\*: appeared (nothing) → Running" in told
    assert "- 2016-02-01 12:16:40Z to 2016-02-01 12:20:00Z: cut" in told
    assert any("has not come back" in line for line in told)


def test_an_incident_in_a_gap_says_of_what_is_not_there_that_nobody_knows(
    archive_url: str, run_archiver: RunArchiver
) -> None:
    def told(since: str, until: str) -> list[str]:
        ends = ("--from", f"2016-02-01T12:{since}Z", "--to", f"2016-02-01T12:{until}Z")
        return run_archiver(
            "--database", archive_url, "report", "incident", "container/still", *ends
        ).stdout.splitlines()

    unwatched, watched = told("17:00", "18:00"), told("01:00", "02:00")

    assert unwatched.count("Nothing is known: nobody was watching for a part of that time.") == 4
    assert watched.count("Nothing.") == 6


def test_what_was_last_told_before_a_gap_is_a_doubt_though_the_range_was_watched(
    archive_url: str, run_archiver: RunArchiver
) -> None:
    """From 1210 on all is watched: until 1250 nobody knows of what still runs, of what had stopped not even then."""

    def told(name: str, since: str, until: str, *more: str) -> tuple[int, list[str]]:
        since, until = f"2016-02-01T12:{since}Z", f"2016-02-01T12:{until}Z"
        ends = ("--from", since, "--to") if name == "incident" else ("--since", since, "--until")
        asked = ("report", name, uri("stack/shop"), *ends, until, "--utc", "--strict", *more)
        answer = run_archiver("--database", archive_url, *asked)
        return answer.returncode, (answer.stdout + answer.stderr).splitlines()

    code, doubtful = told("incident", "20:10", "21:40")
    assert code == 6
    assert "watched throughout; of what stood when it began some was last told before a gap." in doubtful
    assert any(line.startswith("- **all together: ") and "2m10s not known" in line for line in doubtful)
    assert any(line.startswith("- not in this stretch; of what stood") for line in doubtful)
    assert "- 2m10s of all lives are not known: nobody was watching, or the state is of no known kind" in doubtful
    code, sliced = told("availability", "20:10", "21:40")
    assert (code, [line for line in sliced if "before a gap" in line]) == (
        6,
        ["of what stood when the range began some was last told before a gap: until told again it is not known"],
    )
    shown = told("availability", "20:10", "21:40", "-o", "table")[1]
    of_what = "/api/v1/stack/shop/: watched throughout; of what stood when it began"
    assert any(line.startswith(of_what) for line in shown)

    code, sure = told("incident", "05:00", "07:30")
    assert (code, [line for line in sure if "gap" in line]) == (0, [])
    assert "watched throughout." in sure
    assert told("availability", "05:00", "07:30")[0] == 0


def test_an_incident_offers_no_format(run_archiver: RunArchiver) -> None:
    assert "--output" not in run_archiver("report", "incident", "--help").stdout
    refused = run_archiver("report", "incident", "-o", "json")

    assert (refused.returncode, "Markdown, and nothing else" in refused.stderr) == (2, True)


def test_an_incident_of_everything_is_what_was_heard_of_then(archive_url: str) -> None:
    with Archive.open(archive_url) as archive:
        found = archive.incident(between(150, 450))

    assert [(change.uri.split("/")[-2], change.after) for change in found.changes] == [
        ("db", "running"),
        ("db", "paused"),
        ("db", "running"),
        ("web", "Stopped"),
        ("web", "Running"),
    ]


def test_what_changed_by_time(archive_url: str) -> None:
    with Archive.open(archive_url) as archive:
        found = archive.report("changes", uri("stack/shop"), between(400, 700)).rows

    assert [(row.at, row.change, row.name, row.before, row.after) for row in found] == [
        (at(400), "state", "web", "Running", "Stopped"),
        (at(420), "state", "web", "Stopped", "Running"),
        (at(595), "action", "web", None, None),
        (at(600), "state", "web", "Running", "Stopping"),
        (at(610), "state", "web", "Stopping", "Stopped"),
        (at(650), "state", "web", "Stopped", "Running"),
    ]
    assert [row.cause.kind for row in found if row.cause] == ["crash", "told"]


def test_what_had_stopped_before_the_range_is_no_restart_of_it(archive_url: str) -> None:
    with Archive.open(archive_url) as archive:
        assert archive.report("restarts", uri("container/web"), between(620, 880)).rows == ()
        assert archive.report("availability", uri("container/web"), between(620, 660)).rows == (
            Available(None, container("web"), 10, 0, 30, 0),
        )


def test_what_stops_just_as_the_range_begins_is_a_restart_of_it(archive_url: str) -> None:
    with Archive.open(archive_url) as archive:
        (row,) = archive.report("restarts", uri("container/web"), between(400, 500)).rows

    assert (row.stopped_at, row.cause.kind) == (at(400), "crash")


def test_deploys_and_flaps_are_those_of_the_views(database_url: str) -> None:
    shop = ["stack/shop"]
    record(
        database_url,
        opened("a", 0),
        event("service/web", "Running", 10, shop, session="a"),
        event("action/1", "In progress", 99, ["service/web", *shop], session="a", user="ada"),
        event("service/web", "Redeploying", 100, shop, session="a"),
        event("action/1", "Success", 129, ["service/web", *shop], session="a"),
        event("service/web", "Running", 130, shop, session="a"),
        event("service/web", "Redeploying", 900, shop, session="a"),
        *[
            event("container/1", ("Running", "Stopped")[n % 2], 200 + 20 * n, ["service/web", *shop], session="a")
            for n in range(8)
        ],
        closed("a", 2000),
    )

    with Archive.open(database_url) as archive:
        first, second = archive.report("deploys", uri("stack/shop"), between(0, 1500)).rows
        (flap,) = archive.report("flaps", uri("stack/shop"), between(0, 1500)).rows
        assert archive.report("deploys").rows == (first, second)
        assert archive.report("flaps").rows == (flap,)

    assert (first.subject.uri, first.started_at, first.seconds, first.result) == (uri("service/web"), at(100), 30, "ok")
    assert (first.by, first.action, first.certain) == ("ada", uri("action/1"), True)
    assert (second.started_at, second.finished_at, second.result) == (at(900), None, "open")
    assert (flap.subject.uri, flap.since, flap.until, flap.changes) == (uri("container/1"), at(200), at(340), 8)


def test_a_stream_that_began_behind_the_range_is_not_in_the_report(sqlite_url: str) -> None:
    record(sqlite_url, opened("a", 1000), closed("a", 2000))

    with Archive.open(sqlite_url) as archive:
        assert archive.report("coverage", None, between(0, 500)).rows == ()


def test_containers_of_two_platforms_are_two(database_url: str) -> None:
    other = "ws://other.example/v1/events"
    record(database_url, opened("a", 0), opened("b", 0, stream=other))
    record(database_url, *(event("container/1", "Running", 0, session=session) for session in "ab"))
    record(database_url, event("container/1", "Stopped", 100, session="a"), closed("a", 2000))
    record(database_url, closed("b", 2000, stream=other))

    rows = report(database_url, "availability", until=1000).rows

    assert sum(row.up_seconds for row in rows) == 100 + 1000
    assert sum(row.down_seconds for row in rows) == 900


def test_of_what_moved_only_the_changes_of_its_time_there_are_told(database_url: str) -> None:
    record(
        database_url,
        opened("a", 0),
        event("container/1", "Running", 0, ["service/old"], session="a"),
        event("container/1", None, 100, ["service/new"], session="a"),
        event("action/stop", "Success", 199, ["container/1"], session="a"),
        event("container/1", "Stopped", 200, session="a"),
        event("container/1", "Terminated", 300, session="a"),
        closed("a", 1000),
    )
    with Archive.open(database_url) as archive:
        found = {
            name: [
                [row.change for row in archive.report("changes", name, between(0, 900)).rows],
                [change.change for change in archive.incident(between(0, 900), name).changes],
            ]
            for name in ("service/old", "service/new")
        }

    assert found == {
        "service/old": [["appeared", "moved"]] * 2,
        "service/new": [["moved", "action", "state", "vanished"]] * 2,
    }


def test_a_move_that_only_others_tell_of_is_among_all_that_changed(database_url: str) -> None:
    record(
        database_url,
        opened("a", 0),
        event("container/1", "Running", 0, ["service/web", "stack/old"], session="a"),
        event("container/2", "Running", 100, ["service/web", "stack/new"], session="a"),
        closed("a", 1000),
    )
    with Archive.open(database_url) as archive:
        moved = {
            ref: [(row.uri, row.before, row.after) for row in archive.report("changes", ref, between(50, 900)).rows
                  if row.change == "moved"]
            for ref in (None, "stack/new")
        }  # fmt: skip

    assert moved[None] == moved["stack/new"] == [(uri("service/web"), (uri("stack/old"),), (uri("stack/new"),))]


@pytest.mark.parametrize(("since", "until"), [(1_000, 1_040), (1_070, 1_600), (1_600, 9_000), (2_165, 9_000)])
def test_what_flaps_as_the_range_begins_is_told_though_its_words_are_few_in_it(
    database_url: str, since: int, until: int
) -> None:
    # Six changes in a minute, and then one in nine minutes.
    changes = [0, 10, 20, 30, 40, 50, *range(590, 2_800, 540)]
    told = [event("container/1", f"S{n % 2}", second, ["stack/shop"], session="a") for n, second in enumerate(changes)]
    calm = [event("container/2", f"S{n % 2}", 130 * n, ["stack/shop"], session="a") for n in range(20)]
    record(database_url, opened("a", 0), *told, *calm, closed("a", 9_000))

    with Archive.open(database_url) as archive:
        found = [archive.report("flaps", root, between(since, until)).rows for root in (None, "stack/shop")]

    flap = [second for second in changes if second < until]
    for root, rows_ in zip((None, "stack/shop"), found, strict=True):
        heard = root is not None or any(since <= second < until for second in changes)
        assert [(row.since, row.until, row.changes) for row in rows_] == (
            [(at(0), at(flap[-1]), len(flap))] if heard else []
        )


def test_what_flapped_is_told_as_far_as_the_range_goes(database_url: str) -> None:
    record(
        database_url,
        opened("a", 0),
        *[event("container/1", ("Running", "Stopped")[n % 2], 20 * n, session="a") for n in range(12)],
        closed("a", 2000),
    )
    with Archive.open(database_url) as archive:
        for root in (None, "container/1"):
            found = {
                until: [
                    (row.until, row.seconds, row.changes)
                    for row in archive.report("flaps", root, between(0, until)).rows
                ]
                for until in (90, 101, 150, 2000)
            }
            assert found == {
                90: [],
                101: [(at(100), 100, 6)],
                150: [(at(140), 140, 8)],
                2000: [(at(220), 220, 12)],
            }, root


def test_a_restart_is_certain_where_it_was_watched_until_the_start_as_in_plain_sql(database_url: str) -> None:
    place = ["service/1"]
    successor = event("container/next", "Running", 1200, place, session="b")._replace(slot="web.1")
    record(
        database_url,
        opened("a", 0),
        event("container/alone", "Running", 0, session="a"),
        event("container/gone", "Running", 0, place, session="a")._replace(slot="web.1"),
        event("container/slow", "Running", 0, session="a"),
        event("container/alone", "Stopped", 200, session="a"),
        event("container/slow", "Stopped", 500, session="a"),
        event("container/slow", "Starting", 600, session="a"),
        event("container/gone", "Terminated", 700, session="a"),
        closed("a", 1000),
        *(opened("b", 1100), successor, event("container/slow", "Running", 1300, session="b"), closed("b", 2000)),
    )
    with Archive.open(database_url) as archive:
        until_900, until_1500 = (
            {row.subject.uri: row.certain for row in archive.report("restarts", None, between(0, until)).rows}
            for until in (900, 1500)
        )
    plain = rows(database_url, "SELECT uri, certain FROM restarts WHERE started_at IS NOT NULL")

    assert until_900 == {uri("container/alone"): True, uri("container/slow"): False, uri("container/gone"): False}
    assert until_1500 == dict.fromkeys(until_900, False)
    assert dict(plain) == {uri("container/slow"): 0, uri("container/gone"): 0}


def test_a_change_says_its_platform_where_there_are_several(database_url: str) -> None:
    other = "ws://other.example/v1/events"
    for name, stream in (("a", STREAM), ("b", other)):
        record(database_url, opened(name, 0, stream=stream), event("container/1", "Running", 5, session=name))
    with Archive.open(database_url) as archive:
        found = document(archive.report("changes", None, between(0, 50)))["rows"]

    assert [(row["uri"], row["platform"]) for row in found] == [
        (uri("container/1"), "stream.example"),
        (uri("container/1"), "other.example"),
    ]
