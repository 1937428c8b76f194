"""What a published view is: its columns, each described once, and the statements that make it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from archiver.storage.views.idioms import IDIOMS, Idioms


@dataclass(frozen=True, slots=True)
class View:
    """One view: what its columns mean, and the function that writes its SELECT in a database's idioms.

    The SELECT names its columns itself: programs that read the text of a SQLite view know no list in front of it.
    """

    name: str
    comment: str
    columns: dict[str, str]
    select: Callable[[Idioms], str]
    is_part: bool = False
    """Whether others are made of it, whose texts it shortens: SQLite reads them all whenever it opens an archive."""

    def create(self, database: str) -> list[str]:
        """The statements that create it on "sqlite" or "postgresql", comments included."""
        select = self.select(IDIOMS[database]).strip()
        if database == "sqlite":
            select = _KEYED.sub(r"\1", _NUMBERED.sub(r"\1.id = ", select))
        statements = [f"CREATE VIEW {self.name} AS\n{select}"]
        if database == "sqlite" and _UNREADABLE.search(select):
            # By its name alone, which SQLite puts this text in place of, as if nothing stood between.
            listed = ", ".join(f"v.{column} AS {column}" for column in self.columns)
            shown = f"CREATE VIEW {self.name} AS\nSELECT {listed} FROM {_FULL}{self.name} v"
            full, kept = (self.name, []) if self.is_part else (f"{_FULL}{self.name}", [shown])
            statements = [f"CREATE VIEW {full} AS SELECT * FROM (\n{_for_sqlite_alone(select)}\n)", *kept]
        if database == "postgresql":
            statements.append(f"COMMENT ON VIEW {self.name} IS '{_quoted(self.comment)}'")
            statements += [
                f"COMMENT ON COLUMN {self.name}.{column} IS '{_quoted(text)}'" for column, text in self.columns.items()
            ]
        return statements

    def names(self, database: str) -> list[str]:
        """What `create` creates, in an order in which it can be dropped."""
        return re.findall(r"^CREATE VIEW (\w+)", "\n".join(reversed(self.create(database))), re.MULTILINE)


_FULL = "full_"
_PLATFORM = r"\.platform_id = \w+\.platform_id AND "
_NUMBERED = re.compile(rf"\b(\w+){_PLATFORM}\1\.id = ")
_KEYED = re.compile(
    r"\b((?:FROM|JOIN) (?:direct_parents|facts|parent_list_members|present|resource_names) (\w+)\s+(?:ON|WHERE) )"
    rf"\2{_PLATFORM}(?=\2\.(?:resource|list)_id = )"
)
"""Conditions by which PostgreSQL looks into one part of a table. On SQLite, where none is divided, numbers are unique
in the whole archive, and its keys do without the platform (storage.indexes): to compare it would find the same. Where
the number comes first in the condition it stays: there a row may be what its platform is known from."""
_UNREADABLE = re.compile(r"\bUNION\b|\bIN \(SELECT\b|\bcount\(\*\)|\bORDER BY at\b|, [\w.]+\) [<>=]")
"""What DuckDB cannot read, or gives to SQLite in words of its own that SQLite does not take: `(SELECT ...) UNION ALL
(SELECT ...)`, `count_star()`, `"row"(...)`. https://github.com/duckdb/duckdb-sqlite (ExtractSelectStatement)"""


def _for_sqlite_alone(select: str) -> str:
    """A SELECT that DuckDB takes for a comment: its comments nest, those of SQLite do not.

    What it cannot give back must not be seen by it at all: it reads every view whenever it lists them, and gives none
    where one fails. Between the parentheses it finds a SELECT of its own, which for SQLite is a comment.
    """
    assert "*/" not in select
    assert "/*" not in select
    return f"/* /* */ {select}\n-- */ SELECT 'a part of the other views, for SQLite alone' AS note"


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def platform_of(resource: str) -> str:
    """The platform of a resource whose number is given as a column: it stands beside that, in the same row."""
    return f"{resource.rpartition('.')[0]}.platform_id"


def seconds(since: str, until: str) -> str:
    """How many seconds lie between two instants in microseconds; divided, since 1e-6 is not exact itself."""
    return f"CAST({until} - {since} AS double precision) / 1e6"
