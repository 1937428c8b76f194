"""That what waits of an engine's messages, answers and questions takes bounded memory, whatever is sent."""

from __future__ import annotations

import tracemalloc

from archiver.platforms.docker.endpoint import resolve
from archiver.platforms.docker.http import Api, Limits, Way
from archiver.platforms.docker.inbox import Arrival, Inbox
from archiver.platforms.docker.inventory import Inventory
from archiver.platforms.docker.memory import last_lines
from archiver.platforms.docker.pace import DockerPace
from archiver.platforms.docker.questions import about
from archiver.platforms.docker.stock import MOST_WAITING, Stock

from ..fake_engine import message

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


# --- questions --------------------------------------------------------------------------------------------------------


def stock() -> Stock:
    """One that asks nothing, as while a question hangs."""
    pace, limits = DockerPace(), Limits()
    return Stock(Api(resolve("unix:///nowhere/docker.sock", {}), Way(), 1.0, limits), Inbox(1), pace)


def test_no_more_questions_wait_than_may() -> None:
    asking = stock()

    wanted = [asking.want(about("container", str(number)), soon=number % 2 == 0) for number in range(MOST_WAITING + 5)]
    later = asking.want_later(about("container", "later"), 1)

    assert wanted == [True] * MOST_WAITING + [False] * 5
    assert not later
    assert asking.want(about("container", "0"))


def test_a_question_about_what_has_ended_makes_room() -> None:
    asking = stock()

    for number in range(MOST_WAITING * 2):
        question = about("container", str(number))
        assert asking.want(question) if number % 2 else asking.want_later(question, 1)
        asking.drop(question)
        assert not asking.waits(question)


def test_what_was_not_asked_is_asked_about_after_the_next_list() -> None:
    inventory, listed = Inventory(), [{"Id": "c1", "State": "running"}]
    questions = inventory.listed("container", listed, 17)[1]
    assert inventory.listed("container", listed, 18)[1] == []

    inventory.not_asked(questions[0])

    assert inventory.listed("container", listed, 19)[1] == questions


def test_names_and_containers_that_messages_tell_of_are_bounded() -> None:
    inventory = Inventory()
    for number in range(101_000):
        project = {"com.docker.compose.project": str(number), "com.docker.compose.oneoff": "False"}
        inventory.about(message(1, id=str(number), **project), number)

    there, _ = inventory.remembered()
    assert len(there["container"]) == 100_000
    assert len(inventory._named) == 10_000  # noqa: SLF001 - what it holds shows in nothing else
