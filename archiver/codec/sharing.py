"""Takes out of a JSON text what many others repeat, labels mostly, and puts it back in byte for byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

LEAST = 200
"""Fewer letters are not worth a row of their own."""
FIRST, SECOND = '"*":[]', '"**":[]'
"""Members that stand where something was taken out: what is left is JSON, and neither overlaps what is around it."""
_VARYING = (
    *("comment", "container", "containerExitCode", "error", "execDuration", "execID", "exitCode", "height"),
    *("health_failing_streak", "health_log", "health_status", "image", "imageID", "imageRef", "name", "oldName"),
    *("podId", "signal", "width"),
)
"""What engines put among the labels of an object, and say otherwise with the next message
(https://github.com/moby/moby, daemon/events.go; https://github.com/containers/podman, libpod/events)."""
_MEMBER = '"[^"]*":"[^"]*"'
_RUN = re.compile(f"{_MEMBER}(?:,{_MEMBER})*")
_VARIES = re.compile(f'"(?:{"|".join(_VARYING)})":"[^"]*"')


class Divided(NamedTuple):
    """A text without what others repeat."""

    kept: str
    shared: tuple[str, ...]
    """What was taken out, one piece or two: what stood at `FIRST`, then what stood at `SECOND`."""


def divided(text: str) -> Divided | None:
    """A JSON object's text without its longest runs of members that are texts, at any depth but the outermost.

    What the outermost object says itself stays, and so does whatever varies from message to message. None where nothing
    is worth it, and where the text could not be put together again.
    """
    if len(text) < LEAST or FIRST in text or SECOND in text:
        return None
    longest = sorted(_runs(text), key=len)[-2:][::-1]
    if not longest:
        return None
    marks = sorted(zip(longest, (FIRST, SECOND), strict=False), key=lambda each: each[0].start, reverse=True)
    kept = text
    for run, mark in marks:
        kept = kept[: run.start] + mark + kept[run.stop :]
    taken = Divided(kept, tuple([text[run.start : run.stop] for run in longest]))
    return taken if united(kept, *taken.shared) == text else None


def _runs(text: str) -> Iterator[range]:
    """Where those runs are that are long enough."""
    if "\\" in text:  # a quotation mark within a text is none then; no letter changes its place
        text = text.replace(r"\\", "__").replace(r"\"", "__")
    place = depth = inside = 0
    for found in _RUN.finditer(text):
        if found.end() - found.start() < LEAST:
            continue
        pieces = text[place : found.start()].split('"')
        between = "".join(pieces[inside::2])  # the texts
        depth += between.count("{") + between.count("[") - between.count("}") - between.count("]")
        place, inside = found.start(), (inside + len(pieces) - 1) % 2
        if inside or depth < 2:  # it begins within a text, or in the outermost object
            continue
        start = found.start()
        for varies in _VARIES.finditer(text, start, found.end()):
            if varies.start() - 1 - start >= LEAST:
                yield range(start, varies.start() - 1)
            start = varies.end() + 1
        if found.end() - start >= LEAST:
            yield range(start, found.end())


def united(kept: str, first: str, second: str = "") -> str:
    """The text that was divided, as SQL puts it together as well (`storage.whole`)."""
    return kept.replace(FIRST, first).replace(SECOND, second)
