"""How each of the two databases says what has no common SQL; all else in the views is one text for both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

Words = tuple[str, str, str, str]
"""Four texts, given as expressions, of which the first is the longest and the last the shortest."""


class Apart(NamedTuple):
    """Joins that are no part of what the database weighs together with the tables before them."""

    joins: str
    where: str
    columns: dict[str, str]
    """How each column is called outside."""


class Idioms(NamedTuple):
    """What the databases say differently; every argument and answer is the text of an expression."""

    now: str
    """The present instant, in microseconds since 1970."""
    micros: Callable[[str], str]
    """An instant of a base table as microseconds since 1970."""
    instant: Callable[[str], str]
    """Microseconds since 1970 as an instant."""
    latest: Callable[[Sequence[str]], str]
    """The greatest of some numbers, none of which is NULL."""
    earliest: Callable[[Sequence[str]], str]
    """The least of them."""
    uuid: Callable[[str], str]
    """A packed uuid (storage.uuids) as the text it was."""
    ever: str
    """An instant of a base table earlier than all others."""
    apart: Callable[[dict[str, str], str, str], Apart]
    """What is looked up for each row of the tables before it: columns, the joins they are from, and a condition."""
    summed: Callable[[dict[str, str], str], Apart]
    """Sums over what is looked up for each row of the tables before it: whole numbers by name, and their source."""
    once: Callable[[dict[str, str]], Apart]
    """What is dear to reckon and named often, for each row of the tables before it: texts and whole numbers by name."""
    likely: Callable[[str, float], str]
    """A condition of which so great a part of the rows fulfils it: SQLite, which does not count, believes all rare."""
    fewer: Callable[[str, int], str]
    """Conditions that every number fulfils, to stand behind another: each has PostgreSQL expect a third of the rows.

    It takes a look into an index for a look onto a disk that nothing is kept of: for a few hundred rows it would rather
    read and hash a whole table, which grows. And of rows of one type it expects as many as of any other.
    """
    kind: Callable[[Words], str]
    """What `state_kinds` says of the longest that it has of some words.

    PostgreSQL reads all of so small a table, whatever is asked of it: so it does that but once.
    """
    day: Callable[[str], str]
    """The day of an instant in microseconds, as text: 2026-11-23."""
    day_us: Callable[[str], str]
    """When a day begins, in microseconds since 1970."""
    family: Callable[[str], str]
    """A state without what stands in brackets behind it."""
    instant_type: str
    """The type of an instant of a base table."""
    never: str
    """An instant of a base table later than all others."""
    members: Callable[[str], str]
    """The texts in a JSON list, which may be NULL, as a source of rows to join with: `value` of the alias given."""
    either: Callable[[Callable[[str], str], Sequence[str]], str]
    """A SELECT from one source or another: the function writes it over a source of rows, given as a table or SELECT."""


_BEFORE_1970 = 62_135_596_800
"""Seconds from year 1 to 1970: SQLite's / and % round towards zero, so it counts from there."""


def _sqlite_instant(micros: str) -> str:
    shifted = f"({micros} + {_BEFORE_1970}000000)"
    seconds = f"strftime('%Y-%m-%dT%H:%M:%S', {shifted} / 1000000 - {_BEFORE_1970}, 'unixepoch')"
    return f"{seconds} || printf('.%06dZ', {shifted} % 1000000)"


def _one_of(function: str) -> Callable[[Sequence[str]], str]:
    return lambda numbers: numbers[0] if len(numbers) == 1 else f"{function}({', '.join(numbers)})"


def _hyphened(digits: str) -> str:
    parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return " || '-' || ".join(f"substr({digits}, {begin}, {length})" for begin, length in parts)


def _in_each(select: Callable[[str], str], sources: Sequence[str]) -> str:
    """SQLite looks into each SELECT of a UNION ALL, but brings a filter only to what stands in it."""
    return "\nUNION ALL\n".join(select(f"({source})") for source in sources)


def _over_all(select: Callable[[str], str], sources: Sequence[str]) -> str:
    """PostgreSQL joins with the tables of a UNION ALL through their indexes, but only with plain tables."""
    return select("(\n  " + "\n  UNION ALL\n  ".join(sources) + "\n)")


def _joined_on(columns: dict[str, str], joins: str, where: str) -> Apart:
    return Apart(joins, where, columns)


def _looked_up(columns: dict[str, str], joins: str, where: str) -> Apart:
    """PostgreSQL joins no view of more than seven tables through an index: so these are a query of their own."""
    listed = ",\n  ".join(f"{expression} AS {name}" for name, expression in columns.items())
    select = f"SELECT {listed}\nFROM (SELECT 1 AS one) one\n{joins}\nWHERE {where} OFFSET 0"
    return Apart(f"CROSS JOIN LATERAL ({select}) g", "true", {name: f"g.{name}" for name in columns})


def _in_one_text(sums: dict[str, str], source: str) -> Apart:
    """SQLite joins with nothing that depends on a row but a function; a column it reckons wherever it is named."""
    found = f"(SELECT json_array(json_array({', '.join(sums.values())})) FROM {source})"
    return Apart(f"JOIN json_each({found}) g", "1 = 1", _places_in_text(sums))


def _once_in_one_text(columns: dict[str, str]) -> Apart:
    found = f"json_array(json_array({', '.join(columns.values())}))"
    return Apart(f"JOIN json_each({found}) g", "1 = 1", _places_in_text(columns))


def _places_in_text(columns: Iterable[str]) -> dict[str, str]:
    return {name: f"json_extract(g.value, '$[{place}]')" for place, name in enumerate(columns)}


def _once_in_one_row(columns: dict[str, str]) -> Apart:
    return _looked_up(columns, "", "1 = 1")


def _in_one_row(sums: dict[str, str], source: str) -> Apart:
    listed = ", ".join(f"CAST({expression} AS bigint) AS {name}" for name, expression in sums.items())
    found = f"CROSS JOIN LATERAL (SELECT {listed} FROM {source}) g"
    return Apart(found, "1 = 1", {name: f"g.{name}" for name in sums})


def _expecting_less(number: str, times: int) -> str:
    # Of what is reckoned it knows nothing, and takes a third for at least 0.
    return "".join(f" AND {number} + {place} >= {place}" for place in range(times))


def kind_found(words: Words) -> str:
    """What `state_kinds` says of the longest that it has of some words, looked up."""
    return f"""(SELECT k.kind FROM state_kinds k WHERE k.state IN ({", ".join(words)})
    ORDER BY length(k.state) DESC LIMIT 1)"""


def _kind_of_all(words: Words) -> str:
    longest, one, other, shortest = words
    is_longer = f"length({one}) > length({other})"
    between = (f"CASE WHEN {is_longer} THEN {first} ELSE {then} END" for first, then in ((one, other), (other, one)))
    # By the index, where it may not do otherwise (database.postgres_driver): else all ways seem equally bad to it.
    kinds = "(SELECT jsonb_object_agg(k.state, k.kind) FROM state_kinds k WHERE k.state >= '')"
    return f'coalesce({", ".join(f"{kinds} ->> ({word})" for word in (longest, *between, shortest))}) COLLATE "C"'


IDIOMS = {
    "sqlite": Idioms(
        now="(CAST(strftime('%s', 'now') AS integer) * 1000000)",
        micros=lambda instant: (
            f"(CAST(strftime('%s', substr({instant}, 1, 19)) AS integer) * 1000000"
            f" + CAST(substr({instant}, 21, 6) AS integer))"
        ),
        instant=_sqlite_instant,
        latest=_one_of("max"),
        earliest=_one_of("min"),
        uuid=lambda uuid: (
            f"CASE length({uuid}) WHEN 16 THEN {_hyphened(f'lower(hex({uuid}))')}"
            f" ELSE CAST(CASE substr({uuid}, 1, 1) WHEN x'00' THEN substr({uuid}, 2) ELSE {uuid} END AS text) END"
        ),
        apart=_joined_on,
        summed=_in_one_text,
        once=_once_in_one_text,
        likely=lambda condition, part: f"likelihood({condition}, {part})",
        fewer=lambda _number, _times: "",
        kind=kind_found,
        day=lambda micros: f"strftime('%Y-%m-%d', ({micros}) / 1000000, 'unixepoch')",
        day_us=lambda day: f"(CAST(strftime('%s', {day}) AS integer) * 1000000)",
        family=lambda state: f"substr({state}, 1, instr({state} || ' (', ' (') - 1)",
        instant_type="text",
        ever="''",
        never="'9999-12-31T23:59:59.999999Z'",
        members=lambda listed: f"json_each({listed})",
        either=_in_each,
    ),
    "postgresql": Idioms(
        now="CAST(extract(epoch FROM now()) * 1000000 AS bigint)",
        # As a distance, for which there can be an index: an instant's own epoch counts as a matter of the time zone.
        micros=lambda instant: (
            f"CAST(extract(epoch FROM {instant} - timestamptz '1970-01-01 00:00:00+00') * 1000000 AS bigint)"
        ),
        # In two parts: a whole number of seconds and less than a second are exact in floating point, their sum is not.
        instant=lambda micros: (
            f"(to_timestamp({micros} / 1000000)"
            f" + make_interval(secs => CAST(mod({micros}, 1000000) AS double precision) / 1e6))"
        ),
        latest=_one_of("greatest"),
        earliest=_one_of("least"),
        uuid=lambda uuid: (
            f"CASE length({uuid}) WHEN 16 THEN CAST(CAST(encode({uuid}, 'hex') AS uuid) AS text)"
            f" ELSE convert_from(ltrim({uuid}, '\\x00'), 'UTF8') END COLLATE \"C\""
        ),
        apart=_looked_up,
        summed=_in_one_row,
        once=_once_in_one_row,
        likely=lambda condition, _part: condition,
        fewer=_expecting_less,
        kind=_kind_of_all,
        day=lambda micros: f"to_char(timezone('UTC', to_timestamp(({micros}) / 1000000)), 'YYYY-MM-DD') COLLATE \"C\"",
        day_us=lambda day: (
            f"CAST(extract(epoch FROM CAST({day} || ' 00:00:00+00' AS timestamptz)) * 1000000 AS bigint)"
        ),
        family=lambda state: f"split_part({state}, ' (', 1)",
        instant_type="timestamptz",
        ever="CAST('-infinity' AS timestamptz)",
        never="CAST('infinity' AS timestamptz)",
        members=lambda listed: f"jsonb_array_elements_text(CAST({listed} AS jsonb))",
        either=_over_all,
    ),
}
