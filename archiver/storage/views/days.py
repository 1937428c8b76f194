"""The days that the views which count by day know, as the statement that writes them into a new archive."""

from __future__ import annotations

from archiver.storage.views.idioms import IDIOMS

DAY = 86_400_000_000
"""The microseconds of a day."""
_FIRST, _LAST = 15_706, 27_028
"""1 January 2013 and 31 December 2043, in days since 1970."""

_DIGITS = " UNION ALL ".join(f"SELECT {digit} AS n" for digit in range(10))
_NUMBER = " + ".join(f"{10**place} * d{place}.n" for place in range(5))
_TABLES = " CROSS JOIN ".join(f"({_DIGITS}) d{place}" for place in range(5))


def first_days(dialect: str) -> str:
    """The statement that writes all days, in a database's own words."""
    day = IDIOMS[dialect].day(f"CAST({DAY} AS bigint) * ({_NUMBER})")
    return f"INSERT INTO days (day) SELECT {day} FROM {_TABLES} WHERE {_NUMBER} BETWEEN {_FIRST} AND {_LAST}"
