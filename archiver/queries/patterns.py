"""Finds the resources that a pattern names: `web-*`, `container/web-?`, `/api/v1/service/*`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate
from itertools import islice
from typing import Any

from archiver.errors import NoSuchResource, TooManyResources
from archiver.model import Number, Resource, TimeRange
from archiver.queries import bearers, references
from archiver.queries.bearers import Within
from archiver.queries.windows import Window
from archiver.storage.database.reading import Connection
from archiver.storage.database.statements import by_platform, chunks, statement

MOST = 1_000
"""Resources that one pattern may name."""
_WILD = re.compile(r"[*?[]")
_NAMES = "SELECT n.id, n.text FROM texts n"
_LISTED = f"{references.LISTED} WHERE r.platform_id = :platform AND r.id IN :numbers"


def is_pattern(ref: str) -> bool:
    """Whether a reference has a wildcard in it."""
    return _WILD.search(ref) is not None


def resolve_all(
    connection: Connection,
    refs: Iterable[str | Resource],
    platform: int | None = None,
    range: TimeRange = references.ALWAYS,
) -> list[Resource]:
    """The resources that references and patterns mean, on a platform (None: on any), in the order of their naming.

    Names mean who bore them as the range ended.
    Raises NoSuchResource, AmbiguousReference, or TooManyResources for a pattern that is too wide.
    """
    found: dict[int, Resource] = {}
    for ref in refs:
        named = [ref] if isinstance(ref, Resource) else _named(connection, ref, platform, range)
        found.update((resource.id, resource) for resource in named if resource.id not in found)
    return list(found.values())


def _named(connection: Connection, ref: str, platform: int | None, range: TimeRange) -> list[Resource]:
    if is_pattern(ref):
        return matching(connection, ref, platform, range)
    return [references.resolve(connection, ref, platform, range)]


def matching(
    connection: Connection, pattern: str, platform: int | None = None, range: TimeRange = references.ALWAYS
) -> list[Resource]:
    """The resources whose URI, key or name fits: of several of one type that bore a name, those that live, or the last.

    A name that is literally so, wildcards and all, goes first. Raises NoSuchResource and TooManyResources.
    """
    pattern = pattern.strip()
    try:
        return [references.resolve(connection, pattern, platform, range)]
    except NoSuchResource:
        pass
    within = Within(platform, None, *Window.of(range))
    kind, slash, rest = pattern.partition("/")
    found: dict[int, Any] = {}
    if slash and not kind and "/" in rest:
        found = {row.id: row for row in islice(_fitting(connection, "uri", pattern, within), MOST + 1)}
        _refuse_too_many(pattern, len(found))
    elif kind and slash and (number := references.type_number(connection, kind.lower())) is not None:
        found = _by_key_or_name(connection, rest, within._replace(kind=number), pattern)
    found = found or _by_key_or_name(connection, pattern.removeprefix("/"), within, pattern)
    if not found:
        raise NoSuchResource(ref=pattern)
    return references.described(connection, sorted(found.values(), key=lambda row: (row.uri, row.platform_id)))


def _by_key_or_name(connection: Connection, pattern: str, within: Within, ref: str) -> dict[int, Any]:
    """What fits by its key or a name; `ref` is the whole of what was asked for, for who reads that it is too wide."""
    found = {row.id: row for row in islice(_fitting(connection, "key", pattern, within), MOST + 1)}
    _refuse_too_many(ref, len(found))
    numbers: set[Number] = set()
    for names in chunks(_names(connection, pattern)):
        numbers |= bearers.each_of_names(connection, names, within)
        _refuse_too_many(ref, len(numbers | found.keys()))
    for among in by_platform(numbers - found.keys()):
        found.update((row.id, row) for row in connection.execute(statement(_LISTED), among.values()))
    return found


def _names(connection: Connection, pattern: str) -> list[int]:
    """The numbers of the names that fit."""
    fits = re.compile(translate(pattern)).match
    beginning = _WILD.split(pattern, maxsplit=1)[0]
    condition = f" WHERE {references.begins('n.text')}" if beginning else ""
    with connection.stream(_NAMES + condition, references.beginning(beginning)) as rows:
        return [number for number, name in rows if fits(name)]


def _fitting(connection: Connection, column: str, pattern: str, within: Within) -> Iterator[Any]:
    """The rows in whose column the pattern fits; what stands before its first wildcard goes by the index."""
    fits = re.compile(translate(pattern)).match
    beginning = _WILD.split(pattern, maxsplit=1)[0]
    begins = references.begins(f"r.{column}") if beginning else f"r.{column} IS NOT NULL"
    of_type = "" if within.kind is None else " AND r.type_id = :kind"
    values = {**references.beginning(beginning), **within._asdict()}
    with connection.stream(f"{references.LISTED} WHERE {references.WITHIN} AND {begins}{of_type}", values) as rows:
        yield from (row for row in rows if fits(getattr(row, column)))


def _refuse_too_many(ref: str, count: int) -> None:
    if count > MOST:
        raise TooManyResources(ref=ref, most=MOST)
