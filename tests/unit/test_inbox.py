"""The queue between the threads that receive and the one that spools."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from archiver import inbox as module
from archiver.inbox import Inbox
from archiver.model import Alive, Item, Message


def message(number: int, size: int = 0) -> Message:
    return Message("s", "a", "tutum", number, b"x" * size)


def test_it_gives_everything_at_once_in_order() -> None:
    inbox = Inbox()
    given: list[Item] = [message(1), Alive("s", "a", 2), message(3)]
    for item in given:
        inbox.put(item)
    assert inbox.take_all(0) == given
    assert inbox.take_all(0) == []


def test_it_gives_what_is_left_after_it_was_closed_and_then_none() -> None:
    inbox = Inbox()
    inbox.put(message(1))
    inbox.close()
    assert inbox.take_all(10) == [message(1)]
    assert inbox.take_all(10) is None


def test_closing_wakes_who_waits() -> None:
    inbox = Inbox()
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(inbox.take_all, 30)
        inbox.close()
        assert taken.result(5) is None


def test_who_puts_waits_while_there_is_no_room() -> None:
    inbox = Inbox(most_bytes=10_000)
    entered = []

    def put() -> None:
        for number in range(10):
            inbox.put(message(number, 3000))
            entered.append(number)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(put)
        got: list[Item] = []
        while len(got) < 10:
            part = inbox.take_all(5)
            assert part
            assert len(part) <= 4
            got += part
        done.result(5)
    assert got == [message(number, 3000) for number in range(10)]


def test_a_message_larger_than_the_room_passes_alone() -> None:
    inbox = Inbox(most_bytes=1000)
    inbox.put(message(1, 5000))
    assert inbox.take_all(0) == [message(1, 5000)]


def test_messages_without_a_byte_are_bounded_as_well() -> None:
    inbox = Inbox(most_bytes=1 << 40)
    full = threading.Event()

    def put() -> None:
        for _ in range(module.MOST_ITEMS):
            inbox.put(message(1))
        full.set()
        inbox.put(message(1))

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(put)
        assert full.wait(20)
        assert not done.done()
        assert len(inbox.take_all(0) or ()) == module.MOST_ITEMS
        done.result(5)
