"""`archiver report`: how available things were, what restarted and why, how well it was watched."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from archiver.cli.common import MaybeRef, examples
from archiver.cli.globals import HELP_NAMES
from archiver.cli.output import write_lines
from archiver.cli.question import Question, question
from archiver.cli.reports import lines

Per = Annotated[
    Literal["day", "slot", "service", "node", "image"] | None,
    typer.Option(
        "--per",
        help="Slice it: by day, or by what lives on when containers are replaced. Without it, each by itself.",
        show_default=False,
    ),
]
PerDay = Annotated[Literal["day"] | None, typer.Option("--per", help="Slice it by day.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Adds the command and its own ones."""
    report = typer.Typer(
        help="How available things were, what restarted and why, how well it was watched.",
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings=HELP_NAMES,
        epilog=examples("archiver report availability my-stack --since 30d", "archiver report restarts --since 1d"),
    )
    report.command(
        "availability",
        short_help="How long containers were up, down, planned to be down, or not watched.",
        epilog=examples(
            "archiver report availability my-stack --since 30d --per slot",
            "archiver report availability web-1 --since '2 months ago' --per day -o csv > availability.csv",
        ),
    )(question(availability))
    report.command(
        "restarts",
        short_help="What stopped and came back, and why.",
        epilog=examples(
            "archiver report restarts --since yesterday", "archiver report restarts my-stack --since 7d --per service"
        ),
    )(question(restarts))
    report.command(
        "coverage",
        short_help="How long each stream was watched.",
        epilog=examples("archiver report coverage --since 30d --per day"),
    )(question(coverage))
    app.add_typer(report, name="report")


def availability(asked: Question, ref: MaybeRef = None, per: Per = None) -> None:
    """How long the containers below a resource (without one, all) were up, in four parts that make up their lives.

    Up, down, planned (down since somebody told it to stop) and not watched; starting is down, and so is a loop of
    crashes. The ratio is up / (up + down); in brackets what it would be if it had been down, or up, whenever nobody
    was watching. By slot or service a container and what took its place count as one.
    """
    _answer(asked, "availability", ref, per)


def restarts(asked: Question, ref: MaybeRef = None, per: Per = None) -> None:
    """What stopped and came back, itself or in what took its slot, and why; sliced, how often.

    Told: an action proves it; forced: told, and killed when its grace was over; crash: neither; oom: memory was short;
    unknown: nobody was watching. Sliced, what crashed most stands first.
    """
    _answer(asked, "restarts", ref, per)


def coverage(asked: Question, ref: MaybeRef = None, per: PerDay = None) -> None:
    """How long each stream was watched since its first session, and in how many gaps it was not."""
    _answer(asked, "coverage", ref, per)


def _answer(asked: Question, name: str, ref: str | None, per: Per) -> None:
    about = None if ref is None else asked.about([ref]).resources[0]
    found = asked.archive.report(name, about, asked.range, per=per, zone=asked.presentation.zone)
    asked.judged(found.coverage)
    asked.answered = bool(found.rows)
    write_lines(lines(asked.presentation, found))
    if not found.rows:
        asked.note("nothing to report in this range")
    if asked.presentation.format != "json":
        for note in found.notes:
            asked.note(note)
