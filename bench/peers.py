"""The ways to bring events into a SQLite file: `archiver import`, plain rows, and its peers."""

from __future__ import annotations

import shutil
from pathlib import Path

from archiver.transfer.reader import BATCH
from bench import plain
from bench.costs import Cost
from bench.workshop import PYTHON, REPOSITORY, Lines, Workshop

SQLITE_UTILS = [PYTHON, "-m", "sqlite_utils"]
INDEXES = {
    False: (["--unique", "uuid"], ["date"], ["resource_uri", "date"], ["type", "date"]),
    True: (["resource_uri"], ["type"], ["action"], ["state"]),
}
"""Of events with a date and a uuid, and of bare ones."""


def archiver(shop: Workshop, lines: Lines, target: Path) -> Cost:
    """`archiver import`, as a process."""
    return shop.import_into(f"sqlite:///{target}", lines)


def plain_rows(_shop: Workshop, lines: Lines, target: Path) -> Cost:
    """The floor: raw executemany of finished rows, in batches of the same size."""
    return plain.sqlite_cost(lines, target, BATCH)


def script(shop: Workshop, lines: Lines, target: Path) -> Cost:
    """The script that one would write oneself; the lines are its standard input, as in a shell."""
    own = REPOSITORY / "bench" / "script.py"
    return shop.spent(["sh", "-c", 'exec "$0" "$1" "$2" < "$3"', PYTHON, own, target, lines.path])


def sqlite_utils(shop: Workshop, lines: Lines, target: Path) -> Cost:
    """`sqlite-utils insert --nl` where there are four indexes."""
    shutil.copyfile(shop.filled(_with_indexes, lines.head(1)).path, target)
    return shop.spent([*SQLITE_UTILS, "insert", target, "events", lines.path, "--nl"])


def _with_indexes(shop: Workshop, lines: Lines, target: Path) -> Cost:
    """The table as the first event makes it, empty, and its indexes: a table that grows has them."""
    first = ["insert", target, "events", lines.path, "--nl"]
    indexes = [["create-index", target, "events", *index] for index in INDEXES[lines.bare]]
    commands = (first, *indexes, ["query", target, "DELETE FROM events"])
    return sum((shop.spent([*SQLITE_UTILS, *map(str, command)]) for command in commands), Cost())
