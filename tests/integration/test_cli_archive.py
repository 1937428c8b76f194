"""The reading commands as their users start them, on a real archive filled by `archiver import`."""

from __future__ import annotations

import csv
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from archiver.cli.files import write_file

from .archives import record, seen

Run = Callable[..., subprocess.CompletedProcess[str]]

STACK = "/api/v1/stack/f24bca18-e1dd-40aa-9b3c-064c0c26683e/"
SERVICE = "/api/v1/service/d0b1eb62-7662-4a81-8a10-d5a74b07811e/"
CONTAINER = "/api/v1/container/fa159860-9048-4d1e-8655-6285fa9e3fa2/"
OTHER = "/api/v1/container/0fc9f01d-a726-48c7-a9c2-9e34918ddf4a/"
ACTION = "/api/v1/action/1256fc42-1e77-47e0-96cb-4d9e246629bb/"
EVENT_KEYS = ["id", "type", "action", "state", "resource_uri", "parents", "occurred_at", "received_at", "uuid"]


def event(kind: str, uri: str, state: str, clock: str, *parents: str, action: str = "update") -> str:
    return json.dumps(
        {"type": kind, "action": action, "state": state, "resource_uri": uri, "parents": list(parents),
         "datetime": f"2026-11-20T{clock}:00Z"}
    )  # fmt: skip


LINES = [
    event("stack", STACK, "Running", "10:00"),
    event("service", SERVICE, "Running", "10:01", STACK),
    event("container", CONTAINER, "Starting", "14:00", SERVICE, STACK, action="create"),
    event("container", CONTAINER, "Running", "14:02", SERVICE, STACK),
    event("container", CONTAINER, "Terminated", "15:00", SERVICE, STACK, action="delete"),
    event("container", OTHER, "Running", "15:01", SERVICE, STACK),
    event("action", ACTION, "In progress", "15:02", SERVICE, STACK),
    event("action", ACTION, "Success", "15:03", SERVICE, STACK),
]


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the archive is kept that the first test imported."""
    return tmp_path_factory.mktemp("imported") / "archive.db"


@pytest.fixture
def archive(imported: Path, sqlite_url: str, run_archiver: Run, tmp_path: Path) -> str:
    """An archive with a morning's events."""
    (tmp_path / "events.jsonl").write_text("".join(line + "\n" for line in LINES))
    if imported.exists():
        shutil.copyfile(imported, tmp_path / "archive.db")
        return sqlite_url
    done = run_archiver("--database", sqlite_url, "import", "events.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    assert "8 events, 0 duplicates, 0 rejects" in done.stdout
    shutil.copyfile(tmp_path / "archive.db", imported)
    return sqlite_url


@pytest.fixture
def ask(archive: str, run_archiver: Run) -> Run:
    """The program on that archive."""

    def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return run_archiver(*arguments, "--database", archive, **options)

    return run


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


REFERENCES = [
    CONTAINER,
    f"https://dashboard.tutum.co{CONTAINER}",
    "container/fa159860-9048-4d1e-8655-6285fa9e3fa2",
    "container/fa159860",
    "fa15",
]


@pytest.mark.parametrize("ref", REFERENCES)
def test_history_by_any_reference(ask: Run, ref: str) -> None:
    found = answer(ask("history", ref, "-o", "json"))

    assert found["resource"]["uri"] == CONTAINER
    assert [(span["state"], span["since"], span["seconds"]) for span in found["spans"]] == [
        ("Starting", "2026-11-20T14:00:00Z", 120),
        ("Running", "2026-11-20T14:02:00Z", 3480),
        ("Terminated", "2026-11-20T15:00:00Z", None),
    ]


def test_a_pipe_gets_plain_spans(ask: Run) -> None:
    first = ask("history", CONTAINER).stdout.splitlines()[0]

    assert first == "Starting\t2026-11-20T14:00:00Z\t2026-11-20T14:02:00Z\t120\t1\t-"


def test_an_unknown_resource_is_3(ask: Run) -> None:
    done = ask("history", "no-such-thing")

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("archiver: error: no resource matches 'no-such-thing'\n  hint: ")


def test_an_archive_that_is_not_there_is_4_and_is_not_made(run_archiver: Run, tmp_path: Path) -> None:
    done = run_archiver("events", "--database", f"sqlite:///{tmp_path}/none.db")

    assert done.returncode == 4
    assert "archiver db upgrade" in done.stderr
    assert not (tmp_path / "none.db").exists()


def test_actions_of_all_that_is_under_a_stack(ask: Run) -> None:
    (action,) = answer(ask("actions", STACK, "-o", "json"))

    assert list(action) == ["uri", "target", "state", "started_at", "finished_at", "seconds", "events"]
    assert (action["uri"], action["state"], action["seconds"], action["events"]) == (ACTION, "Success", 60, 2)


def test_no_actions_is_an_answer(ask: Run) -> None:
    done = ask("actions", OTHER)

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("no actions in this range: no stream was recorded that could have told\n")
    assert answer(ask("actions", OTHER, "-o", "json")) == []


def test_where_nothing_was_done_to_a_resource_it_is_said_how_to_see_what_was_done_above(ask: Run) -> None:
    hint = f"what was done above it: archiver why {OTHER}\n"

    assert ask("actions", OTHER).stderr.endswith(hint)
    assert ask("actions", "-", input=f"{OTHER}\n").stderr.endswith(hint)
    assert "archiver why" not in ask("actions", STACK, "--until", "2001-01-01").stderr  # nothing is above it
    assert "archiver why" not in ask("actions", OTHER, "--by", "ada").stderr
    assert "archiver why" not in ask("actions", STACK).stderr


def test_events_are_the_last_ones_the_oldest_first(ask: Run) -> None:
    done = ask("events", "-n", "2", "-o", "jsonl")
    found = [json.loads(line) for line in done.stdout.splitlines()]

    assert [list(one) for one in found] == [[*EVENT_KEYS, "time_source"]] * 2
    assert [one["state"] for one in found] == ["In progress", "Success"]
    assert done.stderr == "... older events exist, use -n 0 for all\n"


def test_all_events_and_no_note(ask: Run) -> None:
    done = ask("events", "-n", "0")

    assert (len(done.stdout.splitlines()), done.stderr) == (len(LINES), "")


def test_the_same_filter_twice_is_either_and_different_ones_are_both(ask: Run) -> None:
    line = ["events", "--type", "container", "--state", "Running", "--state", "Terminated", "--under", SERVICE]
    states = [record["state"] for record in answer(ask(*line, "-o", "json"))]

    assert states == ["Running", "Terminated", "Running"]


def test_since_is_inclusive_and_until_is_not(ask: Run) -> None:
    found = answer(ask("events", "--since", "2026-11-20T14:00Z", "--until", "2026-11-20T15:00Z", "-o", "json"))

    assert [record["occurred_at"] for record in found] == ["2026-11-20T14:00:00Z", "2026-11-20T14:02:00Z"]


def test_csv_has_a_head(ask: Run) -> None:
    rows = list(csv.DictReader(ask("events", "-o", "csv").stdout.splitlines()))

    assert list(rows[0]) == EVENT_KEYS


def test_a_tree_is_nested(ask: Run) -> None:
    root = answer(ask("tree", STACK, "-o", "json"))

    own = ["uri", "type", "name", "state", "since", "gone_at", "certain", "image"]
    assert list(root) == [*own, "at", "coverage", "empty", "children"]
    (service,) = root["children"]
    assert [child["uri"] for child in service["children"]] == [OTHER]


def test_with_all_a_tree_has_what_is_gone(ask: Run) -> None:
    (service,) = answer(ask("tree", STACK, "--all", "-o", "json"))["children"]

    assert {child["uri"]: child["gone_at"] for child in service["children"]} == {
        OTHER: None,
        CONTAINER: "2026-11-20T15:00:00Z",
    }
    assert "gone" in ask("tree", STACK, "--all", "-o", "table").stdout


def test_a_name_used_again_says_who_else_had_it(archive: str, ask: Run) -> None:
    lives = [("container/old", "Running", 1), ("container/old", "Terminated", 2), ("container/new", "Running", 3)]
    record(archive, *(seen(*told)._replace(name="web") for told in lives))

    done = ask("history", "web", "-o", "json")

    assert json.loads(done.stdout)["resource"]["uri"] == "/api/v1/container/new/"
    assert "1 more had this name, until 2016-02-01 12:00:02Z; name them by key: /api/v1/container/old/" in done.stderr


def test_status_counts(ask: Run) -> None:
    found = answer(ask("status", "-o", "json"))

    assert (found["events"], found["rejects"]) == (8, 0)
    assert found["last_event_at"] == "2026-11-20T15:03:00Z"


def test_an_export_into_an_empty_archive_answers_the_same(ask: Run, run_archiver: Run, tmp_path: Path) -> None:
    copy = f"sqlite:///{tmp_path}/copy.db"
    assert ask("export", "-o", "whole.jsonl").returncode == 0
    assert run_archiver("db", "upgrade", "--database", copy).returncode == 0
    assert run_archiver("import", "whole.jsonl", "--database", copy).returncode == 0

    for line in (["history", CONTAINER], ["actions", STACK], ["tree", STACK]):
        assert run_archiver(*line, "-o", "json", "--database", copy).stdout == ask(*line, "-o", "json").stdout


TAKEN = ("archive.db", "./archive.db-wal", "link", "second", "waiting.db", "waiting.db-lock", "waiting.db-control")
WRITING = (("timeline", "--html"), ("timeline", "--html", "page.html", "--perfetto"), ("events", "--cursor-file"))


@pytest.mark.parametrize(
    "command",
    [*(("export", "-o", name) for name in TAKEN), *((*command, "archive.db") for command in WRITING)],
    ids=" ".join,
)
def test_what_is_written_takes_the_place_of_no_archive_and_no_spool(
    run_archiver: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "lines").write_text(LINES[0])
    database = ("--database", "archive.db")
    assert run_archiver(*database, "import", "lines").returncode == 0
    (tmp_path / "waiting.db").write_text("what waits")
    (tmp_path / "link").symlink_to("archive.db")
    os.link(tmp_path / "archive.db", tmp_path / "second")
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}

    done = run_archiver(*database, *command, env={"ARCHIVER_SPOOL": "waiting.db"})

    assert done.returncode == 2
    assert "itself, or belongs to it" in done.stderr
    assert {path: path.read_bytes() for path in before} == before


def test_an_export_that_fails_leaves_no_file(ask: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    done = ask("export", "-o", "taken/nowhere/whole.jsonl")

    assert done.returncode == 1
    assert "taken/nowhere/whole.jsonl" in done.stderr
    assert list((tmp_path / "taken").iterdir()) == []


def test_what_cannot_be_read_is_a_reject_and_the_rest_goes_on(sqlite_url: str, run_archiver: Run) -> None:
    done = run_archiver("import", "-", "--database", sqlite_url, input=f"nonsense\n{LINES[0]}\n")

    assert (done.returncode, done.stdout) == (0, "-: 1 events, 0 duplicates, 1 rejects\n")


def test_a_file_that_is_not_there_is_said_before_anything_is_imported(ask: Run, archive: str) -> None:
    done = ask("import", "events.jsonl", "none.jsonl")

    assert (done.returncode, done.stdout) == (1, "")
    assert "none.jsonl" in done.stderr
    assert answer(ask("status", "-o", "json"))["events"] == 8


# --- several resources -----------------------------------------------------------------------------------------------

SHORT = ["container/fa159860", "container/0fc9f01d"]


def test_one_history_is_an_object_and_several_are_a_list_of_the_same(ask: Run) -> None:
    both = answer(ask("history", *SHORT, "-o", "json"))

    assert both == [answer(ask("history", ref, "-o", "json")) for ref in SHORT]


def test_a_pattern_and_standard_input_give_a_list_even_of_one(ask: Run) -> None:
    one = answer(ask("history", "fa15", "-o", "json"))

    assert answer(ask("history", "container/fa15*", "-o", "json")) == [one]
    assert answer(ask("history", "-", "-o", "json", input="\nfa15  \n")) == [one]
    assert answer(ask("history", "-", "-o", "json", input="")) == []


def test_several_histories_as_lines_are_one_a_line_and_as_text_have_the_uri_first(ask: Run) -> None:
    lines = ask("history", *SHORT, "-o", "jsonl").stdout.splitlines()
    plain = ask("history", *SHORT, "-o", "plain").stdout.splitlines()
    head = ask("history", *SHORT, "-o", "csv").stdout.splitlines()[0]

    assert [json.loads(line)["resource"]["uri"] for line in lines] == [CONTAINER, OTHER]
    assert [line.split("\t")[0] for line in plain] == [CONTAINER] * 3 + [OTHER]
    assert head == "uri,state,since,until,seconds,events,certain"


def test_several_tables_stand_one_below_the_other(ask: Run) -> None:
    whole = ask("history", *SHORT, "-o", "table").stdout

    assert whole == "\n".join(ask("history", ref, "-o", "table").stdout for ref in SHORT)


def test_several_trees_are_a_list(ask: Run) -> None:
    both = answer(ask("tree", SERVICE, "fa15", "-o", "json"))
    lines = ask("tree", SERVICE, "fa15", "-o", "jsonl").stdout.splitlines()

    assert both == [answer(ask("tree", ref, "-o", "json")) for ref in (SERVICE, "fa15")]
    assert [json.loads(line) for line in lines] == both


def test_the_actions_of_several_are_one_list(ask: Run) -> None:
    (action,) = answer(ask("actions", STACK, SERVICE, "container/*", "-o", "json"))

    assert action["uri"] == ACTION


def test_one_that_is_unknown_among_several_is_3_before_anything_is_written(ask: Run) -> None:
    done = ask("history", SHORT[0], "no-such-thing")

    assert (done.returncode, done.stdout) == (3, "")
    assert "no-such-thing" in done.stderr


def test_events_under_several(ask: Run) -> None:
    found = answer(ask("events", "--under", CONTAINER, "--under", "container/0fc9*", "-n", "0", "-o", "json"))

    assert len(found) == 4


def test_a_line_of_standard_input_that_is_no_reference_is_refused(ask: Run) -> None:
    assert ask("history", "-", input="x" * 5000).returncode == 1


def test_closed_standard_input_is_said(archive: str, program_environment: dict[str, str]) -> None:
    call = f"exec {sys.executable} -m archiver history - --database {archive} <&-"
    done = subprocess.run(["sh", "-c", call], env=program_environment, capture_output=True, text=True, timeout=60)

    assert (done.returncode, "standard input is closed" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (["events", "--state", "no such state"], 7),
        (["events", "--state", "Running"], 0),
        (["actions", OTHER], 7),
        (["actions", STACK, "-o", "json"], 0),
        (["history", CONTAINER, "--until", "2026-11-20T13:00Z", "-o", "json"], 7),
        (["history", "container/*", "--until", "2026-11-20T15:00Z"], 0),
    ],
)
def test_a_script_can_branch_on_an_empty_answer(ask: Run, line: list[str], code: int) -> None:
    assert ask(*line, "--fail-if-empty").returncode == code
    assert ask(*line).returncode == 0


def test_db_says_what_changed(run_archiver: Run, tmp_path: Path) -> None:
    url = ["--database", f"sqlite:///{tmp_path}/new.db"]

    assert run_archiver("db", "upgrade", *url).stdout.startswith("the schema was created at ")
    assert "already" in run_archiver("db", "upgrade", *url).stdout
    assert run_archiver("db", "current", *url).returncode == 0
    assert run_archiver("db", "check", *url).stdout == "the archive is sound\n"


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_tables_can_be_read_as_sql(run_archiver: Run, dialect: str) -> None:
    assert "CREATE TABLE events" in run_archiver("db", "sql", "--dialect", dialect).stdout


# --- on a terminal, and with others at the same time -----------------------------------------------------------------


def on_a_terminal(arguments: list[str], environment: dict[str, str]) -> str:
    """What a terminal gets from the program."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "archiver", *arguments]
    with subprocess.Popen(command, stdout=follower, stderr=follower, env=environment, close_fds=True) as process:
        os.close(follower)
        text = b"".join(iter(lambda: _read(leader), b""))
        process.wait(60)
    os.close(leader)
    return text.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed
        return b""


def test_a_terminal_gets_the_answer_first_in_local_time(archive: str, program_environment: dict[str, str]) -> None:
    environment = program_environment | {"TZ": "Asia/Tokyo", "TERM": "xterm"}
    lines = on_a_terminal(["history", CONTAINER, "--database", archive], environment).splitlines()

    assert lines[0].startswith("container/fa159860 was ")
    assert "2026-11-20 23:00:00+09:00" in "\n".join(lines)
    assert "\x1b[" in lines[0]


def test_no_color(archive: str, program_environment: dict[str, str]) -> None:
    text = on_a_terminal(
        ["tree", STACK, "--database", archive], program_environment | {"NO_COLOR": "1", "TERM": "xterm"}
    )

    assert "\x1b" not in text
    assert "└── " in text


@pytest.fixture
def following(
    request: pytest.FixtureRequest, archive: str, program_environment: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    form = getattr(request, "param", "json")
    command = [sys.executable, "-m", "archiver", "events", "-f", "-n", "1", "-o", form, "--database", archive]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=program_environment
    ) as process:
        yield process
        process.kill()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("following", ["name"], indirect=True)
def test_following_names_what_each_event_is_about_however_often(following: subprocess.Popen[str], ask: Run) -> None:
    assert following.stdout is not None
    following.stdout.readline()

    for state, at in [("Stopped", "16:00"), ("Running", "16:01")]:
        ask("import", "-", input=event("container", OTHER, state, at, SERVICE, STACK) + "\n")
        assert OTHER in following.stdout.readline()


def test_following_shows_what_comes_until_ctrl_c(following: subprocess.Popen[str], ask: Run) -> None:
    assert following.stdout is not None
    assert json.loads(following.stdout.readline())["state"] == "Success"

    ask("import", "-", input=event("container", OTHER, "Stopped", "16:00", SERVICE, STACK) + "\n")
    assert json.loads(following.stdout.readline())["state"] == "Stopped"

    following.send_signal(signal.SIGINT)
    _, errors = following.communicate(timeout=30)
    assert (following.returncode, errors) == (130, "")


def test_following_ends_when_its_reader_has_gone(following: subprocess.Popen[str]) -> None:
    assert following.stdout is not None
    following.stdout.readline()
    following.stdout.close()

    assert following.wait(30) in (141, -signal.SIGPIPE)


def test_a_tree_is_drawn_with_what_the_output_has(ask: Run) -> None:
    drawn = ask("tree", STACK, "-o", "table", env={"PYTHONIOENCODING": "ascii"}).stdout

    assert "`-- " in drawn
    assert "\\u" not in drawn


def test_an_export_goes_into_a_pipe_and_leaves_it_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(pipe.read_text)
        write_file(pipe, iter(["one", "two"]))

    assert heard.result(10) == "one\ntwo\n"
    assert pipe.is_fifo()


def test_an_export_through_a_link_leaves_the_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_file(tmp_path / "link", iter(["one"]))

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "one\n"
