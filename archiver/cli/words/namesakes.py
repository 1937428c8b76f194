"""How the things in one answer are named, so that none is taken for another of its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from archiver.cli.escape import escape
from archiver.cli.listing.columns import Column
from archiver.cli.presentation import NOTHING, Presentation
from archiver.model import Lane, Resource
from archiver.model.reports import Subject

T = TypeVar("T")


class Namesakes:
    """What of an answer has the name of something else in it; `typed`: where the type stands before each name."""

    def __init__(self, subjects: Iterable[Subject | None] = (), *, typed: bool = False) -> None:
        self._typed = typed
        bearers = {
            (self._name(subject), subject.uri or subject.platform)
            for subject in subjects
            if subject is not None and subject.name
        }
        self._alike = {name for name, count in Counter(name for name, _ in bearers).items() if count > 1}

    def called(self, presentation: Presentation, subject: Subject | None) -> str:
        """What something is called, escaped: its name, with its key behind it where another has that; else its URI."""
        if subject is None:
            return NOTHING
        if not subject.name:
            return presentation.uri(subject.uri)
        name = f"{escape(subject.type)} {escape(subject.name)}" if self._typed else escape(subject.name)
        key = self.key(presentation, subject)
        return f"{name} ({key})" if key else name

    def key(self, presentation: Presentation, subject: Subject) -> str:
        """What tells something from those of its name, escaped: its key, and of several platforms its own.

        Where keys are shortened it is the beginning of one, which is a reference too. Empty: no other has its name.
        """
        if not subject.name or self._name(subject) not in self._alike:
            return ""
        apart = [_key(presentation, subject.uri)] if subject.uri else []
        apart += [escape(subject.platform)] if subject.platform else []
        return ", ".join(apart)

    def _name(self, subject: Subject) -> tuple[str, str | None]:
        return (subject.type if self._typed else "", subject.name)


def _key(presentation: Presentation, uri: str) -> str:
    shown = presentation.uri(uri)
    return shown.rpartition("/")[2] or shown if presentation.short else shown


def subject_of(thing: Resource | Lane) -> Subject:
    """What something is called by."""
    return Subject(thing.uri, thing.type, thing.name)


def told_apart(
    columns: Sequence[Column[T]], namesakes: Namesakes, subject: Callable[[T], Subject | None]
) -> list[Column[T]]:
    """The columns of a table, of which the one that says what a row is about does so."""

    def what(presentation: Presentation, row: T) -> str:
        return namesakes.called(presentation, subject(row))

    return [each._replace(human=what) if each.name == "what" and not each.machine else each for each in columns]
