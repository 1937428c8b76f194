"""TAB offers what is in the archive, as it can be typed, or nothing."""

from __future__ import annotations

import json
import os
import pty
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.cli import completion
from archiver.queries.completion import Known

RunArchiver = Callable[..., object]

CONTAINERS = [
    Known(f"/api/v1/{kind}/{key}/", kind, key, name)
    for kind, key, name in (
        ("container", "0fc9f01d-a726", "web-1"),
        ("container", "0fd11111-a726", "web-2"),
        ("container", "abcd0000-a726", None),
        ("container", "dead0000-a726", "$(rm -rf /)"),
        ("container", "dead1111-a726", "--all"),
        ("image", "sha256:1234", "shop/web:1.2"),
        ("action", "beef0000-a726", "exec"),
    )
]
NOWHERE = "sqlite:////nowhere/at.all"


class Line:
    """What is known of the command line while a word on it is completed."""

    def __init__(self, database: str, parent: Line | None = None) -> None:
        self.params = {"database": database}
        self.parent = parent


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("web", ["web-1", "web-2"]),
        ("0fc", ["0fc9f01d-a726"]),
        ("container/0f", ["container/0fc9f01d-a726", "container/0fd11111-a726"]),
        ("/api/v1/container/abcd", ["/api/v1/container/abcd0000-a726/"]),
        ("nothing", []),
        ("service/", []),
        ("$", []),
        ("exe", []),
        ("container/web-1", ["container/web-1"]),
        ("shop/", ["shop/web:1.2"]),
        ("--", []),
    ],
)
def test_resources_are_offered_as_they_are_typed(typed: str, words: list[str]) -> None:
    assert completion.spelt(CONTAINERS, typed) == words


def test_without_a_word_all_are_offered_and_no_hostile_name() -> None:
    offered = completion.spelt(CONTAINERS, "")

    assert {"abcd0000-a726", "container/0fc9f01d-a726", "beef0000-a726"} < set(offered)
    assert not any("$" in word for word in offered)


@pytest.mark.parametrize("url", [NOWHERE, "postgresql://127.0.0.1:9/x", "mysql://x", "://"])
def test_a_database_that_is_not_there_offers_nothing(url: str) -> None:
    assert completion.references(Line(url), "web") == []  # type: ignore[arg-type]
    assert completion.states(Line(url), "run") == []  # type: ignore[arg-type]


# --- the program as a shell calls it ---------------------------------------------------------------------------------


@pytest.fixture
def archive(sqlite_url: str, run_archiver: Callable[..., object]) -> str:
    """An archive with some containers, of which one has ended, and one had a program run in it."""
    told = [
        ("1", "web-1", "start"), ("2", "web-2", "start"), ("2", "web-2", "die"), ("3", "shop:8080", "start"),
        ("3", "shop:8080", "exec_start: sh"),
    ]  # fmt: skip
    lines = [
        json.dumps({"Type": "container", "Action": action, "timeNano": 1763632811000000000 + number,
                    "Actor": {"ID": key * 64, "Attributes": {"name": name, "exitCode": "137", "execID": "4" * 64}}})
        for number, (key, name, action) in enumerate(told)
    ]  # fmt: skip
    run_archiver("--database", sqlite_url, "import", "-", input="\n".join(lines))
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
def bash_script(tmp_path: Path, program_environment: dict[str, str]) -> Path:
    """What `--show-completion bash` gives, and a folder with a program of the right name."""
    program = tmp_path / "archiver"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m archiver "$@"\n')
    program.chmod(0o755)
    told_the_shell = program_environment | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    shown = subprocess.run([program, "--show-completion", "bash"], env=told_the_shell, capture_output=True, text=True)
    (tmp_path / "completion.bash").write_text(shown.stdout)
    return tmp_path / "completion.bash"


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
