"""Long work says how far it has come, how fast it goes and how long it will take."""

from __future__ import annotations

import io

from archiver.cli.progress import ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def shown(out: io.StringIO, *reached: tuple[float, int], total: int = 1_000_000) -> list[str]:
    clock = Clock()
    line = ProgressLine(out, clock)
    for seconds, done in reached:
        clock.now = 100.0 + seconds
        line.show((done, total))
    line.end()
    return out.getvalue().split("\r\x1b[K")


def test_on_a_terminal_one_line_is_written_over_and_is_gone_at_the_end() -> None:
    assert shown(Terminal(), (1, 5_000), (2, 30_000)) == [
        "",
        "5,000 of 1,000,000 rows",
        "30,000 of 1,000,000 rows, 25,000 a second, 39 s to go",
        "",
    ]


def test_what_was_done_before_says_nothing_of_the_rate() -> None:
    assert shown(Terminal(), (1, 900_000), (11, 901_000))[-2].endswith("100 a second, 16 min to go")


def test_elsewhere_there_is_a_line_now_and_then() -> None:
    reached = [(float(second), 1000 * second) for second in range(1, 31)]

    assert shown(io.StringIO(), *reached) == [
        "10,000 of 1,000,000 rows, 1,000 a second, 16 min to go\n"
        "20,000 of 1,000,000 rows, 1,000 a second, 16 min to go\n"
        "30,000 of 1,000,000 rows, 1,000 a second, 16 min to go\n"
    ]
