"""Typer is loaded without what it seldom needs; what has imported that gets it when it is asked for."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from archiver.cli.sparing import SELDOM, load_typer
load_typer()
assert not set(SELDOM) & set(sys.modules), set(SELDOM) & set(sys.modules)
import typer.main
{then}
"""


def after_loading(then: str) -> str:
    """What a process says that has loaded Typer, or how it failed."""
    done = subprocess.run([sys.executable, "-c", SCRIPT.format(then=then)], capture_output=True, text=True, timeout=60)
    return done.stdout.strip() or done.stderr


def test_what_typer_asks_of_such_a_module_is_the_module_s_own() -> None:
    assert after_loading("import subprocess; print(typer.main.subprocess.run is subprocess.run)") == "True"


def test_such_a_module_loads_when_nobody_else_has_imported_it() -> None:
    assert after_loading("print(typer.main.subprocess.list2cmdline(['a', 'b c']))") == 'a "b c"'


def test_what_is_asked_of_the_platform_at_once_is_true() -> None:
    assert after_loading("import platform; print(typer.main.platform.system() == platform.system())") == "True"


def test_who_imports_it_later_gets_the_whole_module() -> None:
    assert after_loading("import ipaddress, types; print(type(ipaddress) is types.ModuleType)") == "True"
