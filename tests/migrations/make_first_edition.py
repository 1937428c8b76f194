"""Makes the fixture `first_edition/`: an archive, a spool and answers as version 0.1.0 wrote them.

    python -m tests.migrations.make_first_edition

It takes the released code out of the history, so it runs in a clone only; the tests need nothing but the files.
"""

from __future__ import annotations

import json
import lzma
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

RELEASED = "bdf9894"
"""The commit of version 0.1.0."""
HERE = Path(__file__).resolve().parent
FIXTURE = HERE / "first_edition"
STREAM, SECOND_STREAM, ENGINE = "wss://stream.example/v1/events", "ws://other.example/api/v1", "unix:///var/run/e.sock"
START = 1_454_328_000_000_000  # 2016-02-01T12:00:00Z
SECOND = 1_000_000
CAPITALS = "/api/v1/container/5D3B4F2A-7C11-4E0B-9B6F-0A4F6C2D1E00/"
INSTANTS = {
    "receivers": ("updated_at",),
    "sessions": ("opened_at", "covered_from", "authenticated_at", "last_seen_at", "closed_at"),
    "events": ("occurred_at", "received_at"),
    "observations": ("observed_at",),
    "rejects": ("received_at",),
}
TABLES = (
    "archive_properties",
    "streams",
    "receivers",
    "event_types",
    "event_actions",
    "event_states",
    "sessions",
    "resources",
    "events",
    "event_parents",
    "resource_parents",
    "observations",
    "rejects",
    "alembic_version",
)


def main() -> None:
    """Runs the released code on what is recorded here, and packs what it leaves."""
    with tempfile.TemporaryDirectory() as folder:
        released, made = Path(folder, "released"), Path(folder, "made")
        made.mkdir()
        _git("worktree", "add", "--detach", str(released), RELEASED)
        try:
            environment = os.environ | {"PYTHONPATH": str(released), "TZ": "UTC", "LC_ALL": "C.UTF-8"}
            command = [sys.executable, __file__, "record", str(made)]
            subprocess.run(command, check=True, env=environment, cwd=folder)
        finally:
            _git("worktree", "remove", "--force", str(released))
        FIXTURE.mkdir(exist_ok=True)
        for name in ("archive.db", "spool.db", "mirrored.jsonl", "exported.jsonl", "answers.json"):
            _pack(name, (made / name).read_bytes())
        _pack("archive.sql", (made / "schema.sql").read_bytes() + _rows(made / "archive.db").encode())


def _git(*arguments: str) -> None:
    subprocess.run(["git", "-C", str(HERE), *arguments], check=True, capture_output=True)


def _pack(name: str, content: bytes) -> None:
    (FIXTURE / f"{name}.xz").write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))


def _rows(archive: Path) -> str:
    """The rows as statements for PostgreSQL."""
    lines = []
    with closing(sqlite3.connect(archive)) as connection:
        for table in TABLES:
            if table == "alembic_version":
                continue  # the script that makes the tables writes it
            cursor = connection.execute(f"SELECT * FROM {table}")
            columns = ", ".join(column[0] for column in cursor.description)
            lines += [f"INSERT INTO {table} ({columns}) VALUES ({', '.join(map(_literal, row))});" for row in cursor]
    return "BEGIN;\n" + "\n".join(lines) + "\nCOMMIT;\n"


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


# --- what the released code does --------------------------------------------------------------------------------------


def record(made: Path) -> None:
    """Writes archive, spool and answers; runs within the released code."""
    from archiver.importer import import_lines  # type: ignore[import-not-found]
    from archiver.queries.archive import Archive  # type: ignore[import-not-found]

    from archiver.storage import migrate
    from archiver.storage.recorder import Recorder

    url, other = f"sqlite:///{made}/archive.db", f"sqlite:///{made}/other.db"
    (made / "schema.sql").write_text("\n".join(migrate.sql("postgresql")) + "\n")
    for one in (url, other):
        migrate.upgrade(one)
    with Recorder(other) as recorder:
        recorder.record([_opened("m", 0, SECOND_STREAM), *_mirrored("m", 8), _reject("half a message", 9, "m")])
    with Archive.open(other) as archive:
        first = [line.encode() + b"\n" for line in archive.export()]
    _spool_tutum(url, made / "spool.db")
    with Recorder(url, "an engine's spool") as recorder:
        everything = _engines()
        for start in range(0, len(everything), 40):
            part = everything[start : start + 40]
            recorder.record(part, start + len(part))
    import_lines(url, first)
    import_lines(url, [_wire("container/imported", "Running", 50, ["service/1"]), b"no event\n", CAPTURE])
    with Recorder(other) as recorder:
        recorder.record(list(_mirrored("m", 12, after=8)))
    with Archive.open(other) as archive:
        (made / "mirrored.jsonl").write_text("".join(line + "\n" for line in archive.export()))
    with Archive.open(url) as archive:
        (made / "exported.jsonl").write_text("".join(line + "\n" for line in archive.export()))
    answers = {" ".join(question): _answer(made, question) for question in _questions(url)}
    (made / "answers.json").write_text(json.dumps(answers, indent=1, sort_keys=True))
    with closing(sqlite3.connect(made / "archive.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").fetchall()


CAPTURE = (
    b'{"type":"container","action":"create","state":"Starting","parents":[],"resource_uri":"/api/v1/container/9/",'
    b'"date":"2015-12-07T04:01:01+00:00"}\n'
)


def _spool_tutum(url: str, path: Path) -> None:
    """What a daemon has received; the last of it waits in its spool."""
    from archiver.decoder import decode  # type: ignore[import-not-found]
    from archiver.decoder.observation import observe  # type: ignore[import-not-found]
    from archiver.spool import Spool  # type: ignore[import-not-found]

    from archiver.model import Message, Observed
    from archiver.storage.recorder import Recorder

    spool = Spool(path)
    try:
        with Recorder(url, spool.identity) as recorder:
            spool.follow(recorder.position())
        items = list(_tutum())
        for start in range(0, len(items), 10):
            spool.append(items[start : start + 10])
        with Recorder(url, spool.identity) as recorder:
            done = 0
            while (group := spool.take(done, 30, 1 << 20)) is not None and group.last < len(items) - 5:
                records = []
                for item in group.items:
                    known = {Message: decode, Observed: observe}.get(type(item))
                    records.append(known(item) if known else item)
                recorder.record(records, group.last)
                done = group.last
                spool.discard(done - 7)  # as after a crash: some of what is archived is still there
    finally:
        spool.close()


def _tutum() -> Iterator[Any]:
    from archiver.model import Alive, Closed, Message

    def said(second: float, ref: str, state: str | None = None, parents: tuple[str, ...] = (), **more: Any) -> Any:
        return Message(STREAM, session, "tutum", _at(second), _wire(ref, state, second, parents, **more))

    web, worker = ("service/web", "stack/shop", "node/1", "nodecluster/a"), ("service/worker", "stack/shop", "node/2")
    session = "t1"
    yield _opened(session, 0)
    yield Message(STREAM, session, "tutum", _at(0), b'{"type":"auth"}')
    for n, (second, state) in enumerate(((1, "Starting"), (2, "Running"), (3, "Stopping"), (4, "Stopped"))):
        yield said(second, "container/c1", state, web, uuid=f"1b4e28ba-2fa1-11d2-883f-0016d3cca42{n}")
        yield said(second + 0.25, "service/web", state, ("stack/shop",))
        yield said(second + 0.5, "container/c2", state, worker, action="create")
    yield said(5, "stack/shop", "Running", name="told elsewhere")
    yield said(4, "container/c1", "Stopped", web, uuid="1b4e28ba-2fa1-11d2-883f-0016d3cca423")  # told twice
    yield said(4, "container/c1", "Running", web, uuid="1b4e28ba-2fa1-11d2-883f-0016d3cca423")  # and once otherwise
    yield said(
        6, "container/c1", "Running", ("service/web", "stack/shop", "node/2", "nodecluster/a")
    )  # on another node
    yield said(7, "service/worker", "Running", ("stack/other",))  # moved
    yield said(8, "service/api", "Starting", ("stack/shop", "stack/shop"), resource_uri="/api/app/v1/acme/service/api/")
    yield said(9, "service/api", "Running", resource_uri="https://cloud.docker.com/api/v1/service/api/")
    yield said(10, "container/x", "Running", ("node/1",), resource_uri=CAPITALS)
    yield said(11, "container/x", "Stopped", ("node/1",), resource_uri=CAPITALS.lower())
    yield said(12, "container/x", "Running", resource_uri=CAPITALS)
    yield said(13, "action/a1", "Pending", ("container/c1", *web), action="create")
    yield said(14, "action/a1", "Success", ("container/c1", *web), uuid="exactly16letters")
    yield said(15, "action/a2", "In progress", ("service/web", "stack/other"))  # what has nothing to do with each other
    yield said(16, "container/c2", "Terminated", worker)
    yield said(18, "container/c2", "Running", ("service/worker",))  # there again
    yield said(17, "container/c2", "Starting", ())  # late
    yield said(19, "odd", None, resource_uri="urn:odd", weight=[1, {"a": None}], text="\0\ud800", uuid=5)
    yield Message(STREAM, session, "tutum", _at(20), b"\xff\xfe not text")
    yield Message(STREAM, session, "tutum", _at(20), b'{"no":"type"}')
    yield Alive(STREAM, session, _at(30))
    yield Closed(STREAM, session, _at(30), "the connection ended without a close frame")
    session = "t2"
    yield _opened(session, 60)
    for n in range(60):
        ref = f"container/many{n % 12}"
        place = ("service/web", f"node/{n % 3}") if n % 4 else ("service/web",)
        yield said(60 + n, ref, ("Starting", "Running", "Stopped", "Running", "Terminated")[n // 12], place)
    yield Closed(STREAM, session, _at(125), "stopped")
    session = "t3"
    yield _opened(session, 200)
    for n in range(30):
        yield said(200 + n, f"container/many{n % 12}", "Running" if n % 2 else "Starting", ("service/api",))
    yield said(240, "node/1", "Deployed", ("nodecluster/a",))
    session = "t4"  # t3 was never closed
    yield _opened(session, 300)
    for n in range(20):
        yield said(300 + n, f"service/s{n}", "Running", ("stack/late",), uuid=f"9b4e28ba-2fa1-11d2-883f-0016d3cca4{n}")


def _engines() -> list[Any]:
    """What a manager of a swarm told and was asked, with two sessions; the second goes on."""
    from archiver.decoder import decode
    from archiver.decoder.observation import observe

    from archiver.model import Alive, Closed, Message, Observed

    messages = (HERE.parent / "data" / "docker-swarm-events.jsonl").read_text().splitlines()[:150]
    engine, node, swarm = "6f6b0f4e-engine", "elhjv6yqokane39uazprlt9r2", "xq0swarm"
    first = 1_795_426_054 * SECOND

    def asked(
        kind: str, key: str, state: str | None, name: str, parents: list[str], second: float, **extra: Any
    ) -> Any:
        value = {"uri": f"/docker/v1/{kind}/{key}/", "state": state, "name": name, "parents": parents, "extra": extra}
        return observe(Observed(ENGINE, "d1", "docker", first + int(second * SECOND), json.dumps(value).encode()))

    found: list[Any] = [
        _opened("d1", 0, ENGINE, "docker", first - SECOND),
        asked("node", node, "ready", "vm", [f"/docker/v1/nodecluster/{swarm}/"], -1, engine=engine, role="manager"),
        asked("container", "f" * 64, "running", "old-one", [f"/docker/v1/node/{node}/"], -1, image="bb:1"),
        asked("stack", f"{swarm}.shop", None, "shop", [], -1),
    ]
    for place, text in enumerate(messages):
        if place == 100:
            found += [
                Closed(ENGINE, "d1", first + 40 * SECOND, "connection reset"),
                _opened("d2", 0, ENGINE, "docker", first + 50 * SECOND),
                asked("container", "f" * 64, "exited (0)", "old-one", [f"/docker/v1/node/{node}/"], 50),
            ]
        value = {"engine": engine, "node": node, "swarm": swarm, "message": json.loads(text)}
        at = value["message"]["timeNano"] // 1000 + 1500
        session = "d1" if place < 100 else "d2"
        found.append(decode(Message(ENGINE, session, "docker", at, json.dumps(value).encode())))
    gone = {"Type": "service", "Action": "remove", "scope": "swarm", "timeNano": (first + 60 * SECOND) * 1000,
            "Actor": {"ID": "bskckbw4ko7deya2elbppxetx", "Attributes": {"name": "shop_web"}}}  # fmt: skip
    removal = {"engine": engine, "node": node, "swarm": swarm, "message": gone}
    found.append(decode(Message(ENGINE, "d2", "docker", first + 60 * SECOND, json.dumps(removal).encode())))
    return [*found, Alive(ENGINE, "d2", first + 61 * SECOND)]


def _mirrored(session: str, upto: int, after: int = 0) -> Iterator[Any]:
    from archiver.decoder import decode

    from archiver.model import Message, Observation

    for n in range(after, upto):
        message = _wire(f"container/m{n % 3}", "Running" if n % 2 else "Stopped", n, ["service/m"])
        event = decode(Message(SECOND_STREAM, session, "tutum", _at(n), message))
        yield event._replace(name=f"m{n % 3}") if n % 3 else event
        if n % 4 == 0:
            uri = f"/api/v1/container/m{n % 3}/"
            yield Observation(uri, "Running", None, ("/api/v1/node/m/",), _at(n + 0.5), '{"asked":1}', session)


def _at(second: float) -> int:
    return START + int(second * SECOND)


def _iso(at: int) -> str:
    from archiver.model import iso

    return str(iso(at)).replace(".000000", "")


def _wire(ref: str, state: str | None, second: float, parents: Any = (), **more: Any) -> bytes:
    value = {"type": ref.partition("/")[0], "action": "update", "resource_uri": f"/api/v1/{ref}/", "state": state}
    value |= {"parents": [f"/api/v1/{parent}/" for parent in parents], "datetime": _iso(_at(second))} | more
    return json.dumps({key: found for key, found in value.items() if found is not None}).encode() + b"\n"


def _opened(session: str, second: float, stream: str = STREAM, dialect: Any = "tutum", at: int = 0) -> Any:
    from archiver.model import Opened

    return Opened(stream, session, dialect, at or _at(second), at or _at(second))


def _reject(text: str, second: float, session: str) -> Any:
    from archiver.model import Reject

    return Reject(text.encode(), "cut short", _at(second), session)


# --- what it answers --------------------------------------------------------------------------------------------------


def _questions(url: str) -> Iterator[tuple[str, ...]]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        query = """SELECT r.uri, t.text FROM resources r JOIN event_types t ON t.id = r.type_id
                   WHERE t.text IN ('service', 'stack', 'node', 'nodecluster') OR r.id % 4 = 0 ORDER BY r.uri"""
        for uri, kind in connection.execute(query):
            yield ("history", uri, "-o", "json")
            yield ("actions", uri, "-o", "json")
            if kind in ("stack", "nodecluster"):
                yield ("tree", uri, "-o", "json")
                yield ("events", "--under", uri, "-n", "0", "-o", "jsonl")
    yield ("events", "-n", "0", "-o", "jsonl")
    yield ("tree", "-o", "json")
    yield ("status", "-o", "json")


def _answer(made: Path, question: tuple[str, ...]) -> list[Any]:
    command = [sys.executable, "-m", "archiver", "--database", f"sqlite:///{made}/archive.db", *question]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [done.returncode, done.stdout]


if __name__ == "__main__":
    record(Path(sys.argv[2])) if sys.argv[1:2] == ["record"] else main()
