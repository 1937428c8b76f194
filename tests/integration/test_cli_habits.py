"""Habits that people bring to a shell: options where they type them, help as they ask for it, hints that lead on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from archiver.cli import main

from ..conftest import RunArchiver
from .archives import STREAM, event, opened, record, uri

Shell = Callable[..., "Said"]


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def archive_url(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A stack with a container that flaps."""
    path = tmp_path_factory.mktemp("habits") / "archive.db"
    shutil.copyfile(sqlite_template, path)
    url = f"sqlite:///{path}"
    flaps = [event("container/web", f"S{n % 2}", n, ["stack/shop"], "s1") for n in range(30)]
    record(url, opened("s1", 0), event("stack/shop", "Running", 0, [], "s1"), *flaps)
    return url


@pytest.fixture
def shell(archive_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The program on that archive, in this process."""
    monkeypatch.setattr("archiver.cli.common.die_with_the_reader", lambda: None)
    monkeypatch.setenv("ARCHIVER_DATABASE_URL", archive_url)

    def run(*arguments: str) -> Said:
        code = main(list(arguments))
        return Said(code, *capsys.readouterr())

    return run


# --- options where people type them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["-q events --type nope", "events -q --type nope", "events --type nope --quiet"])
def test_quiet_is_heard_before_and_after_the_command(shell: Shell, line: str) -> None:
    assert shell(*line.split()) == (0, "", "")


@pytest.mark.parametrize("line", ["--debug history nobody", "history nobody --debug", "history --debug nobody"])
def test_debug_is_heard_before_and_after_the_command(shell: Shell, line: str) -> None:
    said = shell(*line.split())

    assert said.code == 3
    assert "Traceback (most recent call last)" in said.err


@pytest.mark.parametrize("line", ["--database {} events -n 1", "events --database {} -n 1"])
def test_database_is_heard_before_and_after_the_command(
    shell: Shell, line: str, archive_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARCHIVER_DATABASE_URL")

    said = shell(*line.format(archive_url).split())

    assert said.code == 0
    assert said.out


# --- the last one first ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "head"),
    [
        ("events -n 7 -o jsonl", 0),
        ("events -n 7 -o csv", 1),
        ("events -n 7 -o table --all", 1),
        ("history container/web -o csv", 1),
        ("history container/web -o table", 4),
        ("history container/web -o jsonl", 0),
    ],
)
def test_last_one_comes_first(shell: Shell, line: str, head: int) -> None:
    forward, backward = shell(*line.split()).out.splitlines(), shell(*line.split(), "-r").out.splitlines()

    assert len(forward) > head + 2
    assert backward == forward[:head] + forward[head:][::-1]


def test_last_state_comes_first_in_the_whole_answer(shell: Shell) -> None:
    forward, backward = (
        json.loads(shell("history", "container/web", "-o", "json", *more).out) for more in ([], ["-r"])
    )

    assert backward["spans"] == forward["spans"][::-1]
    assert backward | {"spans": []} == forward | {"spans": []}


def test_what_is_too_much_to_be_turned_round_is_refused(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.cli.listing.output.MOST_TURNED", 10)

    said = shell("events", "-n", "0", "--reverse")

    assert (said.code, said.out) == (2, "")
    assert "hint: ask about less" in said.err
    assert shell("events", "-f", "-r").code == 2


# --- formats and fields ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("events -n 2", ["container/web"]),
        ("tree stack/shop", ["stack/shop", "container/web"]),
        ("history container/web stack/shop", ["container/web", "stack/shop"]),
        ("history container/web --since 2016-02-02", ["container/web"]),
        ("history container/web --until 2016-01-01", []),
        ("status", None),
    ],
)
def test_names_alone_can_be_piped_on(shell: Shell, line: str, names: list[str] | None) -> None:
    found = shell(*line.split(), "-o", "name").out.splitlines()

    assert found == ([STREAM] if names is None else [uri(name) for name in names])


def test_names_alone_are_each_there_once(shell: Shell) -> None:
    all_of_them = shell("events", "-n", "0", "-o", "tsv", "--fields", "resource_uri").out.splitlines()[1:]
    found = shell("events", "-n", "0", "-o", "name").out.splitlines()
    assert len(all_of_them) > len(found)
    assert found == [uri for uri in dict.fromkeys(all_of_them) if uri != "-"]


def test_tsv_has_a_head_and_cells_without_tabs(shell: Shell) -> None:
    head, *rows = shell("events", "-n", "2", "-o", "tsv").out.splitlines()

    assert head.split("\t")[:4] == ["id", "type", "action", "state"]
    assert [row.split("\t")[3] for row in rows] == ["S0", "S1"]
    assert all(len(row.split("\t")) == len(head.split("\t")) for row in rows)
    assert shell("status", "-o", "tsv").out.startswith("url\t")


def test_wide_history_says_how_each_state_is_known(shell: Shell) -> None:
    (line,) = shell("events", "--type", "container", "-n", "1", "-o", "name").out.splitlines()

    head = next(row for row in shell("history", line, "-o", "wide").out.splitlines() if row.startswith("STATE"))

    assert head.split()[-4:] == ["SOURCE", "CERTAIN", "SEEN", "AT"]


def test_wide_table_has_all_that_is_known(shell: Shell) -> None:
    head, *rows = shell("events", "-n", "20", "-o", "wide").out.splitlines()

    assert {"TIME", "RESOURCE", "ID", "UUID", "PARENTS"} <= set(head.split())
    assert len(rows) == 20  # nothing is folded
    assert all(uri("stack/shop") in row for row in rows)


@pytest.mark.parametrize(
    ("format", "first"),
    [
        ("plain", "S0\t30"),
        ("tsv", "state\tid"),
        ("csv", "state,id"),
        ("jsonl", '{"state": "S0", "id": 30}'),
        ("table", "STATE  ID"),
    ],
)
def test_fields_choose_in_their_order(shell: Shell, format: str, first: str) -> None:
    assert shell("events", "-n", "2", "-o", format, "--fields", "state, id").out.splitlines()[0] == first


@pytest.mark.parametrize("line", ["events", "actions stack/shop", "gaps", "tree stack/shop -o csv", "history web"])
def test_field_that_there_is_not_lists_those_that_there_are(shell: Shell, line: str) -> None:
    said = shell(*line.replace("web", "container/web").split(), "--fields", "nope")

    assert (said.code, said.out) == (2, "")
    assert "there is no field 'nope'" in said.err
    assert "hint: there are: " in said.err


@pytest.mark.parametrize("line", ["tree stack/shop", "history stack/shop", "status", "events --id 1"])
def test_one_document_has_no_fields_to_choose(shell: Shell, line: str) -> None:
    said = shell(*line.split(), "-o", "json", "--fields", "uri")

    assert (said.code, said.out) == (2, "")
    assert "hint: " in said.err


# --- what is new since the last time ---------------------------------------------------------------------------------


def test_each_event_is_written_once_by_the_runs_with_a_cursor_file(
    shell: Shell, sqlite_url: str, tmp_path: Path
) -> None:
    file, written = tmp_path / "cursor", []
    for numbers in ([1, 2], [], [3], [0]):  # the last one happened long before it was archived
        record(sqlite_url, *(event("container/web", f"S{n}", n) for n in numbers))
        said = shell("events", "--database", sqlite_url, "--cursor-file", str(file), "-o", "jsonl")
        written.append([json.loads(line)["state"] for line in said.out.splitlines()])
        assert (said.code, said.err) == (0, "")

    assert written == [["S1", "S2"], [], ["S3"], ["S0"]]


def test_what_does_not_fit_is_not_written_later_either(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    record(sqlite_url, event("container/web", "A", 1), event("stack/shop", "B", 2))
    arguments = ["events", "--database", sqlite_url, "--cursor-file", str(tmp_path / "cursor"), "-o", "csv"]

    first = shell(*arguments, "--type", "container").out.splitlines()[1:]
    second = shell(*arguments).out.splitlines()[1:]

    assert (len(first), second) == (1, [])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk at hand")
def test_what_could_not_be_written_comes_the_next_time(
    run_archiver: RunArchiver, program_environment: dict[str, str], sqlite_url: str, tmp_path: Path
) -> None:
    record(sqlite_url, event("container/web", "A", 1))
    arguments = ["--database", sqlite_url, "events", "--cursor-file", str(tmp_path / "cursor"), "-o", "jsonl"]

    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "archiver", *arguments]
        lost = subprocess.run(command, env=program_environment, stdout=full, stderr=subprocess.PIPE, check=False)

    assert lost.returncode == 1
    assert json.loads(run_archiver(*arguments).stdout)["state"] == "A"


@pytest.mark.parametrize("cursor", ["nonsense", "0123456789abcdef-1", "\xff"])
def test_cursor_that_is_none_of_this_archive_is_refused_with_a_hint(shell: Shell, tmp_path: Path, cursor: str) -> None:
    (tmp_path / "cursor").write_text(cursor, encoding="latin-1")

    said = shell("events", "--cursor-file", str(tmp_path / "cursor"))

    assert said.code in (1, 2)
    assert (said.out, "hint: " in said.err) == ("", True)
    assert (tmp_path / "cursor").read_text(encoding="latin-1") == cursor


def test_cursor_file_takes_the_place_of_no_device_and_no_pipe(shell: Shell, tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    (link := tmp_path / "link").symlink_to(pipe)

    for path in (pipe, link):
        said = shell("events", "--cursor-file", str(path))

        assert (said.code, said.out, "hint: " in said.err) == (1, "", True)
        assert pipe.is_fifo()


def test_cursor_file_that_cannot_be_kept_is_said_before_anything_is_written(shell: Shell, tmp_path: Path) -> None:
    said = shell("events", "--cursor-file", str(tmp_path / "nowhere" / "cursor"))

    assert (said.code, said.out, "nowhere" in said.err) == (1, "", True)


@pytest.mark.parametrize("line", ["-f", "-n 5", "--since 2h", "--strict", "--coverage", "--id 1"])
def test_cursor_file_goes_with_no_other_choice_of_how_much(shell: Shell, tmp_path: Path, line: str) -> None:
    said = shell("events", "--cursor-file", str(tmp_path / "cursor"), *line.split())

    assert (said.code, said.out) == (2, "")
    assert not (tmp_path / "cursor").exists()


# --- help as they ask for it -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["history", "events", "db upgrade", "db"])
def test_help_of_a_command_is_its_help(shell: Shell, line: str) -> None:
    assert shell("help", *line.split()) == shell(*line.split(), "--help")
    assert shell("help", *line.split()).out.startswith(f"Usage: archiver {line} ")


def test_help_alone_is_the_help(shell: Shell) -> None:
    assert shell("help") == shell("--help")


@pytest.mark.parametrize(("typed", "meant"), [("histroy", "history"), ("event", "events"), ("tre", "tree")])
def test_command_that_there_is_not_says_which_may_be_meant(shell: Shell, typed: str, meant: str) -> None:
    said = shell(typed, "web")

    assert said.code == 2
    assert f"did you mean 'archiver {meant}'?" in said.err


def test_type_that_there_is_not_says_which_may_be_meant(shell: Shell) -> None:
    assert "did you mean container?" in shell("events", "--type", "contaner").err


# --- hints that lead on ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lines", ["0", "100"])
def test_table_of_events_says_what_it_folded(shell: Shell, lines: str) -> None:
    said = shell("events", "-n", lines, "-o", "table")

    assert "repetitions are one row" in said.err
    assert "repetitions" not in shell("events", "-n", lines, "-o", "table", "--all").err


def test_history_of_a_stack_points_to_its_tree(shell: Shell) -> None:
    assert "archiver tree /api/v1/stack/shop/" in shell("history", "stack/shop", "-o", "table").err
    assert "archiver tree" not in shell("history", "container/web", "-o", "table").err
    assert shell("history", "stack/shop", "-o", "json").err == ""


def test_status_on_a_pipe_has_labels(shell: Shell) -> None:
    lines = shell("status").out.splitlines()

    assert lines[0].startswith("database\t")
    assert [cell.partition("=")[0] for cell in lines[-1].split("\t")[2:4]] == ["connected", "opened_at"]


# --- what is asked for and would be ignored --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("export -o json", "-o ./json"),
        ("export --cursor-file x", "events --cursor-file"),
        ("timeline --html - -o json", "leave out -o"),
        ("timeline --perfetto - -o csv", "leave out -o"),
        ("events --platform x", "name a resource"),
        ("gaps --platform x", "name a resource"),
        ("at now --platform x", "name a resource"),
        ("tree --all", "name one"),
    ],
)
def test_what_would_be_ignored_is_refused_and_says_what_to_do(shell: Shell, line: str, hint: str) -> None:
    said = shell(*line.split())

    assert (said.code, said.out) == (2, "")
    assert hint in said.err
    assert not Path("json").exists()


def test_export_into_a_file_that_is_called_like_a_format(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert shell("export", "-o", "./json").code == 0
    assert (tmp_path / "json").exists()


def test_export_of_a_part_says_that_it_is_one(shell: Shell) -> None:
    said = shell("export", "--since", "2016-02-01T12:00:10Z", "--under", "container/web")
    head, *lines = map(json.loads, said.out.splitlines())

    assert head["part"] == {"since": "2016-02-01T12:00:10.000000Z", "until": None, "under": [uri("container/web")]}
    assert [line["archiver"] for line in lines] == ["platform"] + ["event"] * 20 + ["end"]
    assert "a part" in said.err


def test_tree_of_everything_needs_no_reference(shell: Shell) -> None:
    said = shell("tree", "-o", "json")

    assert [(each["type"], each["uri"]) for each in json.loads(said.out)["children"]] == [("stack", uri("stack/shop"))]


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("-- how many\nSELECT count(*) FROM event_log", 0),
        ("--how many\nSELECT 1", 0),
        ("--\nSELECT 1", 0),
        ("/* how many */ SELECT 1", 0),
        ("-- a = b\nSELECT 1", 0),
        ("-- nothing else", 2),
        ("QUERY PLAN SELECT 1", 2),
        ("/* x */ query plan SELECT 1", 2),
        ("--nonsense=1", 2),
        ("--nonsense", 2),
    ],
)
@pytest.mark.parametrize("options", [(), ("-o", "csv"), ("--",)])
def test_statement_may_begin_with_a_comment(shell: Shell, statement: str, code: int, options: tuple[str, ...]) -> None:
    assert shell("sql", *options, statement).code == code
    if options != ("--",):
        assert shell("sql", statement, *options).code == code


def test_a_span_looks_back_from_the_moment_that_is_asked_about(shell: Shell) -> None:
    moment = ("--at", "2016-02-01T12:00:20Z")
    span, instant = (shell("why", "container/web", *moment, "--since", at) for at in ("10s", "2016-02-01T12:00:10Z"))
    assert (span.code, span.out) == (0, instant.out)


def test_cell_that_has_parts_is_json(shell: Shell) -> None:
    said = shell("why", "container/web", "--at", "2016-02-01T12:00:20Z", "--fields", "cause,at", "-o", "csv")
    assert "{'" not in said.out

    from archiver.cli.listing.cells import plain_cell

    assert plain_cell({"kind": "told", "exit_code": None}) == '{"kind": "told", "exit_code": null}'
    assert plain_cell(("a", "b")) == "a,b"
    assert plain_cell(({"a": 1},)) == '[{"a": 1}]'
