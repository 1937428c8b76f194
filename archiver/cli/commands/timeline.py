"""`archiver timeline`: all that was under a resource in one picture, on the terminal or as a page."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from archiver.cli import completion
from archiver.cli.answers import lanes
from archiver.cli.asking.question import Question, question
from archiver.cli.common import examples
from archiver.cli.files import require_other, write_file
from archiver.cli.listing.cells import to_json
from archiver.cli.listing.columns import Column, refuse_fields
from archiver.cli.listing.output import render
from archiver.cli.presentation import Presentation, is_terminal
from archiver.cli.writing import Part, wait_for_reader, write_lines
from archiver.errors import ArchiveReplaced, DatabaseMissing, NoSuchResource, UsageError
from archiver.model import Lane, Lanes, Resource, Span
from archiver.model.empty import IN_WORDS
from archiver.report import documents

LOOK = 1.0
"""Seconds between two drawings when following."""
STALE = 10
"""After so many drawings it is asked anew who watches, also when nothing was archived."""
WIDTH = 100
"""Columns where there is no terminal that has any."""

Ref = Annotated[
    str | None,
    typer.Argument(
        metavar="[REF]",
        help="What the picture is of, with all that was under it: URI, type/key, key, name, or at least 4 characters "
        "of a key; without it the whole platform.",
        autocompletion=completion.references,
        show_default=False,
    ),
]
Html = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the picture as a page that needs nothing else; -: to standard output."),
]
Perfetto = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write it as a trace for ui.perfetto.dev and Chrome; -: to standard output."),
]
Follow = Annotated[bool, typer.Option("-f", "--follow", help="Draw it anew as things happen, until Ctrl-C.")]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "timeline",
        epilog=examples(
            "archiver timeline shop --since 2h",
            "archiver timeline shop --since yesterday --html shop.html",
            "archiver timeline -f",
            "archiver timeline node/83faa2bb --perfetto node.json",
        ),
    )(question(timeline, told=True))


def timeline(
    asked: Question, ref: Ref = None, html: Html = None, perfetto: Perfetto = None, follow: Follow = False
) -> None:
    """All that was under a resource in one picture: states as bands, actions, exits, and when nobody was watching.

    In a column the worst state is drawn that was in it. What vanished is drawn, too; health checks of Docker are not.
    With --stream it is as if that stream alone had told of anything.
    """
    if (html is not None or perfetto is not None) and asked.format is not None:
        reason = f"-o {asked.format} is of what goes to standard output, and the picture goes into a file"
        raise UsageError(reason=reason, hint="leave out -o, or --html and --perfetto")
    for path in (html, perfetto):
        if path is not None and str(path) != "-":
            require_other(path, asked.config(), "archiver timeline --html shop.html --perfetto shop.json")
    resource = None if ref is None else asked.one(ref)
    if follow:
        _follow(asked, resource, into_file=html is not None or perfetto is not None)
        return
    answer = _ask(asked, resource)
    for path, made in ((html, _page), (perfetto, _trace)):
        if path is not None:
            _write(asked, path, made(asked, answer))
    if html is None and perfetto is None:
        write_lines(_lines(asked.presentation, answer))
    if answer.empty is not None:
        asked.note(f"nothing to draw: {IN_WORDS[answer.empty]}")


def _ask(asked: Question, resource: Resource | None) -> Lanes:
    with asked.heard(resource, around=True) as (archive, known):
        answer = archive.lanes(known, asked.range)
    asked.judged(answer.coverage)
    asked.answered = answer.empty is None
    return answer


# --- files ----------------------------------------------------------------------------------------------------------


def _page(asked: Question, answer: Lanes) -> Iterable[str]:
    from archiver.report.html import page

    return map(Part, page(answer, now=asked.presentation.now))


def _trace(asked: Question, answer: Lanes) -> Iterable[str]:
    from archiver.report.trace import trace

    return trace(answer, asked.presentation.now)


def _write(asked: Question, path: Path, lines: Iterable[str]) -> None:
    if str(path) == "-":
        write_lines(lines)
        return
    write_file(path, lines)
    asked.note(f"written to {path}")


# --- a terminal, a program ------------------------------------------------------------------------------------------


def _columns(presentation: Presentation) -> int:
    return shutil.get_terminal_size((WIDTH, 24)).columns if presentation.short else WIDTH


def _lines(presentation: Presentation, answer: Lanes) -> Iterator[str]:
    if presentation.format in ("json", "jsonl"):
        refuse_fields(presentation)
    if presentation.format == "table" and not presentation.fields:
        return lanes.lines(presentation, answer, _columns(presentation))
    if presentation.format == "json":
        return iter(["".join(documents.lanes(answer, to_json))])
    if presentation.format == "jsonl":
        return (to_json(documents.lane(lane)) for lane in answer.lanes)
    return render(presentation, COLUMNS, ((lane, span) for lane in answer.lanes for span in lane.spans))


COLUMNS: list[Column[tuple[Lane, Span]]] = [
    Column("uri", lambda row: row[0].uri),
    Column("type", lambda row: row[0].type),
    Column("name", lambda row: row[0].name),
    Column("state", lambda row: row[1].state),
    Column("kind", lambda row: row[1].kind),
    Column("since", lambda row: row[1].since),
    Column("until", lambda row: row[1].until),
    Column("seconds", lambda row: documents.span_seconds(row[1])),
]
"""Plain and CSV have a line for each state; actions and gaps are in JSON."""


# --- following ------------------------------------------------------------------------------------------------------


def _follow(asked: Question, resource: Resource | None, *, into_file: bool) -> None:
    """Draws the lanes anew in their place, as many as the terminal has lines for."""
    if asked.stream is not None:
        reason = "--stream hears anew what one stream told, and --follow draws again and again"
        raise UsageError(reason=reason, hint="leave one of them out; or archiver events --stream URL --follow")
    if asked.range.until is not None:
        raise UsageError(reason="--follow has no end and --until is one", hint="leave one of them out")
    if into_file or asked.presentation.format != "table" or not is_terminal(sys.stdout):
        raise UsageError(reason="--follow draws on a terminal", hint="leave out the files, the format, or --follow")
    answer, known, drawn, age = _ask(asked, resource), asked.archive.last_id(), 0, 0
    while True:
        frame = _frame(asked.presentation._replace(now=datetime.now(UTC)), answer)
        back = f"\x1b[{drawn}F" if drawn else ""
        write_lines([Part(back + "".join(f"{line}\x1b[K\n" for line in frame) + "\x1b[J")], flush=True)
        drawn = len(frame)
        wait_for_reader(LOOK)
        age += 1
        with suppress(ArchiveReplaced, DatabaseMissing, NoSuchResource):  # what is drawn stays until there is more
            if asked.archive.last_id() != known or age >= STALE:
                known, age = asked.archive.last_id(), 0
                answer = _ask(asked, resource and asked.archive.resolve(resource.uri))


def _frame(presentation: Presentation, answer: Lanes) -> list[str]:
    size = shutil.get_terminal_size((WIDTH, 24))
    around = 7  # what stands above and below the lanes
    return list(lanes.lines(presentation, answer, size.columns, most=max(1, size.lines - around - 1)))[: size.lines - 1]
