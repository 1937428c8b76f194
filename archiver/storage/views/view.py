"""What a published view is: its columns, each described once, and the statements that make it."""

from __future__ import annotations

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
        statements = [f"CREATE VIEW {self.name} AS\n{self.select(IDIOMS[database]).strip()}"]
        if database == "postgresql":
            statements.append(f"COMMENT ON VIEW {self.name} IS '{_quoted(self.comment)}'")
            statements += [
                f"COMMENT ON COLUMN {self.name}.{column} IS '{_quoted(text)}'" for column, text in self.columns.items()
            ]
        return statements


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def seconds(since: str, until: str) -> str:
    """How many seconds lie between two instants in microseconds; divided, since 1e-6 is not exact itself."""
    return f"CAST({until} - {since} AS double precision) / 1e6"
