"""What the body of a command answers with: a list, how well that was watched, and with which code it ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

import typer

from archiver.cli.asking.asked import Asked
from archiver.cli.listing.columns import Column
from archiver.cli.listing.machine import enclosed
from archiver.cli.listing.output import render
from archiver.cli.words.coverage import coverage_line
from archiver.cli.writing import write_lines
from archiver.model.empty import IN_WORDS
from archiver.report import documents

if TYPE_CHECKING:
    from archiver.model import Coverage, Resource
    from archiver.queries.completion import Vocabulary

T = TypeVar("T")

EMPTY = 7
"""The exit code of an empty answer, with `--fail-if-empty`."""
UNWATCHED = 6
"""The exit code of an answer that is not fully watched, with `--strict`."""


class Question(Asked):
    """What the body of a command is given: it asks and answers with it."""

    def covered(self, about: Sequence[Resource] | None = None, *, of_states: bool = False) -> Coverage:
        """The coverage of the range, of what told of these resources (None: of all streams); it is judged, too.

        `of_states`: as far as it hides their states (`Archive.coverage`).
        """
        return self.judged(self.archive.coverage(self.range, about, of_states=of_states, stream=self.stream))

    def judged(self, coverage: Coverage) -> Coverage:
        """The same; with `--strict` the command ends with code 6 where it is not complete."""
        self._unwatched = self._unwatched or not coverage.complete
        return coverage

    def doubted(self, certain: Iterable[bool | None]) -> bool:
        """Whether any of what is in an answer is known not to be certain; with `--strict` that ends with code 6."""
        found = any(each is False for each in certain)
        self._unwatched = self._unwatched or found
        return found

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
            from archiver.cli.words import meant  # most words are known

            for text in meant.unheard(self.url, of, what, texts):
                self.note(text)

    def end(self) -> None:
        """Ends with the code of an answer that is not fully watched, or is empty, where that was asked for."""
        if self.strict and self._unwatched:
            raise typer.Exit(UNWATCHED)
        if self._fails_if_empty and not self.answered:
            raise typer.Exit(EMPTY)
