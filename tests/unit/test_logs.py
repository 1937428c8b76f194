"""Log lines: escaped, without credentials, for people, journald and collectors."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from archiver.cli import logs

log = logging.getLogger("archiver.test")


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_hostile_text_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info", {})
    log.info("closed: %s", "\x1b[31mbye\n2026-01-01T00:00:00Z info    all is well\r\u202e\udc80")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(r"info    closed: \x1b[31mbye\n2026-01-01T00:00:00Z info    all is well\r\u202e\udc80")


def test_no_line_of_a_traceback_passes_for_a_line_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info", {})
    try:
        raise ValueError("x\n2026-01-01T00:00:00Z info    all is well\x1b[0m")
    except ValueError:
        log.exception("it failed")
    first, *rest = capsys.readouterr().err.splitlines()
    assert first.endswith("error   it failed")
    assert rest[0] == "    Traceback (most recent call last):"
    assert all(line.startswith("    ") and line.isprintable() for line in rest)


@pytest.mark.parametrize("as_json", [False, True])
def test_secrets_are_masked_in_messages_and_tracebacks(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info", {}, secrets={"canary", "canary-and-more"}, as_json=as_json)
    try:
        raise ValueError("canary")
    except ValueError:
        log.exception("with %s", "canary-and-more")
    said = capsys.readouterr().err
    assert "canary" not in said
    assert "-and-more" not in said


def test_journald_gets_the_priority_on_each_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("debug", {"INVOCATION_ID": "1"})
    log.warning("careful")
    log.debug("detail")
    try:
        raise ValueError
    except ValueError:
        log.exception("it failed")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == ["<4>careful", "<7>detail", "<3>it failed"]
    assert all(line.startswith("<3>") for line in lines[2:])


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info", {}, as_json=True)
    log.info("one\ntwo")
    log.debug("not wanted")
    (line,) = capsys.readouterr().err.splitlines()
    value = json.loads(line)
    assert (value["level"], value["message"]) == ("info", r"one\ntwo")
