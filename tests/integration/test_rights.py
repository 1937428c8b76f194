"""Roles that may do no more than docs/operating.md grants them, on a real server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from archiver.api.archive import Archive
from archiver.errors import DatabaseReadOnly, RightMissing
from archiver.recording.ingest import Ingest
from archiver.recording.spool.queue import Spool
from archiver.storage import migrate
from archiver.storage.database.address import libpq_url
from archiver.storage.views import VIEWS
from tests.conftest import PostgresServer, RunArchiver

from .archives import closed, event, opened, record, rows, seen
from .test_ingest import stream

PAGE = Path(__file__).parents[2] / "docs" / "operating.md"
ROLES = ("recorder", "reader", "reporter")


def documented(role: str) -> list[str]:
    """The statements by which the page makes a role what it is; it is made already."""
    section = PAGE.read_text().partition("### Rights")[2].partition("###")[0]
    return re.findall(rf"^    ((?:GRANT .* TO|ALTER ROLE) {role}\b.*;)$", section, re.MULTILINE)


class Rights:
    """An archive in a database, and new roles that its owner grants something."""

    def __init__(self, owner: str, roles: dict[str, str]) -> None:
        self.owner = owner
        self.roles = roles

    def say(self, *statements: str) -> None:
        with psycopg.connect(libpq_url(self.owner), autocommit=True) as owner:
            for statement in statements:
                for role, name in self.roles.items():
                    statement = re.sub(rf"\b{role}\b", name, statement)
                owner.execute(statement.encode())

    def url(self, role: str) -> str:
        return make_url(self.owner).set(username=self.roles[role]).render_as_string(hide_password=False)


@pytest.fixture
def rights(postgres_server: PostgresServer, postgres_template: str) -> Iterator[Rights]:
    """Roles, made before the database and dropped after it, and what they may do there as documented."""
    with ExitStack() as stack:
        roles = {role: stack.enter_context(postgres_server.role()) for role in ROLES}
        owner = stack.enter_context(postgres_server.database(postgres_template))
        made = Rights(owner, roles)
        made.say("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        record(owner, opened("s1", 0), event("container/1", "Running", 1, ["service/1"]), closed("s1", 9))
        record(owner, event("action/1", "Success", 2, ["container/1"]), seen("container/1", "Stopped", 3))
        yield made


def test_the_page_grants_each_role_something() -> None:
    assert [len(documented(role)) for role in ROLES] == [3, 2, 5]


QUESTIONS = [
    ["history", "container/1", "-o", "json"],
    ["actions", "service/1", "-o", "json"],
    ["events", "--under", "service/1", "-o", "jsonl"],
    ["tree", "service/1", "-o", "json"],
    ["status", "-o", "json"],
    ["export"],
    ["db", "current"],
    ["db", "check"],
]


def test_a_reader_is_answered_as_the_owner_is(rights: Rights, run_archiver: RunArchiver) -> None:
    rights.say(*documented("reader"))

    for question in QUESTIONS:
        asked = run_archiver("--database", rights.url("reader"), *question)
        told = run_archiver("--database", rights.owner, *question)
        assert (asked.returncode, asked.stderr) == (0, ""), question
        assert asked.stdout.replace(rights.roles["reader"], "postgres") == told.stdout


def test_a_reader_cannot_write(rights: Rights) -> None:
    rights.say(*documented("reader"))

    with pytest.raises(DatabaseReadOnly, match="cannot be written"):
        record(rights.url("reader"), event("container/2"))


def test_a_recorder_can_do_all_that_the_daemon_does(rights: Rights, tmp_path: Path) -> None:
    rights.say(*documented("recorder"))
    with Spool(tmp_path / "spool.db") as spool:
        spool.append(stream(1, 2))
        ingest = Ingest(spool, rights.url("recorder"))
        ingest.finish()
        ingest.run()
        assert (ingest.archived, ingest.rejected, spool.size) == (2, 0, 0)

    url = rights.url("recorder")
    done = record(url, event("container/1", uuid="a"), event("container/1", uuid="a"), seen("node/1", "up", 5))

    assert (done.events, done.duplicates) == (1, 1)
    assert migrate.check(url) == []
    assert rows(rights.owner, "SELECT count(*) FROM events") == [(5,)]


def test_a_reporter_reads_the_views_and_no_table(rights: Rights) -> None:
    rights.say(*documented("reporter"))

    with psycopg.connect(libpq_url(rights.url("reporter")), autocommit=True) as reporter:
        for view in (view for view in VIEWS if not view.is_part):
            assert reporter.execute(f"SELECT * FROM {view.name}".encode()).fetchall() is not None
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reporter.execute("SELECT * FROM events")


@pytest.mark.parametrize("granted", [0, 1, 2])
def test_who_lacks_a_right_is_told_which_grant_gives_it(granted: int, rights: Rights) -> None:
    """Nothing, the schema without the tables, and the views: what is to be granted is the same."""
    rights.say(*documented("reporter")[:granted])

    with pytest.raises(RightMissing, match="cannot be read") as caught:
        Archive.open(rights.url("reporter"))

    assert caught.value.exit_code == 4
    assert str(caught.value.facts["grant"]) in caught.value.next_step
    rights.say(str(caught.value.facts["grant"]))
    with Archive.open(rights.url("reporter")) as archive:
        assert archive.history("container/1").spans


def test_a_right_that_is_lost_on_the_way_is_said_too(rights: Rights) -> None:
    rights.say(*documented("reader"))
    with Archive.open(rights.url("reader")) as archive:
        rights.say("REVOKE SELECT ON events FROM reader")
        with pytest.raises(RightMissing, match="cannot be read"):
            list(archive.events(limit=0))


def test_a_command_says_it_in_two_lines(rights: Rights, run_archiver: RunArchiver) -> None:
    done = run_archiver("--database", rights.url("reader"), "status")

    assert (done.returncode, done.stdout) == (4, "")
    error, hint = done.stderr.splitlines()
    assert "cannot be read: the schema public may not be used" in error
    assert hint.endswith(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {rights.roles['reader']};")
    assert json.dumps(done.stderr).count("Traceback") == 0
