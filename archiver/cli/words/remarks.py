"""What a report says beside its rows, as its table shows things: the reader's zone, durations, keys of namesakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from archiver.cli import times
from archiver.cli.presentation import Presentation
from archiver.cli.words.namesakes import Namesakes
from archiver.model.reports import Remark, Report, Subject


def remarks(presentation: Presentation, report: Report) -> Iterator[str]:
    """The notes of a report."""
    rows = (getattr(row, "subject", None) for row in report.rows)
    parts = (part for note in report.notes for part in note.parts)
    namesakes = Namesakes([*rows, *(part for part in parts if isinstance(part, Subject))])
    for note in report.notes:
        yield shown(presentation, note, lambda subject: namesakes.called(presentation, subject))


def shown(
    presentation: Presentation,
    note: Remark,
    called: Callable[[Subject], str],
    word: Callable[[str], str] = str,
) -> str:
    """A note, with what is to be written for a thing, and for words."""

    def part(of: str | Subject | datetime | timedelta) -> str:
        if isinstance(of, Subject):
            return called(of)
        if isinstance(of, datetime):
            return presentation.instant(of)
        return times.duration(of) if isinstance(of, timedelta) else word(of)

    return "".join(map(part, note.parts))
