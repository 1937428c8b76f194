"""Messages of a Docker Engine as events."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.codec import uris
from archiver.model import Event, Message, Reject, ResourceRef
from archiver.platforms.decoders import decode
from archiver.platforms.docker.decoder import speaks_docker
from archiver.platforms.docker.images import made_of
from archiver.storage.duplicates import value_of

RECORDED = Path(__file__).parents[1] / "data" / "docker-swarm-events.jsonl"
WEB = {
    "com.docker.stack.namespace": "shop",
    "com.docker.swarm.service.id": "s1",
    "com.docker.swarm.service.name": "shop_web",
    "com.docker.swarm.node.id": "node1",
    "name": "shop_web.1.t1",
}
BUILT = {
    "com.docker.compose.project": "blog",
    "com.docker.compose.service": "app",
    "com.docker.compose.version": "2.26",
}
COMPOSED = {**BUILT, "com.docker.compose.container-number": "1", "name": "blog-app-1"}
EXEC = "e1" * 32
ENGINE = {"engine": "ENGINE", "node": "node1", "swarm": "swarm1"}
ABOVE_WEB = (
    "/docker/v1/service/s1/",
    "/docker/v1/stack/swarm1.shop/",
    "/docker/v1/node/node1/",
    "/docker/v1/nodecluster/swarm1/",
)


def said(kind: str, action: str, id: str = "x1", scope: str = "local", **attributes: Any) -> dict[str, Any]:
    actor = {"ID": id, "Attributes": attributes}
    return {"Type": kind, "Action": action, "Actor": actor, "scope": scope, "timeNano": 1_795_426_054_706_028_481}


def received(value: object) -> Message:
    payload = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Message("unix:///run/docker.sock", "session", "docker", 1_795_426_055_000_000, payload)


def event(message: dict[str, Any], **facts: Any) -> Event:
    decoded = decode(received({**facts, "message": message} if facts else message))
    assert isinstance(decoded, Event)
    return decoded


def recorded() -> list[Event]:
    decoded = [decode(received(line)) for line in RECORDED.read_bytes().splitlines()]
    return [found for found in decoded if isinstance(found, Event)]


TASK = {"com.docker.swarm.task.id": "t1", "com.docker.swarm.task.name": "shop_web.1.t1"}
GLOBAL = {"com.docker.swarm.task.id": "t1", "com.docker.swarm.task.name": "shop_agent.n1.t1"}


@pytest.mark.parametrize(
    ("labels", "slot"),
    [
        (TASK, "shop_web.1"),
        (GLOBAL, "shop_agent.n1"),
        (COMPOSED, "blog-app-1"),
        ({**COMPOSED, "name": "chosen"}, "blog-app-1"),
        ({**COMPOSED, "com.docker.compose.oneoff": "True"}, None),
        (BUILT, None),
        ({"com.docker.swarm.task.name": "shop_web.1.t1"}, None),
        ({}, None),
    ],
)
def test_a_container_says_of_which_image_it_is_and_which_slot_it_fills(labels: dict[str, str], slot: str) -> None:
    found = event(said("container", "start", image="web:3", **labels))

    assert (found.image, found.slot) == ("web:3", slot)
    assert made_of(found.resource_uri, found.extra) == ("web:3", slot)


def test_what_is_done_to_a_container_is_of_no_image() -> None:
    found = event(said("container", "kill", image="web:3", **TASK))

    assert (found.type, found.image, found.slot) == ("action", None, None)


def test_what_is_kept_of_a_message_tells_image_and_slot_as_the_message_did() -> None:
    events = recorded()

    assert [made_of(found.resource_uri, found.extra) for found in events] == [(e.image, e.slot) for e in events]
    assert {found.slot for found in events} >= {"shop_web.1", "shop_web.2", "shop_web.3", "shop_worker.1"}


# --- the recorded stream ----------------------------------------------------------------------------------------------


def test_every_recorded_message_is_one_event_with_an_identity_of_its_own() -> None:
    events = recorded()

    assert len(events) == len({found.uuid for found in events}) == 937


def test_every_recorded_message_is_kept_whole() -> None:
    originals = [json.loads(line) for line in RECORDED.read_bytes().splitlines()]

    assert [json.loads(found.extra or "")["message"] for found in recorded()] == originals


def test_the_recorded_events_are_of_these_kinds() -> None:
    assert Counter((found.type, found.action, found.state) for found in recorded()) == {
        ("action", "exec", "Pending"): 263,
        ("action", "exec", "In progress"): 262,
        ("action", "exec", "Success"): 261,
        ("action", "kill", "Success"): 21,
        ("action", "stop", "Success"): 10,
        ("action", "update", "Success"): 4,
        ("action", "scale", "Success"): 1,
        ("action", "restart", "Success"): 1,
        ("action", "rename", "Success"): 1,
        ("action", "drain", "Success"): 1,
        ("action", "active", "Success"): 1,
        ("container", "create", "created"): 16,
        ("container", "start", "running"): 15,
        ("container", "health_status", "running (healthy)"): 9,
        ("container", "pause", "paused"): 1,
        ("container", "unpause", "running"): 1,
        ("container", "die", "exited (137)"): 11,
        ("container", "die", "exited (3)"): 4,
        ("container", "destroy", "removed"): 16,
        ("network", "create", "created"): 1,
        ("network", "connect", None): 15,
        ("network", "disconnect", None): 15,
        ("node", "update", "ready"): 1,
        ("service", "create", "created"): 2,
        ("service", "update", "updating"): 1,
        ("service", "update", "paused"): 1,
        ("service", "remove", "removed"): 2,
    }


def test_the_life_of_a_recorded_container_reads_as_docker_ps_would_show_it() -> None:
    events = recorded()
    uri = next(found.resource_uri for found in events if found.action == "pause")

    states = [found.state for found in events if found.resource_uri == uri]

    assert states == [
        "created",
        "running",
        "running (healthy)",
        "paused",
        "running",
        "exited (137)",
        "running",
        "running (healthy)",
        "exited (137)",
        "removed",
    ]


def test_recorded_lines_are_told_from_those_of_tutum() -> None:
    lines = RECORDED.read_bytes().splitlines()

    assert all(speaks_docker(line) for line in lines)
    assert not speaks_docker(
        b'{"type":"action","action":"update","resource_uri":"/api/v1/action/1/","state":"Success"}'
    )


# --- containers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "attributes", "state"),
    [
        ("create", {}, "created"),
        ("start", {}, "running"),
        ("pause", {}, "paused"),
        ("unpause", {}, "running"),
        ("die", {"exitCode": "3"}, "exited (3)"),
        ("die", {}, "exited"),
        ("die", {"exitCode": 3}, "exited (3)"),
        ("die", {"exitCode": "a label"}, "exited"),
        ("oom", {}, None),
        ("health_status: unhealthy", {}, "running (unhealthy)"),
        ("destroy", {}, "removed"),
    ],
)
def test_what_changes_a_container_is_an_event_of_the_container(
    action: str, attributes: dict[str, Any], state: str | None
) -> None:
    found = event(said("container", action, **WEB, **attributes), **ENGINE)

    assert (found.type, found.resource_uri, found.state) == ("container", "/docker/v1/container/x1/", state)
    assert (found.name, found.parents) == ("shop_web.1.t1", ABOVE_WEB)


@pytest.mark.parametrize("verb", ["kill", "stop", "restart", "rename", "update", "attach", "resize", "a-verb-to-come"])
def test_what_somebody_does_to_a_container_is_an_action_on_it_and_all_above(verb: str) -> None:
    found = event(said("container", verb, **WEB), **ENGINE)

    assert (found.type, found.action, found.state, found.name) == ("action", verb, "Success", verb)
    assert found.resource_uri == f"/docker/v1/action/{found.uuid}/"
    assert found.parents == ("/docker/v1/container/x1/", *ABOVE_WEB)


@pytest.mark.parametrize(
    ("code", "end"), [("0", "Success"), (0, "Success"), ("1", "Failed"), (137, "Failed"), ("ok", "Finished")]
)
def test_an_exec_is_one_action_that_begins_and_ends(code: Any, end: str) -> None:
    messages = [
        said("container", "exec_create: sh -c x: y", execID=EXEC),
        said("container", "exec_start: sh -c x: y", execID=EXEC),
        said("container", "exec_die", execID=EXEC, exitCode=code),
    ]

    found = [event(message) for message in messages]

    assert {one.resource_uri for one in found} == {f"/docker/v1/action/{EXEC}/"}
    assert [(one.action, one.state) for one in found] == [("exec", "Pending"), ("exec", "In progress"), ("exec", end)]


def test_an_exec_without_an_exit_code_is_not_called_a_success() -> None:
    assert event(said("container", "exec_die", execID=EXEC)).state == "Finished"


def test_what_is_no_id_of_an_exec_tells_the_execs_of_one_container_only() -> None:
    found = {event(said("container", "exec_die", key, execID="build-77")).resource_uri for key in ("x1", "x2")}

    assert len(found) == 2


def test_an_exec_of_the_engine_itself_is_called_a_healthcheck() -> None:
    found = event(said("container", "exec_die", execID="e1", exitCode="0"), probe=True)

    assert (found.action, found.name) == ("healthcheck", "healthcheck")


def test_a_container_of_compose_has_a_service_and_a_stack_on_its_engine() -> None:
    found = event(said("container", "start", **COMPOSED), engine="ENGINE")

    assert found.parents == (
        "/docker/v1/service/ENGINE.blog.app/",
        "/docker/v1/stack/ENGINE.blog/",
        "/docker/v1/node/ENGINE/",
    )


def test_an_image_that_compose_built_puts_no_container_into_the_project() -> None:
    assert event(said("container", "start", **BUILT), engine="ENGINE").parents == ("/docker/v1/node/ENGINE/",)


def test_a_container_of_compose_that_has_no_number_belongs_to_its_project() -> None:
    labels = {**BUILT, "com.docker.compose.config-hash": "5fd7e1f7"}

    found = event(said("container", "start", **labels), engine="ENGINE")

    assert found.parents == event(said("container", "start", **COMPOSED), engine="ENGINE").parents
    assert found.slot is None


def test_a_container_by_itself_is_on_its_node() -> None:
    assert event(said("container", "start"), engine="ENGINE").parents == ("/docker/v1/node/ENGINE/",)


# --- services, nodes and the rest -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "state"),
    [
        ({"updatestate.new": "updating"}, "updating"),
        ({"updatestate.new": "rollback_started", "image.new": "y"}, "rollback_started"),
    ],
)
def test_the_progress_of_an_update_is_the_state_of_the_service(attributes: dict[str, str], state: str) -> None:
    found = event(
        said("service", "update", "s1", "swarm", name="shop_web", **attributes), **ENGINE, stack="swarm1.shop"
    )

    assert (found.resource_uri, found.state, found.name) == ("/docker/v1/service/s1/", state, "shop_web")
    assert found.parents == ("/docker/v1/stack/swarm1.shop/", "/docker/v1/nodecluster/swarm1/")


@pytest.mark.parametrize(
    ("attributes", "verb"),
    [
        ({}, "update"),
        ({"replicas.new": "3"}, "scale"),
        ({"image.new": "bb:2"}, "update"),
        ({"image.new": "b", "replicas.new": "3"}, "update"),
    ],
)
def test_a_change_of_a_service_is_an_action_on_it(attributes: dict[str, str], verb: str) -> None:
    found = event(said("service", "update", "s1", "swarm", name="shop_web", **attributes), **ENGINE)

    assert (found.type, found.action) == ("action", verb)
    assert found.parents == ("/docker/v1/service/s1/", "/docker/v1/nodecluster/swarm1/")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"state.new": "down"}, ("node", "update", "down")),
        ({"availability.new": "drain"}, ("action", "drain", "Success")),
        ({"role.new": "manager"}, ("action", "promote", "Success")),
        ({"role.new": "worker"}, ("action", "demote", "Success")),
        ({"leader.new": "true"}, ("node", "update", None)),
    ],
)
def test_a_node_changes_by_itself_or_by_somebody(attributes: dict[str, str], expected: tuple[str, str, str]) -> None:
    found = event(said("node", "update", "node1", "swarm", name="vm", **attributes), **ENGINE)

    assert (found.type, found.action, found.state) == expected


@pytest.mark.parametrize(
    ("kind", "action", "id", "uri", "state"),
    [
        ("network", "create", "n1", "/docker/v1/network/n1/", "created"),
        ("network", "connect", "n1", "/docker/v1/network/n1/", None),
        ("volume", "create", "data", "/docker/v1/volume/ENGINE.data/", "created"),
        ("volume", "destroy", "data", "/docker/v1/volume/ENGINE.data/", "removed"),
        ("image", "pull", "a/b:1", "/docker/v1/image/ENGINE.a%2Fb:1/", "created"),
        ("image", "untag", "sha256:aa", "/docker/v1/image/ENGINE.sha256:aa/", None),
        ("image", "delete", "sha256:aa", "/docker/v1/image/ENGINE.sha256:aa/", "removed"),
        ("secret", "remove", "k1", "/docker/v1/secret/k1/", "removed"),
        ("config", "create", "k1", "/docker/v1/config/k1/", "created"),
        ("plugin", "enable", "p", "/docker/v1/plugin/ENGINE.p/", "enabled"),
        ("novelty", "arise", "?/#", "/docker/v1/novelty/%3F%2F%23/", None),
    ],
)
def test_everything_else_is_a_resource_of_its_own_type(
    kind: str, action: str, id: str, uri: str, state: str | None
) -> None:
    found = event(said(kind, action, id), **ENGINE)

    assert (found.type, found.action, found.resource_uri, found.state) == (kind, action, uri, state)
    assert found.parents == ("/docker/v1/node/node1/", "/docker/v1/nodecluster/swarm1/")


def test_pruning_is_done_to_the_engine() -> None:
    found = event(said("volume", "prune", "", reclaimed="0"), **ENGINE)

    assert (found.type, found.action) == ("action", "volume prune")
    assert found.parents == ("/docker/v1/node/node1/", "/docker/v1/nodecluster/swarm1/")


# --- times, identities, envelopes -------------------------------------------------------------------------------------


def test_the_time_is_the_engine_s_to_the_microsecond() -> None:
    found = event(said("container", "start"))

    assert (found.occurred_at, found.time_source) == (1_795_426_054_706_028, "engine")


def test_a_message_delivered_again_in_another_session_has_the_same_identity() -> None:
    once = event(said("container", "start"))

    assert event(said("container", "start"), **ENGINE).uuid == once.uuid
    assert event(said("container", "stop"), **ENGINE).uuid != once.uuid


def test_a_message_told_to_a_client_of_an_older_api_in_another_order_has_the_same_identity() -> None:
    message = said("container", "start", image="web", name="a")
    told = {"status": "start", "id": "x1", "from": "web", **dict(reversed(message.items()))}

    assert event(told).uuid == event(message).uuid


def test_two_containers_connected_in_one_tick_are_two_events() -> None:
    found = {event(said("network", "connect", "n1", container=key)).uuid for key in ("x1", "x2")}

    assert len(found) == 2


@pytest.mark.parametrize(("action", "identities"), [("remove", 1), ("update", 2)])
def test_a_removal_is_one_event_though_each_manager_tells_it_at_its_own_time(action: str, identities: int) -> None:
    told = [{**said("service", action, "s1", "swarm"), "timeNano": at} for at in (1_795_426_054 * 10**9, 10**18)]

    assert len({event(message).uuid for message in told}) == identities


@pytest.mark.parametrize(
    ("action", "scope", "source"),
    [
        ("remove", "swarm", "told"),
        ("update", "swarm", "engine"),
        ("remove", "local", "engine"),
    ],
)
def test_only_what_each_manager_dates_anew_is_dated_by_its_telling(action: str, scope: str, source: str) -> None:
    found = event(said("service", action, "s1", scope))

    assert (found.occurred_at, found.time_source) == (1_795_426_054_706_028, source)


def test_a_removal_without_a_time_is_dated_by_its_receiving() -> None:
    message = said("service", "remove", "s1", "swarm")
    del message["timeNano"]

    assert (event(message).time_source, event(message).uuid is None) == ("received", True)


def test_what_the_columns_hold_of_a_removal_is_rebuilt_with_its_time() -> None:
    message = said("service", "remove", "s1", "swarm")
    found = event(message, **ENGINE)

    value = value_of(found)

    assert (value["datetime"], value["message"]) == ("2026-11-23T09:27:34.706028Z", message)
    assert "told" not in value


def test_what_the_columns_hold_of_a_message_is_rebuilt_with_its_time() -> None:
    message = said("container", "start")

    value = value_of(event(message))

    assert (value["datetime"], value["message"]) == ("2026-11-23T09:27:34.706028Z", message)
    assert "engine" not in value


def test_a_message_without_a_time_may_be_another_one_and_has_no_identity() -> None:
    message = said("container", "kill")
    del message["timeNano"]

    assert event(message).uuid is None


def test_the_time_is_put_right_by_what_the_engine_s_clock_is_ahead() -> None:
    assert event(said("container", "start"), ahead=3_600_000_000).occurred_at == 1_795_422_454_706_028


def test_the_form_of_engines_before_1_10_says_the_same() -> None:
    old = {"status": "die", "id": "x1", "from": "web", "time": 1_795_000_000}

    found = event(old)

    assert speaks_docker(json.dumps(old).encode())
    assert (found.resource_uri, found.state) == ("/docker/v1/container/x1/", "exited")
    assert (found.occurred_at, found.time_source) == (1_795_000_000_000_000, "engine")
    assert json.loads(found.extra or "") == {"message": old}


def test_the_envelope_is_kept_with_the_message_and_decodes_to_the_same_event() -> None:
    found = event(said("service", "create", "s1", "swarm"), **ENGINE, stack="swarm1.shop")

    assert decode(received((found.extra or "").encode())) == found


def test_two_engines_with_a_stack_of_one_name_have_two_stacks() -> None:
    message = said("container", "start", **WEB)

    assert set(event(message, swarm="one").parents) & set(event(message, swarm="two").parents) == {
        "/docker/v1/service/s1/",
        "/docker/v1/node/node1/",
    }


# --- what nobody foresaw ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        b'{"status":"ok","id":"request-1","time":1795000000}',
        b"",
        b"\xff",
        b"[]",
        b"7",
        b"{}",
        b'{"Type":"container"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_message_is_rejected_byte_for_byte(payload: bytes) -> None:
    found = decode(received(payload))

    assert isinstance(found, Reject)
    assert found.payload == payload


def test_texts_that_no_column_takes_stay_in_the_message_only() -> None:
    found = event(said("container", f"health_status: {'x' * 300}", name="a\0b"))

    assert (found.state, found.name) == (None, None)
    assert json.loads(found.extra or "")["message"]["Actor"]["Attributes"]["name"] == "a\0b"


def test_an_id_of_an_exec_that_no_text_column_takes_is_an_event_all_the_same() -> None:
    assert event(said("container", "exec_die", execID="\ud800")).state == "Finished"


def test_an_uri_is_read_back_as_its_type_and_key() -> None:
    found = event(said("volume", "create", "my/data"), **ENGINE)

    assert uris.parse(found.resource_uri or "") == ResourceRef("volume", "ENGINE.my%2Fdata")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
words = st.sampled_from(["container", "service", "node", "image", "daemon", "die", "exec_die", "update", "prune", "x"])


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "Type": words | values,
            "Action": words | values,
            "Actor": values | st.fixed_dictionaries({"ID": values, "Attributes": values}),
            "scope": values,
            "timeNano": values,
            "time": values,
        },
    )
)
def test_any_json_object_is_an_event_or_a_reject(value: dict[str, Any]) -> None:
    decoded = decode(received(value))

    assert isinstance(decoded, Reject) or json.loads(decoded.extra or "") == {"message": value}
