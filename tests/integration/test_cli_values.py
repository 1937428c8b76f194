"""`archiver values` counts the words of events, `archiver config show` says what is set and where that was found."""

from __future__ import annotations

import json

from archiver.api.archive import Archive

from ..conftest import RunArchiver
from .archives import at, between, closed, event, opened, record


def test_words_are_counted_the_most_frequent_first(database_url: str) -> None:
    told = [("container/1", "Running", 1), ("container/2", "Running", 5), ("container/1", "Stopped", 3)]
    record(database_url, *(event(*one) for one in told), event("service/1", None, 4))

    with Archive.open(database_url) as archive:
        states, types = archive.values("state"), archive.values("type")
        late = archive.values("state", between(3, None))

    assert states == [("Running", 2, at(1), at(5)), ("Stopped", 1, at(3), at(3))]
    assert [(value, events) for value, events, *_ in types] == [("container", 3), ("service", 1)]
    assert late == [("Running", 1, at(5), at(5)), ("Stopped", 1, at(3), at(3))]


def test_values_are_listed_as_the_contract_has_them(sqlite_url: str, run_archiver: RunArchiver) -> None:
    record(sqlite_url, event("container/1", "Running", 1))

    done = run_archiver("--database", sqlite_url, "values", "state", "-o", "json")

    moment = "2016-02-01T12:00:01Z"
    assert json.loads(done.stdout) == [{"value": "Running", "count": 1, "first_at": moment, "last_at": moment}]


def test_values_say_how_well_their_range_was_watched_where_that_is_asked(
    sqlite_url: str, run_archiver: RunArchiver
) -> None:
    record(sqlite_url, opened("a", 0), event("container/1", "Running", 1, session="a"), closed("a", 9))
    ends = ("--since", at(2).isoformat(), "--until", at(8).isoformat())

    found = json.loads(
        run_archiver("--database", sqlite_url, "values", "state", *ends, "--coverage", "-o", "json").stdout
    )

    assert list(found) == ["resource", "range", "coverage", "empty", "values"]
    assert (found["coverage"]["complete"], found["empty"], found["values"]) == (True, "nothing_happened", [])


SECRETS = {
    "ARCHIVER_DATABASE_URL": "postgresql://reader:hunter2@h/archive?password=hunter2",
    "ARCHIVER_STREAM": "wss://ws.example/v1/events?token=hunter2&user=u unix:///run/docker.sock",
    "ARCHIVER_TOKEN": "somebody:hunter2",
}


def test_settings_are_shown_with_their_origin_and_without_secrets(run_archiver: RunArchiver) -> None:
    done = run_archiver("config", "show", "-o", "json", env=SECRETS)
    plain = run_archiver("config", "show", env=SECRETS)

    shown = {each["name"]: each for each in json.loads(done.stdout)}
    assert "hunter2" not in done.stdout + done.stderr + plain.stdout + plain.stderr
    assert shown["database"]["value"] == "postgresql://reader:***@h/archive?password=***"
    assert shown["streams"]["value"] == ["wss://u@ws.example/v1/events", "unix:///run/docker.sock"]
    assert shown["credential"] == {
        "name": "credential",
        "value": "***",
        "origin": "the stream's URL",
        "secret": True,
    }
    assert (shown["spool_limit"]["value"], shown["spool_limit"]["origin"]) == (1 << 30, "default")
    assert "allow_plaintext\tfalse\tdefault\n" in plain.stdout


def test_an_option_before_the_command_is_the_origin(run_archiver: RunArchiver) -> None:
    done = run_archiver("--database", "here.db", "config", "show", "-o", "json", env=SECRETS)

    assert json.loads(done.stdout)[0]["origin"] == "--database"


def test_a_setting_that_cannot_be_used_is_said_so(run_archiver: RunArchiver) -> None:
    done = run_archiver("config", "show", env={"ARCHIVER_AUTH": "smoke"})

    assert done.returncode == 78
    assert "ARCHIVER_AUTH" in done.stderr
