"""Renders every listing: aligned table, plain text, JSON, JSON Lines, CSV, TSV, streaming and in bounded memory."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from itertools import chain, islice
from typing import Any, Generic, Literal, TextIO, TypeVar

from archiver.cli import times
from archiver.cli.escape import csv_cell, escape
from archiver.codec.visible import short_reference as short_reference
from archiver.report.documents import Field, machine_value

Format = Literal["table", "wide", "plain", "json", "jsonl", "csv", "tsv", "name"]
"""`wide` is a table of all that is known, with nothing shortened; `name` the references alone, to be piped on."""
Colour = Literal["auto", "always", "never"]

T = TypeVar("T")

NOTHING = "-"
"""What stands in table and plain text where there is no value."""
MEASURED_ROWS = 1_000
"""A table takes its widths from so many rows, and streams on from there."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """How answers are to be shown: the format, the zone of human times (None: local), colour, shortened keys.

    `ascii`: the output has no other characters to draw with.
    """

    format: Format
    zone: tzinfo | None = UTC
    color: bool = False
    short: bool = False
    ascii: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
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


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One value of a record: its name in machine formats, how to get it, how a person sees it."""

    name: str
    value: Callable[[T], Any]
    human: Callable[[Presentation, T], str] | None = None
    right: bool = False
    style: Callable[[T], str] | None = None
    machine: bool = True
    table: bool = True
    extra: bool = False
    """Only in JSON, and only where there is a value: so that the lines of other formats stay as they are."""

    def shown(self, presentation: Presentation, record: T) -> str:
        """The cell of a table, escaped."""
        if self.human is not None:
            return self.human(presentation, record)
        value = self.value(record)
        return presentation.instant(value) if isinstance(value, datetime) else plain_cell(value)


def machine_columns(fields: Iterable[Field[T]]) -> list[Column[T]]:
    """The columns of the machine formats, out of what the contract's JSON has."""
    return [Column(field.name, field.value, table=False, extra=field.extra) for field in fields]


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


# --- one value ------------------------------------------------------------------------------------------------------


def plain_cell(value: Any) -> str:
    """A value in plain text: one line without tabs, `-` for nothing."""
    value = _text(value, ",")
    return NOTHING if value is None or value == "" else escape(str(value))


def _text(value: Any, between: str) -> Any:
    """A value where a cell is one text: words with something between them, and what has parts as JSON has it."""
    if isinstance(value, tuple) and all(isinstance(each, str) for each in value):
        return between.join(value)
    return to_json(value) if isinstance(value, (bool, dict, list, tuple)) else machine_value(value)


def _csv_value(value: Any) -> Any:
    value = _text(value, " ")
    return csv_cell(value) if isinstance(value, str) else value


def to_json(value: Any, *, indent: int | None = None, between: str | None = None) -> str:
    """JSON in printable ASCII, so that it may go to a terminal as it is; `between`: what stands between its items."""
    import json  # for people nothing is written so, and for TAB nothing at all

    separators = None if between is None else (between, ": ")
    return json.dumps(value, indent=indent, separators=separators, default=machine_value).replace("\x7f", "\\u007f")


# --- listings -------------------------------------------------------------------------------------------------------


def render(
    presentation: Presentation, columns: Sequence[Column[T]], records: Iterable[T], *, measure: int = MEASURED_ROWS
) -> Iterator[str]:
    """The lines of a listing in the format asked for; a table waits for `measure` records before its first line.

    Raises UsageError, before the first record is asked for, for a field that the records do not have.
    """
    kept = _kept(presentation, columns)
    records = turned(presentation, records)
    if presentation.format == "table":
        return table_lines(presentation, kept, records, measure=measure)
    if presentation.format == "plain":
        return ("\t".join(plain_cell(column.value(record)) for column in kept) for record in records)
    if presentation.format == "csv":
        return _csv_lines(kept, records)
    if presentation.format == "tsv":
        return _tsv_lines(kept, records)
    if presentation.format == "name":
        return (escape(name) for record in records if (name := kept[0].value(record)))
    rows = (to_json(as_record(kept, record)) for record in records)
    return rows if presentation.format == "jsonl" else _json_lines(rows)


MOST_TURNED = 100_000
"""Records that are held in order to begin with the last."""


def turned(presentation: Presentation, records: Iterable[T]) -> Iterable[T]:
    """The records, the last first where that is wanted. Raises UsageError when they are too many to be held."""
    if not presentation.reverse:
        return records
    held = list(islice(records, MOST_TURNED + 1))
    if len(held) > MOST_TURNED:
        from archiver.errors import UsageError

        reason = f"there are more than {MOST_TURNED:,} to be turned round"
        raise UsageError(reason=reason, hint="ask about less, with --since or -n, or leave out --reverse")
    return reversed(held)


def _kept(presentation: Presentation, columns: Sequence[Column[T]]) -> list[Column[T]]:
    """The columns that a format has, or those that are wanted."""
    is_table, is_json = presentation.format == "table", presentation.format in ("json", "jsonl")
    machine = {column.name: column for column in columns if column.machine}
    table = {column.name: column for column in columns if column.table}
    if presentation.format == "name":
        return [machine[chosen_field(REFERENCES, machine)]]
    if presentation.fields:
        known = machine | table if is_table else machine
        return [known[chosen_field([name], known)] for name in presentation.fields]
    if is_table:
        rest = (column for name, column in machine.items() if name not in table) if presentation.wide else ()
        return [*table.values(), *rest]
    return [column for column in machine.values() if is_json or not column.extra]


REFERENCES = ("uri", "resource_uri", "url")
"""What names the subject of a record."""


def chosen_field(wanted: Iterable[str], known: Iterable[str]) -> str:
    """The first of the wanted names that is known, however it is spelt. Raises UsageError with those that are."""
    known = list(known)
    spelt = {name.lower(): name for name in known} | {name: name for name in known}
    for name in wanted:
        if (found := spelt.get(name) or spelt.get(name.lower())) is not None:
            return found
    from archiver.errors import UsageError

    if wanted is REFERENCES:
        raise UsageError(reason="these records name no resource", hint="choose another format than -o name")
    raise UsageError(reason=f"there is no field {next(iter(wanted))!r}", hint=f"there are: {', '.join(known)}")


def refuse_fields(presentation: Presentation) -> None:
    """Raises UsageError where an answer is one document and fields were chosen."""
    if presentation.fields:
        from archiver.errors import UsageError

        reason = "--fields chooses from a list, and this answer is one document"
        raise UsageError(reason=reason, hint="leave it out, or choose -o jsonl, csv, tsv, plain or table")


def as_record(columns: Sequence[Column[T]], record: T) -> dict[str, Any]:
    """A record as JSON has it."""
    pairs = ((column, column.value(record)) for column in columns if column.machine)
    return {column.name: machine_value(value) for column, value in pairs if value is not None or not column.extra}


def documents(presentation: Presentation, texts: Iterable[str]) -> Iterator[str]:
    """Several JSON documents: as one list, or one a line."""
    return iter(texts) if presentation.format == "jsonl" else _json_lines(texts)


def blocks(answers: Iterable[Iterable[str]]) -> Iterator[str]:
    """Several answers for a person, one below the other."""
    for number, lines in enumerate(answers):
        if number:
            yield ""
        yield from lines


def _json_lines(rows: Iterable[str]) -> Iterator[str]:
    held: str | None = None
    for row in rows:
        yield "[" if held is None else f"  {held},"
        held = row
    if held is None:
        yield "[]"
    else:
        yield f"  {held}"
        yield "]"


def enclosed(head: dict[str, Any], name: str, rows: Iterable[str]) -> Iterator[str]:
    """A JSON object whose last value is a list, however long: each of its rows is JSON already."""
    begun = f'{to_json(head)[:-1]}, "{name}": ['
    held: str | None = None
    for row in rows:
        yield begun if held is None else f"  {held},"
        held = row
    if held is None:
        yield begun + "]}"
    else:
        yield f"  {held}"
        yield "]}"


def _csv_lines(columns: Sequence[Column[T]], records: Iterable[T]) -> Iterator[str]:
    import csv
    import io

    line = io.StringIO()
    writer = csv.writer(line, lineterminator="")
    heads = [[column.name for column in columns]]
    for row in chain(heads, ([_csv_value(column.value(record)) for column in columns] for record in records)):
        line.seek(0)
        line.truncate()
        writer.writerow(row)
        yield line.getvalue()


def _tsv_lines(columns: Sequence[Column[T]], records: Iterable[T]) -> Iterator[str]:
    yield "\t".join(column.name for column in columns)
    for record in records:
        values = (column.value(record) for column in columns)
        yield "\t".join("" if value is None or value == "" else plain_cell(value) for value in values)


def table_lines(
    presentation: Presentation, columns: Sequence[Column[T]], records: Iterable[T], *, measure: int = MEASURED_ROWS
) -> Iterator[str]:
    """Aligned columns under a head; nothing at all when there are no records."""
    rows = iter(records)
    first = [(record, [column.shown(presentation, record) for column in columns]) for record in islice(rows, measure)]
    if not first:
        return
    heads = [column.name.upper().replace("_", " ") for column in columns]
    widths = [max(map(width, cells)) for cells in zip(heads, *(cells for _, cells in first), strict=True)]
    if presentation.columns is not None:
        widths = narrowed(widths, presentation.columns)
    yield _table_line(heads, widths, columns, presentation=presentation)
    for record, cells in chain(first, ((row, [column.shown(presentation, row) for column in columns]) for row in rows)):
        styles = [column.style(record) if column.style else "" for column in columns] if presentation.color else None
        yield _table_line(cells, widths, columns, styles, presentation)


def _table_line(
    cells: Sequence[str],
    widths: Sequence[int],
    columns: Sequence[Column[T]],
    styles: Sequence[str] | None = None,
    presentation: Presentation | None = None,
) -> str:
    shown = []
    for index, (cell, room, column) in enumerate(zip(cells, widths, columns, strict=True)):
        if presentation is not None and presentation.columns is not None:
            cell = cut(cell, room, ascii=presentation.ascii)
        text = presentation.paint(cell, styles[index]) if presentation and styles else cell
        space = " " * (room - width(cell))
        shown.append(space + text if column.right else text + space)
    return "  ".join(shown).rstrip()


LEAST = 8
"""Cells of a column that are left whatever the terminal has."""


def narrowed(widths: Sequence[int], room: int) -> list[int]:
    """The widths of columns that fit into so many cells with two between each: the widest give way first."""
    fitting = list(widths)
    excess = sum(fitting) + 2 * (len(fitting) - 1) - room
    while excess > 0:
        widest = max(range(len(fitting)), key=fitting.__getitem__)
        rest = max((each for place, each in enumerate(fitting) if place != widest), default=0)
        least = max(LEAST, fitting[widest] - excess, min(rest, fitting[widest] - 1))
        if least >= fitting[widest]:
            break
        excess -= fitting[widest] - least
        fitting[widest] = least
    return fitting


def cut(text: str, room: int, *, ascii: bool = False) -> str:
    """A text in so many cells: what is too much goes from its middle, as the end of an id tells more than that."""
    if width(text) <= room:
        return text
    mark = ".." if ascii else "…"
    tail = (room - len(mark) + 1) // 2
    head = room - len(mark) - tail
    return _beginning(text, head) + mark + _beginning(text[::-1], tail)[::-1]


def _beginning(text: str, room: int) -> str:
    end = taken = 0
    for char in text:
        taken += width(char)
        if taken > room:
            break
        end += 1
    return text[:end]


def width(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


# --- where it goes --------------------------------------------------------------------------------------------------


class Part(str):
    """The beginning of a line that goes on with what is written next."""

    __slots__ = ()


def write_lines(lines: Iterable[str], out: TextIO | None = None, *, flush: bool = False) -> int:
    """Writes lines, says how many; raises `CannotWrite`. `flush`: each at once, for a reader who is waiting."""
    target = out or sys.stdout
    count = 0
    for line in lines:
        is_part = type(line) is Part
        count += not is_part
        with writing("the output"):
            if target is None:
                raise ValueError("standard output is closed")
            target.write(line if is_part else line + "\n")
            if flush:
                target.flush()
    return count


def wait_for_reader(seconds: float) -> None:
    """Waits, with nothing to write; raises BrokenPipeError as soon as whoever reads the output has gone."""
    import select

    poll = select.poll()
    if sys.stdout is not None:
        poll.register(sys.stdout.fileno(), 0)  # an error or a hang-up is told without being asked for
    if poll.poll(seconds * 1000):
        raise BrokenPipeError


class writing:
    """Makes the errors of writing to a target ours; a reader that went away stays `BrokenPipeError`."""

    def __init__(self, target: str) -> None:
        self.target = target

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (OSError, ValueError)) and not isinstance(error, BrokenPipeError):
            from archiver.errors import CannotWrite

            reason = getattr(error, "strerror", None) or str(error)
            raise CannotWrite(target=self.target, reason=reason) from error
