"""The daemon is killed again and again under load: what was spooled is archived, once, and in its order.

ARCHIVER_TEST_KILLS is the number of kills on each database.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from archiver.simulator.service.server import Simulator

from ..conftest import SpawnArchiver
from .recording import archived, held, known, load, sessions, wait_for

KILLS = int(os.environ.get("ARCHIVER_TEST_KILLS", "12"))
PATIENCE = 180
"""Seconds for which the last events are waited for; each look reads them all."""


@pytest.mark.timeout(2 * PATIENCE + 10 * KILLS)
def test_nothing_spooled_is_missing_twice_or_invented(
    spawn_archiver: SpawnArchiver, database_url: str, tmp_path: Path
) -> None:
    dice = random.Random(20)
    spool = tmp_path / "spool.db"
    expected: list[int] = []
    with load() as (platform, sender):

        def start() -> subprocess.Popen[str]:
            return spawn_archiver(
                "run", "--stream", platform.stream_url, "--spool", str(spool), "--log-level", "warning",
                env={"ARCHIVER_DATABASE_URL": database_url},
                stdout=subprocess.DEVNULL,
            )  # fmt: skip

        for turn in range(KILLS):
            # Now and then the archive is held by somebody else, so that the spool is all there is.
            with held(database_url) if turn % 4 == 3 else nullcontext():
                process = start()
                _let_it_work(platform, process, dice, starting=turn % 4 == 1)
                process.send_signal(signal.SIGKILL)
                _, log = process.communicate()
            assert (process.returncode, log) == (-signal.SIGKILL, "")
            if not spool.exists():
                continue
            now = known(database_url, spool)
            assert now[: len(expected)] == expected
            expected = now
        process = start()
        assert platform.wait_for_clients(1)
        wait_for(lambda: len(archived(database_url)) > len(expected), PATIENCE, pause=0.2)
        process.terminate()
        assert process.wait(10) == 0
        sender.stop()
        everything, found = known(database_url, spool), archived(database_url)
        assert everything[: len(expected)] == expected
        assert found == everything[: len(found)]
        # What it had no time left for waits in the spool, for the next.
        process = start()
        assert platform.wait_for_clients(1)
        wait_for(lambda: archived(database_url)[: len(everything)] == everything, PATIENCE, pause=0.2)
        process.terminate()
        assert process.wait(10) == 0
        assert found == sorted(set(found)), "each once, in the order of sending"
        assert set(found) <= set(sender.sent())
        assert len(found) > 400 * KILLS
        reasons = sessions(database_url)
        assert reasons[-2:] == ["stopped", "stopped"]
        assert set(reasons[:-2]) == {"the archiver stopped without a word"}
    if database_url.startswith("sqlite"):
        with sqlite3.connect(database_url.removeprefix("sqlite:///")) as archive:
            assert archive.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        archive.close()


def _let_it_work(platform: Simulator, process: subprocess.Popen[str], dice: random.Random, *, starting: bool) -> None:
    """Until some time after it is connected; or only until somewhere in its start."""
    if starting:
        time.sleep(dice.uniform(0.2, 0.8))
        return
    wait_for(lambda: platform.clients or process.poll() is not None)
    time.sleep(dice.uniform(0.0, 0.6))
