"""Messages of one engine in their order: each is what it is after those before it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from archiver.model import Event, Message, Observation, Observed, Reject, Together
from archiver.platforms.decoders import Decoder
from archiver.platforms.docker.decoder import StreamDecoder
from archiver.platforms.docker.lives import Limits

START = 1_795_000_000
CONTAINER = "/docker/v1/container/x1/"
DIGEST = "sha256:" + "ab" * 32


class Engine:
    """Tells one second after the other, to one decoder."""

    def __init__(self, session: str | None = "session", decoder: StreamDecoder | None = None) -> None:
        self._session = session
        self._decoder = decoder or StreamDecoder()
        self.now = 0.0

    def tell(
        self, action: str, id: str = "x1", *, kind: str = "container", at: float | None = None, **attributes: Any
    ) -> Event:
        found = self.decoded(action, id, kind=kind, at=at, **attributes)
        assert isinstance(found, Event)
        return found

    def decoded(
        self, action: str, id: str = "x1", *, kind: str = "container", at: float | None = None, **attributes: Any
    ) -> Event | Reject | Together:
        self.now += 1
        scope = "swarm" if kind in ("service", "node") else "local"
        told = {"Type": kind, "Action": action, "Actor": {"ID": id, "Attributes": attributes}, "scope": scope}
        told["timeNano"] = int((START + (self.now if at is None else at)) * 10**9)
        payload = json.dumps(told).encode()
        return self._decoder.decode(Message("engine", self._session, "docker", micros(self.now), payload))

    def observe(self, state: str | None, at: float, uri: str = CONTAINER, **extra: Any) -> Observation:
        payload = json.dumps({"uri": uri, "state": state, "name": None, "parents": [], "extra": extra}).encode()
        found = self._decoder.observe(Observed("engine", "session", "docker", micros(at), payload))
        assert isinstance(found, Observation)
        return found

    def states(self, *actions: str) -> list[str | None]:
        return [self.tell(action, exitCode="137" if action == "die" else None).state for action in actions]


def micros(seconds: float) -> int:
    return int((START + seconds) * 10**6)


# --- states -----------------------------------------------------------------------------------------------------------


def test_an_event_that_changes_nothing_says_all_but_a_state() -> None:
    engine = Engine()
    engine.states("create", "start", "die", "destroy")

    late = engine.tell("health_status: healthy", name="web")

    assert (late.type, late.action, late.state, late.name) == ("container", "health_status", None, "web")


def test_a_killed_child_leaves_its_container_running() -> None:
    assert Engine().states("start", "oom", "health_status: healthy") == ["running", None, "running (healthy)"]


def test_a_message_that_is_older_than_what_is_known_keeps_its_state_at_its_own_time() -> None:
    engine = Engine(session=None)
    engine.states("die", "destroy")

    assert engine.tell("start", at=-50).state == "running"
    assert engine.tell("die", exitCode="0").state is None


def test_what_was_observed_counts_from_then_on() -> None:
    engine = Engine()
    engine.observe("exited (1)", 10)

    assert engine.tell("start", at=5).state == "running"
    assert engine.tell("health_status: healthy", at=11).state is None


def test_an_answer_asked_for_before_the_end_was_heard_revives_nothing() -> None:
    engine = Engine()
    engine.now = 100
    engine.tell("destroy", at=10)  # its clock is behind

    assert engine.observe("running", 100.5).state is None
    assert engine.observe("running", 102).state == "running"


def test_streams_are_told_apart() -> None:
    decoder = Decoder()
    payload = b'{"Type":"container","Action":"%s","Actor":{"ID":"x1"},"timeNano":1795000000000000000}'

    told = [
        decoder.decode(Message(stream, "session", "docker", 0, payload % verb))
        for stream, verb in (("one", b"destroy"), ("another", b"die"), ("one", b"die"))
    ]

    assert [event.state for event in told if isinstance(event, Event)] == ["removed", "exited", None]


def test_only_so_many_objects_are_remembered() -> None:
    engine = Engine(decoder=StreamDecoder(Limits(objects=10)))

    engine.tell("destroy", "x1")
    for number in range(10):
        engine.tell("start", f"y{number}")

    assert engine.tell("die", "x1").state == "exited"


# --- order ------------------------------------------------------------------------------------------------------------


def test_an_object_s_messages_keep_their_order_when_the_engine_s_clock_is_set_back() -> None:
    engine = Engine()

    told = [engine.tell("create"), engine.tell("start"), engine.tell("pause", at=-3600)]

    assert [event.state for event in told] == ["created", "running", "paused"]
    assert told[2].occurred_at == told[1].occurred_at
    assert json.loads(told[2].extra or "")["message"]["timeNano"] == (START - 3600) * 10**9


def test_nothing_happens_to_a_container_before_it_is_created_whatever_a_file_says() -> None:
    engine = Engine(session=None)

    told = [engine.tell("create", at=100), engine.tell("start", at=101), engine.tell("pause", at=41)]

    assert [event.occurred_at for event in told] == sorted(event.occurred_at for event in told)
    assert told[2].state == "paused"


def test_a_removal_told_by_a_manager_whose_clock_is_behind_is_the_end() -> None:
    engine = Engine()
    engine.tell("create", "s1", kind="service", at=100)

    removed = engine.tell("remove", "s1", kind="service", at=40)

    assert (removed.state, removed.occurred_at) == ("removed", micros(100))


# --- labels -----------------------------------------------------------------------------------------------------------


def test_a_label_called_exit_code_is_no_exit_code() -> None:
    engine = Engine()
    engine.tell("create", exitCode="0")

    assert engine.tell("die", exitCode="0").state == "exited"
    assert engine.tell("exec_die", exitCode="0", execID="e1" * 32).state == "Finished"


def test_an_observation_tells_which_words_are_labels() -> None:
    engine = Engine()
    engine.observe("running", 0, labelled=["exitCode"])

    assert engine.tell("die", exitCode="0").state == "exited"


def test_execs_under_a_label_called_exec_id_are_told_apart() -> None:
    engine = Engine()
    engine.tell("create", execID="x")

    told = [
        engine.tell(action, execID="x", exitCode=code)
        for action, code in (
            ("exec_create: one", None),
            ("exec_create: two", None),
            ("exec_start: two", None),
            ("exec_die", "1"),
            ("exec_start: one", None),
            ("exec_die", "0"),
        )
    ]

    one, two = told[0].resource_uri, told[1].resource_uri
    assert [event.resource_uri for event in told] == [one, two, two, two, one, one]
    assert [event.state for event in told] == ["Pending", "Pending", "In progress", "Failed", "In progress", "Success"]


def test_the_next_exec_of_the_same_word_is_another() -> None:
    engine = Engine()

    told = [engine.tell(action, execID="x") for action in ("exec_create: id", "exec_die", "exec_create: id")]

    assert told[0].resource_uri == told[1].resource_uri != told[2].resource_uri


# --- images, names, and what says two things --------------------------------------------------------------------------


def test_a_tag_that_is_known_stands_for_its_image() -> None:
    engine = Engine()
    engine.observe("created", 0, f"/docker/v1/image/{DIGEST}/", id=DIGEST, tags=["shop/web:3"])

    pulled = engine.tell("pull", "shop/web:3", kind="image", name="shop/web")

    assert (pulled.resource_uri, pulled.state, pulled.name) == (f"/docker/v1/image/{DIGEST}/", "created", "shop/web:3")


def test_a_tag_that_is_about_to_be_observed_is_nothing_that_stays() -> None:
    engine = Engine()
    engine.observe("created", 0, f"/docker/v1/image/{DIGEST}/", id=DIGEST, tags=[])

    pulled = engine.tell("pull", "shop/web:3", kind="image", name="shop/web")

    assert (pulled.state, pulled.name) == (None, None)


def test_a_rename_is_an_action_and_names_the_container() -> None:
    found = Engine().decoded("rename", name="shop-web-1", oldName="/abc_shop-web-1")

    assert isinstance(found, Together)
    action, named = found.records
    assert isinstance(action, Event)
    assert isinstance(named, Observation)
    assert (action.type, action.name) == ("action", "rename")
    assert (named.uri, named.state, named.name) == (CONTAINER, None, "shop-web-1")
    assert json.loads(named.extra or "") == {"renamed_from": "abc_shop-web-1"}


def test_a_rollback_by_hand_is_a_state_and_an_action() -> None:
    attributes = {"image.new": "web:3", "replicas.new": "2", "updatestate.new": "rollback_started", "name": "shop_web"}

    found = Engine().decoded("update", "s1", kind="service", **attributes)

    assert isinstance(found, Together)
    told = [(event.type, event.action, event.state, event.image) for event in found.records if isinstance(event, Event)]
    assert told == [("service", "update", "rollback_started", "web:3"), ("action", "rollback", "Success", None)]
    assert len({event.uuid for event in found.records if isinstance(event, Event)}) == 2


def test_another_image_of_a_service_is_an_action_and_what_the_service_is_made_of() -> None:
    found = Engine().decoded("update", "s1", kind="service", **{"image.new": "web:4", "image.old": "web:3"})

    assert isinstance(found, Together)
    action, made = found.records
    assert isinstance(action, Event)
    assert isinstance(made, Observation)
    assert (action.type, action.action) == ("action", "update")
    assert (made.uri, made.state, made.image) == ("/docker/v1/service/s1/", None, "web:4")


def test_what_was_found_by_asking_has_the_image_and_the_slot_that_stand_in_it() -> None:
    labels = {"com.docker.swarm.task.id": "t1", "com.docker.swarm.task.name": "shop_web.1.t1"}

    found = Engine().observe("running", 1, image="web:3", labels=labels)

    assert (found.image, found.slot) == ("web:3", "shop_web.1")


def test_an_image_whose_tag_has_moved_on_is_no_other_image() -> None:
    assert Engine().observe("running", 1, image=DIGEST).image is None


# --- whatever comes ---------------------------------------------------------------------------------------------------

ACTIONS = [
    "create",
    "pause",
    "unpause",
    "oom",
    "die",
    "health_status: healthy",
    "exec_die",
    "rename",
    "destroy",
    "kill",
]


@given(st.lists(st.sampled_from(ACTIONS), max_size=8), st.sampled_from(["die", "destroy"]))
def test_a_container_that_has_ended_does_not_run_before_it_is_started(later: list[str], end: str) -> None:
    engine = Engine()
    engine.states("create", "start", end)

    told = [engine.decoded(action) for action in later]

    states = {event.state for event in told if isinstance(event, Event) and event.type == "container"}
    assert states <= {None, "exited", "removed"}
    assert engine.tell("start").state == "running"
