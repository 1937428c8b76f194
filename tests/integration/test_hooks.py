"""Who is told of what, at least once, and that a planned stop wakes nobody."""

from __future__ import annotations

import json
import logging
import os
import resource
import shutil
import signal
import ssl
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.model import Closed, Event, Message, Opened, Record, Reject, now_micros
from archiver.model.hooks import Hook, wishes
from archiver.platforms.decoders import decode
from archiver.queries.waking import Place, Word
from archiver.recording.outward import hooks
from archiver.recording.outward.cursors import Cursors, cursors_beside
from archiver.recording.outward.cursors import told as told_of
from archiver.recording.outward.everybody import Outward, Wanted
from archiver.recording.outward.pace import Bucket, OutwardPace
from archiver.recording.outward.post import MOST_OF_ANSWER, NotTaken, post, target_of
from archiver.recording.outward.program import run
from archiver.recording.outward.settled import Settled
from archiver.transfer.importer import import_lines

from ..conftest import RunArchiver
from .archives import SECOND, START, STREAM, closed, event, micros, opened, record, seen, uri
from .receiving import Receiver, receiving
from .test_causes import DATA, told
from .test_daemon import wait_for
from .test_tutum_source_tls import certificate

QUICK = OutwardPace(look=0.02, share=0, settle=0.05, gap=0.05, first_delay=0.02, last_delay=0.05, keep=0)
Tell = Callable[..., Any]


def never() -> bool:
    return False


class Watched:
    """An archive that somebody fills, and who is told of it."""

    def __init__(self, url: str, folder: Path, receiver: Receiver) -> None:
        self.url, self.receiver = url, receiver
        self.spool = folder / "spool.db"
        self._said = 0
        self.says(opened("a", -100), closed("a", 100_000))
        self.held_back = False
        """Whether something is received and not archived yet."""

    @contextmanager
    def telling(self, *on: str, per_minute: int = 1_000, pace: OutwardPace = QUICK) -> Iterator[Outward]:
        hooks = [Hook(wishes(text), url=self.receiver.url) for text in on]
        with Outward(Wanted.of(hooks, per_minute, "test"), self.url, self.spool, self._progress, pace) as outward:
            assert wait_for(lambda: all(caller.mark for caller in outward.callers))
            yield outward

    def _progress(self) -> tuple[int, int]:
        return 1, int(not self.held_back)

    def says(self, *records: Record) -> None:
        """What a daemon archives."""
        self._said += len(records)
        record(self.url, *records, receiver="spool", upto=self._said)

    def crashes(self, ref: str, *seconds: float, back: bool = True) -> None:
        for_each = (("Running", -5), ("Stopped", 0), ("Running", 5))[: 3 if back else 2]
        self.says(*[event(ref, state, at + more, session="a") for at in seconds for state, more in for_each])

    def told(self, number: int) -> list[Any]:
        """The first of all that is told, once there is so much."""
        assert wait_for(lambda: len(self.receiver.taken) >= number), self.receiver.tries
        return list(self.receiver.taken)


@pytest.fixture
def watched(database_url: str, tmp_path: Path) -> Iterator[Watched]:
    with receiving() as receiver:
        yield Watched(database_url, tmp_path, receiver)


@pytest.fixture
def on_sqlite(sqlite_url: str, tmp_path: Path) -> Iterator[Watched]:
    with receiving() as receiver:
        yield Watched(sqlite_url, tmp_path, receiver)


def docker(verb: str, second: float, of: str = "c0", **attributes: str) -> Event:
    message = told(verb, second, **attributes).replace(b"c0" * 32, of.encode() * 32)
    found = decode(Message("unix:///a", "a", "docker", micros(second), message))
    assert isinstance(found, Event), found
    return found


def about(calls: list[Any]) -> list[tuple[str, str]]:
    return [("|".join(call["on"]), call["resource"]["uri"].split("/")[-2][:4]) for call in calls]


# --- what wakes, and what does not ------------------------------------------------------------------------------------


def test_a_crash_wakes_and_a_planned_stop_does_not(watched: Watched) -> None:
    watched.crashes("container/old", 0)
    with watched.telling("crash|forced|state=Stopped"):
        watched.says(
            event("container/2", "Running", 1, session="a"),
            event("action/1", "In progress", 8, ["container/2"], session="a"),
            event("container/2", "Stopping", 9, session="a"),
            event("container/2", "Stopped", 10, session="a"),
        )
        watched.crashes("container/3", 20)
        (call,) = watched.told(1)
    assert about([call]) == [("crash|state=Stopped", "3")]
    assert call["cause"] == {"kind": "crash", "exit_code": None, "actions": []}
    assert (call["state"], call["before"], call["count"], call["certain"]) == ("Stopped", "Running", 1, True)
    assert call["text"] == f"{uri('container/3')} crashed at 2016-02-01T12:00:20Z (Stopped)"
    assert stat.S_IMODE(cursors_beside(watched.spool).stat().st_mode) == 0o600


def test_what_stopped_and_is_removed_then_wakes_once(watched: Watched) -> None:
    with watched.telling("told|crash|forced"):
        for second, state in enumerate(["Running", "Stopping", "Stopped", "Terminating", "Terminated"], 1):
            watched.says(event("container/2", state, second, session="a"))
        watched.crashes("container/3", 20)
        calls = watched.told(2)
    assert about(calls) == [("told", "2"), ("crash", "3")]


def test_what_explains_a_stop_only_later_is_waited_for(watched: Watched) -> None:
    with watched.telling("crash|state=exited*"):
        watched.held_back = True
        watched.says(docker("start", 0), docker("die", 5, exitCode="143"))
        looks = time.monotonic() + 0.3
        assert wait_for(lambda: time.monotonic() > looks)
        watched.says(docker("kill", 4.9, signal="15"), docker("stop", 6))  # told behind the end
        watched.held_back = False
        watched.crashes("container/3", 20)
        assert about(watched.told(1)) == [("crash", "3")]


def test_memory_that_was_short_and_a_grace_that_was_over_are_told(watched: Watched) -> None:
    with watched.telling("oom|forced"):
        watched.says(docker("start", 0, "aa"), docker("oom", 5, "aa"), docker("die", 5.2, "aa", exitCode="137"))
        watched.says(
            docker("start", 0, "bb"),
            docker("kill", 20, "bb", signal="15"),
            docker("kill", 30, "bb", signal="9"),
            docker("die", 30.1, "bb", exitCode="137"),
            docker("stop", 30.2, "bb"),
        )
        calls = watched.told(2)
    assert about(calls) == [("oom", "aaaa"), ("forced", "bbbb")]
    assert calls[1]["cause"]["actions"][0]["name"] == "stop"


def test_a_loop_of_crashes_is_told_once_also_where_a_slot_is_filled_anew(watched: Watched) -> None:
    with watched.telling("crash-loop"):
        watched.crashes("container/1", *range(0, 300, 60))
        service = {"com.docker.swarm.service.id": "s1", "com.docker.swarm.service.name": "web"}
        said = []
        for begin, of in ((0, "aa"), (60, "bb"), (120, "cc")):
            task = {"com.docker.swarm.task.id": of, "com.docker.swarm.task.name": f"web.1.{of}", **service}
            said += [docker("start", begin, of, **task), docker("die", begin + 9, of, exitCode="3", **task)]
        watched.says(*said)
        watched.crashes("container/9", 7)
        first, second = watched.told(2)
    assert about([first, second]) == [("crash-loop", "1"), ("crash-loop", "cccc")]
    assert first["at"] == "2016-02-01T12:02:00Z"
    assert len(first["crashes"]) == len(second["crashes"]) == 3
    assert "again and again" in first["text"]


def test_what_never_came_back_is_told_unless_it_was_meant_to(watched: Watched) -> None:
    with watched.telling("never-came-back=5m", "crash"):
        watched.crashes("container/1", 0)
        watched.crashes("container/2", 10, back=False)
        watched.says(docker("start", 0, "aa"), docker("die", 5, "aa", exitCode="0"))
        watched.says(docker("start", 0, "bb"), docker("kill", 9, "bb", signal="15"), docker("die", 9.5, "bb"))
        calls = watched.told(3)
    assert sorted(about(calls)) == [("crash", "1"), ("crash", "2"), ("never-came-back=5m", "2")]
    assert any(call["text"].endswith("and has not come back") for call in calls)


def test_what_stopped_just_now_may_still_come_back(watched: Watched) -> None:
    second = (now_micros() - START) / SECOND
    watched.says(opened("n", second - 60), closed("n", second + 60))
    with watched.telling("never-came-back=1h", "never-came-back=1s"):
        watched.says(event("container/1", "Running", second - 30, session="n"))
        watched.says(event("container/1", "Stopped", second - 20, session="n"))
        assert about(watched.told(1)) == [("never-came-back=1s", "1")]


def test_a_state_that_is_told_again_or_found_first_is_no_news(watched: Watched) -> None:
    with watched.telling("state=exited*"):
        watched.says(seen("container/1", "exited (1)", 0, session="a"))
        watched.says(docker("start", 0), docker("die", 5, exitCode="3"))
        watched.says(event("container/1", "exited (1)", 20, session="a"), event("service/1", "Exited", 21, session="a"))
        calls = watched.told(2)
    assert about(calls) == [("state=exited*", "c0c0"), ("state=exited*", "1")]
    assert calls[1]["resource"]["type"] == "service"


def test_what_is_imported_wakes_nobody(on_sqlite: Watched) -> None:
    with on_sqlite.telling("crash|reject"):
        record(on_sqlite.url, opened("old", -500), event("container/7", "Running", -400, session="old"))
        record(on_sqlite.url, event("container/7", "Stopped", -300, session="old"), Reject(b"", "no", 1, "old"))
        record(on_sqlite.url, event("container/1", "Running", 0), event("container/1", "Stopped", 5))
        on_sqlite.crashes("container/2", 9)
        assert about(on_sqlite.told(1)) == [("crash", "2")]


def test_a_gap_is_told_once_and_that_of_an_archiver_that_was_stopped_is_not(watched: Watched) -> None:
    with watched.telling("gap", "gap=1h"):
        now = now_micros()
        stop = "ws://b"
        watched.says(Opened(stop, "s", "tutum", now, now), Closed(stop, "s", now + 1000, "told to", "stopped"))
        watched.says(Opened(STREAM, "l", "tutum", now, now), Closed(STREAM, "l", now + 1000, "cut", "lost"))
        (first,) = watched.told(1)
        later = now_micros()
        watched.says(Opened(STREAM, "m", "tutum", later, later), Closed(STREAM, "m", later + 1000, "cut again", "lost"))
        second = watched.told(2)[1]
    assert (first["gap"]["stream"], first["gap"]["to"], first["gap"]["kind"]) == (STREAM, None, "lost")
    assert first["text"].startswith(f"nobody is watching {STREAM} since ")
    assert second["gap"]["reason"] == "cut again"
    assert first["on"] == second["on"] == ["gap"]


def test_a_gap_is_told_though_a_clock_was_ahead_when_the_last_one_was(on_sqlite: Watched) -> None:
    with on_sqlite.telling("gap"):
        pass
    tomorrow, cursors = now_micros() + 86_400 * SECOND, cursors_beside(on_sqlite.spool)
    ((key, state),) = json.loads(cursors.read_text()).items()
    state["gap 0"] = {"to": tomorrow, "told": {STREAM: [tomorrow, True]}}
    cursors.write_text(json.dumps({key: state}))
    with on_sqlite.telling("gap"):
        now = (now_micros() - START) / SECOND
        on_sqlite.says(opened("n", now), closed("n", now + 0.001))
        (call,) = on_sqlite.told(1)
    assert call["gap"]["reason"] == "cut"


def test_a_reject_is_told_without_its_bytes(watched: Watched) -> None:
    with watched.telling("reject"):
        watched.says(Reject(b"secret bytes", "not \x1b[31m JSON", micros(5), "a"))
        (call,) = watched.told(1)
    assert call["reject"]["reason"] == "not \x1b[31m JSON"
    assert "\x1b" not in call["text"]
    assert "secret" not in json.dumps(call)


def test_a_recorded_swarm_wakes_by_the_causes_that_its_history_has(sqlite_url: str) -> None:
    import_lines(sqlite_url, (DATA / "docker-swarm-events.jsonl").read_bytes().splitlines())
    judged = planned = 0
    with Archive.open(sqlite_url) as archive:
        for found in archive.events(types=["container"], states=["exited", "removed"], limit=0):
            assert found.resource_uri is not None
            assert found.state is not None
            resource = archive.resolve(found.resource_uri)
            change = archive.change(Word("events", found.id, resource, found.occurred_at, found.state))
            spans = archive.history(resource).spans
            span = next((each for each in spans if each.since == found.occurred_at and each.state == found.state), None)
            assert (change is None) == (span is None)
            if change is not None and span is not None:
                judged += 1
                planned += change.cause is not None and change.cause.kind in ("told", "forced")
                assert change.cause == span.cause
    assert judged > 20
    assert planned > 5


# --- at least once ----------------------------------------------------------------------------------------------------


def test_nothing_is_lost_when_the_receiver_is_dead_and_the_daemon_ends(watched: Watched) -> None:
    watched.receiver.status = 500
    with watched.telling("crash"):
        watched.crashes("container/1", 0)
        watched.crashes("container/2", 10)
        assert wait_for(lambda: len(watched.receiver.tries) > 2)
        assert len({call["id"] for _, _, call in watched.receiver.tries}) == 1
    watched.crashes("container/3", 20)
    watched.receiver.status = 204
    with watched.telling("crash") as outward:
        assert about(watched.told(3)) == [("crash", "1"), ("crash", "2"), ("crash", "3")]
        assert wait_for(lambda: outward.callers[0].delivered == 3)
        assert outward.callers[0].waiting == 0


def test_status_says_how_far_each_was_told_and_why_one_takes_nothing(
    on_sqlite: Watched, run_archiver: RunArchiver
) -> None:
    def status() -> dict[str, Any]:
        asked = ("status", "-o", "json", "--database", on_sqlite.url)
        (one,) = json.loads(run_archiver(*asked, env={"ARCHIVER_SPOOL": str(on_sqlite.spool)}).stdout)["told"]
        return dict(one)

    with on_sqlite.telling("crash"):
        on_sqlite.crashes("container/1", 10)
        on_sqlite.told(1)
        assert wait_for(lambda: status()["delivered_at"] is not None)
        first = status()
        on_sqlite.receiver.status = 503
        on_sqlite.crashes("container/2", 20)
        assert wait_for(lambda: status()["trouble"] is not None)
        then = status()

    assert first["name"].startswith("hook 1 (crash: http")
    assert "secret" not in first["name"]
    assert (first["trouble"], first["failed_at"]) == (None, None)
    assert "503" in then["trouble"]
    assert then["failed_at"] > then["delivered_at"] == first["delivered_at"]
    assert then["event"] >= first["event"]


def test_a_receiver_that_hangs_is_given_up_and_delays_nobody_else(on_sqlite: Watched) -> None:
    on_sqlite.receiver.hangs.set()
    with receiving() as other:
        slow = Hook(wishes("crash"), url=on_sqlite.receiver.url)
        wanted = Wanted.of([slow, Hook(wishes("crash"), url=other.url)], 100, "test")
        pace = QUICK._replace(answer=0.3)
        with Outward(wanted, on_sqlite.url, on_sqlite.spool, lambda: (0, 0), pace) as outward:
            assert wait_for(lambda: all(caller.mark for caller in outward.callers))
            on_sqlite.crashes("container/1", 0)
            assert wait_for(lambda: other.taken)
            assert wait_for(lambda: outward.callers[0].failed)
            assert any("no answer within" in trouble for trouble in outward.troubles())
            on_sqlite.receiver.hangs.clear()
            assert wait_for(lambda: on_sqlite.receiver.taken)


def test_what_is_never_taken_is_dropped_with_one_line_and_the_rest_is_told(
    on_sqlite: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    on_sqlite.receiver.status = 404
    with caplog.at_level(logging.INFO), on_sqlite.telling("crash", pace=QUICK._replace(give_up=0.2)) as outward:
        (caller,) = outward.callers
        on_sqlite.crashes("container/1", 0)
        assert wait_for(lambda: caller.dropped == 1)
        on_sqlite.receiver.status = 200
        on_sqlite.crashes("container/2", 10)
        assert about(on_sqlite.told(1)) == [("crash", "2")]
        assert wait_for(lambda: outward.callers[0].delivered == 1)
    numbers = {family.name: family.samples[0].value for family in outward.metrics()}
    assert numbers["archiver_hook_calls_dropped_total"] == 1
    assert numbers["archiver_hook_calls_delivered_total"] == 1
    assert numbers["archiver_hook_calls_failed_total"] >= 2
    said = [record.message for record in caplog.records if "HTTP 404" in record.message]
    assert len(said) == 2
    assert "secret" not in caplog.text


def test_too_many_for_a_minute_are_told_together(on_sqlite: Watched) -> None:
    with on_sqlite.telling("crash", per_minute=120) as outward:
        outward.callers[0]._bucket.empty()  # noqa: SLF001
        on_sqlite.says(
            *[
                found
                for number in range(30)
                for found in (
                    event(f"container/{number:04d}", "Running", number, session="a"),
                    event(f"container/{number:04d}", "Stopped", number + 40, session="a"),
                )
            ]
        )
        assert wait_for(lambda: sum(call["count"] for call in on_sqlite.receiver.taken) == 30)
    calls = on_sqlite.receiver.taken
    assert len(calls) < 30
    many = max(calls, key=lambda call: call["count"])
    assert many["counts"] == {"crash": many["count"]}
    assert many["text"].startswith(f"{many['count']} more ({many['count']} crash), the first: ")


def test_a_flood_is_counted_and_not_looked_at_one_by_one(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "MOST_AT_ONCE", 5)
    with watched.telling("oom"):
        words = [event(f"container/{number}", "Stopped", number, session="a") for number in range(20)]
        watched.says(*words)
        (call,) = watched.told(1)
    assert (call["count"], call["on"]) == (20, ["oom"])


def test_another_archive_begins_anew(on_sqlite: Watched, sqlite_template: Path, tmp_path: Path) -> None:
    with on_sqlite.telling("crash"):
        on_sqlite.crashes("container/1", 0)
        on_sqlite.told(1)
    for file in tmp_path.glob("archive.db*"):
        file.unlink()
    (tmp_path / "archive.db").write_bytes(sqlite_template.read_bytes())
    on_sqlite.says(opened("b", -100), closed("b", 1000))
    on_sqlite.says(event("container/9", "Running", 1, session="b"), event("container/9", "Stopped", 5, session="b"))
    with on_sqlite.telling("crash"):
        on_sqlite.says(event("container/2", "Running", 1, session="b"), event("container/2", "Stopped", 5, session="b"))
        assert about(on_sqlite.told(2))[1:] == [("crash", "2")]


def test_what_came_into_another_archive_while_a_receiver_was_dead_is_told(
    on_sqlite: Watched, sqlite_template: Path, tmp_path: Path
) -> None:
    def heard(*events: Event) -> list[Event]:
        return [each._replace(received_at=now_micros()) for each in events]

    on_sqlite.receiver.status = 500
    with on_sqlite.telling("crash"):
        on_sqlite.crashes("container/1", 0)
        assert wait_for(lambda: on_sqlite.receiver.tries)
        for file in tmp_path.glob("archive.db*"):
            file.unlink()
        (tmp_path / "archive.db").write_bytes(sqlite_template.read_bytes())
        on_sqlite.says(
            opened("b", -100),
            *heard(event("container/2", "Running", 1, session="b"), event("container/2", "Stopped", 5, session="b")),
            closed("b", 1000),
        )
        on_sqlite.receiver.status = 200
        assert about(on_sqlite.told(2)) == [("crash", "1"), ("crash", "2")]


def test_what_was_taken_is_not_told_again_by_the_next_daemon(on_sqlite: Watched) -> None:
    with on_sqlite.telling("crash"):
        on_sqlite.crashes("container/1", 10)
        on_sqlite.told(1)
        on_sqlite.crashes("container/2", 20)
        on_sqlite.told(2)
        kept = on_sqlite.spool.with_name("spool.db-cursors")
        assert wait_for(lambda: max(json.loads(kept.read_text()).popitem()[1]["changes"]) >= 5)
    with on_sqlite.telling("crash"):
        on_sqlite.crashes("container/3", 30)
        on_sqlite.told(3)

    assert [call["resource"]["uri"] for call in on_sqlite.receiver.taken] == [uri(f"container/{n}") for n in (1, 2, 3)]


def test_a_cursor_that_moves_is_kept_though_it_is_the_same_object(tmp_path: Path) -> None:
    cursors, state = Cursors(tmp_path / "cursors"), {"changes": [1, 2]}
    cursors.keep("hook", state)
    state["changes"][0] = 9
    cursors.keep("hook", state)

    assert Cursors(tmp_path / "cursors").of("hook") == {"changes": [9, 2]}


def test_a_file_of_cursors_that_cannot_be_written_whole_stays_as_it_was(tmp_path: Path) -> None:
    cursors, limits = Cursors(tmp_path / "cursors"), resource.getrlimit(resource.RLIMIT_FSIZE)
    cursors.keep("hook", {"changes": [1, 2]})
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))  # Python ignores the signal
    try:
        cursors.keep("hook", {"changes": [3, 4], "name": "x" * 200})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert Cursors(tmp_path / "cursors").of("hook") == {"changes": [1, 2]}


@pytest.mark.parametrize("changes", [[], {}, "x", None])
def test_who_is_told_is_said_though_what_is_kept_of_one_cannot_be_understood(tmp_path: Path, changes: Any) -> None:
    kept = {"mark": "m", "name": "hook 1", "changes": [3, 4]}
    broken = {**kept, "changes": changes}
    cursors_beside(tmp_path / "spool.db").write_text(json.dumps({"a": broken, "b": kept, "c": {**kept, "mark": "n"}}))

    assert [each.event for each in told_of(tmp_path / "spool.db", "m")] == [None, 3]


def test_a_file_of_cursors_that_cannot_be_understood_begins_anew(on_sqlite: Watched) -> None:
    for content in ("", "[]", '{"a": 1}', "\udcff", "[" * 100_000):
        cursors_beside(on_sqlite.spool).write_bytes(content.encode("utf-8", "surrogateescape"))
        with on_sqlite.telling("reject"):
            pass
    for value in ({}, {"changes": 1}, {"changes": [1, "x"], "rejects": 0}, {"changes": [0, 0], "rejects": 99}):
        state = json.loads(cursors_beside(on_sqlite.spool).read_text())
        state = {key: {"mark": kept["mark"], **value} for key, kept in state.items()}
        cursors_beside(on_sqlite.spool).write_text(json.dumps(state))
        with on_sqlite.telling("reject") as outward:
            assert wait_for(lambda caller=outward.callers[0]: caller.state.get("rejects") == 0)


def test_up_to_where_it_is_settled_follows_what_is_archived() -> None:
    progress = [5, 4]
    settled = Settled(lambda: (progress[0], progress[1]))
    assert settled.look(Place(1), 0) is None
    assert settled.look(Place(2), 0) is None
    progress[1] = 5
    assert settled.look(Place(3), 0) == Place(1)
    assert settled.look(Place(3), 0) == Place(3)
    assert settled.look(Place(4), 3600) == Place(3)


def test_a_bucket_lets_a_minutes_worth_through_at_once() -> None:
    bucket = Bucket(3)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


# --- programs ---------------------------------------------------------------------------------------------------------


def script(folder: Path, text: str) -> tuple[str, ...]:
    path = folder / "script.py"
    path.write_text(text)
    return (sys.executable, str(path))


def test_a_program_gets_what_happened_and_no_secret(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    program = script(
        tmp_path, f"import json, os, sys; json.dump([sys.stdin.read(), dict(os.environ)], open({str(out)!r}, 'w'))"
    )
    environ = {"PATH": os.environ["PATH"], "ARCHIVER_TOKEN": "secret", "PGPASSWORD": "secret", "LC_ALL": "C.UTF-8"}
    run(program, b"x" * 300_000, {"ARCHIVER_HOOK_ON": "oom"}, 30, never, environ)
    said, found = json.loads(out.read_text())
    assert said == "x" * 300_000
    assert found["ARCHIVER_HOOK_ON"] == "oom"
    assert "secret" not in found.values()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import sys; sys.exit('no\\x1b room')", "ended with code 1: no\\x1b room"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "signal 15"),
        ("print('x' * 1_000_000); raise SystemExit(2)", "ended with code 2: xxx"),
    ],
)
def test_a_program_that_fails_says_why(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(NotTaken, match=why.replace("\\", "\\\\")):
        run(script(tmp_path, text), b"unread" * 100_000, {}, 30, never)


def test_a_program_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(NotTaken, match="cannot be run: No such file"):
        run(("/nonexistent/page",), b"", {}, 5, never)


def test_a_program_that_hangs_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    text = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(NotTaken, match="did not end within"):
        run(script(tmp_path, text), b"", {}, 2, lambda: False)
    for pid in map(int, pids.read_text().split()):
        assert wait_for(lambda pid=pid: not _runs(pid))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGCONT)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_program_that_leaves_something_running_is_not_waited_for(tmp_path: Path) -> None:
    text = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(5)'])"
    began = time.monotonic()
    run(script(tmp_path, text), b"", {}, 60, never)
    assert time.monotonic() - began < 60


# --- servers ----------------------------------------------------------------------------------------------------------


def test_a_redirect_is_not_followed_and_a_server_may_say_when_to_come_again() -> None:
    with receiving() as receiver, receiving() as other:
        target = target_of(receiver.url, "hooks", "test")
        receiver.status, receiver.headers = 307, {"Location": other.url}
        with pytest.raises(NotTaken, match="redirects are not followed"):
            post(target, b"{}", {}, 10, never)
        receiver.status, receiver.headers = 503, {"Retry-After": "17"}
        with pytest.raises(NotTaken) as raised:
            post(target, b"{}", {}, 10, never)
        assert raised.value.wait == 17
        receiver.headers = {"Retry-After": "999999"}
        with pytest.raises(NotTaken) as raised:
            post(target, b"{}", {}, 10, never)
        assert raised.value.wait == 3600
        assert not other.tries
        assert receiver.tries[0][0] == "/services/secretpath?token=secretquery"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_a_server_whose_certificate_nobody_knows_is_told_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert, key = certificate(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with receiving(context) as receiver:
        target = target_of(receiver.url, "hooks", "test")
        with pytest.raises(NotTaken, match=r"certificate.*SSL_CERT_FILE"):
            post(target, b"{}", {}, 10, never)
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        assert post(target, b"{}", {}, 10, never)[0] == 200
    assert len(receiver.tries) == 1


def test_of_a_long_answer_only_the_beginning_is_read() -> None:
    with receiving() as receiver:
        receiver.answer = b"x" * (MOST_OF_ANSWER + 1)
        status, said = post(target_of(receiver.url, "hooks", "test"), b"{}", {}, 10, never)
    assert (status, said) == (200, b"x" * MOST_OF_ANSWER)


def test_who_answers_a_letter_at_a_time_is_hung_up_on() -> None:
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            line, _ = server.accept()
            with line, suppress(OSError):
                line.sendall(b"HTTP/1.1 200 OK\r\n")
                while True:
                    line.sendall(b"X")
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        target = target_of(f"http://127.0.0.1:{server.getsockname()[1]}/", "hooks", "test")
        with pytest.raises(NotTaken, match=r"no answer within 0\.5 s"):
            post(target, b"{}", {}, 0.5, never)


def test_a_password_in_a_url_is_sent_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "url"
    with receiving() as receiver:
        file.write_text(receiver.url.replace("://", "://me:pa%20ss@") + "\n")
        target = target_of(f"@{file}", "hooks", "test")
        post(target, b"{}", {}, 10, never)
        assert receiver.tries[0][1]["Authorization"] == "Basic bWU6cGEgc3M="
    assert target.shown == f"http://127.0.0.1:{receiver.server_address[1]}/***"
    assert {"pa ss", "secretpath", "token=secretquery"} <= target.forms()
