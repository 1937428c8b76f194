"""The program as a whole: what it loads, how it ends, what it says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from archiver.cli import app as application
from archiver.cli import main

HEAVY = {"sqlalchemy", "alembic", "websocket", "psycopg", "rich", "pydantic", "asyncio", "ssl", "websockets"}
PROGRAM = [sys.executable, "-m", "archiver"]
MODULES = {name: f"archiver.cli.commands.{module}" for name, (module, _) in application.COMMANDS.items()}


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload, no-any-return]


def imported(*arguments: str, **environment: str) -> set[str]:
    """The top-level packages that a call imports."""
    return {name.partition(".")[0] for name in modules(*arguments, **environment)}


def modules(*arguments: str, **environment: str) -> set[str]:
    """The modules that a call imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "archiver", *arguments],
        capture_output=True, text=True, timeout=60, env=os.environ | environment,
    )  # fmt: skip
    names = set(re.findall(r"^import time:.*\|\s+([\w.]+)$", done.stderr, re.MULTILINE))
    assert "typer" in names
    return names


@pytest.mark.parametrize("line", ["--help", "history --help", "events -h", "db --help", "--version"])
def test_help_loads_nothing_heavy(line: str) -> None:
    assert imported(*line.split()) & HEAVY == set()


def test_help_loads_no_command() -> None:
    assert modules("--help") & set(MODULES.values()) == set()


def test_completion_loads_nothing_heavy(tmp_path: Path) -> None:
    loaded = imported(
        _ARCHIVER_COMPLETE="complete_bash", COMP_WORDS="archiver history ", COMP_CWORD="2",
        ARCHIVER_DATABASE_URL=f"sqlite:///{tmp_path}/none.db",
    )  # fmt: skip

    assert loaded & (HEAVY - {"rich"}) == set()


def test_what_lies_in_the_current_folder_is_not_loaded(tmp_path: Path) -> None:
    for name in ("typer", "gc", "shutil", "subprocess", "archiver_more"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('loaded out of the folder')")

    done = run("--version", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_command_within_another_is_found_by_its_name_alone() -> None:
    done = run("restarts")

    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'archiver report restarts'?" in done.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("report nosuch", "there are: availability, restarts, deploys, flaps, changes, coverage, incident"),
        ("report restart", "did you mean 'archiver report restarts'? There are: availability, restarts"),
        ("help report flips", "did you mean 'archiver report flaps'?"),
        ("db upgarde", "did you mean 'archiver db upgrade'? There are: upgrade, current, check"),
        ("rejects nosuch", "there are: list, show, retry"),
        ("config nosuch", "there are: show"),
        ("nosuch", "there are: history, actions, events"),
        ("histroy", "did you mean 'archiver history'?\n"),
        ("schema state_span", "did you mean 'state_spans'?\n"),
        ("values nosuch", "'nosuch' is none of state, type, action\n"),
        ("report deploys --per service", "sliced are: availability, restarts, coverage"),
    ],
)
def test_a_wrong_word_is_answered_with_those_that_there_are(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "reason", "hint"),
    [
        ("history", "REF... is missing", "usage: archiver history [OPTIONS] {REF...}   ('archiver history -h' says"),
        ("why a b", "there is more than it takes: b", "usage: archiver why [OPTIONS] {REF}   ("),
        ("history a --colour", "there is no option --colour", "did you mean --color?"),
        ("history a -z", "there is no option -z", "usage: archiver history"),
        ("--nosuch", "there is no option --nosuch", "usage: archiver [OPTIONS] COMMAND"),
        ("db --nosuch", "there is no option --nosuch", "usage: archiver db [OPTIONS] COMMAND"),
        ("history a -o tabel", "--output: 'tabel' is none of table, wide, plain, json", "did you mean table?"),
        ("events -n many", "--lines: 'many' is no whole number", "usage: archiver events"),
        ("demo --seconds long", "--seconds: 'long' is no number", "usage: archiver demo"),
        ("run --limit 0", "--limit: 0 is out of its range, x>=1", "usage: archiver run"),
        ("history a --color", "option '--color' requires an argument", "usage: archiver history"),
        ("--database", "option '--database' requires an argument", "'archiver -h' has the commands"),
        ("history a --since 1h --since 2h", "--since is given twice", "leave one out"),
    ],
)
def test_a_wrong_use_is_told_as_every_other_error(
    line: str, reason: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    told, next_step = err.splitlines()
    assert told.startswith(f"archiver: error: {reason}")
    assert next_step.startswith("  hint: ")
    assert hint in next_step


def test_help_fits_into_eighty_columns() -> None:
    shown = run("--help", env=os.environ | {"COLUMNS": "80"}).stdout
    assert [line for line in shown.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("outer", application.INSIDE)
def test_commands_that_are_pointed_to_are_there(outer: str) -> None:
    assert set(application.INSIDE[outer]) <= set(application.load(outer).commands)
    assert not set(application.INSIDE[outer]) & set(application.COMMANDS)


def test_every_command_stands_in_the_help_with_its_line() -> None:
    text = " ".join(run("--help", env=os.environ | {"COLUMNS": "200"}).stdout.split())

    for name, (_, line) in application.COMMANDS.items():
        assert f"{name} {line}" in text


@pytest.mark.parametrize("name", MODULES)
def test_every_command_has_help_and_examples(name: str) -> None:
    done = run(name, "-h")

    assert done.returncode == 0, done.stderr
    assert "Examples:" in done.stdout
    assert f"archiver {name}" in done.stdout.partition("Examples:")[2]


@pytest.mark.parametrize("line", ["", "history"])
def test_the_help_is_whole_where_python_leaves_docstrings_out(line: str) -> None:
    text = run(*line.split(), "-h", env=os.environ | {"PYTHONOPTIMIZE": "2"}).stdout

    assert re.search("Records what happens|Which states a resource went through", text.partition("Options:")[0])


@pytest.mark.parametrize("name", MODULES)
def test_every_command_has_the_name_it_is_called_by(name: str) -> None:
    command = application.load(name)

    assert command.name == name
    assert command.help


def test_the_exit_codes_are_in_the_help() -> None:
    text = run("--help").stdout

    for code in ("0 ok", "1 failure", "2 wrong usage", "3 no such", "4 database", "5 schema", "77", "78", "130 Ctrl-C"):
        assert code in text


def test_a_typing_error_gets_a_suggestion() -> None:
    done = run("histroy")

    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'archiver history'?" in done.stderr


def test_a_time_nobody_can_read_is_one_line_and_the_next_step() -> None:
    done = run("history", "x", "--since", "10/11/2026\x1b[2J")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "archiver: error: cannot read '10/11/2026\\x1b[2J' as a time",
        "  hint: try 2h, '2 hours ago', yesterday, 14:00, 2026-11-20 or 2026-11-20T14:00Z",
    ]


def test_nothing_of_the_current_folder_is_run(tmp_path: Path) -> None:
    """Neither by the program, nor by what it starts: whoever may write there would get the token."""
    for name in ("typer", "sqlalchemy", "alembic", "sqlite3", "json", "zlib", "sitecustomize", "archiver"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w').write(__name__); raise SystemExit(3)")
    (tmp_path / "env.py").write_text("open('ran', 'w').write('alembic')")
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = .\n")
    (tmp_path / "events.jsonl").write_text('{"type":"service","date":"2026-11-20T10:00:00Z"}\n')
    program = Path(sys.executable).with_name("archiver")

    found = subprocess.run([program, "--database", "a.db", "import", "events.jsonl"], cwd=tmp_path, check=False)

    assert (found.returncode, (tmp_path / "ran").exists()) == (0, False)


def test_a_folder_that_is_no_more_is_called_so(tmp_path: Path) -> None:
    (gone := tmp_path / "gone").mkdir()
    script = "import os, sys; os.rmdir(os.getcwd()); from archiver.cli import main; sys.exit(main())"
    found = subprocess.run(
        [sys.executable, "-c", script, "--database", "a.db", "status"], cwd=gone, capture_output=True, text=True
    )

    assert (found.returncode, "there no more" in found.stderr, "debug" in found.stderr) == (1, True, False)


def test_debug_shows_the_traceback() -> None:
    done = run("--debug", "history", "x", "--since", "10/11/2026")

    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-2].startswith("archiver: error:")


def test_a_full_disk_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*PROGRAM, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)

    assert done.returncode == 1
    assert "No space left" in done.stderr.splitlines()[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("line", ["db sql", "schema", "schema --datasette", "config show", "--help", "events -h"])
def test_a_reader_that_went_away_is_not_an_error_worth_words(line: str) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as pipe:
        done = subprocess.run([*PROGRAM, *line.split()], stdout=pipe, stderr=subprocess.PIPE, text=True, timeout=60)

    assert done.returncode == -signal.SIGPIPE
    assert done.stderr == ""


@pytest.mark.parametrize("line", ["events --since 1h --since 2h", "history x --until 1h --until 1h"])
def test_a_filter_with_one_value_refuses_a_second(line: str) -> None:
    done = run(*line.split())

    assert (done.returncode, done.stdout) == (2, "")
    assert "is given twice" in done.stderr


def test_of_an_option_that_says_how_the_last_one_wins(tmp_path: Path) -> None:
    done = run("status", "--database", f"{tmp_path}/a.db", "-o", "json", "--database", f"{tmp_path}/b.db", "-o", "csv")

    assert done.returncode == 4
    assert "b.db" in done.stderr


def test_the_version_is_told() -> None:
    from archiver import __version__

    assert run("--version").stdout == f"archiver {__version__}\n"


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "nan"])
def test_a_speed_that_is_none_is_answered_with_those_there_are(speed: str) -> None:
    done = run("simulate", "--speed", speed)

    assert done.returncode == 2
    assert "hint: 1 is as fast as a real platform, 60 shows an hour in a minute" in done.stderr


CTRL_C_WHILE_IMPORTING = """
import os, runpy, signal, sys
class Watching:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)
module = sys.argv.pop()
sys.meta_path.insert(0, Watching())
runpy.run_module("archiver", run_name="__main__")
"""


@pytest.mark.parametrize("module", ["archiver.cli", "archiver.cli.app", "archiver.cli.commands.history"])
def test_ctrl_c_while_the_program_is_loaded_prints_nothing(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CTRL_C_WHILE_IMPORTING, "history", "x", module],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_completion_can_be_installed(tmp_path: Path) -> None:
    told_the_shell = {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = run("--install-completion", "bash", env=os.environ | told_the_shell)

    assert done.returncode == 0, done.stderr
    assert "_ARCHIVER_COMPLETE" in (tmp_path / ".bash_completions" / "archiver.sh").read_text()


def test_commands_complete() -> None:
    done = run(env=os.environ | {"_ARCHIVER_COMPLETE": "complete_bash", "COMP_WORDS": "archiver h", "COMP_CWORD": "1"})

    assert done.stdout.split() == ["history"]


def test_listen_ends_with_130_on_ctrl_c() -> None:
    nowhere = [*PROGRAM, "listen", "--retry", "--stream", "ws://127.0.0.1:9/"]
    with subprocess.Popen(nowhere, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "cannot open" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "Traceback" not in errors


def test_listen_refuses_a_url_it_cannot_use() -> None:
    done = run("listen", "--stream", "wss://")

    assert done.returncode == 78
    assert done.stderr.startswith("archiver: error: the stream's URL is wrong")
