"""The simulated REST API answers in the documented shapes."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from archiver.simulator.service.rest import answer
from archiver.simulator.world.living import live_in
from archiver.simulator.world.platform import Platform, World


@pytest.fixture(scope="module")
def platform() -> Platform:
    platform = live_in(World(seed=5, stacks=6, nodes=3, churn=0.8))
    for _ in islice(platform.events(), 6000):
        pass
    return platform


def get(platform: Platform, path: str, query: str = "", **options: Any) -> dict[str, Any]:
    status, body = answer(platform, path, query, **options)
    assert status == 200
    return body


def test_a_list_is_a_page_of_25(platform: Platform) -> None:
    body = get(platform, "/api/v1/action/")

    assert body["meta"] == {
        "limit": 25,
        "next": "/api/v1/action/?limit=25&offset=25",
        "offset": 0,
        "previous": None,
        "total_count": len(platform.objects("action")),
    }
    assert len(body["objects"]) == 25


def test_following_next_reads_every_object_once(platform: Platform) -> None:
    url: str | None = "/api/v1/container/?state=Running&limit=7"
    seen: list[str] = []
    while url:
        body = get(platform, urlsplit(url).path, urlsplit(url).query)
        seen += [thing["uuid"] for thing in body["objects"]]
        url = body["meta"]["next"]

    assert seen == [thing.uuid for thing in platform.objects("container") if thing.state == "Running"]


def test_actions_come_newest_first_or_in_order(platform: Platform) -> None:
    last = get(platform, "/api/v1/action/", "limit=500")["objects"]
    first = get(platform, "/api/v1/action/", "limit=500", oldest_first=True)["objects"]

    starts = [parsedate_to_datetime(action["start_date"]) for action in first]
    assert starts == sorted(starts)
    assert last == first[::-1]


def test_an_action_tells_who_did_it(platform: Platform) -> None:
    actions = get(platform, "/api/v1/action/", "limit=500")["objects"]
    action = next(a for a in actions if a["state"] == "Success" and a["is_user_action"])

    assert action["ip"]
    assert action["user_agent"]
    assert action["action"].split()[0] in {"Stack", "Service", "Container", "Node"}
    assert parsedate_to_datetime(action["end_date"]) >= parsedate_to_datetime(action["start_date"])


def test_dockercloud_names_the_user_of_an_action() -> None:
    platform = live_in(World(flavour="dockercloud", namespace="acme", settled=300))

    users = {action["user"] for action in get(platform, "/api/audit/v1/action/")["objects"]}

    assert users & {"ada", "ben"}


def test_dockercloud_paths_have_subsystem_and_namespace() -> None:
    platform = live_in(World(flavour="dockercloud", namespace="acme", settled=300))

    assert get(platform, "/api/infra/v1/acme/node/")["meta"]["total_count"] == 3
    assert answer(platform, "/api/infra/v1/other/node/")[0] == 404
    assert answer(platform, "/api/v1/node/")[0] == 404


@pytest.mark.parametrize("type_", ["stack", "service", "container", "node", "nodecluster", "action"])
def test_a_detail_is_what_the_list_shows(platform: Platform, type_: str) -> None:
    listed = get(platform, f"/api/v1/{type_}/", "limit=500")["objects"][-1]

    assert get(platform, listed["resource_uri"]) == listed


@pytest.mark.parametrize(
    "path", ["/api/v1/container/no-such/", "/api/v1/nothing/", "/api/v1/region/digitalocean/x/", "/", "/api/v1/"]
)
def test_what_is_not_there_is_404(platform: Platform, path: str) -> None:
    status, body = answer(platform, path)

    assert status == 404
    assert "error" in body


def test_containers_can_be_filtered_by_service_uri(platform: Platform) -> None:
    service = get(platform, "/api/v1/service/", "state=Running")["objects"][0]
    found = get(platform, "/api/v1/container/", f"service={quote(service['resource_uri'])}&state=running")

    assert {thing["resource_uri"] for thing in found["objects"]} == set(service["containers"])


def test_nodes_can_be_filtered_by_region(platform: Platform) -> None:
    assert get(platform, "/api/v1/node/", "region=lon1")["meta"]["total_count"] >= 3
    assert get(platform, "/api/v1/node/", "region=nyc1")["meta"]["total_count"] == 0


def test_actions_can_be_filtered_by_date(platform: Platform) -> None:
    actions = get(platform, "/api/v1/action/", "limit=500")["objects"]
    middle = actions[len(actions) // 2]["start_date"]

    later = get(platform, "/api/v1/action/", f"limit=500&start_date__gte={quote(middle)}")["objects"]

    bound = parsedate_to_datetime(middle)
    assert later == [a for a in actions if parsedate_to_datetime(a["start_date"]) >= bound]


def test_object_gives_the_actions_on_it_alone(platform: Platform) -> None:
    target = next(a.target for a in platform.objects("action") if a.target.type == "service")  # type: ignore[attr-defined]

    found = get(platform, "/api/v1/action/", f"limit=500&object={quote(target.uri)}")["objects"]

    assert {action["object"] for action in found} == {target.uri}


def test_include_related_of_a_stack_is_everything_in_it(platform: Platform) -> None:
    stack = next(s for s in get(platform, "/api/v1/stack/")["objects"] if s["state"] == "Running")
    under = {stack["resource_uri"], *stack["services"]}
    for uri in stack["services"]:
        under |= set(get(platform, uri)["containers"])

    query = f"limit=500&object={stack['resource_uri']}&include_related=true"
    found = get(platform, "/api/v1/action/", query)["objects"]

    everything = get(platform, "/api/v1/action/", "limit=1000")["objects"]
    assert found == [action for action in everything if action["object"] in under]
    assert len({action["object"] for action in found}) > 1


def test_include_related_of_a_node_is_the_node_and_its_cluster(platform: Platform) -> None:
    node = next(a.target for a in platform.objects("action") if a.target.type == "node")  # type: ignore[attr-defined]

    found = get(platform, "/api/v1/action/", f"limit=500&object={node.uri}&include_related=true")["objects"]

    assert {action["object"].split("/")[3] for action in found} <= {"node", "nodecluster"}
    assert node.uri in {action["object"] for action in found}


@pytest.mark.parametrize(
    "query",
    ["object=/api/v1/node/x/&start_date__gte=2015-12-07", "limit=x", "offset=-1", "colour=red", "start_date__gte=soon"],
)
def test_a_query_that_cannot_be_taken_is_400(platform: Platform, query: str) -> None:
    status, body = answer(platform, "/api/v1/action/", query)

    assert status == 400
    assert body["error"]


def test_recently_terminated_objects_are_listed_with_their_end(platform: Platform) -> None:
    gone = get(platform, "/api/v1/container/", "state=Terminated")["objects"]

    assert gone
    assert all(parsedate_to_datetime(thing["destroyed_datetime"]) for thing in gone)


@pytest.mark.parametrize("path", ["/api/v1/auth/", "/api/v1/auth", "/auth/"])
def test_a_client_that_logs_in_is_answered(platform: Platform, path: str) -> None:
    assert get(platform, path) == {}


def test_an_object_is_found_by_the_beginning_of_its_uuid(platform: Platform) -> None:
    service = platform.objects("service")[0]

    found = get(platform, "/api/v1/service/", f"uuid__startswith={service.uuid[:8].upper()}")["objects"]

    assert [one["uuid"] for one in found] == [service.uuid]


@pytest.mark.parametrize(
    ("type_", "fields"),
    [
        ("service", {"synchronized", "public_dns", "container_ports", "target_num_containers"}),
        ("container", {"container_ports", "public_dns", "container_envvars", "run_command", "exit_code"}),
        ("nodecluster", {"target_num_nodes", "current_num_nodes"}),
    ],
)
def test_the_fields_that_the_original_clients_print_are_there(platform: Platform, type_: str, fields: set[str]) -> None:
    assert fields <= get(platform, f"/api/v1/{type_}/")["objects"][0].keys()


def test_a_cluster_names_a_region_and_a_kind_of_node_that_can_be_asked_for(platform: Platform) -> None:
    cluster = get(platform, "/api/v1/nodecluster/")["objects"][0]

    assert get(platform, cluster["region"])["name"] == "lon1"
    assert get(platform, cluster["node_type"])["name"] == "2gb"


@pytest.mark.parametrize("type_", ["volume", "volumegroup", "az"])
def test_what_the_platform_never_has_is_an_empty_list(platform: Platform, type_: str) -> None:
    assert get(platform, f"/api/v1/{type_}/")["meta"]["total_count"] == 0


def test_dockercloud_offers_regions_with_and_without_namespace() -> None:
    platform = live_in(World(flavour="dockercloud", namespace="acme"))

    assert get(platform, "/api/infra/v1/region/")["objects"] == get(platform, "/api/infra/v1/acme/region/")["objects"]
