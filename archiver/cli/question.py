"""Makes a command of the body of a question: with the options all questions share, the archive, and how to answer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property, wraps
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import typer

from archiver.cli import times, zones
from archiver.cli.columns import Column
from archiver.cli.common import (
    Color,
    Database,
    FailIfEmpty,
    Fields,
    NoPager,
    OnPlatform,
    OnStream,
    Output,
    Reverse,
    Since,
    Strict,
    Until,
    Utc,
    chosen,
    configuration,
    database_url,
    die_with_the_reader,
    note,
    open_archive,
)
from archiver.cli.coverage import coverage_line
from archiver.cli.machine import enclosed
from archiver.cli.output import render
from archiver.cli.pager import paging
from archiver.cli.presentation import Format, Presentation, make_presentation
from archiver.cli.refs import is_one, spelt_out
from archiver.cli.writing import write_lines
from archiver.errors import NoSuchResource, NotThen, UsageError
from archiver.model.empty import IN_WORDS
from archiver.model.moments import rfc3339
from archiver.report import documents

if TYPE_CHECKING:
    from archiver.api.archive import Archive
    from archiver.config.settings import Config
    from archiver.model import Coverage, Namesakes, Resource, TimeRange
    from archiver.queries.completion import Vocabulary
    from archiver.queries.free import Answer

T = TypeVar("T")

COUNTED = 1_000
"""Others of a name are counted up to here (`queries.bearers`)."""
EMPTY = 7
"""The exit code of an empty answer, with `--fail-if-empty`."""
UNWATCHED = 6
"""The exit code of an answer that is not fully watched, with `--strict`."""


class Subjects(NamedTuple):
    """The resources that a question is about; `several`: the answer is a list, however many there are."""

    resources: list[Resource]
    several: bool


class Question:
    """What the body of a command asks and answers with: the archive, the range, and how answers are shown.

    Its parameters are the options that every question has.
    """

    def __init__(
        self,
        ctx: typer.Context,
        since: Since = None,
        until: Until = None,
        fail_if_empty: FailIfEmpty = False,
        platform: OnPlatform = None,
        stream: OnStream = None,
        strict: Strict = False,
        reverse: Reverse = False,
        output: Output = None,
        fields: Fields = None,
        utc: Utc = False,
        color: Color = "auto",
        no_pager: NoPager = False,
        database: Database = None,
    ) -> None:
        """Raises `UsageError` for a range that holds nothing, or that nobody can read."""
        self._ctx = ctx
        self._database = database
        self._platform = platform
        self.stream = stream
        """The URL of the one stream whose word is asked for; None: that of all."""
        self._utc, self._color = utc, color
        self._fails_if_empty = fail_if_empty
        self.format = output
        """The format that was asked for; None: none was."""
        self.pages = not (no_pager or chosen(ctx).no_pager)
        """Whether an answer longer than the terminal goes to a pager."""
        self.answered = False
        """Whether the answer has anything in it."""
        self.strict = strict
        """Whether it is to be said by the exit code that the answer is not fully watched."""
        self._unwatched = False
        self.presentation = make_presentation(output, utc=utc, color=color, fields=_names(fields))
        self.presentation = self.presentation._replace(reverse=reverse)
        reads_local = not utc and (since is not None or until is not None)
        if (reads_local or self.presentation.zone is None) and (trouble := zones.trouble()):
            self.note(trouble)
        self.range = times.parse_range(since, until, utc=utc, now=self.presentation.now)
        self._echo(since, until)

    def shown_as(self, output: Format | None) -> Presentation:
        """How the answer is shown in a format, for a body that has the option itself."""
        fields = list(self.presentation.fields)
        self.presentation = make_presentation(output, utc=self._utc, color=self._color, fields=fields)
        return self.presentation

    def moment(self, text: str, called: str = "at") -> datetime:
        """The instant that somebody wrote, read as the ends of a range are; says how it was understood.

        Raises `TimeNotUnderstood`, or `UsageError` as that does, and for what is yet to come.
        """
        zone = UTC if self._utc else None
        found = times.parse_time(text, now=self.presentation.now, zone=zone)
        times.require_past(found, called, self.presentation.now, zone)
        if (shown := times.human(found, self.presentation.zone)) != text:
            self.note(f"{called} {shown}")
        return found

    @contextmanager
    def as_known(self, time: str | None, subject: Resource | None) -> Iterator[tuple[Archive, Resource | None]]:
        """The archive with what had been received by a time (None: all), and there the resource that is asked about.

        Raises NotThen where nothing had been heard of it by then.
        """
        if time is None:
            yield self.archive, subject
            return
        from archiver.api.known import as_known_at

        moment = self.moment(time, "known at")
        with as_known_at(self.archive, moment, subject) as then:
            try:
                yield then, None if subject is None else then.resolve(subject.uri, platform=self._platform)
            except NoSuchResource:
                uri, at = "" if subject is None else subject.uri, rfc3339(moment)
                raise NotThen(uri=uri, at=at, life="nothing had been received of it by then") from None

    @cached_property
    def archive(self) -> Archive:
        """The archive, opened when it is first asked; raises as `open_archive` does."""
        return open_archive(self._ctx, self._database)

    def config(self) -> Config:
        """All that is set, with the archive that was named."""
        return configuration(self._ctx, self._database)

    @property
    def url(self) -> str:
        """The URL of the archive that was named; it need not be there."""
        return database_url(self._ctx, self._database)

    def sql(self, statement: str, seconds: float | None) -> Answer:
        """The answer to a statement, also for who may read the views and nothing else."""
        from archiver.queries.free import put

        die_with_the_reader()
        return put(database_url(self._ctx, self._database), statement, seconds)

    def close(self) -> None:
        """Closes the archive, where it was opened."""
        if "archive" in self.__dict__:
            self.archive.close()

    def about(self, refs: Sequence[str], within: TimeRange | None = None) -> Subjects:
        """What is asked about; names mean who bore them as the time `within` ended (None: the range).

        Raises NoSuchResource, AmbiguousReference, TooManyResources, BadInput.
        """
        at: dict[str, Any] = {"platform": self._platform, "range": self.range if within is None else within}
        if is_one(refs):
            try:
                return self._told(Subjects([self.archive.resolve(refs[0], **at)], several=False))
            except NoSuchResource:
                from archiver.cli import meant  # most names are known

                if near := meant.near_name(database_url(self._ctx, self._database), refs[0]):
                    self.note(f"did you mean {near}?")
                raise
        return self._told(Subjects(self.archive.resolve_all(spelt_out(refs), **at), several=True))

    def refuse_platform(self) -> None:
        """Raises UsageError where a platform is named and no reference that could be of it."""
        if self._platform is not None:
            reason = "--platform says of which platform the references are, and there is none"
            raise UsageError(reason=reason, hint="name a resource too, or leave it out")

    def _told(self, subjects: Subjects) -> Subjects:
        """The subjects; says of each who else had its name."""
        for resource in subjects.resources:
            if (others := resource.namesakes) is not None:
                self.note(_namesakes(self.presentation, resource, others))
        return subjects

    def covered(self, about: Sequence[Resource] | None = None, *, of_states: bool = False) -> Coverage:
        """The coverage of the range, of what told of these resources (None: of all streams); it is judged, too.

        `of_states`: as far as it hides their states (`Archive.coverage`).
        """
        return self.judged(self.archive.coverage(self.range, about, of_states=of_states, stream=self.stream))

    def judged(self, coverage: Coverage) -> Coverage:
        """The same; with `--strict` the command ends with code 6 where it is not complete."""
        self._unwatched = self._unwatched or not coverage.complete
        return coverage

    def doubted(self, certain: Iterable[bool | None]) -> None:
        """Judges what is in an answer: with `--strict` the command ends with code 6 where any is known not to be."""
        self._unwatched = self._unwatched or any(each is False for each in certain)

    def listing(
        self,
        columns: Sequence[Column[T]],
        records: Iterable[T],
        *,
        nothing: str,
        about: Sequence[Resource] | None = None,
        coverage: bool = False,
        name: str = "",
    ) -> None:
        """Answers with a list, of what was under these resources (None: of all); where it is empty stderr says why.

        With the `coverage`: a JSON document is an object, with the list under a `name`; else a line says it.
        """
        watched = self.covered(about) if coverage or self.strict else None
        records = self._noticed(records)
        if watched is not None and coverage and self.presentation.format == "json":
            write_lines(self._enclosed(columns, records, watched, about, name))
        else:
            if watched is not None and coverage:
                self._say(coverage_line(self.presentation, watched, self.range))
            write_lines(render(self.presentation, columns, records))
        if not self.answered and nothing:
            self.note(f"{nothing}: {IN_WORDS[self.archive.why_empty(self.range, about, stream=self.stream)]}")

    def _say(self, line: str) -> None:
        """What stands above a table, and beside what a program reads."""
        if self.presentation.format == "table":
            write_lines([line, ""])
        else:
            self.note(line)

    def _enclosed(
        self,
        columns: Sequence[Column[T]],
        records: Iterator[T],
        watched: Coverage,
        about: Sequence[Resource] | None,
        name: str,
    ) -> Iterator[str]:
        """The list in an object that says how well it was watched, and of an empty one why it is."""
        first = next(records, None)
        empty = self.archive.why_empty(self.range, about, stream=self.stream) if first is None else None
        head = documents.list_head(about or (), self.range, watched, empty)
        shown = self.presentation._replace(format="jsonl")
        return enclosed(head, name, render(shown, columns, chain([] if first is None else [first], records)))

    def _noticed(self, records: Iterable[T]) -> Iterator[T]:
        for record in records:
            self.answered = True
            yield record

    def unheard(self, of: Vocabulary, what: str, texts: Sequence[str] | None) -> None:
        """Says of words that choose, where nothing was found or one of several may be why, what the archive has not."""
        if texts and (not self.answered or len(texts) > 1):
            from archiver.cli import meant  # most words are known

            for text in meant.unheard(database_url(self._ctx, self._database), of, what, texts):
                self.note(text)

    def end(self) -> None:
        """Ends with the code of an answer that is not fully watched, or is empty, where that was asked for."""
        if self.strict and self._unwatched:
            raise typer.Exit(UNWATCHED)
        if self._fails_if_empty and not self.answered:
            raise typer.Exit(EMPTY)

    def _echo(self, since: str | None, until: str | None) -> None:
        """Says how the range was understood, unless it was given in just these words."""
        ends = [("since", since, self.range.since), ("until", until, self.range.until)]
        understood = [
            (word, given, times.human(moment, self.presentation.zone)) for word, given, moment in ends if moment
        ]
        if any(given != shown for _, given, shown in understood):
            self.note(" ".join(f"{word} {shown}" for word, _, shown in understood))

    def note(self, text: str) -> None:
        """Something worth knowing on stderr, unless `-q`."""
        note(self._ctx, text)


def _namesakes(presentation: Presentation, chosen: Resource, others: Namesakes) -> str:
    count = f"more than {others.others - 1:,}" if others.others > COUNTED else f"{others.others:,}"
    until = times.human(others.until, presentation.zone)
    named = ", ".join(map(presentation.uri, others.uris)) + (", ..." if others.others > len(others.uris) else "")
    return f"{presentation.uri(chosen.uri)}: {count} more had this name, until {until}; name them by key: {named}"


def _names(fields: str | None) -> list[str]:
    """The names of a list with commas. Raises UsageError for a list without any."""
    if fields is None:
        return []
    names = [name.strip() for name in fields.split(",") if name.strip()]
    if not names:
        raise UsageError(reason="--fields names no field", hint="give some: --fields uri,state; a wrong one lists all")
    return names


_RANGE = ("since", "until", "fail_if_empty")


def question(
    body: Callable[..., None], *, ranged: bool = True, strict: bool = True, turned: bool = False, told: bool = False
) -> Callable[..., None]:
    """The command made of `body(asked: Question, ...)`: in its help the body's own parameters come before the shared.

    `ranged` False: it has neither `--since` nor `--until`, and its answer is never empty; `strict` False: it says
    itself how well it was watched; `turned`: it lists what has an order in time, which may be turned round; `told`: of
    what streams told it can say what one did.
    """
    own = list(inspect.signature(body, eval_str=True).parameters.values())[1:]
    shared = inspect.signature(Question, eval_str=True).parameters
    left_out = {*(() if ranged else _RANGE), *(() if strict else ("strict",)), *(() if turned else ("reverse",))}
    left_out |= set() if told else {"stream"}
    left_out |= {each.name for each in own}  # a body that has one of these itself
    if {each.name for each in own}.isdisjoint(("refs", "ref", "under")):
        left_out.add("platform")
    kept = [parameter for name, parameter in shared.items() if name not in left_out]

    @wraps(body)
    def command(**given: Any) -> None:
        asked = Question(**{each.name: given.pop(each.name) for each in kept if each.name in given})
        try:
            if not any(given.get(name) for name in ("refs", "ref", "under")):
                asked.refuse_platform()
            with paging(asked.pages and not given.get("follow")):
                body(asked, **given)
            asked.end()
        finally:
            asked.close()

    parameters = [kept[0], *own, *kept[1:]]
    signature = inspect.Signature([each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters])
    command.__signature__ = signature  # type: ignore[attr-defined]
    return command
