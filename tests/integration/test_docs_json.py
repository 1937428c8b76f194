"""What docs/json.md shows is what the program answers: every key of its examples is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from archiver.simulator.world.living import generate
from archiver.transfer.importer import import_lines

from ..conftest import RunArchiver

PAGE = Path(__file__).parents[2] / "docs" / "json.md"
COMMANDS = ["history", "actions", "events", "tree", "at", "diff", "gaps", "why", "report", "timeline", "status"]


def _examples() -> dict[str, Any]:
    found = {}
    for part in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        for block in re.findall(r"^```json\n(.*?)^```", part, flags=re.MULTILINE | re.DOTALL):
            found.setdefault(part.partition("\n")[0], json.loads(block))
    return found


EXAMPLES = _examples()


def _missing(shown: Any, real: Any, place: str = "") -> list[str]:
    """The keys of the example that the answer does not have; of lists, the first item is compared."""
    if isinstance(shown, dict) and isinstance(real, dict):
        lost = [f"{place}.{key}" for key in shown.keys() - real.keys()]
        return lost + [
            name for key in shown.keys() & real.keys() for name in _missing(shown[key], real[key], f"{place}.{key}")
        ]
    if isinstance(shown, list) and isinstance(real, list) and shown and real:
        return _missing(shown[0], real[0], place)
    return []


def test_every_command_is_shown() -> None:
    assert list(EXAMPLES) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_answer_has_every_key_that_is_shown(command: str, sqlite_url: str, run_archiver: RunArchiver) -> None:
    events = list(generate(seed=3, count=150))
    import_lines(sqlite_url, [json.dumps(event).encode() for event in events])
    uri = next(event["resource_uri"] for event in events if event["type"] == "stack")
    called = ["report", "availability"] if command == "report" else [command]
    moments = {"at": ["now"], "diff": ["2016-01-01", "now"]}.get(command, [])
    arguments = [] if command in {"status", "events", "gaps"} else [*moments, uri]
    arguments += ["-o", "jsonl", "-n", "1"] if command == "events" else ["-o", "json"]

    answer = run_archiver("--database", sqlite_url, *called, *arguments)

    assert _missing(EXAMPLES[command], json.loads(answer.stdout)) == []
