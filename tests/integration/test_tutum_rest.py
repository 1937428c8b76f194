"""Taking stock over the REST API of the simulator, which may be slow, wrong, hostile, or not there."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from archiver.errors import ConfigurationWrong
from archiver.platforms.protocol import Missed
from archiver.platforms.tutum.api import Api, find_api
from archiver.platforms.tutum.credentials import Credentials
from archiver.platforms.tutum.rest import Rest, RestPace, Stopped
from archiver.platforms.tutum.stock import Stock, Taken
from archiver.platforms.wire.proxy import Proxy
from archiver.simulator.service.server import STILL, Admission, Lying, Simulator, World

from .hostile import Hostile, Peer
from .test_tutum_source_opening import pour, proxying
from .test_tutum_source_tls import certificate, serving, trusting

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
QUICK = RestPace(first_wait=0.01, page=10, answer=20.0, longest_wait=5.0)
HOUR = 3600 * 1_000_000


@pytest.fixture(scope="module")
def shared() -> Iterator[Simulator]:
    with Simulator(world=World(seed=3, stacks=5, settled=900.0), pacing=STILL) as simulator:
        yield simulator


@pytest.fixture
def simulator(shared: Simulator) -> Simulator:
    shared.lie()
    shared.asked.clear()
    return shared


def rest_of(simulator: Simulator, pace: RestPace = QUICK, credentials: Credentials | None = None) -> Rest:
    world = simulator.platform.world
    return Rest(Api(simulator.rest_url, world.flavour == "dockercloud", world.namespace), credentials, pace=pace)


def taken(rest: Rest, since: int = 0) -> tuple[list[dict[str, Any]], Taken]:
    found = Taken()
    answers = [json.loads(payload) for _, payload in Stock(rest, threading.Event(), found).take(since, 0)]
    return answers, found


def objects(answers: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["uri"]: each for answer in answers for each in answer.get("objects", ()) if "image" in each}


def listed(answers: list[dict[str, Any]]) -> dict[str, list[str]]:
    return next((answer["listed"] for answer in answers if "listed" in answer), {})


def there(simulator: Simulator) -> dict[str, set[str]]:
    types = ("nodecluster", "node", "stack", "service", "container")
    return {kind: {one.uuid for one in simulator.platform.objects(kind)} for kind in types}


@pytest.mark.parametrize(("flavour", "namespace"), [("tutum", None), ("dockercloud", None), ("dockercloud", "acme")])
def test_everything_there_is_is_listed_by_types_and_keys(flavour: Any, namespace: str | None) -> None:
    world = World(seed=3, stacks=3, settled=900.0, flavour=flavour, namespace=namespace)
    with Simulator(world=world, pacing=STILL) as simulator:
        answers, found = taken(rest_of(simulator))
        assert (found.complete, found.failed) == (True, [])
        assert {kind: set(keys) for kind, keys in listed(answers).items()} == there(simulator)
        shown = objects(answers)
        container = next(one for one in simulator.platform.objects("container") if one.state == "Running")
        assert shown[container.uri]["name"] == container.name
        assert shown[container.uri]["parents"] == container.parents[:2]  # service and node
        assert shown[container.uri]["image"]


def test_tags_are_read_as_their_names_and_an_empty_list_as_none(simulator: Simulator) -> None:
    tagged, other, *_ = simulator.platform.objects("service")
    tagged.settings |= {"tags": [{"name": "prod"}, {"name": "blue", "resource_uri": "/api/v1/tag/blue/"}, {"name": ""}]}

    shown = objects(taken(rest_of(simulator))[0])

    assert [shown[one.uri]["extra"]["tags"] for one in (tagged, other)] == [["prod", "blue"], []]


def test_no_field_that_is_not_allowed_is_ever_read(simulator: Simulator) -> None:
    answers, _ = taken(rest_of(simulator))
    text = json.dumps(answers)
    assert "do-not-archive" not in text
    for field in ("envvars", "body", "run_command", "public_dns", "user_agent", '"ip"', '"path"'):
        assert field not in text
    known = {"exit_code", "deployed", "started", "finished", "destroyed", "docker_version"}
    known |= {"target_num_containers", "current_num_containers", "target_num_nodes", "current_num_nodes"}
    known |= {"user", "method", "is_user_action", "tags"}
    assert {key for answer in answers for each in answer.get("objects", ()) for key in each.get("extra", ())} <= known


def test_actions_that_ran_since_an_instant_are_read_with_their_times(simulator: Simulator) -> None:
    platform = simulator.platform
    when = platform.spelling.moment
    actions = platform.objects("action")
    since = int(when(actions[len(actions) // 2].created).timestamp() * 1e6)  # type: ignore[attr-defined]
    answers, found = taken(rest_of(simulator), since)
    told: dict[str, list[dict[str, Any]]] = {}
    for answer in answers:
        for each in answer.get("objects", ()):
            if "image" not in each:
                told.setdefault(each["uri"], []).append(each)
    assert found.complete
    wanted = [one for one in actions if one.stopped is None or int(when(one.stopped).timestamp()) * 1e6 >= since - 6e7]
    assert told.keys() == {one.uri for one in wanted}
    one = next(each for each in wanted if each.state == "Success")
    began, ended = told[one.uri][0], told[one.uri][1]
    assert (began["name"], began["parents"], "state" in began) == (one.name, [one.target.uri], False)  # type: ignore[attr-defined]
    assert (began["at"], ended["at"]) == tuple(
        int(when(at).replace(microsecond=0).timestamp() * 1e6)
        for at in (one.created, one.stopped)  # type: ignore[attr-defined,arg-type]
    )
    assert ended["state"] == "Success"


@pytest.mark.parametrize(
    ("lying", "reason"),
    [
        (Lying("status", "/container/", status=500, times=None), "HTTP 500 not now"),
        (Lying("status", "/container/", after=1, status=500, times=None), "HTTP 500 not now"),
        (Lying("status", "/container/", status=302), "HTTP 302 not now"),
        (Lying("text", "/container/"), "the answer is no JSON"),
        (Lying("cut", "/container/"), "the answer is no JSON"),
        (Lying("no_list", "/container/"), "the answer is no list"),
        (Lying("blind", "/container/"), "the answer does not say whether there is more"),
        (Lying("wrong_page", "/container/"), "the answer is another page than the one that was asked for"),
        (Lying("empty_page", "/container/", times=None), "a page is empty before the end"),
        (Lying("total", "/container/", times=None), "it has"),
        (Lying("other", "/container/"), "an entry names no object of this type"),
    ],
    ids=lambda value: value.lie if isinstance(value, Lying) else "",
)
def test_a_list_that_is_not_whole_says_so_and_proves_nothing(simulator: Simulator, lying: Lying, reason: str) -> None:
    simulator.lie(lying)
    answers, found = taken(rest_of(simulator))
    assert [one.path for one in found.failed] == ["/api/v1/container/"]
    assert found.failed[0].reason.startswith(reason)
    assert listed(answers).keys() == {"nodecluster", "node", "stack", "service"}


@pytest.mark.parametrize("page", [3, 10, 1000])
def test_what_a_server_says_of_its_own_addresses_is_not_followed(simulator: Simulator, page: int) -> None:
    simulator.lie(Lying("alien", times=None))
    answers, found = taken(rest_of(simulator, RestPace(first_wait=0.01, page=page)))
    assert found.complete
    assert {kind: set(keys) for kind, keys in listed(answers).items()} == there(simulator)
    assert all(uri.startswith("/api/v1/") for uri in objects(answers))


def test_pages_that_repeat_end(simulator: Simulator) -> None:
    simulator.lie(Lying("repeats", "/stack/", times=None))
    _, found = taken(rest_of(simulator))
    assert found.failed == [Missed("/api/v1/stack/", "its pages repeat")]


def test_pages_that_are_too_long_are_asked_for_in_smaller_ones(simulator: Simulator) -> None:
    simulator.lie(Lying("huge", "/service/", times=None))
    answers, found = taken(rest_of(simulator, RestPace(page=50)))
    assert found.complete
    assert set(listed(answers)["service"]) == there(simulator)["service"]
    assert "xxx" not in json.dumps(answers)


def test_a_failure_in_the_middle_is_tried_again(simulator: Simulator) -> None:
    simulator.lie(Lying("status", "/container/", after=1, status=503), Lying("status", "/action/", status=500, times=2))
    answers, found = taken(rest_of(simulator))
    assert found.complete
    assert set(listed(answers)["container"]) == there(simulator)["container"]


def test_a_server_that_wants_to_be_left_alone_is(simulator: Simulator) -> None:
    simulator.lie(Lying("status", "/node/", status=429, retry_after="1"))
    began = time.monotonic()
    _, found = taken(rest_of(simulator))
    assert found.complete
    assert time.monotonic() - began >= 1
    simulator.asked.clear()
    simulator.lie(Lying("status", "/node/", status=429, retry_after="3600", times=None))
    _, found = taken(rest_of(simulator))
    assert found.refused
    asked = dict.fromkeys(path.partition("?")[0] for path in simulator.asked)
    assert list(asked) == ["/api/v1/action/", "/api/v1/nodecluster/", "/api/v1/node/"]


def test_nothing_but_get_is_ever_sent(simulator: Simulator) -> None:
    """Seen by a server between, which hands everything on, in an hour with failures and more pages than one."""
    methods: list[str] = []

    class Between(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            if line := self.rfile.readline().decode():
                methods.append(line.partition(" ")[0])
                with socket.create_connection(("127.0.0.1", simulator.port)) as onward:
                    onward.sendall(line.encode() + b"Connection: close\r\n")
                    for header in iter(self.rfile.readline, b"\r\n"):
                        if not header.lower().startswith(b"connection"):
                            onward.sendall(header)
                    onward.sendall(b"\r\n")
                    while answer := onward.recv(65_536):
                        self.wfile.write(answer)
            self.close_connection = True

    with ThreadingHTTPServer(("127.0.0.1", 0), Between) as between:
        threading.Thread(target=between.serve_forever, daemon=True).start()
        simulator.misbehave("rest_status", status=500, times=2)
        rest = Rest(Api(f"http://127.0.0.1:{between.server_address[1]}", False), pace=QUICK)
        _, found = taken(rest)
        between.shutdown()

    assert found.complete
    assert (len(methods) > 10, set(methods)) == (True, {"GET"})


def test_an_object_that_shifts_over_the_end_of_a_page_is_not_missed() -> None:
    """What is deleted between two pages moves all that follows: without more, one would be passed over."""
    with Simulator(world=World(seed=3, stacks=8, settled=900.0), pacing=STILL) as simulator:
        platform = simulator.platform
        stayed = {one.uuid for one in platform.objects("container")[8:]}
        pages = 0

        class Shifting(Rest):
            def get(self, path: str, *args: Any) -> Any:
                nonlocal pages
                found = super().get(path, *args)
                if "container" in path:
                    pages += 1
                    for one in platform.objects("container")[: {1: 1, 2: 7}.get(pages, 0)]:
                        platform.forget(one)
                return found

        rest = Shifting(Api(simulator.rest_url, False), pace=QUICK)
        answers, found = taken(rest)
        assert found.complete
        assert set(listed(answers)["container"]) >= stayed
        assert there(simulator)["container"] == stayed


def test_refused_credentials_are_shown_once_and_named_nowhere(simulator: Simulator, caplog: Any) -> None:
    with Simulator(world=World(settled=300.0), pacing=STILL, admission=Admission(credentials=("u", "right"))) as other:
        key = Credentials("wrong-secret-key", "u")
        answers, found = taken(rest_of(other, credentials=key))
        assert (answers, found.refused) == ([], True)
        assert found.failed == [Missed("/api/v1/action/", "credentials refused: HTTP 401 Unauthorized")]
        assert taken(rest_of(other, credentials=Credentials("right", "u")))[1].complete
        assert not any("right" in path or "wrong" in path for path in other.asked)


def test_an_answer_that_takes_its_time_is_given_up_at_once_when_it_is_time_to_stop(simulator: Simulator) -> None:
    simulator.lie(Lying("slow", seconds=60.0))
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        list(Stock(rest_of(simulator), stop, Taken()).take(0, 0))
    assert time.monotonic() - began < 15


def test_an_answer_has_a_deadline_and_a_port_without_a_server_gives_none(simulator: Simulator) -> None:
    simulator.lie(Lying("slow", "/stack/", seconds=30.0))
    _, found = taken(rest_of(simulator, RestPace(answer=0.3, tries=1)))
    assert [one.path for one in found.failed] == ["/api/v1/stack/"]
    _, found = taken(Rest(Api("http://127.0.0.1:1", False), pace=RestPace(tries=1)))
    assert {one.reason for one in found.failed} == {"connection refused"}


def test_where_the_api_is_follows_from_the_stream_or_is_said() -> None:
    assert find_api("wss://stream.tutum.co/v1/events", {}) == Api("https://dashboard.tutum.co", False)
    cloud = find_api("wss://ws.cloud.docker.com/api/audit/v1/acme/events", {})
    assert cloud == Api("https://cloud.docker.com", True, "acme")
    own = Api("http://127.0.0.1:8765", False, is_guessed=True)
    assert find_api("ws://127.0.0.1:8765/v1/events", {}) == own
    hosts = {"TUTUM_REST_HOST": "https://tutum.example", "DOCKERCLOUD_REST_HOST": "https://cloud.example/"}
    assert find_api("wss://events.example/v1/events", hosts) == Api("https://tutum.example", False)
    assert find_api("wss://e.example/api/audit/v1/events", hosts) == Api("https://cloud.example", True)
    assert find_api("wss://e.example/v1/events", hosts, "https://x.example") == Api("https://x.example", False)
    assert find_api("wss://e.example/v1/events", hosts, "none") is None


@needs_openssl
def test_it_is_reached_over_tls_and_by_way_of_a_proxy(simulator: Simulator, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "127.0.0.1")
    port = int(simulator.rest_url.rpartition(":")[2])

    def script(peer: Peer) -> None:
        with socket.create_connection(("127.0.0.1", port)) as onward:
            threading.Thread(target=pour, args=(onward, peer.sock)).start()
            pour(peer.sock, onward)

    with (
        Hostile(script, context=serving((cert, key))) as server,
        Hostile(proxying(server.port, wanted="bob:s3cret")) as between,
    ):
        api, proxy = Api(f"https://127.0.0.1:{server.port}", False), Proxy("127.0.0.1", between.port, "bob", "s3cret")
        rest = Rest(api, proxy=proxy, context=lambda: trusting(cert), pace=QUICK)
        assert taken(rest)[1].complete
        stranger = Rest(api, proxy=proxy, pace=RestPace(tries=1))
        _, found = taken(stranger)
        assert "certificate" in found.failed[0].reason
    assert server.connections > 5


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example", "https://a.example/path", "https://u:k@a.example", "https://a.example/?q=1", "http://a.example",
     "https://[bad", "https://a b", "https://", "nonsense", "https://a.example:0", "https://a.example\r\nX: y"],
)  # fmt: skip
def test_an_api_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationWrong):
        find_api("wss://e.example/v1/events", {}, url)


def test_the_paths_of_the_lists_are_those_of_the_platform() -> None:
    tutum, cloud = Api("https://x", False), Api("https://x", True, "acme")
    assert tutum.path("container") == "/api/v1/container/"
    assert cloud.path("container", "k") == "/api/app/v1/acme/container/k/"
    assert (cloud.path("node"), cloud.path("action")) == ("/api/infra/v1/acme/node/", "/api/audit/v1/action/")
