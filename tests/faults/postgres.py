"""The server of the archive dies, is stopped, put back to an older state, full of others, or cut off in its COMMIT."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from tests.integration.cutting import commit_cut
from tests.pgcluster import controlled_cluster, find_binaries

from .bench import Bench, Broken
from .disks import filled, small_disk
from .fault import POSTGRES, Size, fault
from .server import OPTIONS, Server


@fault("the server is killed (SIGKILL to all of it) under load, and started again", databases=POSTGRES)
def server_killed(bench: Bench) -> str:
    server = running(bench)
    bench.start()
    for _ in range(bench.size.turns):
        bench.archives(100)
        time.sleep(bench.dice.uniform(0, 0.3))
        server.kill()
        bench.hears(200)
        server.start()
    bench.archives(300)
    return f"{bench.size.turns} kills, {_reconnected(bench)}"


@fault("the server is stopped and started again, as for an update", "the stream is not left", POSTGRES)
def server_restarted(bench: Bench) -> str:
    server = running(bench)
    bench.start()
    for _ in range(bench.size.turns):
        bench.archives(100)
        server.stop()
        bench.hears(500)
        server.start()
    bench.archives(500)
    return f"{bench.size.turns} restarts, {_reconnected(bench)}"


@fault(
    "the server is put back to an older copy of its files while the daemon runs on",
    "what the copy lacks is a gap, in the middle of a session too",
    POSTGRES,
)
def server_restored(bench: Bench) -> str:
    server = running(bench)
    bench.start()
    bench.archives(200)
    copy = bench.folder / "copy"
    server.stop()
    shutil.copytree(server.control.data, copy, symlinks=True)
    server.start()
    bench.archives(1_000)
    server.stop("immediate")
    gone = bench.forget()
    _put_back(server, copy)
    server.start()
    bench.archives(500)
    return f"{gone} events were archived in what was thrown away"


@fault("others take all connections that the server has, and the daemon's is ended", databases=POSTGRES)
def no_connection_left(bench: Bench) -> str:
    server, name = running(bench), make_url(bench.url).database
    plain = make_url(bench.url).set(drivername="postgresql").render_as_string(hide_password=False)
    bench.start()
    bench.archives(100)
    with server.admin() as admin, ExitStack() as others:
        for _ in range(bench.size.turns):
            try:
                while True:
                    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
                    others.enter_context(psycopg.connect(plain.replace(str(name), "postgres"), autocommit=True))
            except psycopg.OperationalError as error:
                if "too many clients" not in str(error) and "remaining connection slots" not in str(error):
                    raise Broken(f"the server refuses for another reason: {error}") from error
            bench.hears(500)
            others.close()
            bench.until(lambda: _clients(admin) < FEW, "the others are gone")
            bench.archives(500)
    return f"{bench.size.turns} times"


FEW = 10


def _clients(admin: psycopg.Connection[tuple[int]]) -> int:
    found = admin.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'").fetchone()
    assert found is not None
    return found[0]


@fault("a proxy cuts the connection at a COMMIT: before the server sees it, or before its answer", databases=POSTGRES)
def commit_cut_off(bench: Bench) -> str:
    for turn in range(bench.size.turns * 2):
        with commit_cut(bench.url, before=turn % 2 == 0) as (proxied, armed):
            process = bench.start(env={"ARCHIVER_DATABASE_URL": proxied})
            bench.archives(100)
            for _ in range(5):
                armed.set()
                bench.until(lambda: not armed.is_set(), "a COMMIT is cut")
                bench.archives(100)
            bench.end(process)
        bench.look()
    return f"{bench.size.turns * 10} COMMITs"


@fault("the server takes what it is sent and answers nothing (SIGSTOP to all of it), then goes on", databases=POSTGRES)
def server_hung(bench: Bench) -> str:
    server = running(bench)
    bench.start()
    for _ in range(bench.size.turns):
        bench.archives(100)
        with server.hung():
            bench.hears(1_000)
        bench.archives(500)
    return f"{bench.size.turns} times"


@fault(
    "the disk of the server's own files is filled by somebody else, and freed; the server is started again where that"
    " ended it",
    "the stream is not left",
    POSTGRES,
)
def server_disk_full(bench: Bench) -> str:
    binaries = find_binaries()
    assert binaries is not None
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="archiver-disk-")))
        place.chmod(0o755)  # the server is somebody else's
        disk = stack.enter_context(small_disk(place / "disk", _for_server(bench.size)))
        url, control = stack.enter_context(controlled_cluster(binaries, OPTIONS, disk))
        server = bench.server = Server(url, control)
        bench.move_to(stack.enter_context(server.database()))
        bench.start()
        for _ in range(bench.size.turns):
            bench.archives(100)
            with filled(disk):
                bench.until(lambda: any(map(bench.trouble, _FULL)), "it says that the archive takes nothing")
                bench.hears(1_000)
            server.start_again()
            bench.archives(1_000)
        said = f"{bench.size.turns} times, {_reconnected(bench)}"
        bench.prove()
        return said


def _for_server(size: Size) -> int:
    """Mebibytes: a server without a database, its log, which it keeps for a while, and all that comes."""
    return max(256, round(48 * size.turns * size.rate / 500))


_FULL = ("No space left", "disk is full", "cannot be reached", "does not answer")


def running(bench: Bench) -> Server:
    assert bench.server is not None
    return bench.server


def _put_back(server: Server, copy: Path) -> None:
    shutil.rmtree(server.control.data)
    shutil.copytree(copy, server.control.data, symlinks=True)
    server.control.own(server.control.data)


def _reconnected(bench: Bench) -> str:
    if bench.platform.handshakes != 1:
        raise Broken(f"the stream was left: {bench.platform.handshakes} connections")
    return "the stream was never left"
