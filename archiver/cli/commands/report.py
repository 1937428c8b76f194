"""`archiver report`: how available things were, what restarted and why, how well it was watched."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any, Literal

import typer

from archiver.cli import times
from archiver.cli.answers import incident as incidents
from archiver.cli.answers.reports import lines
from archiver.cli.asking.question import Question, question
from archiver.cli.common import MaybeRef, examples
from archiver.cli.globals import HELP_NAMES
from archiver.cli.groups import Group
from archiver.cli.words.remarks import remarks
from archiver.cli.writing import write_lines
from archiver.errors import UsageError
from archiver.model.empty import IN_WORDS

Per = Annotated[
    Literal["day", "slot", "service", "node", "image"] | None,
    typer.Option(
        "--per",
        help="Slice it: by day, or by what lives on when containers are replaced. Without it, each by itself.",
        show_default=False,
    ),
]
From = Annotated[str, typer.Option("--from", "--since", metavar="TIME", help="Since when: 13:30, 2h, ISO 8601 ...")]
To = Annotated[str, typer.Option("--to", "--until", metavar="TIME", help="Until when; the same words.")]
PerOrContainer = Annotated[
    Literal["day", "slot", "service", "node", "image", "container"] | None,
    typer.Option(
        "--per",
        help="How often: by day, container, or what lives on when they are replaced. Without it, each stop by itself.",
        show_default=False,
    ),
]
NotSliced = Annotated[str | None, typer.Option("--per", hidden=True, help="Of other reports.")]
PerDay = Annotated[Literal["day"] | None, typer.Option("--per", help="Slice it by day.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Adds the command and its own ones."""
    report = typer.Typer(
        help="How available things were, what restarted and why, how well it was watched. With --stream each answers "
        "as if that stream alone had told of anything.",
        cls=Group,
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings=HELP_NAMES,
        epilog=examples("archiver report availability my-stack --since 30d", "archiver report restarts --since 1d"),
    )
    report.command(
        "availability",
        short_help="How available containers, and all of them together, were, and how sure that is.",
        epilog=examples(
            "archiver report availability my-stack --since 30d --per slot",
            "archiver report availability web-1 --since '2 months ago' --per day -o csv > availability.csv",
        ),
    )(question(availability, told=True))
    report.command(
        "restarts",
        short_help="What stopped, who or what stopped it, and what never came back; what crashed most.",
        epilog=examples(
            "archiver report restarts --since yesterday",
            "archiver report restarts --since yesterday --until today --per container",
            "archiver report restarts my-stack --since 7d --per service",
        ),
    )(question(restarts, told=True))
    report.command(
        "deploys",
        short_help="Every update or redeploy, how long it took and how it ended.",
        epilog=examples("archiver report deploys my-stack --since 30d"),
    )(question(deploys, told=True))
    report.command(
        "flaps",
        short_help="What changed its state again and again.",
        epilog=examples("archiver report flaps --since 7d"),
    )(question(flaps, told=True))
    report.command(
        "changes",
        short_help="What appeared, vanished, moved, changed its state, image, name or tags, and what was done.",
        epilog=examples("archiver report changes my-stack --since 2h"),
    )(question(changes, told=True))
    report.command(
        "coverage",
        short_help="How long each stream was watched.",
        epilog=examples("archiver report coverage --since 30d --per day"),
    )(question(coverage, told=True))
    report.command(
        "incident",
        short_help="A stretch of time as Markdown, for a post-mortem.",
        epilog=examples("archiver report incident my-stack --from 13:30 --to 15:00 > incident.md"),
    )(question(incident, ranged=False, told=True))
    app.add_typer(report, name="report")


def availability(asked: Question, ref: MaybeRef = None, per: Per = None) -> None:
    """How long the containers below a resource (without one, all) were up, in four parts that make up their lives.

    Up, down, planned (down since somebody told it to stop) and not known (nobody was watching, or it was last told
    before a gap); starting is down, and so is a loop of crashes (three within ten minutes, until ten quiet ones). The
    ratio is up / (up + down); in brackets how sure that is: what it would be if it had been down, or up, whenever
    nobody knows. The last line is that of the whole
    stack, service or whatever was asked about. By slot or service a container and what took its place count as one;
    by node or image each counts where it was then.
    """
    _answer(asked, "availability", ref, per)


def restarts(asked: Question, ref: MaybeRef = None, per: PerOrContainer = None) -> None:
    """What stopped, who or what stopped it, and when it came back; what never came back stands first.

    Told: an action proves it; forced: told, and killed when its grace was over; crash: neither; oom: memory was short;
    unknown: nobody was watching. It came back where it ran again, or what took its slot did, within the range or later;
    what was told to stop and then removed is not missed. Sliced (--per container), how often, and what crashed most
    stands first.
    """
    _answer(asked, "restarts", ref, per)


def deploys(asked: Question, ref: MaybeRef = None, per: NotSliced = None) -> None:
    """Every update or redeploy of a service or stack below a resource (without one, everywhere), until it was settled.

    Ok, failed, rolled back, or open: how it ended is not known. As in the view `deploys`; and of Docker Compose the
    containers of a service that it recreated, with what was different, which the view has not. What crashed within ten
    minutes, or never ran, has failed.
    """
    _refuse_slices("deploys", per)
    _answer(asked, "deploys", ref, None)


def flaps(asked: Question, ref: MaybeRef = None, per: NotSliced = None) -> None:
    """When something changed its state six times or more in ten minutes, until ten quiet ones: the view `flaps`."""
    _refuse_slices("flaps", per)
    _answer(asked, "flaps", ref, None)


def changes(asked: Question, ref: MaybeRef = None, per: NotSliced = None) -> None:
    """What changed below a resource (without one, everywhere), by time, and what was done.

    States, images, names, and what something is under; a stop says why. Health checks, and what changes nothing (exec,
    attach ...), are left out.
    """
    _refuse_slices("changes", per)
    _answer(asked, "changes", ref, None)


def coverage(asked: Question, ref: MaybeRef = None, per: PerDay = None) -> None:
    """How long each stream was watched since its first session, and in how many gaps it was not."""
    _answer(asked, "coverage", ref, per)


def incident(
    asked: Question,
    ref: MaybeRef = None,
    begin: From = "1h",
    end: To = "now",
    output: Annotated[str | None, typer.Option("-o", "--output", hidden=True, help="Of answers to programs.")] = None,
    fields: Annotated[str | None, typer.Option("--fields", hidden=True, help="Of answers to programs.")] = None,
) -> None:
    """What happened in a stretch of time to a resource (without one, everywhere), as Markdown for a post-mortem.

    What stopped and why, how available it was, all changes in their order, who did what, when nobody was watching, and
    what is not known.
    """
    presentation = asked.presentation
    utc = presentation.zone is UTC
    if fields is not None or output not in (None, "table", "wide", "plain"):
        raise UsageError(
            reason="an incident is Markdown, and nothing else",
            hint="for a program: archiver report restarts, availability; archiver events, actions",
        )
    asked_for = times.parse_range(begin, None if end == "now" else end, utc=utc, now=presentation.now)
    whole = asked_for._replace(until=asked_for.until or presentation.now)
    about = None if ref is None else asked.one(ref, asked_for)
    with asked.heard(about, around=True) as (archive, known):
        found = archive.incident(whole, known, zone=presentation.zone)
    asked.judged(found.coverage)
    asked.doubted([not found.availability.inherited])
    write_lines(incidents.lines(presentation, found))


def _refuse_slices(name: str, per: str | None) -> None:
    """Raises UsageError where a report that is a list of what happened is to be sliced."""
    if per is not None:
        reason = f"{name} are listed one by one, and not sliced by {per[:100]!r}"
        raise UsageError(reason=reason, hint="leave out --per; sliced are: availability, restarts, coverage")


def _answer(asked: Question, name: str, ref: str | None, per: Per | PerOrContainer) -> None:
    about = None if ref is None else asked.one(ref)
    how: dict[str, Any] = {"per": per, "zone": asked.presentation.zone}
    if name == "coverage":
        found = asked.archive.report(name, about, asked.range, **how, stream=asked.stream)
    else:
        with asked.heard(about, around=True) as (archive, known):
            found = archive.report(name, known, asked.range, **how)
    asked.judged(found.coverage)
    asked.doubted([not found.inherited])
    asked.answered = bool(found.rows)
    write_lines(lines(asked.presentation, found))
    if found.empty is not None:
        asked.note(f"nothing to report in this range: {IN_WORDS[found.empty]}")
    if asked.presentation.format != "json":
        for note in remarks(asked.presentation, found):
            asked.note(note)
