"""What Podman 5 told, over a service that answers as it does and is cut off twice, archived, and asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from archiver.api.archive import Archive
from archiver.model import Closed, Item, Message, Observed, Opened
from archiver.platforms.decoders import Decoder
from archiver.platforms.docker.source import DockerSource
from archiver.platforms.docker.whose import Engines
from archiver.storage.recorder import Recorder

from ..fake_engine import FakeEngine
from .docker_items import QUICK, count, watch
from .test_podman_source import RECORDED

CUT_AT = (30, 55)
"""In the middle of an exec's life, and of a pod's."""
WEB, HEALTHY, IN_POD = "7e727ee44820f3", "76a84388e149e1", "46a0eacf8e51a2"


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> list[Item]:
    """All that the source delivers; what is told while it is away, it reads on."""
    engine = FakeEngine()
    engine.as_podman()
    waiting = [RECORDED[start:end] for start, end in zip((0, *CUT_AT), (*CUT_AT, len(RECORDED)), strict=True)]

    def tell_more() -> None:
        for message in waiting.pop(0):
            engine.tell(message)

    seen = 0

    def act(item: Item) -> None:
        nonlocal seen
        seen += isinstance(item, Message)
        if isinstance(item, Message) and seen in CUT_AT:
            engine.hang_up()
            tell_more()

    tell_more()
    with engine.on_socket(tmp_path_factory.mktemp("podman") / "podman.sock") as url:
        return watch(DockerSource(url, pace=QUICK, engines=Engines()), count(Message, len(RECORDED)), act)


@pytest.fixture
def archive(heard: list[Item], database_url: str) -> Iterator[Archive]:
    decoder = Decoder()
    with Recorder(database_url) as recorder:
        recorder.record(
            [
                decoder.decode(item) if isinstance(item, (Message, Observed)) else item
                for item in heard
                if isinstance(item, (Message, Observed, Opened, Closed))
            ]
        )
    with Archive.open(database_url) as archive:
        yield archive


def states(archive: Archive, ref: str) -> list[str]:
    return [span.state for span in archive.history(ref).spans]


def test_each_message_is_archived_once_and_none_is_missing_where_the_connection_was_cut(
    archive: Archive, heard: list[Item]
) -> None:
    told = [event for event in archive.events(limit=0) if event.type != "system"]

    assert sum(isinstance(item, Opened) for item in heard) == 3
    assert len({event.uuid for event in told}) == len(told) >= len(RECORDED) - 1
    assert [gap.kind for gap in archive.coverage().gaps] == ["stopped"]


def test_containers_live_and_end_as_podman_ps_showed_them(archive: Archive) -> None:
    lived = states(archive, f"container/{WEB}")

    assert [state for state in lived if not state.startswith("exited")][:2] == ["created", "running"]
    assert lived[-2:] == ["exited (137)", "removed"]
    assert "paused" in lived
    assert archive.resolve("web2").key.startswith(WEB)
    assert "running (healthy)" in states(archive, f"container/{HEALTHY}")
    assert not any(state.startswith(("init", "cleanup")) for state in lived)


def test_execs_end_by_their_own_code_across_a_cut(archive: Archive) -> None:
    execs = [action for action in archive.actions(f"container/{WEB}") if action.name == "exec"]

    assert [(action.state, action.events) for action in execs] == [("Success", 2), ("Failed", 2)]
    done = Counter(action.name for action in archive.actions(f"container/{WEB}"))
    assert not done.keys() & {"init", "cleanup", "exec_died", "die", "remove"}
    assert {name: done[name] for name in ("kill", "restart", "rename", "commit")} == {
        "kill": 1,
        "restart": 1,
        "rename": 1,
        "commit": 1,
    }


def test_a_pod_is_above_its_container_to_the_end_of_both(archive: Archive) -> None:
    assert states(archive, "pod1") == ["created", "exited", "removed"]
    under = {event.resource_uri for event in archive.events(types=["container"], under="pod1", limit=0)}
    assert [uri.split("/")[4][:14] for uri in under if uri] == [IN_POD]
    assert states(archive, "inpod")[-1] == "removed"


def test_what_has_only_a_name_is_one_resource_and_an_image_is_its_digest(archive: Archive) -> None:
    assert states(archive, "vol1") == ["created", "removed"]
    images = {event.resource_uri for event in archive.events(types=["image"], limit=0)}
    assert len(images) == 3
    assert all(uri is not None and ".sha256:" in uri for uri in images)
