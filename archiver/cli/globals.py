"""The options before the command, in a module that costs `archiver --help` nothing."""

from __future__ import annotations

from typing import Annotated

import typer

HELP_NAMES = {"help_option_names": ["-h", "--help"]}
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="The archive: sqlite:///FILE or postgresql://... (ARCHIVER_DATABASE_URL).",
        show_default=False,
    ),
]
"""Before the command, and after it, where it counts more."""


class Globals:
    """The options before the command."""

    def __init__(self) -> None:
        self.database: str | None = None
        self.debug = False
        self.quiet = False
        self.no_pager = False
        self.leave_at_once = False
        """Whether the process ends without waiting for its threads and files: something hangs, and would for ever."""
