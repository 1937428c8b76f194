"""The simulator over real sockets: the stream, the REST API, and every way it can fail its clients."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from archiver.simulator.service.server import STILL, Admission, Listening, Pacing, Simulator, World, serve
from archiver.simulator.world.living import generate

CREDENTIALS = ("demo", "s3cret")
BASIC = "Basic " + b64encode(b"demo:s3cret").decode()


@pytest.fixture
def scripted() -> Iterator[Simulator]:
    with Simulator(pacing=STILL) as simulator:
        yield simulator


@contextmanager
def join(simulator: Simulator, query: str = "", headers: dict[str, str] | None = None) -> Iterator[ClientConnection]:
    """A client that has heard the greeting, and that the simulator knows of."""
    number = simulator.clients + 1
    url = simulator.stream_url + query
    with connect(url, additional_headers=headers, proxy=None, close_timeout=1) as client:
        assert json.loads(client.recv(timeout=5)) == {"type": "auth"}
        assert simulator.wait_for_clients(number)
        yield client


def test_who_speaks_tls_is_told_at_once_that_the_simulator_does_not(scripted: Simulator) -> None:
    host, _, port = scripted.stream_url.removeprefix("ws://").partition("/")[0].partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert raw.recv(4096).startswith(b"HTTP/1.1 400")


def get(
    url: str, headers: dict[str, str] | None = None, method: str = "GET", body: bytes | None = None
) -> tuple[int, dict[str, Any]]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, headers=headers or {}, method=method, data=body)
    try:
        with opener.open(request, timeout=5) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


# --- the stream -----------------------------------------------------------------------------------------------------


def test_a_client_hears_the_whole_life_at_full_speed() -> None:
    with (
        Simulator(
            pacing=Pacing(speed=0, limit=2000), world=World(seed=9), listening=Listening(record_sent=True)
        ) as simulator,
        join(simulator) as client,
    ):
        heard = [str(client.recv(timeout=5)) for _ in range(2000)]

        assert [json.loads(text) for text in heard] == list(generate(9, 2000))
        assert simulator.finished.wait(5)
        assert simulator.sent_texts == heard
        assert simulator.sent == 2000


def test_after_its_limit_it_is_silent_but_answers_pings() -> None:
    with Simulator(pacing=Pacing(speed=0, limit=10)) as simulator, join(simulator) as client:
        for _ in range(10):
            client.recv(timeout=5)

        with pytest.raises(TimeoutError):
            client.recv(timeout=0.1)
        assert client.ping().wait(5)


def test_every_client_hears_the_same() -> None:
    with (
        Simulator(pacing=Pacing(speed=0, limit=500, wait_for=2)) as simulator,
        join(simulator) as one,
        join(simulator) as two,
    ):
        assert [one.recv(5) for _ in range(500)] == [two.recv(5) for _ in range(500)]


def test_in_real_time_events_are_dated_by_the_wall_clock() -> None:
    with Simulator(pacing=Pacing(speed=600.0, wait_for=1)) as simulator, join(simulator) as client:
        event = json.loads(client.recv(timeout=5))
        _, listed = get(simulator.rest_url + "/api/v1/nodecluster/")

    assert abs(simulator.platform.spelling.moment(0).timestamp() - datetime.now(UTC).timestamp()) < 30
    assert event["type"] == "nodecluster"
    assert listed["meta"]["total_count"] == 1


def test_a_late_client_hears_only_what_happens_from_then_on(scripted: Simulator) -> None:
    with join(scripted) as early:
        scripted.send({"n": 1})
        assert early.recv(timeout=5) == '{"n":1}'
        with join(scripted) as late:
            scripted.send({"n": 2})
            assert late.recv(timeout=5) == '{"n":2}'


@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/", "/api/audit/v1/events", "/api/audit/v1/acme/events/"])
def test_the_stream_is_at_all_known_paths(scripted: Simulator, path: str) -> None:
    with connect(f"ws://127.0.0.1:{scripted.port}{path}", proxy=None) as client:
        assert client.recv(timeout=5) == '{"type":"auth"}'


def test_a_namespace_is_part_of_the_stream_url() -> None:
    with Simulator(pacing=STILL, world=World(flavour="dockercloud", namespace="acme")) as simulator, join(simulator):
        assert simulator.stream_url.endswith("/api/audit/v1/acme/events")


def test_filters_choose_by_type_object_and_parents(scripted: Simulator) -> None:
    wanted = {"type": "container", "resource_uri": "/api/v1/container/c1/", "parents": ["/api/v1/stack/s1/"]}
    others = [wanted | {"type": "service"}, wanted | {"resource_uri": "/x/c2/"}, wanted | {"parents": []}]
    query = "?type=container,node&object=/api/app/v1/container/c1/&parents=/api/app/v1/stack/s0/,/api/app/v1/stack/s1/"
    with join(scripted, query) as client:
        for event in [*others, wanted]:
            scripted.send(event)

        assert json.loads(client.recv(timeout=5)) == wanted


def test_texts_and_bytes_are_pushed_as_they_are(scripted: Simulator) -> None:
    with join(scripted) as client:
        scripted.send("}{")
        scripted.send(b"\x00\xff")

        assert client.recv(timeout=5) == "}{"
        assert client.recv(timeout=5) == b"\x00\xff"


def test_prepared_texts_are_pushed_in_order(scripted: Simulator) -> None:
    with join(scripted) as client:
        scripted.send_all(str(n) for n in range(1000))

        assert [client.recv(timeout=5) for _ in range(1000)] == [str(n) for n in range(1000)]
        assert scripted.sent == 1000


def test_at_full_speed_time_stands_still_while_nobody_listens() -> None:
    with Simulator(
        pacing=Pacing(speed=0, limit=20_000),
        world=World(seed=2),
        listening=Listening(queue_bytes=20_000, record_sent=True),
    ) as simulator:
        with join(simulator) as client:
            client.recv(timeout=5)
        assert simulator.wait_for_clients(0)
        before = len(simulator.sent_texts)
        with join(simulator) as client:
            while not simulator.finished.is_set():
                client.recv(timeout=5)

        assert 0 < before < 20_000
        assert [json.loads(text) for text in simulator.sent_texts] == list(generate(2, 20_000))


def test_a_client_that_leaves_is_forgotten(scripted: Simulator) -> None:
    with join(scripted):
        assert scripted.clients == 1

    assert scripted.wait_for_clients(0)
    scripted.send("nobody hears it")
    assert scripted.sent == 0


def test_stopping_closes_the_clients_and_the_port() -> None:
    simulator = Simulator(pacing=STILL).start()
    with join(simulator) as client:
        simulator.stop()
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=5)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", simulator.port), timeout=5)


def test_serve_blocks_until_told_to_stop() -> None:
    stop, seen = threading.Event(), []

    def ready(simulator: Simulator) -> None:
        seen.append(get(simulator.rest_url + "/api/v1/node/")[0])
        stop.set()

    serve(Simulator(pacing=STILL), stop, ready)

    assert seen == [200]


# --- credentials ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?user=demo&token=s3cret", {}),
        (f"?auth={quote(BASIC)}", {}),
        ("", {"Authorization": BASIC}),
        ("", {"Authorization": "ApiKey demo:s3cret"}),
        ("", {"Authorization": "Role xyz"}),
    ],
)
def test_good_credentials_open_the_stream(query: str, headers: dict[str, str]) -> None:
    with (
        Simulator(pacing=STILL, admission=Admission(credentials=CREDENTIALS, verbatim="Role xyz")) as simulator,
        join(simulator, query, headers) as client,
    ):
        assert client.ping().wait(5)


def test_bad_credentials_are_401_at_the_handshake() -> None:
    with Simulator(pacing=STILL, admission=Admission(credentials=CREDENTIALS)) as simulator:
        with pytest.raises(InvalidStatus) as refused:
            connect(simulator.stream_url, proxy=None)

        assert refused.value.response.status_code == 401
        assert simulator.handshakes == 1


def test_old_tutum_refused_by_a_message_after_the_handshake() -> None:
    with (
        Simulator(pacing=STILL, admission=Admission(credentials=CREDENTIALS, refuse="message")) as simulator,
        connect(simulator.stream_url, proxy=None) as client,
    ):
        assert json.loads(client.recv(timeout=5)) == {"type": "error", "data": {"errorMessage": "UNAUTHORIZED"}}
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=5)


def test_too_many_bad_tries_end_in_429() -> None:
    with Simulator(pacing=STILL, admission=Admission(credentials=CREDENTIALS, lock_after=2)) as simulator:
        statuses = []
        for _ in range(3):
            with pytest.raises(InvalidStatus) as refused:
                connect(simulator.stream_url, proxy=None)
            statuses.append(refused.value.response.status_code)

    assert statuses == [401, 429, 429]


# --- REST -----------------------------------------------------------------------------------------------------------


def test_rest_asks_for_credentials_too() -> None:
    with Simulator(pacing=STILL, world=World(settled=300), admission=Admission(credentials=CREDENTIALS)) as simulator:
        url = simulator.rest_url + "/api/v1/container/?limit=2"

        assert get(url)[0] == 401
        status, body = get(url, {"Authorization": BASIC})

    assert status == 200
    assert len(body["objects"]) == 2


def test_what_rest_is_told_is_heard_on_the_stream() -> None:
    world = World(settled=300, rate=0)
    with (
        Simulator(world=world, pacing=Pacing(speed=100), admission=Admission(credentials=CREDENTIALS)) as simulator,
        join(simulator, headers={"Authorization": BASIC}) as client,
    ):
        who = {"Authorization": BASIC, "User-Agent": "python-tutum/0.21.0"}
        service = get(simulator.rest_url + "/api/v1/service/?state=Running", who)[1]["objects"][0]
        url = simulator.rest_url + service["resource_uri"]
        wanted = json.dumps({"target_num_containers": service["current_num_containers"] + 1}).encode()
        assert get(url, who, "PATCH", wanted)[0] == 200
        assert get(url + "scale/", who, "POST", b"")[0] == 202

        heard = [json.loads(client.recv(timeout=5))]
        while [event["state"] for event in heard if event["type"] == "action"][-2:] != ["In progress", "Success"]:
            heard.append(json.loads(client.recv(timeout=5)))
        action = get(simulator.rest_url + heard[-1]["resource_uri"], who)[1]

    assert [event["state"] for event in heard if event["type"] == "service"] == ["Scaling", "Running"]
    assert [event["state"] for event in heard if event["type"] == "container"] == ["Starting", "Running"]
    assert (action["action"], action["ip"], action["user_agent"]) == (
        "Service Scale", "127.0.0.1", "python-tutum/0.21.0",
    )  # fmt: skip
    assert abs(datetime.now(UTC) - datetime.fromisoformat(heard[0]["date"])).total_seconds() < 10


def test_what_is_made_is_heard_at_once_where_nothing_else_happens() -> None:
    world = World(settled=300, rate=0)
    with Simulator(world=world, pacing=Pacing(speed=100)) as simulator, join(simulator) as client:
        made = json.dumps({"name": "mine", "services": [{"name": "web", "image": "nginx"}]}).encode()
        status, stack = get(simulator.rest_url + "/api/v1/stack/", {}, "POST", made)
        heard = [json.loads(client.recv(timeout=5)) for _ in range(3)]

    assert status == 201
    assert [(event["type"], event["state"]) for event in heard] == [
        ("stack", "Not Running"),
        ("service", "Not running"),
        ("action", "Success"),
    ]
    assert heard[0]["resource_uri"] == stack["resource_uri"] == heard[1]["parents"][0] == heard[2]["parents"][0]


def test_an_answer_without_content_has_none() -> None:
    with Simulator(pacing=STILL, world=World(settled=300)) as simulator:
        service = simulator.rest_url + simulator.platform.objects("service")[0].uri
        trigger = get(f"{service}trigger/", {}, "POST", b"{}")[1]
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(simulator.rest_url + trigger["resource_uri"], method="DELETE")
        with opener.open(request, timeout=5) as response:
            assert (response.status, response.read()) == (204, b"")


@pytest.mark.parametrize("type_", ["container", "service", "action"])
def test_the_logs_of_an_object_are_read_out_and_end(type_: str) -> None:
    with Simulator(pacing=STILL, world=World(settled=300)) as simulator:
        uuid = simulator.platform.objects(type_)[0].uuid
        url = f"ws://127.0.0.1:{simulator.port}/v1/{type_}/{uuid}/logs/?follow=false&tail=2"
        with connect(url, proxy=None) as client:
            lines = [json.loads(line) for line in client]

    assert 0 < len(lines) <= 2
    assert {line["type"] for line in lines} == {"log"}
    assert all(("source" in line) == (type_ != "action") for line in lines)


def test_who_follows_a_log_is_not_sent_away() -> None:
    with Simulator(pacing=STILL, world=World(settled=300, flavour="dockercloud", namespace="acme")) as simulator:
        uuid = simulator.platform.objects("container")[0].uuid
        with connect(f"ws://127.0.0.1:{simulator.port}/api/app/v1/acme/container/{uuid}/logs/", proxy=None) as client:
            assert json.loads(client.recv(timeout=5))["type"] == "log"
            assert client.ping().wait(5)


def test_a_command_in_a_container_is_told_that_nothing_runs() -> None:
    with Simulator(pacing=STILL, world=World(settled=300)) as simulator:
        uuid = simulator.platform.objects("container")[0].uuid
        with connect(f"ws://127.0.0.1:{simulator.port}/v1/container/{uuid}/exec/?&command=ls", proxy=None) as client:
            told = [json.loads(line) for line in client]

    assert [line["streamType"] for line in told] == ["stderr"]


def test_rest_is_told_nothing_by_whom_it_does_not_know() -> None:
    with Simulator(pacing=STILL, world=World(settled=300), admission=Admission(credentials=CREDENTIALS)) as simulator:
        uri = simulator.platform.objects("service")[0].uri

        assert get(simulator.rest_url + uri, method="DELETE")[0] == 401
        assert get(simulator.rest_url + uri, {"Authorization": BASIC}, "DELETE")[0] == 202


def test_a_request_that_comes_in_pieces_is_one(scripted: Simulator) -> None:
    pieces = (b"PATCH /ap", b"i/v1/service/x/ HTTP/1.1\r\nHost: x\r\n", b"Content-Length: 2\r\n\r\n", b"{", b"}")
    with socket.create_connection(("127.0.0.1", scripted.port), 5) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            sock.sendall(piece)
            time.sleep(0.05)

        assert b" 404 " in sock.recv(100)


@pytest.mark.parametrize("path", ["//api/v1/service/{}//trigger/?limit=1", "/api/v1//service/{}/trigger//"])
def test_slashes_that_are_too_many_are_one(path: str) -> None:
    with Simulator(pacing=STILL, world=World(settled=300)) as simulator:
        service = simulator.platform.objects("service")[0].uuid

        assert get(simulator.rest_url + path.format(service))[1]["meta"]["total_count"] == 0


def test_a_body_without_end_is_refused(scripted: Simulator) -> None:
    with socket.create_connection(("127.0.0.1", scripted.port), 5) as sock:
        sock.sendall(b"PATCH /api/v1/service/x/ HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (1 << 30))

        assert sock.recv(100) == b""


def test_rest_errors_are_json(scripted: Simulator) -> None:
    scripted.misbehave("rest_status", status=429)

    assert get(scripted.rest_url + "/api/v1/node/") == (429, {"error": "Too Many Requests"})
    assert get(scripted.rest_url + "/api/v1/node/")[0] == 200
    assert get(scripted.rest_url + "/api/v1/nothing/")[0] == 404


def test_a_plain_get_of_the_stream_is_told_to_upgrade(scripted: Simulator) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError) as refused:
        opener.open(f"{scripted.rest_url}/v1/events", timeout=5)

    with refused.value as error:
        assert error.code == 426


# --- misbehaviour ---------------------------------------------------------------------------------------------------


def raw_client(simulator: Simulator) -> socket.socket:
    """A handshake by hand; what follows the greeting is read byte by byte."""
    sock = socket.create_connection(("127.0.0.1", simulator.port), timeout=5)
    sock.sendall(
        b"GET /v1/events HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    received = b""
    while not received.endswith(b'{"type":"auth"}'):
        received += sock.recv(1)
    assert simulator.wait_for_clients(1)
    return sock


def test_close_sends_a_close_frame(scripted: Simulator) -> None:
    with join(scripted) as client:
        scripted.misbehave("close")
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(timeout=5)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001


def test_drop_ends_without_a_close_frame(scripted: Simulator) -> None:
    with raw_client(scripted) as sock:
        scripted.misbehave("drop")

        assert sock.recv(100) == b""


def test_reset_is_a_tcp_reset(scripted: Simulator) -> None:
    with raw_client(scripted) as sock:
        scripted.misbehave("reset")

        with pytest.raises(ConnectionResetError):
            sock.recv(100)


def test_half_a_frame_and_then_silence(scripted: Simulator) -> None:
    with raw_client(scripted) as sock:
        scripted.misbehave("half_frame")
        first = sock.recv(1000)
        scripted.send("not heard")
        sock.settimeout(0.1)

        assert first[0] == 0x81
        assert len(first) - 2 < first[1]
        with pytest.raises(TimeoutError):
            sock.recv(100)


def test_silence_does_not_even_answer_pings(scripted: Simulator) -> None:
    with join(scripted) as client:
        scripted.misbehave("silence")
        scripted.send("not heard")

        assert not client.ping().wait(0.1)
        with pytest.raises(TimeoutError):
            client.recv(timeout=0)
        assert scripted.clients == 0
        scripted.stop()


def test_garbage_and_binary_are_messages(scripted: Simulator) -> None:
    with join(scripted) as client:
        scripted.misbehave("garbage")
        scripted.misbehave("binary")

        with pytest.raises(json.JSONDecodeError):
            json.loads(client.recv(timeout=5))
        assert isinstance(client.recv(timeout=5), bytes)


def test_a_text_frame_may_be_no_utf8(scripted: Simulator) -> None:
    with join(scripted) as client:
        scripted.misbehave("bad_utf8")

        with pytest.raises(UnicodeDecodeError):
            client.recv(timeout=5, decode=False).decode()


def test_the_last_event_is_repeated(scripted: Simulator) -> None:
    with join(scripted) as client:
        scripted.send({"n": 1})
        scripted.misbehave("duplicate")

        assert client.recv(timeout=5) == client.recv(timeout=5) == '{"n":1}'


def test_a_frame_may_be_huge(scripted: Simulator) -> None:
    with connect(scripted.stream_url, proxy=None, max_size=None, compression=None) as client:
        client.recv(timeout=5)
        assert scripted.wait_for_clients(1)
        scripted.misbehave("huge", megabytes=8)

        assert len(client.recv(timeout=10)) > 8_000_000


def test_accept_and_close_at_once(scripted: Simulator) -> None:
    scripted.misbehave("accept_close")
    with connect(scripted.stream_url, proxy=None) as client, pytest.raises(ConnectionClosed):
        client.recv(timeout=5)

    with join(scripted) as client:
        assert client.ping().wait(5)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_handshake_may_be_answered_with_a_status(scripted: Simulator, status: int) -> None:
    scripted.misbehave("handshake_status", status=status, times=2)
    for _ in range(2):
        with pytest.raises(InvalidStatus) as refused:
            connect(scripted.stream_url, proxy=None)
        assert refused.value.response.status_code == status

    with join(scripted) as client:
        assert client.ping().wait(5)


def test_a_handshake_may_be_redirected(scripted: Simulator) -> None:
    scripted.misbehave("handshake_status", status=302, location="http://127.0.0.1:1/elsewhere", times=None)
    with socket.create_connection(("127.0.0.1", scripted.port), timeout=5) as sock:
        sock.sendall(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = sock.recv(1000)

    assert answer.startswith(b"HTTP/1.1 302 ")
    assert b"Location: http://127.0.0.1:1/elsewhere\r\n" in answer


def test_well_ends_what_was_to_come(scripted: Simulator) -> None:
    scripted.misbehave("handshake_status", times=None)
    scripted.misbehave("well")

    with join(scripted) as client:
        assert client.ping().wait(5)


def test_an_unknown_misbehaviour_is_refused(scripted: Simulator) -> None:
    with pytest.raises(ValueError, match="no such misbehaviour"):
        scripted.misbehave("sulk")  # type: ignore[arg-type]


def test_a_plan_drops_clients_between_two_events() -> None:
    heard: list[str] = []
    with Simulator(
        pacing=Pacing(speed=0, limit=300, plan={100: "close", 200: "drop"}), listening=Listening(record_sent=True)
    ) as simulator:
        while len(heard) < 300:
            with connect(simulator.stream_url, proxy=None, close_timeout=1) as client:
                try:
                    assert client.recv(timeout=5) == '{"type":"auth"}'
                    while len(heard) < 300:
                        heard.append(str(client.recv(timeout=5)))
                except ConnectionClosed:
                    assert len(heard) in (100, 200)
        assert simulator.sent_texts == heard
        assert simulator.handshakes == 3


def test_a_client_that_does_not_read_is_cut_off_and_does_not_disturb_the_others() -> None:
    with (
        Simulator(pacing=STILL, listening=Listening(queue_bytes=1_000_000, patience=0.0)) as simulator,
        raw_client(simulator),
        join(simulator) as reader,
    ):
        pushed = 0
        while simulator.clients == 2 and pushed < 1000:
            simulator.send("x" * 50_000)
            assert len(reader.recv(timeout=5)) == 50_000
            pushed += 1

        assert pushed < 1000
        simulator.send("still here")
        assert reader.recv(timeout=5) == "still here"


def test_a_ping_amid_a_message_beyond_the_limit_is_answered_after_it() -> None:
    listening = Listening(queue_bytes=1_000_000)
    with Simulator(pacing=STILL, listening=listening) as simulator, raw_client(simulator) as sock:
        simulator.misbehave("huge", megabytes=20)
        sock.sendall(b"\x89\x80" + bytes(4))
        received = 0
        while piece := sock.recv(1 << 20):
            received += len(piece)
            if piece.endswith(b"\x8a\x00"):
                break

        assert piece.endswith(b"\x8a\x00")
        assert received > 20_000_000


def test_at_full_speed_a_slow_reader_holds_time_back_and_loses_nothing() -> None:
    with (
        Simulator(pacing=Pacing(speed=0, limit=20_000), listening=Listening(queue_bytes=50_000)) as simulator,
        raw_client(simulator) as sock,
    ):
        assert not simulator.finished.wait(0.2)
        sent_early = simulator.sent
        received = b""
        while received.count(b'"resource_uri"') < 20_000:
            received = received + sock.recv(1 << 20)

        assert sent_early < 20_000
        assert simulator.sent == 20_000


def test_without_the_server_no_heavy_library_is_loaded() -> None:
    modules = "archiver.simulator.world.living, archiver.simulator.service.rest"
    code = f"import sys, {modules}; print('websockets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
