"""The daemon is killed or told to stop at any moment, its first and its upgrade of the archive included."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import nullcontext

from tests.acceptance.recording import held, rows
from tests.migrations import released

from .bench import Bench, Broken
from .fault import fault


@fault(
    "SIGKILL at random moments under load, the start and the making of the first tables included;"
    " every fourth time somebody else holds the archive",
    portion=("kills", 125),
)
def killed(bench: Bench) -> str:
    for turn in range(bench.size.kills):
        # Somebody can hold only what is there.
        with held(bench.url) if turn % 4 == 3 and bench.tally.read() else nullcontext():
            process = bench.start("--log-level", "warning")
            _work(bench, process)
            bench.kill(process)
        bench.look()
    return f"{bench.size.kills} kills"


@fault(
    "SIGTERM and SIGINT at random moments under load; every second time another one soon after",
    "it ends within 10 s with code 0",
    portion=("stops", 50),
)
def stopped(bench: Bench) -> str:
    for turn in range(bench.size.stops):
        started, connected = (bench.log().count(text) for text in ("recording into", "connected to"))
        process = bench.start()
        bench.waits_for_log("recording into", started + 1)
        _work(bench, process)
        number = signal.SIGINT if turn % 3 else signal.SIGTERM
        process.send_signal(number)
        if turn % 2:
            time.sleep(bench.dice.uniform(0, 0.2))
            process.send_signal(number)
        # Before it listens it has nothing to bring to an end, and dies of a signal as any program does.
        at_once = () if bench.log().count("connected to") > connected else (130, -number)
        _ends_well(bench, process, at_once)
        bench.look()
    return f"{bench.size.stops} stops"


@fault(
    "the daemon is frozen (SIGSTOP) for some seconds under load, and goes on; every second time it is told to end"
    " meanwhile",
    "what nobody listened to is archived, or in a gap; it ends within 10 s with code 0",
)
def frozen(bench: Bench) -> str:
    process = bench.start()
    for turn in range(bench.size.turns + 1):
        bench.archives(100)
        process.send_signal(signal.SIGSTOP)
        time.sleep(bench.dice.uniform(0.5, 5.0))
        if turn % 2:
            process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        if turn % 2:
            _ends_well(bench, process, ())
            bench.look()
            process = bench.start()
    return f"{bench.size.turns + 1} times"


@fault(
    "db upgrade of an archive of 0.1.0 is killed at random moments, again and again, while a daemon receives",
    "every event of the old archive is there, once; what came meanwhile waits in the spool",
)
def upgrade_killed(bench: Bench) -> str:
    released.load(bench.url)
    old = len(released.words(bench.url)["Event"])
    bench.start()
    bench.waits_for_log("db upgrade")
    for turn in range(bench.size.kills):
        upgrade = bench.spawn("db", "upgrade")
        time.sleep(bench.dice.uniform(0.3, 1.0 + turn / 10))  # at last it comes to its end
        bench.kill(upgrade)
        if upgrade.returncode == 0:
            break
    last = bench.spawn("db", "upgrade")
    if last.wait(bench.patience):
        raise Broken(f"the upgrade ends with {last.returncode}: {bench.log()[-500:]}")
    bench.archives(300)
    told = rows(bench.url, """SELECT count(*) FROM event_log WHERE extra IS NULL OR extra NOT LIKE '{"n":%'""")[0][0]
    if told < old:
        raise Broken(f"{old} events were there, and {told} are")
    return f"{turn + 1} kills"


def _work(bench: Bench, process: subprocess.Popen[bytes]) -> None:
    """Mostly until some time after it listens; every now and then only until somewhere in its start."""
    if bench.dice.random() < 0.25:
        time.sleep(bench.dice.uniform(0.0, 1.0))
        return
    bench.until(lambda: bench.platform.clients or process.poll() is not None, "it listens")
    time.sleep(bench.dice.uniform(0.0, 0.8))


def _ends_well(bench: Bench, process: subprocess.Popen[bytes], also: tuple[int, ...]) -> None:
    asked = time.monotonic()
    try:
        code = process.wait(bench.patience)
    except subprocess.TimeoutExpired:
        raise Broken(f"it had not ended after {bench.patience:.0f} s") from None
    if code not in (0, *also) or time.monotonic() - asked > 10:
        raise Broken(f"it ended with {code} after {time.monotonic() - asked:.1f} s: {bench.log()[-500:]}")
