"""What a command gets from being a question: the options all of them share, and a range that is said as understood."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from archiver.cli.asking.question import Question, question
from archiver.cli.common import Refs
from archiver.cli.globals import Globals
from archiver.errors import UsageError

Say = Callable[..., str]


def parameters(command: Callable[..., None]) -> list[str]:
    return list(inspect.signature(command).parameters)


def test_a_question_has_its_own_options_and_then_those_that_all_have() -> None:
    def ask(asked: Question, refs: Refs, deep: bool = False) -> None:
        """A question."""

    shared = ["platform", "strict", "output", "fields", "utc", "color", "no_pager", "database"]
    assert parameters(question(ask))[:5] == ["ctx", "refs", "deep", "since", "until"]
    assert parameters(question(ask))[-len(shared) :] == shared
    assert parameters(question(ask, ranged=False)) == ["ctx", "refs", "deep", *shared]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """What stands on stderr after a question with these options was put."""

    def ask(**options: object) -> str:
        context = typer.Context(typer.core.TyperCommand("ask"), obj=Globals())
        Question(context, **options)  # type: ignore[arg-type]
        return capsys.readouterr().err

    return ask


def test_a_range_is_said_as_it_was_understood(say: Say) -> None:
    assert say(since="2026-11-20", until="2026-11-21 12:00", utc=True) == (
        "since 2026-11-20 00:00:00Z until 2026-11-21 12:00:00Z\n"
    )


def test_a_range_that_was_given_in_the_same_words_is_not(say: Say) -> None:
    assert say(since="2026-11-20 00:00:00Z", utc=True) == ""
    assert say() == ""


def test_a_zone_that_is_wrong_is_said_where_it_matters(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Nowhere")

    assert "Europe/Nowhere" in say(since="2026-11-20 00:00:00Z")
    assert say(since="2026-11-20 00:00:00Z", utc=True) == ""
    assert say() == ""  # on a pipe all times are UTC


def test_the_archive_is_opened_only_when_it_is_asked(tmp_path: Path) -> None:
    def refuse(asked: Question) -> None:
        raise UsageError(reason="no")

    context = typer.Context(typer.core.TyperCommand("ask"), obj=Globals())
    with pytest.raises(UsageError, match="no"):
        question(refuse, ranged=False)(
            ctx=context, strict=False, output=None, fields=None, utc=False, color="auto", database=f"{tmp_path}/none.db"
        )
