"""The columns of a listing: which there are, and which of them a format has or somebody wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from archiver.cli.listing.cells import plain_cell
from archiver.cli.presentation import Presentation
from archiver.report.documents import Field, machine_value

T = TypeVar("T")


class Column(NamedTuple, Generic[T]):
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

    wraps: bool = False
    """As the last of a table it goes on in the next line where a terminal is too narrow: it is cut nowhere."""

    @property
    def heading(self) -> str:
        """What stands over it in a table."""
        return self.name.upper().replace("_", " ")

    def shown(self, presentation: Presentation, record: T) -> str:
        """The cell of a table, escaped."""
        if self.human is not None:
            return self.human(presentation, record)
        value = self.value(record)
        return presentation.instant(value) if isinstance(value, datetime) else plain_cell(value)


def machine_columns(fields: Iterable[Field[T]]) -> list[Column[T]]:
    """The columns of the machine formats, out of what the contract's JSON has."""
    return [Column(field.name, field.value, table=False, extra=field.extra) for field in fields]


SUBJECTS = frozenset({"what", "resource", "name"})
"""The columns that say what a row is about: where they are cut short, one row cannot be told from another."""
REFERENCES = ("uri", "resource_uri", "url")
"""What names the subject of a record."""


def kept_columns(presentation: Presentation, columns: Sequence[Column[T]]) -> list[Column[T]]:
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
