"""Waiting for a connection: said at growing intervals, given up only while there has never been one."""

from __future__ import annotations

import re
import threading

from archiver.cli.patience import Patience


class Said(list[str]):
    """What was said, with the news that there is more."""

    def __init__(self) -> None:
        self.more = threading.Condition()

    def say(self, text: str) -> None:
        with self.more:
            self.append(text)
            self.more.notify_all()

    def wait_for(self, number: int) -> bool:
        with self.more:
            return self.more.wait_for(lambda: len(self) >= number, 10)


def test_the_first_connection_is_given_up_in_time() -> None:
    said = Said()
    patience = Patience(0.3, said.say, first_pause=0.05)
    with patience.about("unix:///x"):
        patience.lost("No such file")
        assert patience.over.wait(5)

    assert 1 <= len(said) <= 3, "0.05, 0.15 and perhaps 0.3 s after the beginning"
    assert re.fullmatch(r"no connection to unix:///x for \d s: No such file", said[0])


def test_a_connection_that_was_lost_is_waited_for_for_ever() -> None:
    said = Said()
    patience = Patience(0.1, said.say, first_pause=0.05)
    with patience.about("unix:///x"):
        patience.rewarded()
        assert not patience.over.wait(0.2)
        assert said == []
        patience.lost("closed by the engine")
        assert said.wait_for(3)

    assert not patience.over.is_set()


def test_who_is_not_kept_waiting_hears_nothing() -> None:
    said = Said()
    with Patience(5, said.say, first_pause=5).about("unix:///x"):
        pass

    assert said == []
