"""An engine that is a worker of a swarm: what it does not list may be there all the same."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from archiver.model import Alive, Item, Observed
from archiver.platforms.docker.source import DockerPace, DockerSource

from ..fake_engine import FakeEngine

QUICK = DockerPace(patience=2, alive_every=0.05, dead_after=0.3, first_delay=0.02, longest_delay=0.02)


def states_after_all_vanished(engine: FakeEngine, url: str) -> dict[str, Any]:
    """What is observed of each object last: all are listed at the first connection, none at the second."""
    stop = threading.Event()
    limit = threading.Timer(20, stop.set)
    limit.start()
    items: list[Item] = []
    for item in DockerSource(url, pace=QUICK).items(stop):
        items.append(item)
        if isinstance(item, Alive):
            if not engine.answers["/networks"]:
                stop.set()
            engine.answers |= {"/networks": [], "/volumes": {"Volumes": None}}
            engine.hang_up()
    limit.cancel()
    limit.join()
    found = [json.loads(item.payload) for item in items if isinstance(item, Observed)]
    return {item["uri"]: item["state"] for item in found}


@pytest.mark.parametrize("manager", [True, False])
def test_only_a_manager_knows_that_a_network_is_gone(tmp_path: Path, manager: bool) -> None:
    engine = FakeEngine()
    engine.answers["/info"]["Swarm"]["ControlAvailable"] = manager
    engine.answers |= {
        "/networks": [{"Id": "n1", "Name": "shop_default", "Scope": "swarm", "Labels": {}}],
        "/volumes": {"Volumes": [{"Name": "data", "Labels": None}]},
    }
    with engine.on_socket(tmp_path / "s") as url:
        found = states_after_all_vanished(engine, url)

    assert found["/docker/v1/volume/ENGINE.data/"] == "removed"
    assert (found["/docker/v1/network/n1/"] == "removed") is manager
