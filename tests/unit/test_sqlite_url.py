"""Which file a SQLite archive is, given as a path or as a URL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.storage.database.sqlite_url import sqlite_file, sqlite_url

FILES = {
    "archive.db": "archive.db",
    "/srv/archive.db": "/srv/archive.db",
    "%41.db": "%41.db",
    "what?.db": "what?.db",
    "a:b.db": "a:b.db",
    "./~/a.db": "./~/a.db",
    "~/a.db": "/home/me/a.db",
    "sqlite:///archive.db": "archive.db",
    "sqlite:////srv/archive.db": "/srv/archive.db",
    "SQLite+pysqlite:////srv/archive.db": "/srv/archive.db",
    "sqlite:///%41.db": "A.db",
    "sqlite:///~/a.db": "/home/me/a.db",
    "sqlite:///what%3F%FF.db?mode=ro": "what?\udcff.db",
}


@pytest.mark.parametrize("text", FILES)
def test_a_path_is_taken_as_it_stands_and_a_url_is_decoded(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")

    assert sqlite_file(text) == FILES[text]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1), st.binary(max_size=5))
def test_every_name_has_a_url_that_means_it(text: str, odd: bytes) -> None:
    path = "/" + text + odd.replace(b"\0", b"").decode("utf-8", "surrogateescape")

    assert sqlite_file(sqlite_url(path)) == path
    assert sqlite_url(path).isascii() or sqlite_url(path).encode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it is empty"),
        (" ", "it is empty"),
        ("sqlite:/x.db", "has three slashes: sqlite:///x.db, or sqlite:////x.db from the root"),
        ("sqlite:x.db", "has three slashes"),
        ("sqlite://x/archive.db", "has three slashes: sqlite:///x/archive.db"),
        ("sqlite://", "has three slashes: sqlite:///FILE"),
        ("sqlite:///", "it names none"),
        (":memory:", "it names none"),
        ("sqlite:///:memory:", "it names none"),
        ("file:///srv/a.db", "sqlite:////srv/a.db"),
        ("mysql://h/d", "not in 'mysql'"),
        ("postgresql://h/d", "PostgreSQL"),
        ("a\0b", "it names none"),
    ],
)
def test_what_means_no_file_is_refused_with_what_to_write(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("?", r"\?")):
        sqlite_file(text)
