"""The pages of docs/ are as the program makes them, and nothing of the program is left undescribed."""

from __future__ import annotations

import ast
import importlib.util
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = _generator()
COMMANDS = [pytest.param(command, id=context.command_path) for context, command in GENERATOR.commands()]


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", ["cli.md", "schema.md", "demo.svg"])
def test_generated_page_is_up_to_date(name: str) -> None:
    made = GENERATOR.pages()[name]

    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == made, "run: make docs"


def test_picture_is_well_formed() -> None:
    assert ET.fromstring(GENERATOR.pages()["demo.svg"]).tag.endswith("svg")


@pytest.mark.parametrize("command", COMMANDS)
def test_command_has_help(command: Any) -> None:
    assert command.help


@pytest.mark.parametrize("command", COMMANDS)
def test_command_has_an_example(command: Any) -> None:
    assert "archiver " in (command.epilog or "")


@pytest.mark.parametrize("command", COMMANDS)
def test_option_has_help(command: Any) -> None:
    silent = [parameter.name for parameter in command.params if not getattr(parameter, "help", None)]

    assert silent == []


def test_table_and_column_have_comments() -> None:
    from archiver.storage.schema import metadata

    tables = metadata.sorted_tables
    silent = [table.name for table in tables if not table.comment]
    silent += [str(column) for table in tables for column in table.columns if not column.comment]

    assert silent == []


def test_view_and_column_have_comments() -> None:
    from archiver.storage.views import VIEWS

    silent = [view.name for view in VIEWS if not view.comment]
    silent += [f"{view.name}.{name}" for view in VIEWS for name, text in view.columns.items() if not text]

    assert silent == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"", page.read_text(encoding="utf-8"))
    broken = []
    for link in (first or second for first, second in links):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_room_has_its_sentence() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rooms = [path.parent.name for path in (ROOT / "archiver").glob("*/__init__.py")]

    assert rooms
    assert [room for room in rooms if f"| `archiver/{room}/` |" not in guide] == []


def test_every_module_opens_with_its_one_job() -> None:
    modules = [path for path in (ROOT / "archiver").rglob("*.py")]
    silent = [str(path) for path in modules if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]

    assert silent == []


def test_version_is_the_first_in_the_changelog() -> None:
    from archiver import __version__

    heading = next(re.finditer(r"(?m)^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))[1]
    assert heading == ("Unreleased" if ".dev" in __version__ else __version__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_named_in_the_page_exist(page: Path) -> None:
    from archiver.cli.app import COMMANDS as KNOWN

    named = re.findall(r"^(?: {4,}|\$ )archiver ([a-z]+)\b", page.read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert set(named) <= KNOWN.keys()
