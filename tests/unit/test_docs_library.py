"""The library as the README shows it: what can be imported from the top, and at what price."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import archiver

README = Path(__file__).parents[2] / "README.md"
PYTHON = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def test_the_front_door_opens() -> None:
    from archiver import Archive, Stream

    assert (Archive.__module__, Stream.__module__) == ("archiver.api.archive", "archiver.api.stream")


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        _ = archiver.Nothing


def test_the_package_by_itself_imports_nothing_heavy() -> None:
    script = "import sys; before = set(sys.modules); import archiver; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)

    loaded = {name for name in done.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names}
    assert loaded == {"archiver", "archiver.version"}


def test_names_the_readme_imports_are_there() -> None:
    imports = [node for block in PYTHON for node in ast.walk(ast.parse(block)) if isinstance(node, ast.ImportFrom)]
    missing = [
        f"{node.module}.{alias.name}"
        for node in imports
        for alias in node.names
        if not hasattr(importlib.import_module(str(node.module)), alias.name)
    ]

    assert imports
    assert missing == []
