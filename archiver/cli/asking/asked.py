"""What the body of a command asks with: the archive, the range, and how answers are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import typer

from archiver.cli import times
from archiver.cli.asking.subjects import Subjects, namesakes_line, subjects
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
from archiver.cli.presentation import Format, Presentation, make_presentation
from archiver.cli.times import zones
from archiver.cli.words.meant import nearly
from archiver.errors import (
    AmbiguousReference,
    NoSuchResource,
    NotThen,
    NotTold,
    ReferenceUnclear,
    UsageError,
)
from archiver.model.moments import rfc3339

if TYPE_CHECKING:
    from archiver.api.archive import Archive
    from archiver.config.settings import Config
    from archiver.model import Resource, TimeRange
    from archiver.queries.free import Answer


_UNHEARD = "nothing had been received of it by then"
_SHOWN = 10
"""So many of several resources are named where one is asked about."""
_MANY = 100_000
"""So many events are heard in some seconds; of more it is said that it takes longer."""


class Asked:
    """What the body of a command asks with: the archive, the range, and how answers are shown.

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

        One that is yet to come is none that cannot be asked about, and may be meant otherwise. Raises
        `TimeNotUnderstood`, or `UsageError` as that does.
        """
        zone, now = UTC if self._utc else None, self.presentation.now
        found = times.parse_time(text, now=now, zone=zone)
        if (shown := times.human(found, self.presentation.zone)) != text:
            self.note(f"{called} {shown}")
        if found > now:
            self.note(f"that is yet to come; {times.past_hint(found, now, zone)}")
        return found

    def known_at(self, text: str | None) -> datetime | None:
        """By what had been received until when it is to be answered; None: by all. Raises as `moment` does."""
        return None if text is None else self.moment(text, "known at")

    def end_at(self, moment: datetime) -> None:
        """Asks about no more than what was up to an instant. Raises UsageError where the range begins behind it."""
        if self.range.since is not None and self.range.since >= moment:
            reason = f"--since ({times.machine(self.range.since)}) is not before --known-at ({times.machine(moment)})"
            raise UsageError(reason=reason, hint="nothing was known then of what came later")
        if self.range.until is None or self.range.until > moment:
            self.range = self.range._replace(until=moment)

    @contextmanager
    def as_known(self, moment: datetime | None, subject: Resource | None) -> Iterator[tuple[Archive, Resource | None]]:
        """The archive with what had been received by an instant (None: all), and there the resource of the question.

        Raises NotThen where nothing had been heard of it by then.
        """
        if moment is None:
            yield self.archive, subject
            return
        from archiver.api.known import as_known_at

        self._say_how_long(subject)
        with as_known_at(self.archive, moment, subject) as then:
            yield then, self._there(then, subject, NotThen, at=rfc3339(moment), life=_UNHEARD)

    @contextmanager
    def heard(
        self, subject: Resource | None, *, known_at: datetime | None = None, around: bool = False
    ) -> Iterator[tuple[Archive, Resource | None]]:
        """As `as_known`; with --stream, what that stream told, as if nobody else had told of anything.

        `around`: what was above and beside the resource is asked about as well. Raises NoSuchStream, NotTold and
        NotThen.
        """
        if self.stream is None:
            with self.as_known(known_at, subject) as known:
                yield known
            return
        from archiver.api.known import as_told_by

        self._say_how_long(subject)
        with as_told_by(self.archive, self.stream, subject, known_at=known_at, around=around) as told:
            if known_at is None:
                yield told, self._there(told, subject, NotTold, stream=self.stream)
            else:
                yield told, self._there(told, subject, NotThen, at=rfc3339(known_at), life=_UNHEARD)

    def _say_how_long(self, subject: Resource | None) -> None:
        """Says that everything is heard anew, where that takes long."""
        events = self.archive.end().events if subject is None else 0
        if events >= _MANY:
            self.note(
                f"all of it is heard anew, of up to {events:,} events, which takes as long as to import them;"
                " with a REF it is what concerns that alone"
            )

    def _there(
        self, other: Archive, subject: Resource | None, missing: type[ReferenceUnclear], **why: str
    ) -> Resource | None:
        """The resource as another archive of the same objects has it. Raises `missing` where it has not."""
        if subject is None:
            return None
        try:
            return other.resolve(subject.uri, platform=self._home(other, subject))
        except NoSuchResource:
            raise missing(what=subject.title, **why) from None

    def _home(self, other: Archive, subject: Resource) -> str | None:
        """The platform of a resource, as far as another archive knows platforms."""
        key = self.archive.platform_of(subject)
        return key if key in {platform.key for platform in other.platforms()} else None

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
        with nearly(self.url, refs):
            found = subjects(self.archive, refs, self._platform, self.range if within is None else within)
        for resource in found.resources:
            if resource.namesakes is not None:
                self.note(namesakes_line(self.presentation, resource.uri, resource.namesakes))
        return found

    def one(self, ref: str, within: TimeRange | None = None) -> Resource:
        """The one resource that is asked about, as `about`; a pattern, or standard input, may mean no more than one.

        Raises AmbiguousReference where it does, UsageError where it means none, and as `about`.
        """
        found = self.about([ref], within).resources
        if not found:
            raise UsageError(reason="standard input names no resource", hint="one reference a line, or as an argument")
        if len(found) > 1:
            uris = [resource.uri for resource in found]
            raise AmbiguousReference(ref=ref, candidates=uris[:_SHOWN], more=len(uris) > _SHOWN)
        return found[0]

    def refuse_platform(self) -> None:
        """Raises UsageError where a platform is named and no reference that could be of it."""
        if self._platform is not None:
            reason = "--platform says of which platform the references are, and there is none"
            raise UsageError(reason=reason, hint="name a resource too, or leave it out")

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


def _names(fields: str | None) -> list[str]:
    """The names of a list with commas. Raises UsageError for a list without any."""
    if fields is None:
        return []
    names = [name.strip() for name in fields.split(",") if name.strip()]
    if not names:
        raise UsageError(reason="--fields names no field", hint="give some: --fields uri,state; a wrong one lists all")
    return names
