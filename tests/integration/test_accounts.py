"""An account is a stream and a platform of its own: the user says which, however he logs in, and no key ever does."""

from __future__ import annotations

import base64
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from archiver.api.archive import Archive
from archiver.codec.streams import has_user, with_user, without_user
from archiver.config.settings import shown_stream
from archiver.errors import NoSuchStream
from archiver.model import Condition, Message, Opened
from archiver.platforms.decoders import Decoder
from archiver.platforms.tutum.credentials import Credentials, find_credentials, stream_name
from archiver.platforms.tutum.facts import account
from archiver.platforms.tutum.source import WebsocketSource
from archiver.recording.failures import Failures
from archiver.recording.spooled import decode_item
from archiver.simulator.service.server import STILL, Simulator
from archiver.storage.database.engine import writing_engine
from archiver.storage.recorder import Recorder, Whose
from archiver.storage.schema import receivers
from archiver.transfer.format import event_line, part_head_line
from archiver.transfer.importer import import_lines

from ..conftest import RunArchiver
from .archives import STREAM, closed, event, export, micros, opened, record, rows, wire

KEY = "7d2c-canary-4f1e"
UUID = "526d474c-45cf-4e5b-9768-5a21a9850848"
ANN, BOB, CAT = (with_user(STREAM, user) for user in ("ann", "bob", "cat"))
BASIC = base64.b64encode(f"ann:{KEY}".encode()).decode()


@pytest.mark.parametrize(
    ("url", "environ", "user"),
    [
        (STREAM, {"ARCHIVER_TOKEN": f"ann:{KEY}"}, "ann"),
        (STREAM, {"ARCHIVER_TOKEN": KEY, "ARCHIVER_USER": "ann"}, "ann"),
        (STREAM, {"ARCHIVER_TOKEN": f"Basic {BASIC}"}, "ann"),
        (STREAM, {"ARCHIVER_TOKEN": f"basic {BASIC}"}, "ann"),
        (STREAM, {"TUTUM_AUTH": f"ApiKey ann:{KEY}"}, "ann"),
        (STREAM, {"TUTUM_USER": "ann", "TUTUM_APIKEY": KEY}, "ann"),
        (STREAM, {"TUTUM_AUTH": f"Bearer {KEY}"}, None),
        (STREAM, {"TUTUM_AUTH": f"Basic {base64.b64encode(f'{KEY}:'.encode()).decode()}"}, None),
        (STREAM, {"TUTUM_AUTH": f"Basic {base64.b64encode(KEY.encode()).decode()}"}, None),
        (STREAM, {"TUTUM_AUTH": f"Basic {KEY}"}, None),
        (STREAM, {"TUTUM_AUTH": f"ApiKey {KEY}"}, None),
        (STREAM, {"ARCHIVER_TOKEN": f"{KEY}:{KEY}"}, None),
        (STREAM, {"ARCHIVER_TOKEN": f"{UUID}:ann"}, None),
        (STREAM, {"TUTUM_USER": f"{UUID}{UUID}".replace("-", ""), "TUTUM_APIKEY": "ann"}, None),
        (STREAM, {"TUTUM_AUTH": "ApiKey dckr_pat_a1B2_c3:ann"}, None),
        (STREAM, {}, None),
        (f"{STREAM}?user=ann&token={KEY}", {}, "ann"),
        (f"{STREAM}?auth=ApiKey%20ann:{KEY}", {}, "ann"),
        (with_user(STREAM, "ann").replace("@", f":{KEY}@"), {}, "ann"),
        (ANN, {"ARCHIVER_TOKEN": KEY}, "ann"),
        (ANN, {"ARCHIVER_TOKEN": f"ApiKey ann:{KEY}"}, "ann"),
        (STREAM, {"ARCHIVER_TOKEN": f"ann@x.example:{KEY}"}, "ann%40x.example"),
    ],
)
def test_the_user_of_a_login_is_part_of_the_streams_name(
    url: str, environ: dict[str, str], user: str | None, tmp_path: Any
) -> None:
    name = stream_name(url, find_credentials(environ, tmp_path, url))

    assert name == (STREAM if user is None else STREAM.replace("//", f"//{user}@"))
    assert WebsocketSource(url, find_credentials(environ, tmp_path, url), allow_plaintext=True).stream == name


@pytest.mark.parametrize("token", [f"bob:{KEY}", f"Bearer {KEY}", "ann"])
def test_a_user_in_the_url_is_no_place_for_a_key_or_for_somebody_else(token: str, tmp_path: Any) -> None:
    with pytest.raises(Exception, match="a user without a key") as refused:
        find_credentials({"ARCHIVER_TOKEN": token}, tmp_path, ANN)
    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    ("login", "shown"),
    [
        (f"{KEY}:@", ""),
        (f"{UUID}@", ""),
        (f"{UUID}:ann@", ""),
        (f":{KEY}@", ""),
        (f"ann:{KEY}@", "ann@"),
        ("ann@", "ann@"),
        (f"\u00e4nn:{KEY}@", ""),
    ],
)
def test_a_key_in_the_place_of_a_user_is_not_shown(login: str, shown: str) -> None:
    assert shown_stream(STREAM.replace("//", f"//{login}")) == STREAM.replace("//", f"//{shown}")


def test_a_sign_of_a_user_beyond_the_place_is_none() -> None:
    url = "wss://stream.example?of=a@b"
    assert (without_user(url), has_user(url)) == (url, False)
    assert without_user(with_user(url, "ann")) == url


@pytest.mark.parametrize(
    ("url", "owner"),
    [
        ("wss://ws.cloud.docker.com/api/audit/v1/events", ""),
        ("wss://ann@ws.cloud.docker.com/api/audit/v1/events", "ann@"),
        ("wss://ann@ws.cloud.docker.com/api/audit/v1/acme/events/", "acme@"),
        ("wss://bob@ws.cloud.docker.com:443/api/audit/v1/acme/events", "acme@"),
        ("wss://ann@ws.cloud.docker.com/api/audit/v1/ann/events", "ann@"),
    ],
)
def test_an_organisation_is_the_platform_whoever_of_it_listens(url: str, owner: str) -> None:
    assert account(url) == f"https://{owner}ws.cloud.docker.com"


# --- in the archive ---------------------------------------------------------------------------------------------------


def told(user: str | None, second: float, state: str = "Running", session: str | None = None) -> list[Any]:
    """A session of a user, or of nobody knows whom, in which a container tells of itself."""
    stream, key = with_user(STREAM, user), session or f"{user}{second}"
    return [
        opened(key, second, stream=stream),
        event("container/1", state, second + 1, session=key),
        closed(key, second + 5, stream=stream),
    ]


def platforms(url: str) -> list[tuple[Any, ...]]:
    return rows(
        url,
        "SELECT p.name, s.url, (SELECT count(*) FROM sessions o WHERE o.stream_id = s.id) FROM platforms p"
        " JOIN streams s ON s.platform_id = p.id ORDER BY p.id, s.id",
    )


def test_two_users_of_one_url_are_two_streams_and_two_platforms(database_url: str) -> None:
    record(database_url, *told("ann", 0), receiver="one", upto=3)
    record(database_url, *told("bob", 2, "Stopped"), receiver="two", upto=3)
    record(database_url, *told("ann", 10), receiver="one", upto=6)

    assert platforms(database_url) == [("ann@stream.example", ANN, 2), ("bob@stream.example", BOB, 1)]
    assert rows(database_url, "SELECT platform, state FROM current_states ORDER BY 1") == [
        ("ann@stream.example", "Running"), ("bob@stream.example", "Stopped"),
    ]  # fmt: skip
    gaps = rows(database_url, "SELECT stream FROM gap_log WHERE until IS NOT NULL")
    assert gaps == [(ANN,)]
    with Archive.open(database_url) as archive:
        assert [gap.stream for gap in archive.coverage(stream=BOB).gaps if gap.since and gap.until] == []
        with pytest.raises(NoSuchStream) as unclear:
            archive.coverage(stream=STREAM)
        assert unclear.value.known == (ANN, BOB)


@pytest.mark.parametrize("upgraded", [True, False])
def test_the_first_who_names_himself_goes_on_with_what_nobody_was_named_for(database_url: str, upgraded: bool) -> None:
    record(database_url, *told(None, 0), receiver="one", upto=3)
    trouble = Condition(ANN, "tutum", micros(7), "trouble", "HTTP 503")
    record(database_url, trouble, receiver="one", upto=4)
    assert rows(database_url, "SELECT s.url FROM stream_conditions c JOIN streams s ON s.id = c.stream_id") == [
        (STREAM,)
    ]

    record(database_url, *told("ann", 10), receiver="one" if upgraded else "two", upto=7)
    record(database_url, *told("bob", 20), receiver="three", upto=3)
    record(database_url, *told("ann", 30), *told(None, 40), receiver="one", upto=13)

    assert platforms(database_url) == [
        ("ann@stream.example", ANN, 3), ("bob@stream.example", BOB, 1), ("stream.example", STREAM, 1),
    ]  # fmt: skip
    assert rows(database_url, "SELECT count(*) FROM stream_conditions") == [(0,)]
    with Archive.open(database_url) as archive:
        one = archive.resolve("container/1", platform="ann@stream.example")
        assert [span.events for span in archive.history(one).spans] == [3]


def test_who_listens_without_a_name_keeps_his_stream_while_others_come(database_url: str) -> None:
    record(database_url, opened("x", 0), event("container/1", "Running", 1, session="x"), receiver="one", upto=2)

    record(database_url, *told("ann", 2, "Stopped"), receiver="two", upto=3)

    assert platforms(database_url) == [("stream.example", STREAM, 1), ("ann@stream.example", ANN, 1)]


def test_who_listens_without_a_name_keeps_his_stream_whatever_the_clock_of_who_comes(database_url: str) -> None:
    record(database_url, opened("x", 0), event("container/1", "Running", 1, session="x"), receiver="one", upto=2)

    record(database_url, *told("ann", 3600, "Stopped"), receiver="two", upto=3)

    assert platforms(database_url) == [("stream.example", STREAM, 1), ("ann@stream.example", ANN, 1)]


def test_who_has_not_been_heard_of_for_a_minute_keeps_nobody_from_his_stream(database_url: str) -> None:
    record(database_url, opened("x", 0), event("container/1", "Running", 1, session="x"), receiver="one", upto=2)
    engine = writing_engine(database_url)
    with engine.begin() as connection:
        connection.execute(update(receivers).values(updated_at=datetime.now(UTC) - timedelta(seconds=61)))
    engine.dispose()

    record(database_url, *told("ann", 2, "Stopped"), receiver="two", upto=3)

    assert platforms(database_url) == [("ann@stream.example", ANN, 2)]


def test_trouble_before_somebody_could_log_in_gives_him_nothing_of_who_listens_without_a_name(
    database_url: str,
) -> None:
    record(database_url, opened("x", 0), event("container/1", "Running", 1, session="x"), receiver="one", upto=2)
    record(database_url, Condition(ANN, "tutum", micros(2), "trouble", "HTTP 503"), receiver="two", upto=1)

    record(database_url, *told("ann", 3, "Stopped"), receiver="two", upto=4)

    assert platforms(database_url) == [("stream.example", STREAM, 1), ("ann@stream.example", ANN, 1)]


def test_what_another_told_is_imported_beside_who_listens_without_a_name(
    database_url: str, request: pytest.FixtureRequest
) -> None:
    other = "postgres_url" if database_url.startswith("sqlite") else "sqlite_url"
    copy = str(request.getfixturevalue(other))
    record(copy, *told("ann", 0, "Stopped"), receiver="one", upto=3)
    record(database_url, opened("x", 0), event("container/1", "Running", 1, session="x"), receiver="one", upto=2)

    for _ in range(2):
        import_lines(database_url, [line.encode() + b"\n" for line in export(copy)])
    record(database_url, opened("y", 9), receiver="one", upto=3)

    assert platforms(database_url) == [("stream.example", STREAM, 2), ("ann@stream.example", ANN, 1)]
    assert rows(database_url, "SELECT platform, count(*) FROM event_log GROUP BY 1 ORDER BY 1") == [
        ("ann@stream.example", 1), ("stream.example", 1),
    ]  # fmt: skip


def test_two_users_of_an_organisation_tell_of_one_platform_and_have_their_own_besides(database_url: str) -> None:
    place = "wss://{}@ws.cloud.docker.com/api/audit/v1/{}events".format
    for number, (user, path) in enumerate([("ann", "acme/"), ("bob", "acme/"), ("ann", ""), ("ann", "ann/")]):
        session = f"s{number}"
        record(database_url, opened(session, number, stream=place(user, path)), event("stack/1", session=session))

    found = rows(
        database_url, "SELECT p.name, count(*) FROM events e JOIN platforms p ON p.id = e.platform_id GROUP BY 1"
    )
    assert sorted(found) == [("acme@ws.cloud.docker.com", 2), ("ann@ws.cloud.docker.com", 2)]


def test_a_copy_keeps_accounts_apart_and_a_copy_of_before_they_had_names_is_had_already(
    database_url: str, request: pytest.FixtureRequest
) -> None:
    record(database_url, *told(None, 0), receiver="one", upto=3)
    before = [line.encode() + b"\n" for line in export(database_url)]
    record(database_url, *told("ann", 10), receiver="one", upto=6)
    other = "postgres_url" if database_url.startswith("sqlite") else "sqlite_url"
    copy = str(request.getfixturevalue(other))
    import_lines(copy, before)

    import_lines(copy, [line.encode() + b"\n" for line in export(database_url)])
    import_lines(copy, before)

    assert export(copy)[1:] == export(database_url)[1:]
    record(database_url, *told("bob", 20), receiver="two", upto=3)
    import_lines(copy, [line.encode() + b"\n" for line in export(database_url)])
    assert platforms(copy) == platforms(database_url) == [
        ("ann@stream.example", ANN, 2), ("bob@stream.example", BOB, 1),
    ]  # fmt: skip


@pytest.fixture
def unnamed(database_url: str) -> list[bytes]:
    """An export of before anybody had named himself; since then two have, and the first went on with its stream."""
    words = [event("container/2", "Running", 2, uuid=UUID), event("container/2", "Stopped", 3)]
    record(database_url, *told(None, 0), *words, receiver="one", upto=5)
    copy = [line.encode() + b"\n" for line in export(database_url)]
    record(database_url, *told("ann", 10), receiver="one", upto=8)
    record(database_url, *told("bob", 20), receiver="two", upto=3)
    return copy


def test_what_two_users_have_told_since_leaves_an_export_of_before_where_it_was(
    database_url: str, unnamed: list[bytes]
) -> None:
    before = export(database_url)

    import_lines(database_url, unnamed)

    assert export(database_url) == before


def test_what_an_export_of_before_has_more_of_goes_where_its_sessions_are(
    database_url: str, unnamed: list[bytes]
) -> None:
    (session,) = (line for line in unnamed if b'"archiver":"session"' in line)
    other = session.replace(b'"None0"', b'"None5"')
    told_of = json.loads(wire("container/3"))
    more = [event_line(n, key, micros(n), {}, told_of).encode() for n, key in ((8, "None5"), (9, None))]

    import_lines(database_url, [unnamed[0], unnamed[1], other, session, *(line + b"\n" for line in more)])

    assert platforms(database_url) == [("ann@stream.example", ANN, 3), ("bob@stream.example", BOB, 1)]
    assert rows(database_url, "SELECT platform, count(*) FROM event_log WHERE uri LIKE '%/3/' GROUP BY 1") == [
        ("ann@stream.example", 2)
    ]


@pytest.mark.parametrize("known", ["uuid", "object"])
def test_a_part_of_an_export_of_before_goes_to_who_has_something_of_it(
    database_url: str, unnamed: list[bytes], known: str
) -> None:
    head, platform = part_head_line("x", None, None, []).encode(), unnamed[1]
    one = wire("container/2", "Running", 2, uuid=UUID) if known == "uuid" else wire("container/2", "Running", 5)
    events = [one, wire("container/2", "Terminated", 9)]
    lines = [event_line(n, None, micros(2), {}, json.loads(each)).encode() for n, each in enumerate(events, 1)]
    before = platforms(database_url)

    import_lines(database_url, [line + b"\n" for line in (head, platform.strip(), *lines)])

    assert platforms(database_url) == before
    assert rows(database_url, "SELECT platform, state FROM current_states WHERE uri LIKE '%container/2/'") == [
        ("ann@stream.example", "Terminated")
    ]


def test_what_nobody_knows_of_an_export_of_before_is_a_platform_of_its_own(
    database_url: str, unnamed: list[bytes]
) -> None:
    lines = [line.replace(b'"None0"', b'"x"').replace(b"container/", b"stack/") for line in unnamed]
    lines = [line.replace(UUID.encode(), UUID.replace("5", "6").encode()) for line in lines]

    import_lines(database_url, lines)

    names = ["ann@stream.example", "bob@stream.example", "stream.example"]
    assert [(name, url) for name, url, _ in platforms(database_url)] == list(
        zip(names, [ANN, BOB, STREAM], strict=True)
    )
    assert rows(database_url, "SELECT count(*) FROM event_log WHERE platform = 'stream.example'") == [(3,)]


def test_an_engine_that_says_who_it_is_leaves_an_export_of_before_where_it_was(database_url: str) -> None:
    engine = "unix:///var/run/docker.sock"
    opening = Opened(engine, "e", "docker", micros(0), micros(0))
    record(database_url, opening, receiver="one", upto=1)
    record(
        database_url, event("/docker/container/1", "running", 1, session="e", type="container"), receiver="one", upto=2
    )
    copy = [line.encode() + b"\n" for line in export(database_url)]
    told = Condition(engine, "docker", micros(2), "identity", json.dumps({"engine": "ABC", "name": "one"}))
    record(database_url, told, receiver="one", upto=3)
    before = export(database_url)

    import_lines(database_url, copy)

    assert export(database_url) == before


def test_what_is_asked_of_a_stream_is_of_who_asks(database_url: str) -> None:
    record(database_url, *told(None, 0), receiver="one", upto=3)
    with Recorder(database_url) as recorder:
        assert recorder.watched(ANN, None, 0).is_known
        recorder.record([event("container/2")], whose=Whose(ANN))
    record(database_url, *told("ann", 10), *told("bob", 20), receiver="one", upto=9)
    with Recorder(database_url) as recorder:
        assert not recorder.watched(CAT, None, 0).is_known
        recorder.record([event("container/3")], whose=Whose(account(CAT)))

    found = rows(
        database_url, "SELECT p.key, r.key FROM resources r JOIN platforms p ON p.id = r.platform_id ORDER BY 1, 2"
    )
    assert found == [
        ("http://ann@stream.example", "1"), ("http://ann@stream.example", "2"),
        ("http://bob@stream.example", "1"), ("http://cat@stream.example", "3"),
    ]  # fmt: skip


# --- by a real websocket ----------------------------------------------------------------------------------------------


def listened(url: str, platform: Simulator, credentials: Credentials | None, receiver: str) -> None:
    """Archives one event that comes over a connection of its own."""
    source, stop, decoder, failures = (
        WebsocketSource(platform.stream_url, credentials),
        threading.Event(),
        Decoder(),
        Failures(),
    )
    limit = threading.Timer(30.0, stop.set)
    limit.start()
    with Recorder(url, receiver) as recorder:
        for item in source.items(stop):
            recorder.record([decode_item(item, decoder, failures)])
            if isinstance(item, Opened):
                assert platform.wait_for_clients()
                platform.send(wire("container/1", "Running", 1, uuid="526d474c-45cf-4e5b-9768-5a21a9850848").decode())
            if isinstance(item, Message) and b"resource_uri" in item.payload:
                stop.set()
    limit.cancel()


def test_two_accounts_of_one_url_are_recorded_apart_over_real_connections(
    database_url: str, run_archiver: RunArchiver
) -> None:
    with Simulator(pacing=STILL) as platform:
        for number, login in enumerate([Credentials(KEY, "ann"), Credentials(f"ApiKey bob:{KEY}"), None]):
            listened(database_url, platform, login, f"spool {number}")
        names = [with_user(platform.stream_url, user) for user in ("ann", "bob", None)]

    shown = run_archiver("--database", database_url, "status", "-o", "json").stdout
    gaps = run_archiver("--database", database_url, "gaps", "-o", "jsonl", "--stream", names[0]).stdout
    assert [stream["url"] for stream in json.loads(shown)["streams"]] == names
    assert {json.loads(line)["stream"] for line in gaps.splitlines()} <= {names[0]}
    assert rows(
        database_url, "SELECT count(DISTINCT platform), count(*) FROM event_log WHERE uri LIKE '%container/1/'"
    ) == [(3, 3)]
    assert KEY not in "\n".join([shown, gaps, *export(database_url)])
