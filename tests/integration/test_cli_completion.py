"""TAB as a shell asks for it: the program itself and bash, on a real archive."""

from __future__ import annotations

import json
import os
import pty
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.transfer.importer import import_lines

RunArchiver = Callable[..., object]


SAID = {"die": {"exitCode": "137"}, "exec_create": {"execID": "4" * 64}, "exec_start": {"execID": "4" * 64}}
"""What an engine says beside the name, by what happened."""


@pytest.fixture(scope="module")
def imported(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with some containers, of which one has ended, and one had a program run in it."""
    told = [
        ("1", "web-1", "start"), ("2", "web-2", "start"), ("2", "web-2", "die"), ("3", "shop:8080", "start"),
        ("3", "shop:8080", "exec_start: sh"),
    ]  # fmt: skip
    lines = [
        json.dumps({"Type": "container", "Action": action, "timeNano": 1763632811000000000 + number,
                    "Actor": {"ID": key * 64, "Attributes": {"name": name} | SAID.get(action.partition(":")[0], {})}})
        for number, (key, name, action) in enumerate(told)
    ]  # fmt: skip
    path = tmp_path_factory.mktemp("imported") / "archive.db"
    shutil.copyfile(sqlite_template, path)
    import_lines(f"sqlite:///{path}", [line.encode() for line in lines])
    return path


@pytest.fixture
def archive(imported: Path, sqlite_url: str, tmp_path: Path) -> str:
    """A copy of it, of this test's own."""
    shutil.copyfile(imported, tmp_path / "archive.db")
    return sqlite_url


@pytest.fixture
def tab(run_archiver: Callable[..., object]) -> Callable[[str], list[str]]:
    """What the program offers for the last word of a line."""

    def press(line: str) -> list[str]:
        environment = {
            "_ARCHIVER_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(line.count(" ")),
        }
        return run_archiver(env=environment).stdout.split("\n")[:-1]  # type: ignore[attr-defined, no-any-return]

    return press


def test_the_shell_gets_the_words(archive: str, tab: Callable[[str], list[str]]) -> None:
    assert tab(f"archiver history --database {archive} web") == ["web-1", "web-2"]
    assert tab(f"archiver events --database {archive} --type con") == ["container"]


def test_the_database_before_the_command_counts(archive: str, tab: Callable[[str], list[str]]) -> None:
    assert tab(f"archiver --database {archive} history web-1") == ["web-1"]


def test_words_with_a_space_are_offered_and_the_others_as_well(archive: str, tab: Callable[[str], list[str]]) -> None:
    assert tab(f"archiver events --database {archive} --state exi") == ["exited (137)"]
    assert tab(f"archiver events --database {archive} --state !run") == ["!running"]


def test_whatever_is_offered_is_taken(archive: str, tab: Callable[[str], list[str]], run_archiver: RunArchiver) -> None:
    words = tab(f"archiver history --database {archive} ")

    assert "exec" not in words
    assert {run_archiver("history", word, "--database", archive).returncode for word in words} == {0}  # type: ignore[attr-defined]


# --- bash itself -----------------------------------------------------------------------------------------------------


@pytest.fixture
def script(tmp_path: Path, program_environment: dict[str, str]) -> Callable[[str], Path]:
    """What `--show-completion` gives to a shell, beside a program of the right name."""
    program = tmp_path / "archiver"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m archiver "$@"\n')
    program.chmod(0o755)

    def show(shell: str) -> Path:
        if not shutil.which(shell):
            pytest.skip(f"there is no {shell}")
        told_the_shell = program_environment | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
        shown = subprocess.run(
            [program, "--show-completion", shell], env=told_the_shell, capture_output=True, text=True
        )
        (tmp_path / f"completion.{shell}").write_text(shown.stdout)
        return tmp_path / f"completion.{shell}"

    return show


@pytest.fixture
def bash_script(script: Callable[[str], Path]) -> Path:
    return script("bash")


@pytest.fixture
def bash(bash_script: Path, archive: str, program_environment: dict[str, str]) -> Callable[..., list[str]]:
    """What the function leaves in COMPREPLY for a line, and for the words that bash breaks it into."""
    assert shutil.which("bash")

    def complete(line: str, *words: str) -> list[str]:
        call = f"""
            . {bash_script}
            COMP_WORDS=({shlex.join(words)}) COMP_LINE={shlex.quote(line)}
            COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) COMP_POINT=${{#COMP_LINE}}
            _archiver_completion {bash_script.parent}/archiver
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        environment = program_environment | {"ARCHIVER_DATABASE_URL": archive}
        done = subprocess.run(["bash", "-c", call], env=environment, capture_output=True, text=True, timeout=60)
        return done.stdout.splitlines()

    return complete


@pytest.mark.parametrize(
    ("line", "words", "offered"),
    [
        ("archiver history web", ["archiver", "history", "web"], ["web-1", "web-2"]),
        ("archiver history shop:", ["archiver", "history", "shop", ":"], ["8080"]),
        ("archiver history shop:80", ["archiver", "history", "shop", ":", "80"], ["8080"]),
        ("archiver history 'shop:80", ["archiver", "history", "'shop:80"], ["shop:8080"]),
        ("archiver events --state=exi", ["archiver", "events", "--state", "=", "exi"], [r"exited\ \(137\)"]),
        (
            "archiver events --state=",
            ["archiver", "events", "--state", "="],
            [r"In\ progress", r"exited\ \(137\)", "running"],
        ),
        ("archiver events --state 'exi", ["archiver", "events", "--state", "'exi"], ["exited (137)"]),
        (r"archiver events --state exited\ \(", ["archiver", "events", "--state", r"exited\ \("], [r"exited\ \(137\)"]),
        ("archiver  events   --type ", ["archiver", "events", "--type", ""], ["action", "container"]),
    ],
)
def test_bash_gets_what_it_is_to_insert(
    bash: Callable[..., list[str]], line: str, words: list[str], offered: list[str]
) -> None:
    assert bash(line, *words) == offered


def test_bash_completes_a_name_with_a_colon_for_somebody_at_a_terminal(
    bash_script: Path, archive: str, program_environment: dict[str, str]
) -> None:
    settings = bash_script.parent / "rc"
    settings.write_text(f"PS1='$ '\nPATH={bash_script.parent}:$PATH\n. {bash_script}\n")
    environment = program_environment | {"ARCHIVER_DATABASE_URL": archive, "TERM": "dumb"}
    leader, follower = pty.openpty()
    shell = ["bash", "--noprofile", "--rcfile", str(settings), "-i"]
    with subprocess.Popen(
        shell, stdin=follower, stdout=follower, stderr=follower, env=environment, start_new_session=True
    ) as process:
        os.close(follower)
        os.write(leader, b"archiver history shop:\t")
        seen = b""
        while b"shop:8080" not in seen and (read := os.read(leader, 1024)):
            seen += read
        process.kill()
    os.close(leader)

    assert b"history shop:8080 " in seen + b" "


# --- zsh and fish ----------------------------------------------------------------------------------------------------

TYPED = [
    ("history shop:", "history shop:8080 "),
    ("history shop:80", "history shop:8080 "),
    ("history 'shop:80", "history 'shop:8080' "),
    ("history web", "history web-"),
    ("events --state=exi", r"events --state=exited\ \(137\) "),
    ("events --state exi", r"events --state exited\ \(137\) "),
    ("events --type con", "events --type container "),
    ("--database zsh-files/an events --type con", "--database zsh-files/an events --type con"),
    ("histo", "history "),
    ("import zsh-f", "import zsh-files/"),
    ("history zsh-f", "history zsh-f"),
]
"""What somebody types before TAB, and what is on the line after it."""


@pytest.fixture
def zsh(
    script: Callable[[str], Path], archive: str, program_environment: dict[str, str], tmp_path: Path
) -> Callable[[str], str]:
    """The line, after TAB, of somebody at zsh."""
    loaded, shown = script("zsh"), tmp_path / "line"
    (tmp_path / "zsh-files").mkdir()
    (tmp_path / ".zshrc").write_text(
        f"PATH={tmp_path}:$PATH PS1='ready> '\nbindkey -e\nautoload -Uz compinit; compinit -u -D\n. {loaded}\n"
        f"show() {{ print -rn -- $BUFFER > {shown}.new; mv {shown}.new {shown}; }}\nzle -N show\nbindkey '^Xs' show\n"
    )
    environment = program_environment | {"ARCHIVER_DATABASE_URL": archive, "TERM": "dumb", "ZDOTDIR": str(tmp_path)}

    def press(typed: str) -> str:
        leader, follower = pty.openpty()
        ends = {"stdin": follower, "stdout": follower, "stderr": follower}
        with subprocess.Popen(["zsh", "-i"], **ends, env=environment, cwd=tmp_path, start_new_session=True) as process:
            os.close(follower)
            said = b""
            while b"ready> " not in said and (read := os.read(leader, 1024)):
                said += read
            os.write(leader, f"archiver {typed}\t\x18s".encode())
            until = time.monotonic() + 30
            while not shown.exists() and time.monotonic() < until:
                time.sleep(0.02)
            process.kill()
        os.close(leader)
        return shown.read_text().removeprefix("archiver ")

    return press


@pytest.mark.parametrize(("typed", "line"), TYPED)
def test_zsh_completes_a_line_for_somebody_at_a_terminal(zsh: Callable[[str], str], typed: str, line: str) -> None:
    assert zsh(typed).rstrip() == line.rstrip()


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("history web", ["web-1", "web-2"]),
        ("history shop:", ["shop:8080"]),
        ("history 'shop:80", ["shop:8080"]),
        ("events --state=exi", ["--state=exited (137)"]),
        ("events --state exi", ["exited (137)"]),
        (r"events --state exited\ \(", ["exited (137)"]),
        ("events  --type ", ["action", "container"]),
        ("histo", ["history"]),
        ("import a-fi", ["a-file"]),
        ("history a-fi", []),
        ("events --database a-fi", ["a-file"]),
    ],
)
def test_fish_is_offered_the_same(
    script: Callable[[str], Path], archive: str, program_environment: dict[str, str], tmp_path: Path,
    typed: str, offered: list[str],
) -> None:  # fmt: skip
    loaded = script("fish")
    (tmp_path / "a-file").touch()
    path = f"{tmp_path}:{program_environment['PATH']}"
    environment = program_environment | {"ARCHIVER_DATABASE_URL": archive, "PATH": path}
    call = ["fish", "-c", f". {loaded}; complete -C {shlex.quote('archiver ' + typed)}"]

    done = subprocess.run(call, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert [line.partition("\t")[0] for line in done.stdout.splitlines()] == offered, done.stderr
