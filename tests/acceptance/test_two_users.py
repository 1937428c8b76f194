"""Two daemons, each with the login of another user of one URL, archive into one PostgreSQL, and are killed in turn."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

from archiver.codec.streams import with_user

from ..conftest import SpawnArchiver
from .recording import load, rows, spooled, wait_for

USERS = ("ann", "bob")
KILLS = 3
"""Of each."""
TOLD = (
    "SELECT split_part(p.name, '@', 1), e.extra::json ->> 'n' FROM events e JOIN platforms p ON p.id = e.platform_id"
    " ORDER BY e.id"
)
WATCHED = "SELECT p.name, t.url, p.id = t.platform_id FROM streams t LEFT JOIN platforms p ON p.id = t.platform_id"
MIXED = (
    "SELECT count(*) FROM events e LEFT JOIN sessions s ON s.id = e.session_id"
    " LEFT JOIN streams t ON t.id = s.stream_id WHERE t.platform_id IS DISTINCT FROM e.platform_id"
)
LENT = "SELECT count(*) FROM sessions s JOIN sessions o ON o.stream_id = s.stream_id AND o.receiver_id <> s.receiver_id"


def told(url: str) -> dict[str, list[int]]:
    """The numbers of what each user's platform told, in the order of archiving."""
    found: dict[str, list[int]] = {user: [] for user in USERS}
    for user, number in rows(url, TOLD):
        found[user] += [] if number is None else [int(number)]
    return found


def test_two_users_of_one_url_stay_apart_whoever_is_killed(
    spawn_archiver: SpawnArchiver, postgres_url: str, tmp_path: Path
) -> None:
    with load(rate=500) as (platform, sender):

        def start(user: str) -> subprocess.Popen[str]:
            return spawn_archiver(
                "run", "--stream", platform.stream_url, "--spool", str(tmp_path / f"{user}.db"),
                env={"ARCHIVER_DATABASE_URL": postgres_url, "ARCHIVER_TOKEN": f"{user}:key-of-{user}"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip

        running = {user: start(user) for user in USERS}
        for user in USERS * KILLS:
            _hears(postgres_url, user)
            running[user].send_signal(signal.SIGKILL)
            assert running[user].wait(10) == -signal.SIGKILL
            running[user] = start(user)
        for user in USERS:
            _hears(postgres_url, user)
        sender.stop()
        waiting: dict[str, Any] = {}
        for user, process in running.items():
            process.terminate()
            assert process.wait(30) == 0
            waiting[user] = list(spooled(tmp_path / f"{user}.db").messages)
        sent = set(sender.sent())

    place = platform.stream_url.partition("://")[2].partition("/")[0]
    assert sorted(rows(postgres_url, WATCHED)) == [
        (f"{user}@{place}", with_user(platform.stream_url, user), True) for user in USERS
    ]
    assert rows(postgres_url, MIXED) == [(0,)]
    assert rows(postgres_url, LENT) == [(0,)]
    for user, numbers in told(postgres_url).items():
        everything = numbers + waiting[user]
        assert everything == sorted(set(everything)), f"{user}: each once, in the order of sending"
        assert set(everything) <= sent
        assert len(numbers) > 100 * KILLS
    ended = rows(postgres_url, "SELECT t.url, count(*) FROM sessions s JOIN streams t ON t.id = s.stream_id GROUP BY 1")
    assert {url for url, _ in ended} == {with_user(platform.stream_url, user) for user in USERS}
    assert min(count for _, count in ended) > KILLS


def _hears(url: str, user: str) -> None:
    """Waits until a daemon has archived some more of what is sent."""
    before = len(told(url)[user])
    wait_for(lambda: len(told(url)[user]) > before + 100, pause=0.1)
