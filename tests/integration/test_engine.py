"""The database's address, and the archive's errors for the database's."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from archiver.errors import AmbiguousReference, ConfigurationWrong, DatabaseUnreachable
from archiver.storage.engine import read_url, reader, show_url

from .archives import event, record, rows


def test_a_plain_path_is_a_sqlite_file() -> None:
    assert str(read_url("/var/lib/archive.db")) == "sqlite:////var/lib/archive.db"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_write_postgresql(scheme: str) -> None:
    assert read_url(f"{scheme}://user@host/archive").drivername == "postgresql+psycopg"


@pytest.mark.parametrize("url", ["mysql://host/archive", "://", "sqlite://", "sqlite:///:memory:"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationWrong):
        reader(url)


@pytest.mark.parametrize("where", ["user:geheim@host/archive", "user@host/archive?password=geheim&sslpassword=geheim"])
def test_a_password_is_never_shown(where: str) -> None:
    assert "geheim" not in show_url(read_url(f"postgresql://{where}"))


@pytest.mark.parametrize("name", ["a?b.db", "a%20b.db", "a#b.db", "\u00e4 b.db", "a&mode=rw.db"])
def test_any_name_of_a_file_will_do(tmp_path: Path, name: str) -> None:
    from archiver.storage import migrate

    url = str(tmp_path / name)
    migrate.upgrade(url)

    record(url, event("container/1"))

    assert rows(url, "SELECT count(*) FROM events") == [(1,)]
    assert (tmp_path / name).exists()


@pytest.mark.parametrize(
    "error",
    [DatabaseUnreachable(database="here", reason="why"), AmbiguousReference(ref="a", candidates=["b", "c"], more=True)],
)
def test_an_error_can_be_carried_to_another_process(error: DatabaseUnreachable | AmbiguousReference) -> None:
    carried = pickle.loads(pickle.dumps(error))

    assert (type(carried), str(carried), carried.next_step) == (type(error), str(error), error.next_step)
