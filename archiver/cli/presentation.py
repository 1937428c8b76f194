"""How answers are to be shown: in which format, in whose time, in colour or not, how wide."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Literal, NamedTuple, TextIO

from archiver.cli import times
from archiver.cli.escape import escape
from archiver.codec.visible import short_reference

Format = Literal["table", "wide", "plain", "json", "jsonl", "csv", "tsv", "name"]
"""`wide` is a table of all that is known, with nothing shortened; `name` the references alone, to be piped on."""
Colour = Literal["auto", "always", "never"]
NOTHING = "-"
"""What stands in table and plain text where there is no value."""


class Presentation(NamedTuple):
    """How answers are to be shown: the format, the zone of human times (None: local), colour, shortened keys.

    `ascii`: the output has no other characters to draw with.
    """

    format: Format
    now: datetime
    zone: tzinfo | None = UTC
    color: bool = False
    short: bool = False
    ascii: bool = False
    wide: bool = False
    fields: tuple[str, ...] = ()
    """The values that are wanted, in their order; none: those that the format has."""
    reverse: bool = False
    """The last record first."""
    columns: int | None = None
    """How wide a table may be; None: as wide as it is."""

    @property
    def folds(self) -> bool:
        """Whether what repeats is one row."""
        return self.format == "table" and not self.wide and not self.fields

    def instant(self, moment: datetime | None) -> str:
        """An instant for a person."""
        return NOTHING if moment is None else times.human(moment, self.zone)

    def uri(self, uri: str | None) -> str:
        """A URI for a person: `type/key` with the key cut where that is wanted, which is a reference as well."""
        return NOTHING if not uri else escape(short_reference(uri) if self.short else uri)

    def paint(self, text: str, style: str) -> str:
        """The text in a style, where there is colour."""
        return f"\x1b[{style}m{text}\x1b[0m" if self.color and style else text


def make_presentation(
    format: Format | None,
    *,
    utc: bool = False,
    color: Colour = "auto",
    out: TextIO | None = None,
    fields: Sequence[str] = (),
) -> Presentation:
    """How an output gets it: a table on a terminal, plain text on a pipe; only a terminal has local time or colour."""
    terminal = is_terminal(out or sys.stdout)
    chosen: Format = format or ("table" if terminal else "plain")
    wide = chosen == "wide"
    chosen = "table" if wide else chosen
    return Presentation(
        format=chosen,
        now=datetime.now(UTC),
        zone=None if terminal and not utc else UTC,
        color=chosen == "table" and wants_color(color, terminal),
        short=terminal and chosen == "table" and not wide,
        ascii=not _can_write(out or sys.stdout, "├└│─"),
        columns=shutil.get_terminal_size((0, 0)).columns or None
        if terminal and chosen == "table" and not wide
        else None,
        wide=wide,
        fields=tuple(fields),
    )


def _can_write(stream: TextIO | None, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream ends at a terminal; a closed one does not."""
    return stream is not None and stream.isatty()


def wants_color(color: Colour, terminal: bool) -> bool:
    """The rules of no-color.org: the flag first, then NO_COLOR, FORCE_COLOR, TERM=dumb, then the terminal."""
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return terminal and os.environ.get("TERM") != "dumb"
