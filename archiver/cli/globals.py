"""The options before the command, in a module that costs `archiver --help` nothing."""

from __future__ import annotations

HELP_NAMES = {"help_option_names": ["-h", "--help"]}


class Globals:
    """The options before the command."""

    def __init__(self) -> None:
        self.database: str | None = None
        self.debug = False
        self.quiet = False
