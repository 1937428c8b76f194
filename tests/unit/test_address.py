"""The URL of a PostgreSQL archive: as libpq reads it, and as it may be shown."""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict

from archiver.storage.database.address import is_postgres, libpq_url, shown_url

PASSWORDS = {
    "hunter2": "hunter2",
    "pa@hunter2": "pa@hunter2",
    "@hunter2": "@hunter2",
    "hunter2@": "hunter2@",
    "pa/hunter2": "pa/hunter2",
    "pa#hunter2": "pa#hunter2",
    "pa?hunter2": "pa?hunter2",
    "pa:hunter2": "pa:hunter2",
    "pa&hunter2": "pa&hunter2",
    "pa=hunter2": "pa=hunter2",
    "p@a/hunter2@x:1?y": "p@a/hunter2@x:1?y",
    "12/hunter2": "12/hunter2",
    "pa%40hunter2": "pa@hunter2",
    "pa%2Fhunter2": "pa/hunter2",
}
"""As they are written, and what they are."""


@pytest.mark.parametrize("written", PASSWORDS)
@pytest.mark.parametrize("user", ["archiver", "", "me@server"])
@pytest.mark.parametrize(
    "tail", ["h/x", "127.0.0.1:1/x?sslmode=require", "[::1]:5432/x", "a:1,b:2/x", "%2Frun%2Fpg/x", "/x"]
)
def test_a_password_is_meant_as_it_is_written_and_never_shown(user: str, written: str, tail: str) -> None:
    url = f"postgresql://{user}:{written}@{tail}"

    read = conninfo_to_dict(libpq_url(url))

    assert (read.get("user", ""), read["password"], read["dbname"]) == (user, PASSWORDS[written], "x")
    assert "hunter2" not in f"{read.get('host')} {read.get('port')}"
    assert shown_url(url) == f"postgresql://{user}:***@{tail}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgres://u@h/d", "postgresql://u@h/d"),
        ("postgresql+psycopg:///d", "postgresql:///d"),
        ("postgresql:///?service=x", "postgresql:///?service=x"),
        ("postgresql://h/d?user=u&password=hunter2", "postgresql://h/d?user=u&password=***"),
        ("postgresql://h/d?sslpassword=hunter2&sslmode=require", "postgresql://h/d?sslpassword=***&sslmode=require"),
        ("postgresql://h/d?%70assword=hunter2", "postgresql://h/d?%70assword=***"),
        ("postgresql://h/d?password=pa&hunter2&x=hunter2", "postgresql://h/d?password=***"),
        ("postgresql://u:pa@h/d?password=pa@hunter2", "postgresql://u:***@h/d?password=***"),
        ("postgresql://h:5432/d?options=-csearch_path%3Darch", "postgresql://h:5432/d?options=-csearch_path%3Darch"),
        ("postgresql://h/hunter2@d", "postgresql://(not a URL)"),
        ("postgresql://hunter2@x@h/d", "postgresql://(not a URL)"),
        ("/var/a.db", "/var/a.db"),
        ("sqlite:////var/a.db", "sqlite:////var/a.db"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert shown_url(url) == shown


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "PostgreSQL"])
def test_every_way_to_write_postgresql(scheme: str) -> None:
    url = f"{scheme}://user@host/archive"
    assert is_postgres(url)
    assert libpq_url(url) == "postgresql://user@host/archive"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://hunter2@x@h/d",
        "postgresql://u@h/hunter2@d",
        "postgresql://u@h:hunter2/d",
        "postgresql:/u:hunter2@h",
    ],
)
def test_what_cannot_be_read_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="@ is written %40") as caught:
        libpq_url(url)
    assert "hunter2" not in f"{caught.value} {shown_url(url)}"
