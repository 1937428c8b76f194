"""Takes a text out of every table of the archive, page by page, and its bytes out of the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    delete,
    func,
    literal,
    select,
    update,
)

from archiver.codec.forgetting import FORGOTTEN, Pattern
from archiver.storage import schema
from archiver.storage.database.address import is_postgres
from archiver.storage.database.engine import reading_engine, translated
from archiver.storage.database.judging import translated_driver
from archiver.storage.migrate import require_head
from archiver.storage.schema import Instant
from archiver.storage.shared_texts import digest
from archiver.storage.uuids import unpack
from archiver.storage.words import FORGOTTEN_LAST

_PAGE = 1_000
_PAGE_BYTES = 8 << 20
"""A row may be a megabyte; a page is one row at least."""
_PATIENCE = 60
"""Seconds in which somebody else may read a table that is to be written anew."""
_NOT_LOOKED_AT = frozenset({"numbers", "days", "told_anew"})
"""In the last stands what is in `events` as well, and goes with it."""
_PROPERTIES = frozenset({"identity", "generation", FORGOTTEN_LAST})
"""Random, and not what anybody said."""


class Place(NamedTuple):
    """How far the tables are looked through: in the table of that number, up to a row."""

    table: int = 0
    after: int = 0


class Looked(NamedTuple):
    """What became of a page."""

    next: Place | None
    """Where to go on; None: that was the last one."""
    touched: Counter[str]
    """Rows of each table."""


def _is_said(column: Column[Any]) -> bool:
    """Whether a column may hold what somebody said."""
    is_text = isinstance(column.type, (String, LargeBinary)) and not isinstance(column.type, Instant)
    return is_text and column.name not in ("digest", "kind", "dialect", "how")


TABLES: list[tuple[Table, list[Column[Any]]]] = [
    (table, columns)
    for table in schema.metadata.sorted_tables
    if table.name not in _NOT_LOOKED_AT and (columns := [column for column in table.columns if _is_said(column)])
]


def look(connection: Connection, pattern: Pattern, place: Place, *, change: bool) -> Looked:
    """Looks through the next page; with `change`, what fits is replaced in it, in the transaction of the connection."""
    table, columns = TABLES[place.table]
    paged = "id" in table.c
    last = _last_of_page(connection, table, columns, place.after) if paged else None
    rows = [] if paged and last is None else _rows(connection, table, columns, place.after, last)
    touched: Counter[str] = Counter()
    marks: Counter[str] = Counter()
    for row in rows:
        values = row._mapping
        if table is schema.archive_properties and values["key"] in _PROPERTIES:
            continue
        if _forgotten(connection, table, columns, values, pattern, marks, change=change):
            touched[table.name] += 1
    if last is not None:
        return Looked(place._replace(after=last), touched)
    following = place.table + 1
    return Looked(Place(following) if following < len(TABLES) else None, touched)


def _last_of_page(connection: Connection, table: Table, columns: list[Column[Any]], after: int) -> int | None:
    """The number up to which one page goes; None where there is nothing any more."""
    size = sum((func.coalesce(func.length(column), 0) for column in columns), literal(0))
    asked = select(table.c.id, size).where(table.c.id > after).order_by(table.c.id).limit(_PAGE)
    last, held = None, 0
    for number, length in connection.execute(asked):
        held += length
        if last is not None and held > _PAGE_BYTES:
            break
        last = int(number)
    return last


def _rows(connection: Connection, table: Table, columns: list[Column[Any]], after: int, last: int | None) -> list[Any]:
    keys = list(table.primary_key.columns)
    others = [column for column in columns if column not in keys]
    if table is schema.resources:
        others += [table.c.platform_id, table.c.type_id]
    asked = select(*keys, *others)
    if last is not None:
        asked = asked.where(table.c.id > after, table.c.id <= last).order_by(table.c.id)
    return list(connection.execute(asked))


def _forgotten(
    connection: Connection,
    table: Table,
    columns: list[Column[Any]],
    row: Mapping[Any, Any],
    pattern: Pattern,
    marks: Counter[str],
    *,
    change: bool,
) -> bool:
    """Whether something in a row fitted; what two rows may not both be called has a number behind the mark.

    `marks` are the last numbers that were given on this page.
    """

    def marked(number: int) -> dict[str, Any]:
        mark = FORGOTTEN if number == 1 else f"{FORGOTTEN}{number}"
        new = {column.name: value for column in columns for value in _changed(column, row[column.name], pattern, mark)}
        if new and table is schema.shared_texts:
            new["digest"] = digest(new["text"])
        return new

    def is_taken(number: int) -> bool:
        new = marked(number)
        return _is_there(connection, table, {**row, **new}, new)

    if not (new := marked(1)) or not change:
        return bool(new)
    name = repr(new)
    marks[name] = number = _free(is_taken, marks[name] + 1)
    keys = [column == row[column.name] for column in table.primary_key.columns]
    connection.execute(update(table).where(*keys).values(**marked(number)))
    if table is schema.events and "uuid" in new:
        c = schema.told_anew.c
        connection.execute(delete(schema.told_anew).where(c.platform_id == row["platform_id"], c.uuid == row["uuid"]))
    return True


def _free(is_taken: Callable[[int], bool], first: int) -> int:
    """A number from the first on that is not taken: thousands may be, and are not tried one by one."""
    low, high = first - 1, first
    while is_taken(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_taken(middle) else (low, middle)
    return high


def _changed(column: Column[Any], value: Any, pattern: Pattern, mark: str) -> Iterator[Any]:
    """The new value, where something in it fits."""
    if value is None:
        return
    if column is schema.events.c.uuid:
        if pattern.in_text(unpack(bytes(value)) or "").times:
            yield None
    elif isinstance(column.type, LargeBinary):
        data, times = pattern.in_bytes(bytes(value), mark)
        if times:
            yield data
    elif column is schema.shared_texts.c.text:
        found = pattern.in_json(f"{{{value}}}", mark)
        if found.times:
            yield found.text[1:-1]
    else:
        found = pattern.in_value(value, mark)
        if found.times:
            yield found.text


def _is_there(connection: Connection, table: Table, row: Mapping[Any, Any], new: Mapping[str, Any]) -> bool:
    """Whether another row has what must be there once only."""
    for once in table.constraints:
        columns = list(once.columns) if isinstance(once, (UniqueConstraint, PrimaryKeyConstraint)) else []
        if any(column.name in new for column in columns):
            same = [column == row[column.name] for column in columns]
            if connection.execute(select(*table.primary_key.columns).where(*same)).first() is not None:
                return True
    return False


def counted(url: str, pattern: Pattern) -> Counter[str]:
    """In how many rows of which tables something fits; changes nothing. Raises as a question does."""
    engine = reading_engine(url)
    touched: Counter[str] = Counter()
    place: Place | None = Place()
    try:
        with translated(url), engine.connect() as connection:
            with connection.begin():
                require_head(connection)
            while place is not None:
                with connection.begin():
                    place, found = look(connection, pattern, place, change=False)
                touched += found
    finally:
        engine.dispose()
    return touched


def vacuum(url: str) -> bool:
    """Has PostgreSQL write its tables anew, without what they held before; SQLite's writer does that itself.

    Nobody reads a table meanwhile. False where the role of the URL may not, as it owns them not. Raises DatabaseBusy
    when somebody else reads for so long, else as the recorder does.
    """
    if not is_postgres(url):
        return True
    skipped: list[str] = []
    from archiver.storage.database import postgres_driver

    with translated_driver(url), closing(postgres_driver.connect(postgres_driver.arguments(url))) as driver:
        driver.add_notice_handler(lambda notice: skipped.append(notice.message_primary or ""))
        driver.execute(f"SET lock_timeout = '{_PATIENCE}s'")
        for table in (*(table for table, _ in TABLES), schema.told_anew):
            driver.execute(f"VACUUM (FULL, ANALYZE) {table.name}")
    return not any("skipping" in said or "permission" in said for said in skipped)
