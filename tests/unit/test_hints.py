"""Every hint to install something names what there is to install, and nothing of somebody else's."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver import errors
from archiver.cli.extras import simulator_server
from archiver.errors import ArchiverError, ConfigurationWrong
from archiver.storage.database.engine import reading_engine

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DRIVERS = {one for extra in PROJECT["optional-dependencies"].values() for one in extra}
_INSTALL = re.compile(r"pip install\s+((?:--?[\w-]+\s+)*)(?:'([^']+)'|([^\s;`\"]+))")


def texts_of_the_program() -> Iterator[str]:
    """Every text in the source that is shown to somebody."""
    for path in (ROOT / "archiver").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def texts_of_the_pages() -> Iterator[str]:
    """Every line of what people read."""
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        yield from path.read_text(encoding="utf-8").splitlines()


def installed_by(texts: Iterator[str]) -> set[str]:
    return {quoted or bare for text in texts for _, quoted, bare in _INSTALL.findall(text)}


def test_the_program_names_the_driver_that_is_missing() -> None:
    assert {one for one in installed_by(texts_of_the_program()) if not one.startswith(".")} == DRIVERS


def test_the_pages_install_the_source_in_whose_folder_one_is() -> None:
    found = installed_by(texts_of_the_pages())

    assert any(one.startswith(".[") for one in found)
    assert {one for one in found if not one.startswith(".")} <= DRIVERS
    extras = {extra for one in found if "[" in one for extra in one[2:-1].split(",") if one.startswith(".[")}
    assert extras <= PROJECT["optional-dependencies"].keys()


@pytest.mark.parametrize(
    ("driver", "use"), [("psycopg", lambda: reading_engine("postgresql://h/d")), ("websockets", simulator_server)]
)
def test_what_is_missing_is_said_to_be_missing(driver: str, use: object, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == driver or "simulator.service" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, driver, None)

    with pytest.raises(ConfigurationWrong, match=f"pip install '{driver}"):
        use()  # type: ignore[operator]


def kinds(of: type[ArchiverError] = ArchiverError) -> Iterator[type[ArchiverError]]:
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


@pytest.mark.parametrize("kind", sorted({kind for kind in kinds() if kind.__module__ == errors.__name__}, key=repr))
def test_a_command_in_a_hint_is_one_that_there_is(kind: type[ArchiverError]) -> None:
    from archiver.cli.app import COMMANDS

    named = re.findall(r"(?:'|: )archiver (?:--\w+ )?(\w+)", kind.hint)

    assert set(named) <= COMMANDS.keys()
