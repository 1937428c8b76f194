"""The simulated platform makes, changes, cancels and does again what the original clients tell it to.

The requests are those that `tutum` 0.21.1 and `docker-cloud` 1.0.9 were seen to send, run unchanged.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from archiver.simulator.service.rest import answer
from archiver.simulator.service.writing import Request, Told, obey
from archiver.simulator.world.living import live_in
from archiver.simulator.world.platform import Platform, World

CALLER = ("bob", "127.0.0.1", "", "tutum/0.21.1", True)
SERVICE_RUN = {
    "autodestroy": "OFF",
    "autoredeploy": False,
    "autorestart": "OFF",
    "bindings": [],
    "container_envvars": [{"key": "K", "value": "v"}],
    "container_ports": [{"protocol": "tcp", "inner_port": "80", "published": True, "outer_port": "8080"}],
    "cpu_shares": None,
    "deployment_strategy": None,
    "entrypoint": None,
    "image": "nginx:1.9",
    "linked_to_service": [],
    "memory": None,
    "name": "lone",
    "net": None,
    "pid": None,
    "privileged": None,
    "roles": None,
    "run_command": None,
    "sequential_deployment": False,
    "tags": [{"name": "x"}],
    "target_num_containers": 2,
}
"""What `tutum service run` posts: what nobody said is null."""
STACK_FILE = {
    "name": "mine",
    "services": [
        {"name": "lb", "image": "tutum/haproxy", "links": ["web:back"], "ports": ["80:80"], "roles": ["global"]},
        {"name": "web", "image": "tutum/hello-world", "target_num_containers": 2, "environment": {"A": "b"}},
    ],
}
"""What `tutum stack up` posts: the words of its stack file."""
CLUSTER = {
    "name": "k1",
    "target_num_nodes": 2,
    "region": "/api/v1/region/digitalocean/ams3/",
    "node_type": "/api/v1/nodetype/digitalocean/1gb/",
}


@pytest.fixture
def platform() -> Platform:
    """Stacks that run, and to which nothing happens by itself any more."""
    return live_in(World(rate=0, settled=300))


def tell(platform: Platform, method: str, path: str, body: object = None) -> Told:
    given = b"" if body is None else json.dumps(body).encode()
    return obey(platform, Request(method, path, given, CALLER), lambda: platform.now)


def made(platform: Platform, type_: str, body: object) -> str:
    told = tell(platform, "POST", f"/api/v1/{type_}/", body)
    assert told.status == 201, told
    return str(told.body["resource_uri"])


def lived(platform: Platform) -> list[dict[str, Any]]:
    """All that comes of what was told."""
    return [event for _, event in platform.events()]


def shown(platform: Platform, uri: str, query: str = "") -> dict[str, Any]:
    status, body = answer(platform, uri, query)
    assert status == 200
    return body


def first(platform: Platform, type_: str) -> str:
    return platform.objects(type_)[0].uri


def states(events: list[dict[str, Any]], uri: str) -> list[str]:
    return [event["state"] for event in events if event["resource_uri"] == uri]


def begun(platform: Platform, uri: str, verb: str, state: str) -> str:
    """The URI of an action that was told and has come to a state."""
    action = tell(platform, "POST", f"{uri}{verb}/").fields["X-Tutum-Action-URI"]
    while shown(platform, action)["state"] != state:
        platform.step()
    return action


# --- creating ---------------------------------------------------------------------------------------------------------


def test_a_service_is_made_and_then_started(platform: Platform) -> None:
    uri = made(platform, "service", SERVICE_RUN)
    tell(platform, "POST", f"{uri}start/")

    events = lived(platform)

    assert states(events, uri) == ["Not running", "Starting", "Running"]
    service = shown(platform, uri)
    assert (service["name"], service["image_name"], service["running_num_containers"]) == ("lone", "nginx:1.9", 2)
    assert (service["stack"], service["tags"], service["net"]) == (None, [{"name": "x"}], "bridge")
    assert service["calculated_envvars"] == [{"key": "K", "value": "v", "origin": "user"}]
    container = shown(platform, service["containers"][0])
    port = container["container_ports"][0]
    assert (port["outer_port"], port["inner_port"], port["protocol"]) == (8080, 80, "tcp")
    parents = next(event["parents"] for event in events if event["type"] == "container")
    assert [parent.split("/")[3] for parent in parents] == ["service", "node", "nodecluster"]


def test_a_service_by_itself_can_be_scaled_stopped_and_terminated(platform: Platform) -> None:
    uri = made(platform, "service", SERVICE_RUN)
    tell(platform, "POST", f"{uri}start/")
    lived(platform)
    tell(platform, "PATCH", uri, {"target_num_containers": 3})
    tell(platform, "POST", f"{uri}scale/")
    lived(platform)
    tell(platform, "POST", f"{uri}stop/")
    tell(platform, "DELETE", uri)

    assert states(lived(platform), uri) == ["Stopping", "Stopped", "Terminating", "Terminated"]


def test_what_is_made_is_an_action_that_has_succeeded(platform: Platform) -> None:
    told = tell(platform, "POST", "/api/v1/service", {"image": "acme/web:2"})

    action = shown(platform, told.fields["X-Tutum-Action-URI"])
    assert (action["action"], action["state"], action["object"]) == (
        "Service Create",
        "Success",
        told.body["resource_uri"],
    )
    assert (action["method"], action["path"]) == ("POST", "/api/v1/service/")
    assert told.body["name"] == "web"
    assert states(lived(platform), action["resource_uri"]) == ["Success"]


def test_a_stack_is_made_of_its_file_and_then_started(platform: Platform) -> None:
    uri = made(platform, "stack", STACK_FILE)
    tell(platform, "POST", f"{uri}start/")

    events = lived(platform)

    assert states(events, uri) == ["Not Running", "Starting", "Running"]
    lb, web = (shown(platform, service) for service in shown(platform, uri)["services"])
    assert (lb["container_ports"][0]["outer_port"], lb["roles"]) == (80, ["global"])
    assert lb["linked_to_service"] == [
        {"from_service": lb["resource_uri"], "to_service": web["resource_uri"], "name": "back"}
    ]
    assert (web["running_num_containers"], web["container_envvars"]) == (2, [{"key": "A", "value": "b"}])
    assert answer(platform, f"{uri}export/")[1]["web"] == {"image": "tutum/hello-world", "target_num_containers": 2}


def test_a_proxy_in_a_container_is_told_where_its_links_lead(platform: Platform) -> None:
    back = made(platform, "service", SERVICE_RUN | {"name": "web"})
    front = made(platform, "service", {"image": "lb", "linked_to_service": [{"to_service": back, "name": "back"}]})
    for uri in (back, front):
        tell(platform, "POST", f"{uri}start/")
    lived(platform)

    own = shown(platform, shown(platform, front)["containers"][0])

    targets = shown(platform, back)["containers"]
    assert [link["to_container"] for link in own["linked_to_container"]] == targets
    ip = shown(platform, targets[0])["private_ip"]
    assert own["linked_to_container"][0]["name"] == "BACK_1"
    assert own["linked_to_container"][0]["endpoints"] == {"80/tcp": f"tcp://{ip}:80"}


def test_a_stack_is_made_without_starting_and_terminates(platform: Platform) -> None:
    uri = made(platform, "stack", STACK_FILE)
    lived(platform)
    tell(platform, "DELETE", uri)

    assert states(lived(platform), uri) == ["Terminating", "Terminated"]


def test_a_stack_is_updated_by_its_file(platform: Platform) -> None:
    uri = made(platform, "stack", STACK_FILE)
    tell(platform, "POST", f"{uri}start/")
    lived(platform)
    web = {"name": "web", "image": "tutum/hello-world:2"}
    told = tell(platform, "PATCH", uri, {"services": [web, {"name": "db", "image": "mysql"}]})
    assert (told.status, told.body["synchronized"]) == (200, False)
    tell(platform, "POST", f"{uri}redeploy/")
    lived(platform)

    services = [shown(platform, service) for service in shown(platform, uri)["services"]]
    assert {one["name"]: one["image_name"] for one in services}["web"] == "tutum/hello-world:2"
    assert {one["name"]: one["state"] for one in services} == {"lb": "Running", "web": "Running", "db": "Running"}
    assert shown(platform, uri)["synchronized"]


def test_a_node_cluster_is_made_deployed_scaled_and_terminated(platform: Platform) -> None:
    uri = made(platform, "nodecluster", CLUSTER)
    assert shown(platform, uri)["state"] == "Init"
    tell(platform, "POST", f"{uri}deploy/")
    deployed = lived(platform)
    told = tell(platform, "PATCH", uri, {"target_num_nodes": 3})
    scaled = lived(platform)
    tell(platform, "DELETE", uri)
    ended = lived(platform)

    assert states(deployed, uri) == ["Init", "Deploying", "Deployed"]
    assert told.status == 202
    assert states(scaled, uri) == ["Scaling", "Deployed"]
    assert states(ended, uri) == ["Terminating", "Terminated"]
    nodes = [event for event in ended if event["type"] == "node" and uri in event["parents"]]
    assert [event["state"] for event in nodes].count("Terminated") == 3


@pytest.mark.parametrize(
    ("type_", "body"),
    [
        ("service", {"name": "x"}),
        ("service", {"image": 5}),
        ("service", {"image": "x", "colour": "red"}),
        ("stack", {}),
        ("stack", {"name": "x", "services": [{"name": "y"}]}),
        ("stack", {"name": "x", "services": {"y": {}}}),
        ("stack", {"name": "x", "services": [{"name": "y", "image": "z", "ports": ["eighty"]}]}),
        ("nodecluster", {"name": "x"}),
        ("nodecluster", CLUSTER | {"region": "/api/v1/region/digitalocean/moon/"}),
        ("nodecluster", CLUSTER | {"target_num_nodes": 1000}),
        ("service", [1]),
    ],
)
def test_what_cannot_be_made_is_refused_and_nothing_is(platform: Platform, type_: str, body: object) -> None:
    before = len(platform.objects(type_))

    told = tell(platform, "POST", f"/api/v1/{type_}/", body)

    assert told.status == 400
    assert told.body["error"]
    assert len(platform.objects(type_)) == before
    assert lived(platform) == []


@pytest.mark.parametrize("path", ["/api/infra/v1/token", "/api/infra/v1/acme/token/"])
def test_an_agent_of_an_own_node_gets_a_token(path: str) -> None:
    platform = live_in(World(rate=0, settled=300, flavour="dockercloud", namespace="acme"))

    assert len(tell(platform, "POST", path).body["token"]) == 32


def test_in_a_namespace_all_is_made_below_it() -> None:
    platform = live_in(World(rate=0, settled=300, flavour="dockercloud", namespace="acme"))

    told = tell(platform, "POST", "/api/app/v1/acme/service/", SERVICE_RUN)

    assert told.body["resource_uri"].startswith("/api/app/v1/acme/service/")
    assert told.fields["X-DockerCloud-Action-URI"].startswith("/api/audit/v1/action/")


# --- changing ---------------------------------------------------------------------------------------------------------


def test_tags_and_variables_are_what_was_told_last(platform: Platform) -> None:
    for type_ in ("service", "node", "nodecluster"):
        tell(platform, "PATCH", first(platform, type_), {"tags": [{"name": "fast"}]})
        assert shown(platform, first(platform, type_))["tags"] == [{"name": "fast"}]
    uri = first(platform, "service")

    told = tell(platform, "PATCH", uri, {"container_envvars": [{"key": "N", "value": "1"}]})

    assert told.body["container_envvars"] == [{"key": "N", "value": "1"}]
    assert told.body["synchronized"] is False


def test_a_trigger_redeploys_its_service(platform: Platform) -> None:
    uri = first(platform, "service")
    made = tell(platform, "POST", f"{uri}trigger/", {"name": "t1"}).body
    tell(platform, "POST", f"{uri}trigger/", {"name": "t2", "operation": "SCALEUP"})

    assert tell(platform, "POST", made["url"]).status == 202
    assert states(lived(platform), uri) == ["Redeploying", "Running"]
    listed = shown(platform, f"{uri}trigger/", f"uuid__startswith={made['uuid'][:8]}")["objects"]
    assert [(one["name"], one["operation"]) for one in listed] == [("t1", "REDEPLOY")]
    assert shown(platform, made["resource_uri"]) == made
    assert tell(platform, "DELETE", made["resource_uri"]).status == 204
    assert answer(platform, made["resource_uri"])[0] == 404


def test_a_trigger_that_scales_up_gives_one_container_more(platform: Platform) -> None:
    uri = first(platform, "service")
    size = len(shown(platform, uri)["containers"])
    made = tell(platform, "POST", f"{uri}trigger/", {"operation": "SCALEUP"}).body

    tell(platform, "POST", made["url"])
    lived(platform)

    assert len(shown(platform, uri)["containers"]) == size + 1


# --- nodes ------------------------------------------------------------------------------------------------------------


def test_a_node_that_terminates_takes_its_containers_with_it(platform: Platform) -> None:
    uri = first(platform, "node")
    on_it = {one.uri for one in platform.objects("container") if uri in one.parents and one.state == "Running"}
    assert on_it

    tell(platform, "DELETE", uri)
    events = lived(platform)

    assert states(events, uri) == ["Terminating", "Terminated"]
    assert all(states(events, one)[-1] == "Terminated" for one in on_it)
    assert uri not in shown(platform, first(platform, "nodecluster"))["nodes"]


def test_a_platform_without_nodes_starts_nothing(platform: Platform) -> None:
    tell(platform, "PATCH", first(platform, "nodecluster"), {"target_num_nodes": 0})
    lived(platform)
    assert shown(platform, first(platform, "nodecluster"))["state"] == "Empty cluster"

    action = tell(platform, "POST", f"{first(platform, 'service')}start/").fields["X-Tutum-Action-URI"]
    events = lived(platform)

    assert states(events, action)[-1] == "Failed"
    assert shown(platform, first(platform, "service"))["state"] == "Stopped"


@pytest.mark.parametrize(("verb", "passed"), [("docker-upgrade", ["Upgrading", "Deployed"]), ("health-check", [])])
def test_a_node_is_upgraded_and_checked(platform: Platform, verb: str, passed: list[str]) -> None:
    uri = first(platform, "node")

    told = tell(platform, "POST", f"{uri}{verb}/")
    events = lived(platform)

    assert told.status == 202
    assert shown(platform, told.fields["X-Tutum-Action-URI"])["path"] == f"{uri}{verb}/"
    assert states(events, uri) == passed


def test_the_nodes_of_a_cluster_are_upgraded_one_after_another(platform: Platform) -> None:
    tell(platform, "POST", f"{first(platform, 'nodecluster')}docker-upgrade/")
    lived(platform)

    assert {shown(platform, node.uri)["docker_version"] for node in platform.objects("node")} == {"1.9.1"}


def test_a_node_that_is_there_is_not_deployed_again(platform: Platform) -> None:
    assert tell(platform, "POST", f"{first(platform, 'node')}deploy/").status == 409


# --- cancel and retry -------------------------------------------------------------------------------------------------


def test_an_action_that_is_pending_is_canceled_and_nothing_happens(platform: Platform) -> None:
    uri = first(platform, "service")
    action = begun(platform, uri, "redeploy", "Pending")

    told = tell(platform, "POST", f"{action}cancel/")
    events = lived(platform)

    assert (told.status, told.body["state"]) == (202, "Canceled")
    assert states(events, action)[-1] == "Canceled"
    assert states(events, uri) == []


def test_what_is_under_way_comes_to_a_rest_when_it_is_canceled(platform: Platform) -> None:
    uri = made(platform, "service", SERVICE_RUN | {"target_num_containers": 6})
    tell(platform, "POST", f"{uri}start/")
    lived(platform)
    action = begun(platform, uri, "stop", "In progress")
    while not any(shown(platform, one)["state"] == "Stopped" for one in shown(platform, uri)["containers"]):
        platform.step()

    told = tell(platform, "POST", f"{action}cancel/")
    events = lived(platform)

    assert told.body["state"] == "Canceling"
    assert states(events, action) == ["Canceling", "Canceled"]
    assert states(events, uri)[-1] == "Partly running"
    left = {shown(platform, one)["state"] for one in shown(platform, uri)["containers"]}
    assert left == {"Running", "Stopped"}


def test_after_a_canceled_action_the_next_one_has_its_turn(platform: Platform) -> None:
    uri = first(platform, "service")
    action = begun(platform, uri, "redeploy", "In progress")
    later = tell(platform, "POST", f"{uri}stop/").fields["X-Tutum-Action-URI"]
    tell(platform, "POST", f"{action}cancel/")

    events = lived(platform)

    assert states(events, later) == ["Pending", "In progress", "Success"]
    assert states(events, uri)[-1] == "Stopped"


def test_what_happens_by_itself_can_be_canceled_too() -> None:
    platform = live_in(World(rate=30, churn=1.0, settled=200, stacks=2, seed=3))
    while not (acting := [one for one in platform.objects("action") if one.state == "In progress"]):
        platform.step()
    told = tell(platform, "POST", f"{acting[0].uri}cancel")
    assert told.body["state"] == "Canceling"

    while acting[0].state == "Canceling":
        platform.step()

    assert acting[0].state == "Canceled"


@pytest.mark.parametrize("state", ["Success", "Canceled"])
def test_an_action_that_has_ended_is_done_again_by_another(platform: Platform, state: str) -> None:
    uri = first(platform, "service")
    action = begun(platform, uri, "redeploy", "Pending")
    if state == "Canceled":
        tell(platform, "POST", f"{action}cancel/")
    lived(platform)
    assert shown(platform, action)["can_be_retried"]

    told = tell(platform, "POST", f"{action}retry/")
    events = lived(platform)

    assert told.status == 202
    again = told.fields["X-Tutum-Action-URI"]
    assert told.body["resource_uri"] == again != action
    assert states(events, again) == ["Pending", "In progress", "Success"]
    assert states(events, uri) == ["Redeploying", "Running"]


@pytest.mark.parametrize(("verb", "state"), [("cancel", "Success"), ("retry", "Pending"), ("retry", "In progress")])
def test_an_action_is_not_canceled_after_nor_retried_before_its_end(platform: Platform, verb: str, state: str) -> None:
    action = begun(platform, first(platform, "service"), "redeploy", state)

    told = tell(platform, "POST", f"{action}{verb}/")

    assert (told.status, told.body["error"]) == (409, f"Cannot {verb} an action that is {state}.")
    assert not shown(platform, action)["can_be_canceled" if verb == "cancel" else "can_be_retried"]


@pytest.mark.parametrize(("method", "tail"), [("POST", ""), ("POST", "redeploy/"), ("DELETE", ""), ("PATCH", "")])
def test_nothing_else_is_done_with_an_action(platform: Platform, method: str, tail: str) -> None:
    assert tell(platform, method, first(platform, "action") + tail, {}).status == 405
