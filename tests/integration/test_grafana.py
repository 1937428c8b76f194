"""Every query of the Grafana dashboard finds rows in the cookbook's archive, of the shape that its panel takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from archiver.storage.views import VIEWS

from ..conftest import PostgresServer
from .archives import record
from .cookbook_archive import ENGINE, clock, records

FOLDER = Path(__file__).parents[2] / "deploy" / "grafana"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "archiver.json").read_text(encoding="utf-8"))
FROM, TO = clock("08:00") // 1_000_000, clock("20:00") // 1_000_000

INSTANTS = {"int8", "float8", "numeric", "timestamptz"}
NUMBERS = {"int4", "int8", "float8", "numeric"}


@dataclass(frozen=True)
class Query:
    title: str
    sql: str
    shape: str
    """time_series, state-timeline, table, annotation or variable: what Grafana makes of it."""


@dataclass(frozen=True)
class Found:
    columns: dict[str, str]
    """The type of each, in their order."""
    rows: list[dict[str, Any]]


def queries() -> Iterator[Query]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            shape = panel["type"] if panel["type"] == "state-timeline" else target["format"]
            yield Query(panel["title"], target["rawSql"], shape)
    for annotation in DASHBOARD["annotations"]["list"]:
        yield Query(annotation["name"], annotation["target"]["rawSql"], "annotation")
    for variable in VARIABLES.values():
        yield Query(variable["label"], variable["query"], "variable")


VARIABLES = {found["name"]: found for found in DASHBOARD["templating"]["list"] if found["type"] == "query"}
QUERIES = {query.title: query for query in queries()}


def quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def filled_in(sql: str, chosen: dict[str, list[str]]) -> str:
    """What Grafana sends: variables of many values as quoted literals, then the macros of its PostgreSQL data source.

    As in grafana/grafana: `interpolateVariable` of packages/grafana-sql; `Interpolate` of sqleng/sql_engine.go, and
    macros.go, of pkg/tsdb/grafana-postgresql-datasource, which knows no parenthesis within a macro's.
    """
    for name, values in chosen.items():
        sql = re.sub(rf"\${name}\b", lambda _, values=values: ",".join(map(quoted, values)), sql)
    sql = sql.replace("$__unixEpochFrom()", str(FROM)).replace("$__unixEpochTo()", str(TO))
    sql = re.sub(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)", macro, sql)
    assert "$" not in sql, f"Grafana would send this as it stands: {sql}"
    return sql


def macro(call: re.Match[str]) -> str:
    first, last = (quoted(datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")) for second in (FROM, TO))
    name, arguments = call[1], [part.strip(" ") for part in call[2].split(",")]
    match name:
        case "__timeFrom":
            return first
        case "__timeTo":
            return last
        case "__timeFilter":
            return f"{arguments[0]} BETWEEN {first} AND {last}"
        case "__timeGroupAlias":
            seconds = {"'1h'": 3600}[arguments[1]]
            return f'floor(extract(epoch from {arguments[0]})/{seconds})*{seconds} AS "time"'
    raise AssertionError(f"unknown macro {name}")


class Archive:
    """The shop's day as Grafana's data source sees it: by a role that may read the published views, in any zone."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.all = {name: [row[0] for row in self._rows(found["query"])] for name, found in VARIABLES.items()}

    def ask(self, title: str, **chosen: list[str]) -> Found:
        return self.ask_sql(QUERIES[title].sql, self.all | chosen)

    def ask_sql(self, sql: str, chosen: dict[str, list[str]]) -> Found:
        cursor = self._rows(filled_in(sql, chosen))
        kinds = self._connection.adapters.types
        columns = {column.name: kinds[column.type_code].name for column in cursor.description}
        assert len(columns) == len(cursor.description), "two columns of one name"
        return Found(columns, [dict(zip(columns, row, strict=True)) for row in cursor])

    def _rows(self, sql: str) -> Any:
        return self._connection.execute(sql)


@pytest.fixture(scope="module")
def archive(postgres_server: PostgresServer, postgres_template: str) -> Iterator[Archive]:
    import psycopg  # only here: without the driver these are skipped as all of PostgreSQL

    with postgres_server.role() as role, postgres_server.database(postgres_template) as url:
        record(url, *records())
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            published = ", ".join(view.name for view in VIEWS if not view.is_part)
            connection.execute(f"GRANT SELECT ON {published} TO {role}")
            connection.execute(f"SET ROLE {role}")
            connection.execute("SET TIME ZONE 'Asia/Tokyo'")
            connection.execute("SET jit = off")
            yield Archive(connection)


def misfits(shape: str, found: Found) -> list[str]:
    """What Grafana would refuse, or draw nothing of."""
    columns, rows = found.columns, found.rows
    wrong = [] if rows else ["no rows"]
    if shape == "variable":
        return wrong + [f"{len(columns)} columns"] * (len(columns) != 1)
    needed = {"time_series": ["time", "metric", "value"], "state-timeline": ["time", "metric", "state"]}
    needed["annotation"] = ["time", "timeend", "text", "tags"]
    if shape in needed and list(columns) != needed[shape]:
        return [*wrong, f"columns {list(columns)}"]
    wrong += [f"{name} is {columns[name]}" for name in ("time", "timeend") if columns.get(name, "int8") not in INSTANTS]
    if "time" in columns and any(row["time"] is None for row in rows):
        wrong.append("a row without a time")
    if shape in ("time_series", "state-timeline"):
        places = [(row["time"], row["metric"]) for row in rows]
        wrong += ["not sorted by time"] * ([row["time"] for row in rows] != sorted(row["time"] for row in rows))
        wrong += ["two values in one place"] * (len(set(places)) != len(places))
    if shape == "time_series":
        wrong += [f"value is {columns['value']}"] * (columns["value"] not in NUMBERS)
        wrong += ["a row without a value"] * any(row["value"] is None for row in rows)
    return wrong


def test_no_query_has_the_title_of_another() -> None:
    assert len(list(queries())) == len(QUERIES)


def test_there_is_a_query_of_each_kind() -> None:
    shapes = {query.shape for query in QUERIES.values()}

    assert shapes == {"time_series", "state-timeline", "table", "annotation", "variable"}


def test_all_asks_the_data_source_that_was_chosen() -> None:
    asking = [*DASHBOARD["panels"], *DASHBOARD["annotations"]["list"], *VARIABLES.values()]
    asking += [target for panel in DASHBOARD["panels"] for target in panel["targets"]]

    assert {found["datasource"]["uid"] for found in asking} == {"${datasource}"}


@pytest.mark.parametrize("title", QUERIES)
def test_query_finds_what_its_panel_takes(title: str, archive: Archive) -> None:
    assert misfits(QUERIES[title].shape, archive.ask(title)) == []


OF_STREAMS = {"How much of each day somebody was watching", "When nobody was watching", "Nobody was watching"}
CHOSEN = [title for title, query in QUERIES.items() if query.shape != "variable" and title not in OF_STREAMS]


@pytest.mark.parametrize("title", CHOSEN)
def test_a_stack_that_is_not_there_has_no_rows(title: str, archive: Archive) -> None:
    assert archive.ask(title, stack=["it's none"]).rows == []


@pytest.mark.parametrize("title", [title for title in CHOSEN if title != "Actions"])
def test_a_type_that_is_not_there_has_no_rows(title: str, archive: Archive) -> None:
    assert archive.ask(title, type=["it's none"]).rows == []


def test_state_timeline_has_a_hole_where_nobody_watched(archive: Archive) -> None:
    found = archive.ask("States", type=["container"], stack=["shop"]).rows

    assert [(row["time"], row["state"]) for row in found if row["metric"] == "db-1"][-6:] == [
        (clock("10:00:30") // 1000, "running"),
        (clock("12:00") // 1000, None),
        (clock("12:30") // 1000, "running ?"),
        (clock("12:30:10") // 1000, "running"),
        (clock("15:00:02") // 1000, "exited (0)"),
        (clock("15:00:04") // 1000, "running"),
    ]


def test_stops_are_told_with_cause_and_what_took_the_slot(archive: Archive) -> None:
    found = archive.ask("What stopped, and why", stack=["shop"]).rows

    assert [(row["name"], row["cause"], row["down_seconds"]) for row in found] == [
        ("db-1", "told", 2),
        ("web-0", "told", 10),
        ("db-1", "crash", 30),
    ]


def test_time_in_state_adds_up_to_the_range(archive: Archive) -> None:
    """Created at 08:05, paused for 20 minutes, down for 30 s and 2 s; unknown from 12:00 to 12:30:10; until 20:00."""
    found = archive.ask("How long in which kind of state", type=["container"], stack=["shop"]).rows

    (db,) = (row for row in found if row["metric"] == "db-1")
    assert db == {"metric": "db-1", "up": 39798, "down": 1200 + 32, "starting": 60, "not_certain": 1810}
    assert sum(db[kind] for kind in ("up", "down", "starting", "not_certain")) == TO - FROM - 300


def test_availability_has_its_bounds(archive: Archive) -> None:
    found = archive.ask("How available each day", stack=["shop"]).rows

    (db,) = (row for row in found if row["name"] == "db-1")
    assert [db[part] for part in ("up", "down", "planned", "unknown")] == [39798, 60 + 1200 + 30, 2, 1810 + 14400]
    assert db["worst"] < db["availability"] < db["best"]


def test_coverage_is_a_part_of_the_day(archive: Archive) -> None:
    found = archive.ask("How much of each day somebody was watching").rows

    # 4 and 7.5 of the 16 hours from the first session on; the day began before the range does.
    assert [(row["metric"], row["time"], row["value"]) for row in found] == [(ENGINE, FROM * 1000, 11.5 / 16)]


BROKEN = {
    "no rows": ("States", "type IN ($type)", "type = 'none'"),
    "columns ['at', 'metric', 'state']": ("States", "AS time", "AS at"),
    "not sorted by time": ("States", "ORDER BY time, metric", "ORDER BY time DESC"),
    "two values in one place": ("Restarts an hour, by cause", "GROUP BY 1, 2", "GROUP BY 1, 2, stopped_at"),
    "value is text": ("Restarts an hour, by cause", "count(*)", "count(*)::text"),
    "a row without a time": ("When nobody was watching", "since AS time", "NULL::timestamptz AS time"),
    "time is text": ("When nobody was watching", "since AS time", "since::text AS time"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_query_that_is_broken_is_noticed(fault: str, archive: Archive) -> None:
    title, part, instead = BROKEN[fault]
    sql = QUERIES[title].sql.replace(part, instead)

    assert fault in misfits(QUERIES[title].shape, archive.ask_sql(sql, archive.all))


def test_a_macro_that_grafana_does_not_know_is_noticed(archive: Archive) -> None:
    with pytest.raises(AssertionError, match="unknown macro __timeBetween"):
        archive.ask_sql("SELECT $__timeBetween(now())", {})


def test_what_is_no_published_view_is_refused(archive: Archive) -> None:
    import psycopg

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        archive.ask_sql("SELECT occurred_at AS time FROM events", {})
