"""`archiver import` at a shell: what it says, and how it ends."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import re
import signal
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from archiver import Archive
from archiver.errors import DatabaseMissing, SchemaNotAtHead
from archiver.recording.spool.queue import Spool

from ..conftest import RunArchiver, SpawnArchiver
from ..memory import open_folder
from .archives import wire

UNDATED = '{"type":"container","resource_uri":"/api/v1/container/1/"}\n'


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(wire("container/1", "Running", 1) + b"\n")
    return path


def test_a_file_imported_before_is_named_with_its_day(sqlite_url: str, events: Path, run_archiver: RunArchiver) -> None:
    run_archiver("--database", sqlite_url, "import", str(events))

    again = run_archiver("--database", sqlite_url, "import", str(events))

    assert again.returncode == 0
    assert "this file was imported on 2" in again.stdout
    assert "--again" in again.stdout


def test_an_archive_that_was_only_imported_is_well_until_there_is_a_spool(
    sqlite_url: str, events: Path, run_archiver: RunArchiver, tmp_path: Path
) -> None:
    spool = tmp_path / "daemons-spool.db"
    asked = ("--database", sqlite_url, "status", "-o", "table")
    run_archiver("--database", sqlite_url, "import", str(events))

    well = run_archiver(*asked, env={"ARCHIVER_SPOOL": str(spool)})
    Spool(spool).close()
    waits = run_archiver(*asked, env={"ARCHIVER_SPOOL": str(spool)})

    assert (well.returncode, waits.returncode) == (0, 6), well.stderr
    assert "no stream is recorded: what is here was imported" in well.stdout
    assert "not well" not in well.stdout
    assert "no stream has been recorded yet" in waits.stdout


def test_nothing_but_rejects_ends_with_the_first_reason(sqlite_url: str, run_archiver: RunArchiver) -> None:
    done = run_archiver("--database", sqlite_url, "import", "-", input="wss://a:hunter2@b/ garbage\nmore\n")

    assert done.returncode == 1
    assert "0 events, 0 duplicates, 2 rejects" in done.stdout
    assert "no JSON object stands in it" in done.stderr
    assert "hunter2" not in done.stderr


def test_a_file_of_nothing_is_no_failure(sqlite_url: str, run_archiver: RunArchiver) -> None:
    assert run_archiver("--database", sqlite_url, "import", "-", input="").returncode == 0


def test_the_other_files_are_imported_when_one_is_of_no_use(
    sqlite_url: str, events: Path, tmp_path: Path, run_archiver: RunArchiver
) -> None:
    (tmp_path / "useless.txt").write_text("garbage\n")

    done = run_archiver("--database", sqlite_url, "import", str(tmp_path / "useless.txt"), str(events))

    assert done.returncode == 1
    assert f"{events}: 1 events" in done.stdout


def test_a_file_that_is_refused_keeps_no_other_from_being_imported(
    sqlite_url: str, events: Path, tmp_path: Path, run_archiver: RunArchiver
) -> None:
    (tmp_path / "undated.jsonl").write_text(UNDATED)
    (tmp_path / "damaged.gz").write_bytes(gzip.compress(UNDATED.encode())[:-9] + b"damaged!!")

    done = run_archiver("--database", sqlite_url, "import", "undated.jsonl", "damaged.gz", str(events))

    assert done.returncode == 1
    assert done.stdout == f"{events}: 1 events, 0 duplicates, 0 rejects\n"
    assert re.findall(r"error: cannot read ([\w.]+)", done.stderr) == ["undated.jsonl", "damaged.gz"]


def test_where_an_import_ends_it_says_what_was_not_read(
    sqlite_url: str, events: Path, run_archiver: RunArchiver
) -> None:
    run_archiver("--database", sqlite_url, "db", "upgrade")
    (events.parent / "my events.jsonl").touch()

    done = run_archiver(
        "--database", sqlite_url, "import", "--stream", "ws://unknown.example/", str(events), "-", "my events.jsonl"
    )

    assert done.returncode == 2
    assert "not read: - 'my events.jsonl'\n" in done.stderr


@pytest.mark.parametrize(("dated_by", "day"), [("2015-12-07T04:00Z", "2015-12-07T04:00:00Z"), ("import", "20")])
def test_events_without_a_time_are_dated_by_what_is_said(
    sqlite_url: str, run_archiver: RunArchiver, dated_by: str, day: str
) -> None:
    refused = run_archiver("--database", sqlite_url, "import", "-", input=UNDATED)
    assert (refused.returncode, "--dated-by" in refused.stderr) == (1, True)

    run_archiver("--database", sqlite_url, "import", "--dated-by", dated_by, "-", input=UNDATED)

    told = json.loads(run_archiver("--database", sqlite_url, "events", "-o", "jsonl").stdout)
    assert told["occurred_at"].startswith(day)
    assert told["time_source"] == "received"


def test_a_time_that_nobody_understands_is_a_wrong_use(sqlite_url: str, run_archiver: RunArchiver) -> None:
    assert run_archiver("--database", sqlite_url, "import", "--dated-by", "then", "-", input=UNDATED).returncode == 2


def test_an_unknown_stream_is_a_wrong_use(sqlite_url: str, run_archiver: RunArchiver) -> None:
    done = run_archiver("--database", sqlite_url, "import", "--stream", "unix:///nobody.sock", "-", input="")

    assert done.returncode == 2
    assert "archiver run" in done.stderr


def test_what_comes_through_a_pipe_byte_by_byte_is_read(
    sqlite_url: str, events: Path, program_environment: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "archiver", "--database", sqlite_url, "import", "-"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=program_environment, bufsize=0, **pipes) as process:  # type: ignore[call-overload]
        for byte in gzip.compress(events.read_bytes()):
            process.stdin.write(bytes([byte]))
        process.stdin.close()

        assert process.stdout.read() == b"-: 1 events, 0 duplicates, 0 rejects\n"


def test_an_export_that_ends_early_is_archived_and_said_to_be_incomplete(
    sqlite_url: str, tmp_path: Path, run_archiver: RunArchiver
) -> None:
    events = "".join(wire("container/1", f"S{n}", n).decode() + "\n" for n in range(6))
    run_archiver("--database", f"sqlite:///{tmp_path}/source.db", "import", "-", input=events)
    whole = run_archiver("--database", f"sqlite:///{tmp_path}/source.db", "export").stdout
    cut = "".join(whole.splitlines(keepends=True)[:4])

    done = run_archiver("--database", sqlite_url, "import", "-", input=cut)

    assert done.returncode == 1
    assert "3 events, 0 duplicates, 0 rejects" in done.stdout
    assert "not complete" in done.stderr
    again = run_archiver("--database", sqlite_url, "import", "-", input=whole)
    assert (again.returncode, "3 events, 3 duplicates" in again.stdout) == (0, True)


def test_what_events_lists_goes_back_with_its_times(sqlite_url: str, tmp_path: Path, run_archiver: RunArchiver) -> None:
    source = f"sqlite:///{tmp_path}/source.db"
    text = "".join(wire("container/1", f"S{n}", n, uuid=f"u{n}").decode() + "\n" for n in range(3))
    run_archiver("--database", source, "import", "-", input=text)
    listed = run_archiver("--database", source, "events", "-n", "0", "-o", "jsonl").stdout

    assert "3 events" in run_archiver("--database", sqlite_url, "import", "-", input=listed).stdout
    assert run_archiver("--database", sqlite_url, "events", "-n", "0", "-o", "jsonl").stdout == listed
    assert "0 events, 3 duplicates" in run_archiver("--database", source, "import", "-", input=listed).stdout


def test_a_named_pipe_is_opened_once(sqlite_url: str, tmp_path: Path, spawn_archiver: SpawnArchiver) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = spawn_archiver("--database", sqlite_url, "import", str(pipe))
    with pipe.open("wb") as out:
        out.write(wire("container/1", "Running", 1) + b"\n")

    output, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (0, "")
    assert output == f"{pipe}: 1 events, 0 duplicates, 0 rejects\n"


FIRST, SECOND = (wire("container/1", state, 1, uuid=state) + b"\n" for state in ("Running", "Stopped"))


def flushed() -> bytes:
    """What gzip had to give of the first line, and the beginning of what it has of the second one."""
    packer = zlib.compressobj(wbits=31)
    first = packer.compress(FIRST) + packer.flush(zlib.Z_SYNC_FLUSH)
    return first + (packer.compress(SECOND) + packer.flush())[:3]


PAUSING = {
    "plain": FIRST + SECOND[:20],
    "gzip": flushed(),
    "a part of gzip": gzip.compress(FIRST) + gzip.compress(SECOND)[:5],
    "a part of xz": lzma.compress(FIRST) + lzma.compress(SECOND)[:30],
}


@pytest.mark.parametrize("given", PAUSING)
def test_what_came_through_a_pipe_that_pauses_is_archived_meanwhile(
    given: str, sqlite_url: str, program_environment: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "archiver", "--database", sqlite_url, "import", "-"]
    with subprocess.Popen(command, env=program_environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(PAUSING[given])
        process.stdin.flush()
        deadline = monotonic() + 60
        while not archived(sqlite_url):
            assert monotonic() < deadline
            sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130

    assert archived(sqlite_url) == 1


def archived(url: str) -> int:
    """How many events are there; none, as long as there is no archive."""
    with suppress(DatabaseMissing, SchemaNotAtHead), Archive.open(url) as archive:
        return sum(1 for _ in archive.events())
    return 0


def test_a_closed_standard_input_is_said_before_an_archive_is_made(
    tmp_path: Path, program_environment: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "archiver", "--database", str(tmp_path / "new.db"), "import", "-"]

    shut = ["sh", "-c", 'exec "$@" <&-', "sh", *command]
    done = subprocess.run(shut, env=program_environment, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("archiver: error: cannot read -: standard input is closed\n")
    assert not (tmp_path / "new.db").exists()


@pytest.fixture
def open_path() -> Iterator[Path]:
    """Where somebody else gets to as well."""
    with open_folder() as folder:
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without a name")
def test_a_user_without_a_name_and_a_home_folder_can_name_the_archive(
    open_path: Path, program_environment: dict[str, str], events: Path
) -> None:
    environment = {key: value for key, value in program_environment.items() if key != "HOME"}
    own = open_path / "own"
    own.mkdir()
    os.chown(own, 54321, 54321)
    program = [sys.executable, "-m", "archiver"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*program, *arguments], env=environment, user=54321, group=54321, extra_groups=[], cwd=own,
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    try:
        run("--version")
    except PermissionError:
        pytest.skip("the interpreter lies where no other user may run it")
    imported, default = run("--database", str(own / "a.db"), "import", str(events)), run("status")

    assert (imported.returncode, imported.stderr) == (0, f"created the archive at {own}/a.db\n")
    assert default.returncode == 78
    assert "give it with --database, or set HOME" in default.stderr
