"""What was known to one stream: an archive answers as one would that had listened to that stream alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from archiver.api.archive import Archive
from archiver.api.known import as_told_by
from archiver.cli import main
from archiver.errors import NoSuchResource, NoSuchStream, NotThen
from archiver.model import Record
from archiver.storage import migrate

from ..conftest import NewArchive, RunArchiver
from .archives import STREAM, at, between, closed, event, micros, opened, record, seen, uri
from .growth import analysed, cost_of, grown
from .test_known import diffed, plain
from .test_numbers import execute

OTHER = f"{STREAM}?other"
"""Of the same account."""
ELSEWHERE = "ws://elsewhere.example/v1/events"
PLACES = [["service/a", "stack/x"], ["service/b", "stack/x"], ["service/c", "stack/y"], ["service/a"], ["stack/y"], []]
REFS = ["container/1", "container/2", "container/3", "service/a", "service/b", "stack/x", "action/1", "action/2"]
ROOTS = ["stack/x", "service/a", "container/1", None]
STATES = ["Running", "Stopped", "Stopping", "Terminated", None]


def world(seed: int) -> Iterator[tuple[str | None, Record]]:
    """What two ways to one account tell, alone or both, what is found, imported, and told of another account."""
    chance = Random(seed)
    for stream, key, gap in ((STREAM, "a", 400), (OTHER, "b", 300), (ELSEWHERE, "z", 900)):
        for part, since in enumerate((0, gap)):
            yield stream, opened(f"{key}{part}", since, stream=stream)
        yield stream, closed(f"{key}0", gap - 20, stream=stream)
        yield stream, closed(f"{key}1", 1000, stream=stream)
    for number in range(110):
        second, ref = float(chance.randrange(880)), chance.choice(REFS)
        above = chance.choice(PLACES)
        if ref.startswith("service"):
            above = chance.choice([["stack/x"], ["stack/y"], []])
        if ref.startswith("stack"):
            above = []
        state = chance.choice(STATES) if not ref.startswith("action") else chance.choice(["In progress", "Success"])
        said = event(ref, state, second, above, name=chance.choice([None, "n1", "n2"]), uuid=f"{number}")
        for stream in chance.choice([[STREAM], [OTHER], [STREAM, OTHER], [OTHER, STREAM], [None], [ELSEWHERE]]):
            yield stream, said._replace(session=session(stream, second))
    for second in (100, 500):
        yield STREAM, seen("container/2", "Running", second, ["stack/x"], session(STREAM, second))
        yield OTHER, seen("container/2", "Stopped", second + 50, ["stack/x"], session(OTHER, second))


def session(stream: str | None, second: float) -> str | None:
    if stream is None:
        return None
    key, gap = {STREAM: ("a", 400), OTHER: ("b", 300), ELSEWHERE: ("z", 900)}[stream]
    return f"{key}{int(second >= gap)}"


def answers(archive: Archive, moments: list[float], ref: str | None) -> Any:
    """All that is asked of one resource, or of everything."""
    first, second = (at(moment) for moment in moments)
    try:
        about = None if ref is None else archive.resolve(ref)
        return (
            plain(archive.at(second, about)),
            diffed(archive.diff(first, second, about)),
            None if about is None else plain(archive.tree(about)),
        )
    except (NotThen, NoSuchResource) as error:
        return type(error)


def judged(archive: Archive, moments: list[float], ref: str | None) -> Any:
    """What is drawn, reported, and came before: that needs the words of what is around as well."""
    within = between(*moments)
    try:
        about = None if ref is None else archive.resolve(ref)
    except NoSuchResource as error:
        return type(error)
    told = [archive.report(name, about, within).rows for name in ("availability", "restarts", "changes", "flaps")]
    lanes = archive.lanes(about, within)
    before = None if about is None else archive.why(about, at(moments[1]), at(moments[0]))
    return told, [lane._replace(actions=()) for lane in lanes.lanes], before and [*before.changes]


def test_it_is_answered_as_if_nobody_else_had_told_of_anything(empty_database_url: str, tmp_path: Path) -> None:
    seed = int(empty_database_url.startswith("sqlite"))
    told, chance = list(world(seed)), Random(seed)
    migrate.create(empty_database_url)
    record(empty_database_url, *(each for _, each in told))
    stream, alone = chance.choice([STREAM, OTHER]), f"sqlite:///{tmp_path / 'alone.db'}"
    migrate.create(alone)
    record(alone, *(each for whose, each in told if whose == stream))
    moments = sorted(chance.sample(range(20, 1050), 2))
    with Archive.open(empty_database_url) as archive, Archive.open(alone) as only:
        for around, ask in ((False, answers), (True, judged)):
            ref = chance.choice(ROOTS)
            about = None if ref is None else archive.resolve(ref, platform=stream)
            with as_told_by(archive, stream, about, around=around) as heard:
                assert _unnamed(ask(heard, moments, ref)) == _unnamed(ask(only, moments, ref)), (ref, stream)


def _unnamed(answer: Any) -> str:
    """An answer without the name of the platform, which is only said where there are several."""
    return re.sub(r"platform='[^']*'|platform=None", "", str(answer))


@pytest.fixture(scope="module")
def two(shared_url: NewArchive) -> str:
    return filled(shared_url())


def filled(url: str) -> str:
    """Two ways to one account: one was away, and the other heard alone that a container had stopped and moved."""
    shop, cart = ["service/web", "stack/shop"], ["service/web", "stack/cart"]
    told = event("container/1", "Running", 10, shop, uuid="1")
    record(
        url,
        *(opened("a", 0), opened("b", 0, stream=OTHER)),
        *(told._replace(session=key) for key in "ab"),
        event("container/2", "Running", 20, ["stack/shop"], "a", uuid="2"),
        event("container/1", "Stopped", 40, cart, "b", uuid="3"),
        event("container/9", "Running", 50, ["stack/shop"], uuid="4"),
        *(closed("a", 30), closed("b", 100, stream=OTHER)),
    )
    return url


@pytest.mark.parametrize(
    ("stream", "states"),
    [(STREAM, {"1": ("Running", False), "2": ("Running", False)}), (OTHER, {})],
)
def test_a_tree_is_that_which_one_stream_knew(two: str, stream: str, states: dict[str, Any]) -> None:
    with Archive.open(two) as archive, as_told_by(archive, stream, archive.resolve("stack/shop")) as told:
        stood = told.at(at(60), "stack/shop")

    below = [child for each in stood.children for child in (each, *each.children) if child.type == "container"]
    assert {(child.uri or "")[-2]: (child.state, child.certain) for child in below} == states
    assert stood.coverage is not None
    assert {gap.stream for gap in stood.coverage.gaps} <= {stream}


def test_what_a_stream_told_nothing_of_is_said(two: str, run_archiver: RunArchiver) -> None:
    done = run_archiver("at", "now", "container/9", "--stream", OTHER, "--database", two)

    assert done.returncode == 3
    assert f"{OTHER} told nothing of {uri('container/9')}" in done.stderr


@pytest.mark.parametrize("stream", [STREAM, OTHER])
def test_what_several_told_was_received_when_this_stream_told_it(database_url: str, stream: str) -> None:
    told = event("container/1", "Running", 10, uuid="1")
    record(database_url, opened("a", 0), opened("b", 0, stream=OTHER))
    record(database_url, *(told._replace(session=key, received_at=micros(n)) for key, n in (("a", 11), ("b", 500))))
    wanted = {STREAM: at(11), OTHER: at(500)}[stream]

    with Archive.open(database_url) as archive:
        (line,) = (line for line in map(json.loads, archive.export_known(None, stream=stream)) if "event" in line)
        with as_told_by(archive, stream) as heard:
            (one,) = heard.events()

    assert datetime.fromisoformat(line["received_at"]) == one.received_at == wanted


def test_a_stream_that_is_not_there_is_refused(two: str) -> None:
    with Archive.open(two) as archive, pytest.raises(NoSuchStream), as_told_by(archive, ELSEWHERE):
        pass


def test_commands_answer_by_what_one_stream_told(
    sqlite_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archiver.cli.common.die_with_the_reader", lambda: None)  # that is this very process
    ends = ("--since", "2016-02-01T12:00:00Z", "--until", "2016-02-01T12:01:00Z")
    filled(sqlite_url)
    for command, here in (
        (("tree", "container/1", "-o", "plain"), "Stopped"),
        (("diff", at(20).isoformat(), at(60).isoformat(), "-o", "csv"), "Stopped"),
        (("report", "changes", "container/1", "-o", "csv", *ends), "Stopped"),
    ):
        codes = [main([*command, "--stream", STREAM, "--database", sqlite_url])]
        one = capsys.readouterr().out
        codes += [main([*command, "--stream", OTHER, "--database", sqlite_url])]
        other = capsys.readouterr().out

        assert codes == [0, 0], command
        assert (here in one, here in other) == (False, True), (command, one, other)


def test_it_is_said_where_hearing_all_anew_takes_long(sqlite_url: str, run_archiver: RunArchiver) -> None:
    execute(sqlite_url, "UPDATE numbers SET last = 3000000 WHERE name = 'events'")
    filled(sqlite_url)

    def said(*about: str) -> str:
        return run_archiver("--database", sqlite_url, "at", at(60).isoformat(), *about, "--stream", STREAM).stderr

    assert "all of it is heard anew, of up to 3,000,0" in said()
    assert "anew" not in said("container/1")


def test_a_picture_that_goes_on_is_not_of_one_stream(two: str, run_archiver: RunArchiver) -> None:
    done = run_archiver("timeline", "--follow", "--stream", STREAM, "--database", two)

    assert done.returncode == 2
    assert "archiver events --stream URL --follow" in done.stderr


def test_the_report_of_coverage_is_of_one_stream(two: str) -> None:
    with Archive.open(two) as archive:
        (row,) = archive.report("coverage", range=between(0, 100), stream=STREAM).rows

    assert (row.stream, row.watched_seconds, row.unwatched_seconds) == (STREAM, 30, 70)


def test_kinds_of_states_are_those_of_the_archive(database_url: str) -> None:
    filled(database_url)
    execute(database_url, "INSERT INTO state_kinds (state, kind) VALUES ('humming', 'up')")
    with Archive.open(database_url) as archive, as_told_by(archive, STREAM) as told:
        assert told.state_kinds() == archive.state_kinds()


def test_what_others_told_costs_nothing(empty_database_url: str) -> None:
    migrate.create(empty_database_url)
    record(empty_database_url, opened("a", 0), opened("z", 0, stream=ELSEWHERE))
    record(empty_database_url, *(event("container/1", "Running", n, ["stack/x"], "a", uuid=f"{n}") for n in range(20)))
    costs = []
    for others in (range(300), range(300, 3_000)):
        record(
            empty_database_url,
            *(event(f"container/o{n % 30}", "Running", n, ["stack/y"], "z", uuid=f"z{n}") for n in others),
        )
        analysed(empty_database_url)
        costs.append(cost_of(empty_database_url, lambda archive: list(archive.export_known(None, stream=STREAM))))

    assert not grown(*costs, empty_database_url), costs
