"""A view that is filtered costs what it answers: as much in an archive of ten times the past, on both databases.

So do the queries of the cookbook, but for those over everything that is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.model import iso
from archiver.storage import migrate
from archiver.storage.recorder import Recorder

from ..conftest import DATABASES, PostgresServer
from .archives import closed, event, micros, opened, rows, seen, uri
from .growth import analysed, answer_of_sql, cost_of_sql, grown
from .test_cookbook import RECIPES, Recipe

UNITS = (1, 10)
DAY = 86_400
EVENTS = 24
"""Of each container, one an hour."""
ONE_LIFE = '{"started":"then"}'


def history(units: int) -> Iterator[Any]:
    """A day of one stack at the end, days of others before; and a stack of which more is gone with every day."""
    for unit in range(1, units + 1):
        for hour in range(24):
            session, start = f"session {unit}.{hour}", -unit * DAY + hour * 3600
            yield opened(session, start)
            yield closed(session, start + 3500)
        for stack in range(6):
            yield from day(f"{unit}.{stack}", -unit * DAY + stack, f"session {unit}.0")
        for number in range(20):
            yield from gone(f"busy.{unit}.{number}", "busy", -unit * DAY + number)
    for session, begin, end in (("morning", 0, 20_000), ("evening", 30_000, DAY)):
        yield opened(session, begin)
        yield closed(session, end)
    yield from day("answer", 1, "morning")
    yield event("service/answer", "Redeploying", 100, ["stack/answer"], "morning")
    yield event("service/answer", "Running", 130, ["stack/answer"], "morning")
    yield event("nodecluster/k", "Deployed", 5)
    for number in range(8):
        state = ("Running", "Stopped")[number % 2]
        yield event("container/flapping", state, 300 + number, ["stack/flapping"], "morning")
    for number in range(4):
        yield event(f"container/busy.{number}", "Running", 10 + number, ["service/busy", "stack/busy", "node/0"])


def day(stack: str, start: int, session: str | None = None) -> Iterator[Any]:
    above = [f"service/{stack}", f"stack/{stack}", f"node/{len(stack) % 3}"]
    yield event(f"stack/{stack}", "Running", start)
    yield event(f"service/{stack}", "Running", start, [f"stack/{stack}"])
    for number in range(5):
        ref = f"container/{stack}.{number}"
        for hour in range(EVENTS):
            yield event(
                ref,
                ("Running", "Stopped", "running")[hour % 3],
                start + hour * 3600 + number,
                above,
                session,
                name="web",
            )
        for minute in range(8):
            found = seen(ref, "Stopping", start + 5 * 3600 + 600 + 60 * minute + number, above)
            yield found._replace(extra=ONE_LIFE)
        for state, second in (("Pending", 60), ("Success", 90)):
            told = [ref, *above]
            yield event(f"action/{stack}.{number}", state, start + second + number, told, name="start")


def gone(key: str, stack: str, start: int) -> Iterator[Any]:
    above = [f"service/{stack}", f"stack/{stack}", "node/0"]
    for state, second in (("Running", 0), ("Terminated", 600)):
        yield event(f"container/{key}", state, start + second, above)


@pytest.fixture(scope="module", params=DATABASES)
def archives(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The URLs of an archive of one unit of past, and of ten."""
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("growth")
        small, large = (filled(f"sqlite:///{folder / Path(f'{units}.db')}", units) for units in UNITS)
        yield small, large
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.database() as small, server.database() as large:
            yield filled(small, UNITS[0]), filled(large, UNITS[1])


def filled(url: str, units: int) -> str:
    migrate.create(url)
    with Recorder(url) as recorder:
        recorder.record(list(history(units)))
    return analysed(url)


ANSWER = f"ancestor_uri = '{uri('stack/answer')}'"
ONE = uri("container/answer.3")
HOUR = [iso(micros(7000)), iso(micros(7300))]
"""Minutes of which the past says nothing else."""
STOPS = [iso(micros(3600)), iso(micros(3900))]
"""Minutes in which the same stopped."""
FOUND = [iso(micros(18600)), iso(micros(18900))]
"""Minutes in which something was found again in its life."""
HOUR_US = [micros(7000), micros(7300)]
STOPS_US = [micros(3600), micros(3900)]
OF_THE_PAST = [iso(micros(-DAY + 7000)), iso(micros(-DAY + 7300))]
BELOW = "FROM subtree s JOIN {0} v ON v.uri = s.descendant_uri WHERE s." + ANSWER


def within(column: str, hour: list[Any]) -> str:
    return f"{column} >= {hour[0]!r} AND {column} < {hour[1]!r}"


def under_busy(view: str, uri_column: str, at: str) -> str:
    """What a view says of some minutes, of what was then under the stack whose past grows."""
    minutes = within(f"v.{at}", [iso(micros(10)), iso(micros(61))])
    return f"""SELECT * FROM {view} v WHERE {minutes} AND 1 = (
      SELECT 1 FROM subtree s WHERE s.descendant_uri = v.{uri_column} AND s.ancestor_uri || '' = '{uri("stack/busy")}'
        AND s.since <= v.{at} AND (s.until IS NULL OR s.until > v.{at}) LIMIT 1)"""


def words_under_busy(what: str, join: str = "") -> str:
    """The same, asked as the cookbook does."""
    minutes = within("u.at", [iso(micros(10)), iso(micros(61))])
    return f"""SELECT {what} FROM words_under u {join}
      WHERE u.ancestor_uri = '{uri("stack/busy")}' AND {minutes} AND u.source = 'event'"""


VIEWS = {
    "event_log by uri": f"SELECT * FROM event_log WHERE uri = '{ONE}'",
    "event_log by uri and time": f"SELECT * FROM event_log WHERE uri = '{ONE}' AND {within('occurred_at', HOUR)}",
    "event_log by time": f"SELECT * FROM event_log WHERE {within('occurred_at', HOUR)}",
    "event_log by time of the past": f"SELECT * FROM event_log WHERE {within('occurred_at', OF_THE_PAST)}",
    "event_log by time in microseconds": f"SELECT * FROM event_log WHERE {within('occurred_us', HOUR_US)}",
    "event_log by number": "SELECT * FROM event_log WHERE id = 77",
    "the last of event_log": "SELECT * FROM event_log ORDER BY occurred_at DESC LIMIT 20",
    "event_log of a stack": f"SELECT v.* {BELOW.format('event_log')}",
    "event_log of a stack, counted": f"SELECT v.state, count(*) {BELOW.format('event_log')} GROUP BY v.state",
    "event_log of a stack by time": f"SELECT v.* {BELOW.format('event_log')} AND {within('v.occurred_at', HOUR)}",
    "event_log of a range under a stack with a past": under_busy("event_log", "uri", "occurred_at"),
    "state_spans of a range under a stack with a past": under_busy("state_spans", "uri", "since"),
    "words of a range under a stack with a past": words_under_busy("1"),
    "event_log of these words": words_under_busy("v.*", "JOIN event_log v ON v.id = u.id"),
    "event_parents of an event": "SELECT * FROM event_parents WHERE event_id = 77",
    "unchanged by uri": f"SELECT * FROM unchanged WHERE uri = '{ONE}'",
    "unchanged by time": f"SELECT * FROM unchanged WHERE {within('until', FOUND)}",
    "state_spans by uri": f"SELECT * FROM state_spans WHERE uri = '{ONE}'",
    "state_spans by uri, summed": f"SELECT state, sum(seconds) FROM state_spans WHERE uri = '{ONE}' GROUP BY state",
    "state_spans by time": f"SELECT * FROM state_spans WHERE {within('since', HOUR)}",
    "state_spans by time in microseconds": f"SELECT * FROM state_spans WHERE {within('since_us', HOUR_US)}",
    "state_spans by time of the past": f"SELECT * FROM state_spans WHERE {within('since', OF_THE_PAST)}",
    "state_spans by time, counted": f"SELECT state, count(*) FROM state_spans WHERE {within('since', HOUR)} GROUP BY 1",
    "state_spans of a stack": f"SELECT v.* {BELOW.format('state_spans')}",
    "state_spans of a stack, summed": (
        f"WITH v AS MATERIALIZED (SELECT v.state, v.seconds {BELOW.format('state_spans')})"
        " SELECT state, sum(seconds) FROM v GROUP BY state"
    ),
    "state_spans of a stack by time": f"SELECT v.* {BELOW.format('state_spans')} AND {within('v.since', HOUR)}",
    "state_spans by type": "SELECT * FROM state_spans WHERE type = 'nodecluster'",
    "watched_spans by uri": f"SELECT * FROM watched_spans WHERE uri = '{ONE}'",
    "watched_spans by uri, summed": f"SELECT kind, sum(seconds) FROM watched_spans WHERE uri = '{ONE}' GROUP BY kind",
    "watched_spans of a stack": f"SELECT v.* {BELOW.format('watched_spans')}",
    "watched_spans of a stack, summed": (
        f"WITH v AS MATERIALIZED (SELECT v.kind, v.certain, v.seconds {BELOW.format('watched_spans')})"
        " SELECT kind, certain, sum(seconds) FROM v GROUP BY kind, certain"
    ),
    "watched_spans by time": f"SELECT * FROM watched_spans WHERE {within('state_since', HOUR)}",
    "watched_spans by time in microseconds": f"SELECT * FROM watched_spans WHERE {within('state_since_us', HOUR_US)}",
    "watched_spans by type": "SELECT * FROM watched_spans WHERE type = 'nodecluster'",
    "restarts by uri": f"SELECT * FROM restarts WHERE uri = '{ONE}'",
    "restarts by time": f"SELECT * FROM restarts WHERE {within('stopped_at', STOPS)}",
    "restarts by time in microseconds": f"SELECT * FROM restarts WHERE {within('stopped_us', STOPS_US)}",
    "inventory by uri": f"SELECT * FROM inventory WHERE uri = '{ONE}'",
    "inventory of a stack": f"SELECT v.* {BELOW.format('inventory')}",
    "inventory by microseconds": f"SELECT * FROM inventory WHERE {within('first_seen_us', [micros(1), micros(9)])}",
    "inventory by type": "SELECT * FROM inventory WHERE type = 'nodecluster'",
    "changes by uri": f"SELECT * FROM changes WHERE uri = '{ONE}'",
    "changes of a stack by time": f"SELECT v.* {BELOW.format('changes')} AND {within('v.at', HOUR)}",
    "changes by time": f"SELECT * FROM changes WHERE {within('at', HOUR)}",
    "changes by time in microseconds": f"SELECT * FROM changes WHERE {within('at_us', HOUR_US)}",
    "deploys by uri": f"SELECT * FROM deploys WHERE uri = '{uri('service/answer')}'",
    "deploys of a stack": f"SELECT v.* {BELOW.format('deploys')}",
    "deploys by time": f"SELECT * FROM deploys WHERE {within('started_at', [iso(micros(60)), iso(micros(200))])}",
    "deploys by time in microseconds": f"SELECT * FROM deploys WHERE {within('started_us', [micros(60), micros(200)])}",
    "flaps by uri": f"SELECT * FROM flaps WHERE uri = '{uri('container/flapping')}'",
    "flaps by time": f"SELECT * FROM flaps WHERE {within('since', [iso(micros(299)), iso(micros(301))])}",
    "flaps by time in microseconds": f"SELECT * FROM flaps WHERE {within('since_us', [micros(299), micros(301)])}",
    "flaps of a stack": (
        "SELECT v.* FROM subtree s JOIN flaps v ON v.uri = s.descendant_uri"
        f" WHERE s.ancestor_uri = '{uri('stack/flapping')}'"
    ),
    "coverage_daily by day": "SELECT * FROM coverage_daily WHERE day = '2016-02-01'",
    "availability_daily by uri and day": f"SELECT * FROM availability_daily WHERE uri = '{ONE}' AND day = '2016-02-01'",
    "availability_daily of a stack by day": (
        f"SELECT v.uri, v.planned_seconds {BELOW.format('availability_daily')} AND v.day = '2016-02-01'"
    ),
    "grafana_annotations by uri": f"SELECT * FROM grafana_annotations WHERE uri = '{ONE}'",
    "grafana_annotations by time": (
        f"SELECT * FROM grafana_annotations WHERE {within('started_us', [micros(60), micros(70)])}"
    ),
    "grafana_state_timeline of a stack": f"SELECT v.* {BELOW.format('grafana_state_timeline')}",
    "current_states by type": "SELECT * FROM current_states WHERE type = 'nodecluster'",
    "current_states by uri": f"SELECT * FROM current_states WHERE uri = '{ONE}'",
    "current_states of a stack": f"SELECT v.* {BELOW.format('current_states')}",
    "what lives of a stack": (
        "SELECT v.* FROM subtree s JOIN current_states v ON v.uri = s.descendant_uri"
        f" WHERE s.ancestor_uri = '{uri('stack/busy')}' AND s.holds = 1"
    ),
    "action_log by action": f"SELECT * FROM action_log WHERE action = '{uri('action/answer.3')}'",
    "action_log by target": f"SELECT * FROM action_log WHERE target = '{ONE}'",
    "action_log by time": f"SELECT * FROM action_log WHERE {within('started_at', [iso(micros(60)), iso(micros(70))])}",
    "action_log by microseconds": f"SELECT * FROM action_log WHERE {within('started_us', [micros(60), micros(70)])}",
    "action_log of a stack": (
        f"SELECT v.* FROM subtree s JOIN action_log v ON v.action = s.descendant_uri WHERE s.{ANSWER}"
    ),
    "action_log of what is in a stack": (
        f"SELECT v.* FROM subtree s JOIN action_log v ON v.target = s.descendant_uri WHERE s.{ANSWER}"
    ),
    "subtree from above": f"SELECT * FROM subtree WHERE {ANSWER}",
    "subtree from below": f"SELECT * FROM subtree WHERE descendant_uri = '{ONE}'",
    "subtree of an action": f"SELECT * FROM subtree WHERE descendant_uri = '{uri('action/answer.3')}'",
    "subtree from what happened below": (
        "SELECT e.uri, (SELECT s.since FROM subtree s WHERE s.descendant_uri = e.uri AND s.ancestor_type = 'stack')"
        f" FROM event_log e WHERE {within('e.occurred_at', HOUR)}"
    ),
    "subtree that holds": f"SELECT * FROM subtree WHERE ancestor_uri = '{uri('stack/busy')}' AND holds = 1",
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_filtered_view_costs_the_same_in_a_larger_archive(archives: tuple[str, str], view: str) -> None:
    small, _ = archives
    statement = VIEWS[view]
    answers = [answer_of_sql(url, statement, by_index=True) for url in archives]
    found, more = (answer.rows for answer in answers)
    assert found
    assert "id = 77" in statement or found == more

    costs = [answer.cost for answer in answers]

    if view.endswith("by type") and small.startswith("postgresql"):
        # It does not know how many are of a type that it reads from a table: it may go through the list of objects.
        assert costs[1] < 2 * rows(archives[1], "SELECT count(*) FROM resources")[0][0]
    else:
        assert not grown(*costs, small), costs


def test_annotations_of_a_stack_cost_the_same_in_a_larger_file(archives: tuple[str, str]) -> None:
    if archives[0].startswith("postgresql"):
        pytest.skip("it takes no join into the parts of a UNION, and looks at all actions")
    answers = [answer_of_sql(url, f"SELECT v.* {BELOW.format('grafana_annotations')}") for url in archives]

    assert answers[0].rows == answers[1].rows > 0
    assert not grown(*(answer.cost for answer in answers), archives[0]), answers


def test_a_day_of_availability_costs_the_same_for_each_container(archives: tuple[str, str]) -> None:
    """More lived on from the past: the answer is as much longer."""
    small, _ = archives
    statement = "SELECT uri, up_seconds, planned_seconds FROM availability_daily WHERE day = '2016-02-01'"

    costs = [cost_of_sql(url, statement, by_index=True) // len(rows(url, statement)) for url in archives]

    assert not grown(*costs, small), costs


# --- the cookbook ---------------------------------------------------------------------------------------------------

VALUES = {
    "stack": uri("stack/answer"),
    "container": ONE,
    "moved": ONE,
    "flapping": uri("container/flapping"),
    "from": iso(micros(0)),
    "time": iso(micros(8_000)),
    "from_us": str(micros(0)),
    "time_us": str(micros(8_000)),
    "at": iso(micros(4_000)),
    "day": "2016-02-01",
}
BOUNDED = [recipe for recipe in RECIPES if set(re.findall(r"<(\w+)>", recipe.queries["sqlite"])) & VALUES.keys()]


@pytest.mark.parametrize("recipe", BOUNDED, ids=lambda recipe: recipe.title)
def test_a_recipe_of_the_cookbook_costs_the_same_in_a_larger_archive(archives: tuple[str, str], recipe: Recipe) -> None:
    small, _ = archives
    query = recipe.queries["sqlite" if small.startswith("sqlite") else "postgresql"]
    statement = re.sub(r"<(\w+)>", lambda place: VALUES[place[1]], query)

    costs = [cost_of_sql(url, statement, by_index=True) for url in archives]

    assert not grown(*costs, small), costs


# --- objects that say much ------------------------------------------------------------------------------------------


def others() -> Iterator[Any]:
    """Many that say little."""
    for number in range(300):
        yield event(f"container/{number}", "Running", number)
        yield seen(f"container/{number}", "Running", 400 + number)


def flapping(words: range) -> Iterator[Any]:
    """One that says much; some of its states are told again and again."""
    for number in words:
        second = 1000 + number * 10
        yield event("container/flapping", ("Running", "Stopped", "stopped")[number % 3], second)
        yield seen("container/flapping", "Stopped" if number % 3 else "Running", second + 5)


@pytest.mark.parametrize(
    "view", ["state_spans", "event_log", "state_spans of an hour"], ids=lambda view: view.replace(" ", "_")
)
def test_a_row_costs_the_same_of_an_object_that_says_much(empty_database_url: str, view: str) -> None:
    statement = f"SELECT * FROM {view.split()[0]} WHERE uri = '{uri('container/flapping')}'"
    if "hour" in view:
        statement += f" AND {within('since', [iso(micros(2000)), iso(micros(2400))])}"
    costs = []
    migrate.create(empty_database_url)
    with Recorder(empty_database_url) as recorder:
        recorder.record(list(others()))
        for words in (range(200), range(200, 2000)):
            recorder.record(list(flapping(words)))
            analysed(empty_database_url)
            answer = answer_of_sql(empty_database_url, statement, by_index=True)
            costs.append(answer.cost * 100 // answer.rows)

    assert not grown(*costs, empty_database_url), costs
