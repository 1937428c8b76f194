"""Where a setting's value comes from: a flag, else the environment, else the configuration's file, else a default."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from archiver.config.settings import Setting
from archiver.errors import ConfigurationWrong

if TYPE_CHECKING:
    from archiver.model.hooks import Hook

T = TypeVar("T")

_OF_A_HOOK = {"on": "ARCHIVER_ON", "exec": "ARCHIVER_EXEC", "webhook": "ARCHIVER_WEBHOOK"}

_FLAGS = {"streams": "--stream"}
"""Flags that are not called as the setting is."""


def _parsed(name: str, found: Setting[Any], parse: Callable[[Any], T]) -> Setting[T]:
    try:
        return Setting(parse(found.value), found.origin)
    except ValueError as exc:
        raise ConfigurationWrong(setting=name, reason=str(exc), origin=found.origin) from None


class Sources:
    """Flags, environment and file, asked in this order."""

    def __init__(self, flags: Mapping[str, Any], environ: Mapping[str, str], home: Path) -> None:
        self.flags = flags
        self.environ = environ
        self.home = home
        self.path = _file_path(environ, home)
        self.file, self.lines = _read_file(self.path) if self.path is not None else ({}, {})
        self.known: set[str] = set()

    def setting(self, name: str, variable: str, parse: Callable[[Any], T], fallback: Setting[Any]) -> Setting[T]:
        """The first value found, parsed; raises ConfigurationWrong naming the setting and its origin."""
        self.known.add(name)
        return _parsed(name, self._found(name, variable) or fallback, parse)

    def hooks(self) -> Setting[tuple[Hook, ...]]:
        """All hooks; three variables of the environment describe one. Raises as `setting` does."""
        self.known.add("hooks")
        named = {key: text for key, name in _OF_A_HOOK.items() if (text := self.environ.get(name, "").strip())}
        if not named and not self.flags.get("hooks") and "hooks" not in self.file:
            return Setting((), "default")
        from archiver.config.hooks import hooks_of  # most have none

        if self.flags.get("hooks"):
            found = Setting(self.flags["hooks"], "--on")
        elif named:
            found = Setting([named], " and ".join(_OF_A_HOOK[key] for key in named))
        else:
            found = Setting(self.file["hooks"], self._place("hooks"))
        return _parsed("hooks", found, hooks_of)

    def _found(self, name: str, variable: str) -> Setting[Any] | None:
        value = self.flags.get(name)
        # A command's switch that was not given is False, its list empty: neither says anything. An empty text is wrong.
        if value is not None and value is not False and value not in ((), []):
            return Setting(value, _FLAGS.get(name, f"--{name.replace('_', '-')}"))
        if text := self.environ.get(variable, "").strip():
            return Setting(text, variable)
        if name in self.file:
            return Setting(self.file[name], self._place(name))
        return None

    def _place(self, name: str) -> str:
        """The configuration's file, and the line of it that sets something."""
        line = self.lines.get(name)
        return f"{self.path}, line {line}" if line is not None else str(self.path)

    def refuse_unknown(self) -> None:
        """Raise ConfigurationWrong when the file holds a key that is no setting."""
        for name in sorted(self.file.keys() - self.known):
            raise ConfigurationWrong(
                setting=f"{name!r}",
                reason=f"there is no such setting; there are {', '.join(sorted(self.known))}",
                origin=self._place(name),
            )


def _file_path(environ: Mapping[str, str], home: Path) -> Path | None:
    """The configuration file: the one named, which must exist, else the first that does."""
    if named := environ.get("ARCHIVER_CONFIG"):
        return Path(named)
    candidates = [
        Path(folder) / "config.toml" for folder in environ.get("CONFIGURATION_DIRECTORY", "").split(":") if folder
    ]
    candidates.append(Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "archiver" / "config.toml")
    # A home folder that one may not look into is somebody else's: HOME was left as it was, by `su` for one.
    return next((path for path in candidates if os.path.isfile(path)), None)


def _read_file(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """What a file sets, and in which line; of a name that is written in quotes or escapes, no line."""
    import tomllib  # most runs have no file

    try:
        text = path.read_bytes().decode("utf-8-sig")  # editors of Windows begin a file with a mark
        lines: dict[str, int] = {}
        for number, line in enumerate(text.split("\n"), 1):
            if found := re.match(r"\s*\[?\[?\s*([\w-]+)\s*[].=]", line):
                lines.setdefault(found[1], number)
        return tomllib.loads(text), lines
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        where = re.search(r"\(at [^)]*\)", str(exc))
        reason = f"it is not TOML {where[0] if where else ''}".rstrip()
        raise ConfigurationWrong(setting="the configuration file", reason=reason, origin=str(path)) from None
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise ConfigurationWrong(setting="the configuration file", reason=reason, origin=str(path)) from exc
