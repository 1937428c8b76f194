"""The queue between the threads that receive and the one that spools."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from archiver.model import Alive, Item, Message
from archiver.recording.handover import LAST_ROOM, Handover


def message(number: int, size: int = 0) -> Message:
    return Message("s", "a", "tutum", number, b"x" * size)


def test_it_gives_everything_at_once_in_order() -> None:
    handover = Handover()
    given: list[Item] = [message(1), Alive("s", "a", 2), message(3)]
    for item in given:
        handover.put(item)
    assert handover.take_all(0) == given
    assert handover.take_all(0) == []


def test_it_gives_what_is_left_after_it_was_closed_and_then_none() -> None:
    handover = Handover()
    handover.put(message(1))
    handover.close()
    assert handover.take_all(10) == [message(1)]
    assert handover.take_all(10) is None


def test_closing_wakes_who_waits() -> None:
    handover = Handover()
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(handover.take_all, 30)
        handover.close()
        assert taken.result(5) is None


def test_who_puts_waits_while_there_is_no_room() -> None:
    handover = Handover(most_bytes=10_000)
    entered = []

    def put() -> None:
        for number in range(10):
            handover.put(message(number, 3000))
            entered.append(number)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(put)
        got: list[Item] = []
        while len(got) < 10:
            part = handover.take_all(5)
            assert part
            assert len(part) <= 4
            got += part
        done.result(5)
    assert got == [message(number, 3000) for number in range(10)]


def test_a_message_larger_than_the_room_passes_alone() -> None:
    handover = Handover(most_bytes=1000)
    handover.put(message(1, 5000))
    assert handover.take_all(0) == [message(1, 5000)]


def test_messages_without_a_byte_are_bounded_as_well() -> None:
    handover = Handover(most_bytes=1 << 40, most_items=100)
    full = threading.Event()

    def put() -> None:
        for _ in range(100):
            handover.put(message(1))
        full.set()
        handover.put(message(1))

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(put)
        assert full.wait(20)
        assert not done.done()
        assert len(handover.take_all(0) or ()) == 100
        done.result(5)


def test_at_the_end_who_waits_for_room_has_some() -> None:
    handover = Handover(most_items=2)
    given: list[Item] = [message(number) for number in range(2 * LAST_ROOM)]
    handover.put(given[0])
    handover.put(given[1])
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(lambda: [handover.put(item) for item in given[2:]])
        assert not done.done()
        handover.make_room()
        done.result(20)
    assert handover.take_all(0) == given
