"""That what waits of an engine's messages, answers and questions takes bounded memory, whatever is sent."""

from __future__ import annotations

import tracemalloc

from archiver.platforms.docker.http import Limits
from archiver.platforms.docker.inbox import Arrival, Inbox
from archiver.platforms.docker.memory import last_lines

MIB = 1 << 20


def test_the_shortest_messages_take_no_more_memory_than_may_wait() -> None:
    inbox = Inbox(MIB)
    tracemalloc.start()

    put = next(number for number in range(1_000_000) if not inbox.put(Arrival(1_700_000_000_000_000 + number, b"x")))

    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert put > 1000
    assert taken < 2 * MIB


def test_what_was_taken_out_makes_room() -> None:
    inbox = Inbox(1000)

    for number in range(100):
        assert inbox.put(Arrival(number, b"x" * 700))
        assert inbox.get(0) is not None


def test_of_a_memory_of_the_shortest_lines_the_last_are_taken() -> None:
    lines = last_lines(b"x\n" * 100_000 + b'{"last":1}\n', Limits(waiting=MIB))

    assert lines[-1] == b'{"last":1}'
    assert 1000 < len(lines) < 10_000


def test_a_memory_is_taken_whole_where_it_fits() -> None:
    told = [b'{"n":%d,"text":"%s"}' % (number, b"x" * 300) for number in range(1000)]

    assert last_lines(b"\n".join(told), Limits()) == told
