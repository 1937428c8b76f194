"""Loads Typer without the modules that it imports for what hardly any command does."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

SELDOM = ("bz2", "ipaddress", "lzma", "ntpath", "platform", "subprocess")
"""A quarter of the time that Typer takes to load. `shutil` looks whether the packers are there in order to unpack."""


class Later(ModuleType):
    """Stands for a module in those that have imported it, and loads it when one of them asks for something."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def load_typer() -> None:
    """Imports Typer; who imports one of these modules from then on gets the module itself."""
    if "typer" in sys.modules:
        return
    later = {name: Later(name) for name in SELDOM if name not in sys.modules}
    if "platform" in later:
        vars(later["platform"])["system"] = lambda: os.uname().sysname  # `uuid` asks for that as it is loaded
    sys.modules.update(later)
    try:
        import typer  # noqa: F401
    finally:
        for name, module in later.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
