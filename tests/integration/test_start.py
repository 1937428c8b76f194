"""What a question at the shell loads, which is most of what somebody waits for: the driver, and no SQLAlchemy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from archiver.cli.sparing import SELDOM

from .archives import event, record

HEAVY = ("sqlalchemy", "alembic", "psycopg", "websocket", "rich", "asyncio", "http.client", "importlib.metadata")
NEEDLESS = (*SELDOM, "calendar", "tomllib", "zoneinfo", "csv", "archiver.model.records", "archiver.model.items")
"""What no plain question needs, and a start would pay for; each takes as long as a few of the answer's own modules."""
QUESTIONS = [
    ["history", "container/1"],
    ["history", "container/1", "-o", "json"],
    ["tree", "stack/shop"],
    ["events", "--under", "stack/shop", "--state", "Running"],
    ["actions", "stack/shop", "--since", "2016-02-01"],
    ["status"],
    ["export"],
    ["sql", "SELECT count(*) FROM event_log"],
]
PROGRAM = """
import json, sys
from archiver.cli import main
codes = [main(arguments) for arguments in json.loads(sys.argv[1])]
print(json.dumps([codes, [name for name in json.loads(sys.argv[2]) if name in sys.modules]]), file=sys.stderr)
"""


def loaded(archive: str, questions: list[list[str]], of: tuple[str, ...] = HEAVY, **environment: str) -> object:
    """The exit codes of some questions, put in one process, and which of these modules it has loaded then."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(questions), json.dumps(of)],
        env={"PATH": os.environ["PATH"], "HOME": str(Path.home()), "ARCHIVER_DATABASE_URL": archive, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    return json.loads(done.stderr.splitlines()[-1])


def test_a_question_to_a_sqlite_archive_loads_nothing_heavy(sqlite_url: str) -> None:
    record(
        sqlite_url, event("container/1", "Running", 1, ["stack/shop"]), event("action/1", "Success", 2, ["container/1"])
    )

    assert loaded(sqlite_url, QUESTIONS) == [[0] * len(QUESTIONS), []]


def test_a_history_loads_no_more_than_it_shows(sqlite_url: str) -> None:
    record(sqlite_url, event("container/1", "Running", 1, ["stack/shop"]))

    assert loaded(sqlite_url, [["history", "container/1"]], HEAVY + NEEDLESS) == [[0], []]


def test_the_help_loads_nothing_of_the_archive(sqlite_url: str) -> None:
    rooms = ("archiver.model", "archiver.queries", "archiver.storage", "archiver.config", "archiver.cli.common")

    assert loaded(sqlite_url, [["--help"]], HEAVY + NEEDLESS + rooms + ("sqlite3",)) == [[0], []]


def test_completion_loads_nothing_heavy(sqlite_url: str) -> None:
    record(sqlite_url, event("container/1", "Running", 1))
    words = {"_ARCHIVER_COMPLETE": "complete_bash", "COMP_WORDS": "archiver history /api", "COMP_CWORD": "2"}

    assert loaded(sqlite_url, [[]], HEAVY + NEEDLESS + ("archiver.api.archive",), **words) == [[0], []]
