"""The options of `archiver events`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from archiver.cli import completion

Under = Annotated[
    list[str] | None,
    typer.Option(
        metavar="REF",
        help="Only of this resource and of all that was under it then; a pattern, or - for standard input, as well.",
        autocompletion=completion.references,
        show_default=False,
    ),
]
Lines = Annotated[
    int | None,
    typer.Option(
        "-n",
        "--lines",
        min=0,
        max=1_000_000_000,
        metavar="N",
        help="The last N: 100, or 10 with -f; 0 is all.",
        show_default=False,
    ),
]
Follow = Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes, until Ctrl-C.")]
Number = Annotated[
    int | None,
    typer.Option(
        "--id",
        min=1,
        max=2**63 - 1,
        metavar="N",
        help="The event of this number alone; with -o json all that it said, as received: command lines and labels, "
        "too, which may hold secrets and stand in no other answer.",
        show_default=False,
    ),
]
CursorFile = Annotated[
    Path | None,
    typer.Option(
        "--cursor-file",
        metavar="FILE",
        help="All that was archived since the last time, in that order, and FILE remembers how far; the first time "
        "from the first event on. Nothing is missed or written twice from one time to the next.",
        dir_okay=False,
        show_default=False,
    ),
]
Type = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT",
        help="Only events of this type; '!TEXT': of any other.",
        autocompletion=completion.types,
        show_default=False,
    ),
]
State = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT",
        help="Only events with this state: exited is exited (137) too, '!running' any other, 'Partly*' a pattern.",
        autocompletion=completion.states,
        show_default=False,
    ),
]
ActionWord = Annotated[
    list[str] | None,
    typer.Option(
        "--action",
        metavar="TEXT",
        help="Only events of this action: create, update, delete ...",
        autocompletion=completion.actions,
        show_default=False,
    ),
]
