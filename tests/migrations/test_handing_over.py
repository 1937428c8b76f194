"""What users made around the tables of a PostgreSQL archive goes over to the new ones, or stays and is named."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import make_url, text

from archiver.api.archive import Archive
from archiver.errors import DatabaseUnfit, SchemaNotAtHead
from archiver.model import Reject
from archiver.storage import migrate
from archiver.storage.database.engine import reading_engine, writing_engine
from archiver.storage.recorder import Recorder

from . import released


@pytest.fixture
def old_url(empty_postgres_url: str) -> str:
    released.load(empty_postgres_url)
    return empty_postgres_url


@pytest.fixture
def role(postgres_server: Any, old_url: str) -> Iterator[str]:
    """A role that has no rights but those it is given in the old archive's database."""
    with postgres_server.role() as name:
        yield name
        execute(old_url, f"DROP OWNED BY {name}")


def execute(url: str, *statements: str) -> None:
    engine = writing_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    engine = reading_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


def standing_aside(url: str) -> list[str]:
    return [name for (name,) in rows(url, "SELECT relname FROM pg_class WHERE relname LIKE 'first\\_edition%'")]


def as_role(url: str, role: str) -> str:
    return make_url(url).set(username=role, password=None).render_as_string(hide_password=False)


def test_nothing_of_the_first_edition_is_left(old_url: str) -> None:
    assert migrate.upgrade(old_url).left == ()

    assert standing_aside(old_url) == []


def test_who_could_read_all_of_the_old_archive_can_read_all_of_the_new_one(old_url: str, role: str) -> None:
    execute(old_url, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")

    migrate.upgrade(old_url)

    with Archive.open(as_role(old_url, role)) as archive:
        assert len(list(archive.export())) > 271
    assert len(rows(as_role(old_url, role), "SELECT uri FROM current_states")) > 50


def test_who_could_write_the_old_archive_can_write_the_new_one(old_url: str, role: str) -> None:
    execute(old_url, f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")

    migrate.upgrade(old_url)

    with Recorder(as_role(old_url, role)) as recorder:
        assert recorder.record([Reject(b"", "goes on", 0)]).rejects == 1


def test_rights_to_single_tables_views_and_columns_go_over(old_url: str, role: str) -> None:
    execute(
        old_url,
        f"GRANT SELECT ON event_parents, event_log TO {role}",
        f"GRANT SELECT (url) ON streams TO {role}",
    )

    migrate.upgrade(old_url)

    reader = as_role(old_url, role)
    for query in ("SELECT 1 FROM event_parents", "SELECT 1 FROM event_log", "SELECT url FROM streams"):
        assert rows(reader, query)
    for query in ("SELECT 1 FROM events", "SELECT dialect FROM streams", "SELECT 1 FROM facts"):
        with pytest.raises(Exception, match="permission denied"):
            rows(reader, query)


def test_the_owner_stays_who_he_was(old_url: str, role: str) -> None:
    owned = [f"ALTER TABLE {name} OWNER TO {role}" for (name,) in rows(old_url, OURS)]
    execute(old_url, f"GRANT CREATE ON SCHEMA public TO {role}", *owned)

    migrate.upgrade(old_url)

    assert rows(old_url, f"SELECT DISTINCT tableowner FROM ({OWNERS}) o") == [(role,)]


OURS = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')"
OWNERS = "SELECT tableowner, tablename FROM pg_tables WHERE schemaname = 'public' UNION SELECT viewowner, viewname FROM pg_views WHERE schemaname = 'public'"  # noqa: E501


def test_what_stands_on_our_views_and_tables_goes_on(old_url: str) -> None:
    execute(
        old_url,
        "CREATE VIEW own_restarts AS SELECT uri, count(*) AS times FROM state_spans GROUP BY uri",
        "CREATE VIEW told AS SELECT r.uri, e.occurred_at FROM events e JOIN resources r ON r.id = e.resource_id",
        "CREATE VIEW told_today AS SELECT uri FROM told WHERE occurred_at > '2026-01-01'",
        "CREATE INDEX own_of_events ON events (type_id, occurred_at)",
        "CREATE TABLE notes (stream_id bigint REFERENCES streams (id), words text)",
        "INSERT INTO notes VALUES (1, 'the last')",
        "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN"
        " INSERT INTO notes (words) VALUES (new.reason); RETURN NULL; END'",
        "CREATE TRIGGER noted AFTER INSERT ON rejects FOR EACH ROW EXECUTE FUNCTION noted()",
    )
    known = "SELECT * FROM own_restarts WHERE uri NOT ILIKE '%5d3b4f2a%' ORDER BY 1"
    before = [rows(old_url, known), rows(old_url, "SELECT count(*) FROM told_today")]

    assert migrate.upgrade(old_url).left == ()

    assert [rows(old_url, known), rows(old_url, "SELECT count(*) FROM told_today")] == before
    assert rows(old_url, "SELECT tablename FROM pg_indexes WHERE indexname = 'own_of_events'") == [("events",)]
    with Recorder(old_url) as recorder:
        recorder.record([Reject(b"", "noticed", 0)])
    assert rows(old_url, "SELECT words FROM notes ORDER BY 1") == [("noticed",), ("the last",)]
    with pytest.raises(Exception, match="foreign key"):
        execute(old_url, "INSERT INTO notes VALUES (1000, 'of no stream')")


def test_what_cannot_go_over_stays_with_its_table_and_is_named(old_url: str) -> None:
    execute(
        old_url,
        "CREATE VIEW pairs AS SELECT child_id, derived FROM resource_parents",
        "CREATE INDEX own_of_names ON resources (name, uri)",
        "CREATE TABLE notes (event_id bigint REFERENCES events (id))",  # whose numbers are no key of their own any more
    )
    before = rows(old_url, "SELECT count(*) FROM pairs")

    left = migrate.upgrade(old_url).left

    assert [thing.partition(":")[0] for thing in left] == [
        "view pairs",
        "foreign key notes_event_id_fkey",
        "index own_of_names",
        "table resource_parents stays as first_edition_resource_parents",
        "table events stays as first_edition_events",
    ]
    assert rows(old_url, "SELECT count(*) FROM pairs") == before
    assert migrate.upgrade(old_url).before == migrate.HEAD


def test_a_name_that_somebody_else_has_is_noticed_before_anything_is_done(old_url: str) -> None:
    execute(old_url, "CREATE TABLE facts (of_mine text)")

    with pytest.raises(DatabaseUnfit, match="it has facts of another program"):
        migrate.upgrade(old_url)

    assert migrate.current(old_url) == "0001"


def test_half_way_it_says_how_to_go_on_and_the_old_views_still_answer(old_url: str) -> None:
    def end(_progress: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate.upgrade(old_url, end, 40)

    with pytest.raises(SchemaNotAtHead) as refused, Recorder(old_url) as recorder:
        recorder.identity()
    assert "run again: archiver db upgrade" in refused.value.next_step
    assert rows(old_url, "SELECT count(*) FROM event_log") == [(271,)]


def test_two_who_upgrade_at_once_make_one_archive(old_url: str) -> None:
    done: list[object] = []

    def upgrade() -> None:
        try:
            done.append(migrate.upgrade(old_url, most=10).after)
        except Exception as error:  # noqa: BLE001 - it is looked at below
            done.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert done == [migrate.HEAD, migrate.HEAD]
    assert migrate.check(old_url) == []
    assert rows(old_url, "SELECT count(*), max(id) FROM events") == [(271, 271)]
    assert rows(old_url, "SELECT reltuples FROM pg_class WHERE oid = 'events'::regclass") == [(271,)]
