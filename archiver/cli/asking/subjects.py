"""What a question is about: the resources that references mean, and who else had the name of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from archiver.cli import times
from archiver.cli.asking.refs import is_one, spelt_out
from archiver.cli.presentation import Presentation

if TYPE_CHECKING:
    from archiver.api.archive import Archive
    from archiver.model import Namesakes, Resource, TimeRange

COUNTED = 1_000
"""Others of a name are counted up to here (`queries.bearers`)."""


class Subjects(NamedTuple):
    """The resources that a question is about; `several`: the answer is a list, however many there are."""

    resources: list[Resource]
    several: bool


def subjects(archive: Archive, refs: Sequence[str], platform: str | None, range: TimeRange) -> Subjects:
    """The resources that references mean; names mean who bore them as the range ended.

    Raises NoSuchResource, AmbiguousReference, TooManyResources, BadInput.
    """
    if is_one(refs):
        return Subjects([archive.resolve(refs[0], platform=platform, range=range)], several=False)
    return Subjects(archive.resolve_all(spelt_out(refs), platform=platform, range=range), several=True)


def namesakes_line(presentation: Presentation, uri: str, others: Namesakes) -> str:
    """Who else had the name by which a resource was asked for."""
    count = f"more than {others.others - 1:,}" if others.others > COUNTED else f"{others.others:,}"
    until = times.human(others.until, presentation.zone)
    named = ", ".join(map(presentation.uri, others.uris)) + (", ..." if others.others > len(others.uris) else "")
    return f"{presentation.uri(uri)}: {count} more had this name, until {until}; name them by key: {named}"
