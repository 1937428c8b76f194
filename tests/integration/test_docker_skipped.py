"""What an engine leaves out for a slow listener: its memory brings it, or a gap says that it may be missing."""

from __future__ import annotations

from dataclasses import replace

from archiver.model import Alive, Closed, Item, Message, Opened
from archiver.platforms.docker.feed import COMPARED_EVERY
from archiver.platforms.docker.source import DockerSource

from ..fake_engine import SECOND, FakeEngine, message
from .docker_items import QUICK, Done, both, count, messages, opened, raw, watch

_OFTEN = replace(QUICK, compared_every=0.1)


def _ended(kind: str) -> Done:
    return lambda got: any(isinstance(item, Closed) and item.kind == kind for item in got)


def _closed(got: list[Item]) -> list[Closed]:
    return [item for item in got if isinstance(item, Closed)]


def test_what_was_left_out_is_delivered_where_it_is_remembered_and_nothing_is_doubtful(
    engine: FakeEngine, url: str
) -> None:
    before = engine.told_now(id="before")
    lost: list[dict[str, object]] = []

    def lose(item: Item) -> None:
        if isinstance(item, Alive) and not lost:
            lost.append(engine.told_now(id="lost", dropped=True))
            lost.append(engine.told_now(id="after"))

    got = watch(DockerSource(url, pace=_OFTEN), count(Message, 3), lose)

    assert raw(got) == [before, lost[1], lost[0]]
    assert [item.kind for item in _closed(got)] == ["stopped"]
    assert messages(got)[-1].resume == messages(got)[-2].resume, "the next run goes on from the last one"


def test_where_more_may_be_missing_than_is_remembered_there_is_a_gap(engine: FakeEngine, url: str) -> None:
    engine.told_now(id="before")
    lost: list[dict[str, object]] = []

    def lose(item: Item) -> None:
        if isinstance(item, Alive) and not lost:
            lost.extend(engine.told_now(id=f"lost-{number}", dropped=True) for number in range(300))

    got = watch(DockerSource(url, pace=_OFTEN), both(_ended("skipped"), count(Message, 257)), lose)

    assert [one["timeNano"] for one in raw(got)[1:]] == [one["timeNano"] for one in lost[-256:]]
    first, second = opened(got)
    assert _closed(got)[0].session == first.session
    assert first.at <= _closed(got)[0].at <= second.covered_from
    assert abs(second.covered_from * 1000 - raw(got)[1]["timeNano"]) < SECOND
    assert {item.session for item in messages(got)[1:]} == {second.session}


def test_it_is_compared_before_the_engine_can_have_forgotten(engine: FakeEngine, url: str) -> None:
    told: list[int] = []

    def lose(item: Item) -> None:
        if isinstance(item, Alive) and not told:
            for number in range(COMPARED_EVERY + 2):
                engine.tell(message(number), dropped=number == 7)
            told.append(1)

    got = watch(DockerSource(url, pace=QUICK), count(Message, COMPARED_EVERY + 2), lose)

    assert raw(got)[-1] == message(7)
    assert [item.kind for item in _closed(got)] == ["stopped"]


def test_what_passes_in_time_is_told_once_and_without_a_gap(engine: FakeEngine, url: str) -> None:
    told: list[int] = []

    def tell(item: Item) -> None:
        if isinstance(item, Alive) and len(told) < 2000:
            for _ in range(500):  # more at once than is remembered
                told.append(len(told))
                engine.tell(message(len(told)))

    seen = both(count(Message, 2000), lambda got: sum(isinstance(item, Alive) for item in got[-9:]) > 4)
    got = watch(DockerSource(url, pace=replace(_OFTEN, in_transit=15)), seen, tell)

    assert [one["timeNano"] for one in raw(got)] == [message(number)["timeNano"] for number in range(1, 2001)]
    assert len(opened(got)) == 1
    assert isinstance(got[0], Opened)


def test_what_is_no_message_in_the_place_of_the_memory_was_never_told(engine: FakeEngine, url: str) -> None:
    engine.tell(message(1))
    engine.remembered = lambda: b'{"message":"too many requests"}'  # type: ignore[method-assign]

    got = watch(DockerSource(url, pace=_OFTEN), count(Alive, 8))

    assert raw(got) == [message(1)]
