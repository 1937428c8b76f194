"""The recorded stream of a real swarm, decoded, archived, and asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.api.archive import Archive
from archiver.errors import NoSuchResource
from archiver.model import Message, Observation, Resource, TreeNode, to_micros
from archiver.platforms.decoders import Decoder, decode
from archiver.storage import migrate
from archiver.storage.recorder import Recorder
from archiver.transfer.importer import import_lines
from tests.integration.archives import rows

RECORDED = Path(__file__).parents[1] / "data" / "docker-swarm-events.jsonl"


def messages() -> list[Message]:
    lines = RECORDED.read_bytes().splitlines()
    return [Message("unix:///run/docker.sock", "session", "docker", 1_795_426_200_000_000, line) for line in lines]


@pytest.fixture
def archive(database_url: str) -> Iterator[Archive]:
    with Recorder(database_url) as recorder:
        recorder.record([decode(message) for message in messages()])
    with Archive.open(database_url) as archive:
        yield archive


def states(archive: Archive, ref: str) -> list[str]:
    return [span.state for span in archive.history(ref).spans]


def test_every_message_is_an_event(archive: Archive) -> None:
    assert len(list(archive.events(limit=0))) == 937


def test_the_history_of_a_container_is_found_by_the_name_it_ended_with(archive: Archive) -> None:
    assert states(archive, "blog-app-2") == ["created", "running", "exited (137)", "removed"]


def test_the_slot_of_a_service_is_its_latest_container(archive: Archive) -> None:
    named = archive.resolve("shop_web.1").name or ""

    assert named.startswith("shop_web.1.")
    assert states(archive, "shop_web.1")[-1] == "removed"


def test_a_worker_that_fails_shows_its_exit_code(archive: Archive) -> None:
    failed = [event.name for event in archive.events(states=["exited (3)"], limit=0)]

    assert len(failed) == 4
    assert states(archive, failed[0] or "") == ["created", "running", "exited (3)", "removed"]


def test_the_history_of_a_service_tells_of_its_rolling_update(archive: Archive) -> None:
    assert states(archive, "shop_web") == ["created", "updating", "paused", "removed"]


def test_the_actions_of_a_stack_are_those_on_all_its_containers(archive: Archive) -> None:
    done = Counter(action.name for action in archive.actions("stack/shop"))

    assert {name: done[name] for name in ("kill", "stop", "restart", "scale")} == {
        "kill": 18,  # eight of them when the services were gone already
        "stop": 9,
        "restart": 1,
        "scale": 1,  # a service's messages carry no label; its place is known from its containers
    }


def test_an_exec_is_one_action_with_an_end(archive: Archive) -> None:
    execs = [action for action in archive.actions("stack/shop") if action.name == "exec"]

    assert len(execs) == 263
    assert {action.events for action in execs if action.state == "Success"} == {3}
    assert sum(action.finished_at is None for action in execs) == 2


def test_an_exec_that_turns_out_to_be_a_probe_is_listed_as_one(archive: Archive, database_url: str) -> None:
    execs = [action for action in archive.actions("stack/shop", healthchecks=False) if action.name == "exec"]
    probe = next(action for action in execs if action.finished_at is not None)
    assert probe.finished_at is not None

    with Recorder(database_url) as recorder:
        recorder.record([Observation(probe.uri, None, "healthcheck", (), to_micros(probe.finished_at) + 1, None)])

    with Archive.open(database_url) as archive:
        left = {action.uri for action in archive.actions("stack/shop", healthchecks=False) if action.name == "exec"}
        assert left == {action.uri for action in execs} - {probe.uri}
        assert archive.healthcheck_actions("stack/shop") == 1


def test_what_was_done_to_a_container_names_the_container(archive: Archive) -> None:
    renamed = [action for action in archive.actions("blog-app-2") if action.name == "rename"]

    assert [action.target for action in renamed] == [archive.resolve("blog-app-2").uri]


def test_the_tree_of_a_stack_holds_its_services_and_their_containers(archive: Archive) -> None:
    def kinds(node: TreeNode) -> dict[str, int]:
        return {child.name or child.uri: len(child.children) for child in node.children}

    assert kinds(archive.tree("stack/shop", gone=True)) == {"shop_web": 10, "shop_worker": 4}


def test_delivered_twice_it_is_archived_once(database_url: str) -> None:
    with Recorder(database_url) as recorder:
        recorder.record([decode(message) for message in messages()])
        again = recorder.record([decode(message) for message in messages()])

    assert (again.events, again.rejects, again.duplicates) == (0, 0, 937)


def test_a_node_that_is_drained_is_acted_on(archive: Archive) -> None:
    node: Resource = archive.resolve("node/vm")

    assert [action.name for action in archive.actions("node/vm") if action.target == node.uri] == ["drain", "active"]


def test_recorded_messages_can_be_imported_as_the_engine_wrote_them(database_url: str) -> None:
    lines = RECORDED.read_bytes().splitlines(keepends=True)

    result = import_lines(database_url, lines)

    assert (result.events, result.rejects) == (937, 0)


def told(action: str, at: int, kind: str = "container", id: str = "x1", **attributes: str) -> bytes:
    actor = {"ID": id, "Attributes": attributes}
    scope = "swarm" if kind == "service" else "local"
    message = {"Type": kind, "Action": action, "Actor": actor, "scope": scope}
    return json.dumps({**message, "timeNano": (1_795_000_000 + at) * 10**9}).encode()


def test_a_late_word_changes_nothing_in_history_tree_and_views(database_url: str) -> None:
    lines = [told("create", 0), told("start", 1), told("die", 5, exitCode="143"), told("health_status: unhealthy", 6)]
    import_lines(database_url, [*lines, told("oom", 7)])

    with Archive.open(database_url) as archive:
        assert states(archive, "container/x1") == ["created", "running", "exited (143)"]
        assert archive.tree("container/x1").state == "exited (143)"
        assert [event.action for event in archive.events(limit=2)] == ["health_status", "oom"]
    assert rows(database_url, "SELECT state FROM current_states WHERE type = 'container'") == [("exited (143)",)]


@pytest.mark.parametrize(
    ("oom", "die", "start", "note"),
    [(4, 5, 9, "out of memory"), (6, 5, 9, "out of memory"), (4, 90, 99, ""), (7, 5, 6, "")],
)
def test_an_exit_is_explained_by_the_want_of_memory_told_beside_it(
    database_url: str, oom: int, die: int, start: int, note: str
) -> None:
    told_at = sorted([(0, "start"), (oom, "oom"), (die, "die"), (start, "start")])
    import_lines(
        database_url, [told(action, at, **({"exitCode": "137"} if action == "die" else {})) for at, action in told_at]
    )

    with Archive.open(database_url) as archive:
        spans = archive.history("container/x1").spans

    assert [(span.state, span.note) for span in spans] == [("running", ""), ("exited (137)", note), ("running", "")]


def test_a_renamed_container_is_found_by_its_new_name_before_its_next_message(database_url: str) -> None:
    import_lines(database_url, [told("create", 0, name="a"), told("rename", 1, name="b", oldName="/a")])

    with Archive.open(database_url) as archive:
        assert archive.resolve("b").key == "x1"
        assert [(action.name, action.target) for action in archive.actions("b")] == [
            ("rename", "/docker/v1/container/x1/")
        ]


def test_a_rollback_by_hand_is_archived_as_state_and_action_and_once(database_url: str) -> None:
    changed = {"image.new": "web:3", "replicas.new": "2", "updatestate.new": "rollback_started"}
    lines = [told("create", 0, "service", "s1"), told("update", 1, "service", "s1", **changed)]

    first, again = import_lines(database_url, lines), import_lines(database_url, lines)

    assert (first.events, again.events, again.duplicates, again.rejects) == (3, 0, 3, 0)
    with Archive.open(database_url) as archive:
        assert states(archive, "service/s1") == ["created", "rollback_started"]
        assert [action.name for action in archive.actions("service/s1")] == ["rollback"]


def test_what_one_message_tells_of_two_objects_survives_an_export(database_url: str, tmp_path: Path) -> None:
    import_lines(database_url, [told("create", 0, name="a"), told("rename", 1, name="b", oldName="/a")])
    other = f"sqlite:///{tmp_path}/other.db"
    migrate.create(other)

    with Archive.open(database_url) as archive:
        result = import_lines(other, [line.encode() for line in archive.export()])

    assert (result.events, result.rejects) == (2, 0)
    with Archive.open(other) as archive:
        assert archive.resolve("b").key == "x1"


def test_the_same_message_of_another_version_of_the_api_is_no_conflict(database_url: str) -> None:
    line = told("start", 0, image="web")
    with_more = json.dumps({"status": "start", "id": "x1", "from": "web", **json.loads(line)}).encode()

    result = import_lines(database_url, [line, with_more])

    assert (result.events, result.duplicates, result.rejects) == (1, 1, 0)


def test_an_action_is_not_found_by_what_it_does(database_url: str) -> None:
    import_lines(database_url, RECORDED.read_bytes().splitlines())

    with Archive.open(database_url) as archive, pytest.raises(NoSuchResource):
        archive.resolve("kill")


def test_what_one_message_tells_of_two_objects_is_one_step_of_a_receiver(database_url: str) -> None:
    decoder = Decoder()
    lines = [told("create", 0, name="a"), told("rename", 1, name="b", oldName="/a"), told("start", 2, name="b")]
    decoded = [decoder.decode(Message("engine", None, "docker", 1_795_426_200_000_000, line)) for line in lines]

    with Recorder(database_url, "spool") as recorder:
        recorder.record(decoded[:2], 2)
        recorder.record(decoded, 3)  # the answer to the first was lost
        position = recorder.position()

    assert position == 3
    assert rows(database_url, "SELECT count(*) FROM events") == [(3,)]
    assert rows(database_url, "SELECT count(*) FROM observations") == [(1,)]
