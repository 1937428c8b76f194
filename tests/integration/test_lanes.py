"""What a picture is drawn from: all that was under something within a range, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from archiver.api.archive import Archive
from archiver.errors import NoSuchResource, TooMuchForPicture
from archiver.model import Lanes, TimeRange
from archiver.queries import lane_words as asking
from archiver.queries.lanes import lanes
from archiver.queries.reader import Reader
from archiver.storage import migrate

from ..conftest import DATABASES, PostgresServer
from .archives import at, between, closed, event, opened, record, uri
from .pictured import GAP, HOUR, STACK, WEB, archived, container


@pytest.fixture(scope="module", params=DATABASES)
def day_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An archive of either database with a day in it, which is only read."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('day') / 'archive.db'}"
        migrate.create(url)
        yield archived(url)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database(request.getfixturevalue("postgres_template")) as url:
        yield archived(url)


@pytest.fixture
def archive(day_url: str) -> Iterator[Archive]:
    with Archive.open(day_url) as archive:
        yield archive


def names(answer: Lanes) -> list[tuple[int, str | None]]:
    return [(lane.depth, lane.name) for lane in answer.lanes]


def test_the_lanes_of_a_stack_are_its_tree_with_what_is_gone(archive: Archive) -> None:
    assert names(archive.lanes("shop")) == [
        (0, "shop"),
        (1, "shop_db"),
        (2, "shop_db.1.d"),
        (2, "shop_db.1.e"),
        (1, "shop_web"),
        (2, "shop_web.1.a"),
        (2, "shop_web.1.c"),
        (2, "shop_web.1.g"),
        (2, "shop_web.2.b"),
        (2, "shop_web.2.f"),
    ]


def test_without_a_reference_the_lanes_are_those_of_everything(archive: Archive) -> None:
    everything = archive.lanes()
    assert everything.resource is None
    assert names(everything) == names(archive.lanes("shop"))


@pytest.mark.parametrize("root", [STACK, WEB, container(2), None])
def test_each_lane_says_what_history_says(archive: Archive, root: str | None) -> None:
    for within in (TimeRange(), between(4 * HOUR, 9 * HOUR), between(6 * HOUR, 6.5 * HOUR)):
        for lane in archive.lanes(root, within).lanes:
            told = archive.history(lane.uri, within)
            assert [span._replace(kind=None, seen=()) for span in lane.spans] == [
                span._replace(seen=()) for span in told.spans
            ]


def test_each_state_has_its_kind(archive: Archive) -> None:
    (lane,) = archive.lanes(container(4)).lanes
    assert [(span.state, span.kind) for span in lane.spans] == [
        ("created", "starting"),
        ("running", "up"),
        ("exited (137)", "down"),
        ("removed", "gone"),
    ]
    assert lane.spans[2].note == "out of memory"


def test_actions_stand_at_what_they_were_done_to(archive: Archive) -> None:
    done = {lane.uri: [action.name for action in lane.actions] for lane in archive.lanes("shop").lanes if lane.actions}
    assert done == {WEB: ["deploy"], container(7): ["kill"]}
    everywhere = {lane.uri: [action.name for action in lane.actions] for lane in archive.lanes().lanes if lane.actions}
    assert everywhere == done


def test_a_state_seen_again_behind_a_gap_says_so(archive: Archive) -> None:
    (lane,) = archive.lanes(container(3)).lanes
    assert [span.seen for span in lane.spans if span.state == "running"] == [(at(GAP[1] + 60),)]


def test_the_lanes_of_a_range_are_what_was_there_then(archive: Archive) -> None:
    found = names(archive.lanes("shop", between(3.5 * HOUR, 3.6 * HOUR)))
    assert [name for depth, name in found if depth == 2] == ["shop_db.1.d", "shop_web.1.c", "shop_web.2.b"]


def test_what_lived_in_silence_and_has_ended_since_has_a_lane(database_url: str) -> None:
    record(database_url, event("container/a", "Running", 0), event("container/b", "Running", 0))
    record(database_url, event("container/a", "Terminated", 10_000), event("container/c", "Running", 10_000))

    with Archive.open(database_url) as archive:
        drawn = [lane.uri for lane in archive.lanes(None, between(4_000, 5_000)).lanes]

    assert drawn == [uri("container/a"), uri("container/b")]


def test_coverage_is_that_of_the_streams_that_told(archive: Archive) -> None:
    gaps = archive.lanes("shop", between(0, 9 * HOUR)).coverage.gaps
    assert [(gap.since, gap.until) for gap in gaps] == [(at(GAP[0]), at(GAP[1]))]


def test_what_moved_stands_where_it_was_last(database_url: str) -> None:
    record(
        database_url,
        event("service/a", "Running", 0, ["stack/s"]),
        event("service/b", "Running", 0, ["stack/s"]),
        event("container/c", "Running", 1, ["service/a", "stack/s"]),
        event("container/c", "Running", 50, ["service/b", "stack/s"]),
    )
    with Archive.open(database_url) as archive:
        before, after = archive.lanes("stack/s", between(0, 10)), archive.lanes("stack/s")
    assert [lane.uri for lane in before.lanes] == [
        uri(ref) for ref in ("stack/s", "service/a", "container/c", "service/b")
    ]
    assert [lane.uri for lane in after.lanes] == [
        uri(ref) for ref in ("stack/s", "service/a", "service/b", "container/c")
    ]


def test_an_unknown_reference_is_an_error(archive: Archive) -> None:
    with pytest.raises(NoSuchResource):
        archive.lanes("nobody")


def test_an_empty_archive_has_no_lanes(database_url: str) -> None:
    with Archive.open(database_url) as archive:
        assert archive.lanes().lanes == ()


# --- bounds ---------------------------------------------------------------------------------------------------------


def ask(url: str, **most: int) -> Lanes:
    reader = Reader(url)
    try:
        return lanes(reader.pages(), None, TimeRange(), at(10 * HOUR), **most)
    finally:
        reader.close()


def test_more_than_can_be_drawn_is_refused_with_a_way_out(day_url: str) -> None:
    with pytest.raises(TooMuchForPicture, match="more than 9 resources") as refused:
        ask(day_url, most_lanes=9)
    assert "--since" in refused.value.hint
    with pytest.raises(TooMuchForPicture, match="more than 20 changes"):
        ask(day_url, most_changes=20)
    assert len(ask(day_url, most_lanes=10).lanes) == 10


def test_words_are_read_in_pages_of_any_size(day_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ask(day_url)
    for size in (1, 2, 3, 7):
        monkeypatch.setattr(asking, "_PAGE", size)
        assert ask(day_url) == whole


def test_a_lane_is_judged_by_those_who_speak_for_it(database_url: str) -> None:
    other = "ws://other.example/v1/events"
    record(
        database_url,
        opened("a", 0),
        opened("b", 0, stream=other),
        event("container/1", "Running", 1, session="a"),
        event("container/2", "Running", 1, session="b"),
        closed("b", 100, stream=other),
        event("container/1", "Stopped", 150, session="a"),
        opened("c", 200, stream=other),
        event("container/2", "Stopped", 199, session="c"),
        closed("a", 300),
        closed("c", 300, stream=other),
    )
    with Archive.open(database_url) as archive:
        drawn = {lane.uri: lane for lane in archive.lanes(None, between(0, 300)).lanes}
        told = {ref: archive.history(ref, between(0, 300)) for ref in drawn}

    assert {ref: lane.spans[-1].cause and lane.spans[-1].cause.kind for ref, lane in drawn.items()} == {
        uri("container/1"): "crash",
        uri("container/2"): "unknown",
    }
    for ref, lane in drawn.items():
        assert [span._replace(kind=None) for span in lane.spans] == [*told[ref].spans], ref
        assert lane.gaps == told[ref].coverage.gaps, ref
