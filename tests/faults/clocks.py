"""The clock of the daemon's machine is set, forward and back, by an hour and by a day."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.recording import rows

from .bench import Bench, Broken
from .fault import Impossible, fault

_LIBRARIES = ("libfaketime.so.1",)


@fault(
    "the daemon's clock is set by an hour and by a day, forward and back (libfaketime)",
    "the stream is not left, each step is said and ends a session, no gap ends before it begins",
)
def clock_set(bench: Bench) -> str:
    library = next((path for name in _LIBRARIES for path in Path("/usr/lib").glob(f"*/faketime/{name}")), None)
    if library is None:
        raise Impossible("there is no libfaketime here (apt-get install faketime)")
    clock = bench.folder / "clock"
    _set(clock, 0)
    bench.by_time = False
    faked = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    bench.start(env=faked)
    bench.archives(100)
    steps, ahead = [], 0
    for _ in range(bench.size.turns):
        steps += [bench.dice.choice((-1, 1)) * bench.dice.choice((3_600, 86_400)) for _ in range(2)]
    for number, step in enumerate(steps, 1):
        ahead += step
        _set(clock, ahead)
        bench.waits_for_log("the session of", number)
        bench.archives(100)
    if bench.platform.handshakes != 1:
        raise Broken("the stream was left")
    bench.until(lambda: _ended(bench) >= len(steps), "each step ends a session")
    if (ended := _ended(bench)) > len(steps):
        raise Broken(f"{ended} sessions ended by {len(steps)} steps")
    bench.prove()  # by a daemon whose clock is the machine's again
    if wrong := rows(bench.url, "SELECT since, until FROM gap_log WHERE until_us < since_us"):
        raise Broken(f"gaps end before they begin: {wrong}")
    return f"{len(steps)} steps"


def _ended(bench: Bench) -> int:
    return int(rows(bench.url, "SELECT count(*) FROM sessions WHERE kind = 'clock'")[0][0])


def _set(clock: Path, ahead: int) -> None:
    """At once: a file that is empty for a moment is another step."""
    new = clock.with_name("clock.new")
    new.write_text(f"{ahead:+d}")
    new.replace(clock)
