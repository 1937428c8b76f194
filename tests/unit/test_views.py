"""The published views only ever grow, and keep the rules that let them run on more than one machine."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from archiver.storage import migrate
from archiver.storage.views import VIEWS, View
from archiver.storage.views.idioms import IDIOMS, Idioms

COMMON = Idioms(
    now="now_us",
    micros=lambda instant: f"micros({instant})",
    instant=lambda micros: f"instant({micros})",
    latest=lambda numbers: f"latest({', '.join(numbers)})",
    earliest=lambda numbers: f"earliest({', '.join(numbers)})",
    uuid=lambda uuid: f"uuid({uuid})",
    apart=IDIOMS["sqlite"].apart,
    once=IDIOMS["sqlite"].once,
    summed=IDIOMS["sqlite"].summed,
    likely=lambda condition, _part: condition,
    fewer=IDIOMS["sqlite"].fewer,
    kind=IDIOMS["sqlite"].kind,
    day=lambda micros: f"day({micros})",
    day_us=lambda day: f"day_us({day})",
    family=lambda state: f"family({state})",
    instant_type="instant",
    never="never",
    ever="ever",
    members=lambda listed: f"members({listed})",
    either=IDIOMS["sqlite"].either,
)
"""What both databases say in their own way, by its name."""
UNPORTABLE = re.compile(
    r"\b(recursive|interval|date_trunc|generate_series|extract|epoch|strftime|julianday|printf|round|public"
    r"|distinct|ilike|lateral|filter|now\(\)|offset)\b|::|~|\bunion\b(?! all)",
    re.IGNORECASE,
)
every_view = pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)


@every_view
def test_no_view_says_what_another_database_would_not_understand(view: View) -> None:
    assert UNPORTABLE.findall(view.select(COMMON)) == []


@every_view
@pytest.mark.parametrize("database", IDIOMS)
def test_no_view_recurses_or_makes_rows_of_its_own(view: View, database: str) -> None:
    said = view.select(IDIOMS[database])

    assert not re.search(r"\b(recursive|interval|date_trunc|generate_series|public)\b|\bunion\b(?! all)", said, re.I)


@every_view
def test_a_window_is_of_one_stream_or_of_one_resource(view: View) -> None:
    windows = re.findall(r"OVER \(\s*PARTITION BY ([\w., ]+?)\s*ORDER|PARTITION BY ([\w., ]+)\)", view.select(COMMON))

    assert all("".join(found).startswith(("stream_id, stream", "uri, type", "s.uri, s.type")) for found in windows)


@every_view
def test_every_column_is_named_where_it_is_selected(view: View) -> None:
    """Programs that read a SQLite view's text know no list of names before it."""
    for name, statement in zip(reversed(view.names("sqlite")), view.create("sqlite"), strict=True):
        assert statement.startswith((f"CREATE VIEW {name} AS\nSELECT", f"CREATE VIEW {name} AS SELECT * FROM (\n"))
    assert view.is_part or view.create("sqlite")[-1].startswith(f"CREATE VIEW {view.name} AS\nSELECT")


@pytest.mark.parametrize("view", [view for view in VIEWS if not view.is_part], ids=lambda view: view.name)
def test_what_duckdb_writes_anew_is_what_sqlite_reads(view: View) -> None:
    """It reads the text of a view, and gives SQLite what it has understood."""
    published = view.create("sqlite")[-1]

    assert not re.search(r"\bUNION\b|\bIN \(SELECT\b|\bcount\(\*\)|\bORDER BY at\b|, [\w.]+\) [<>=]", published, re.I)


@every_view
def test_no_view_needs_a_function_that_sqlite_has_only_where_it_was_built_with_it(view: View) -> None:
    """That of DuckDB was not: https://sqlite.org/lang_mathfunc.html"""
    said = " ".join(view.create("sqlite"))

    assert re.findall(r"\b(?:mod|ceil|ceiling|floor|trunc|pow|power|sqrt|exp|ln|log|log2|log10|sign|pi)\(", said) == []


@every_view
def test_an_instant_in_microseconds_stands_beside_the_text(view: View) -> None:
    """Of every name in `_at`, `since` and `until`."""
    instants = [name for name in view.columns if name.endswith("_at") or name in ("since", "until")]

    assert [name for name in instants if f"{name.removesuffix('_at')}_us" not in view.columns] == []


def test_the_columns_of_the_first_release_stay_as_they_were() -> None:
    first = (migrate.migrations() / "sql" / "0001_views_sqlite.sql").read_text()
    now = {view.name: list(view.columns) for view in VIEWS}

    for name, columns in re.findall(r"^CREATE VIEW (\w+) \(([^)]+)\)", first, re.MULTILINE):
        assert now[name][: columns.count(",") + 1] == columns.split(", ")


def test_every_view_is_there_once() -> None:
    assert set(Counter(view.name for view in VIEWS).values()) == {1}
