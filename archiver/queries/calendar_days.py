"""Stretches of time cut at midnight, which is another one in each zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo


def by_day(since: datetime, until: datetime, zone: tzinfo | None) -> Iterator[tuple[str, float]]:
    """How many seconds of a stretch are of which day of a zone (None: of the machine's)."""
    while since < until:
        local = since.astimezone(zone)
        midnight = min(_midnight_after(local, zone), until)
        yield local.date().isoformat(), (midnight - since).total_seconds()
        since = midnight


def day_of(moment: datetime, zone: tzinfo | None) -> str:
    """The day of an instant."""
    return moment.astimezone(zone).date().isoformat()


def _midnight_after(local: datetime, zone: tzinfo | None) -> datetime:
    day = local.date() + timedelta(days=1)
    naive = datetime(day.year, day.month, day.day)
    return (naive.astimezone() if zone is None else naive.replace(tzinfo=zone)).astimezone(UTC)
