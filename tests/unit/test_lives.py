"""One resource through its words: the rules of docs/archive.md, each by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import permutations

import pytest

from archiver.model import to_micros
from archiver.platforms.docker import facts as docker
from archiver.platforms.tutum import facts as tutum
from archiver.storage.facts.heard import Fact, State, Word
from archiver.storage.facts.lives import Standing
from archiver.storage.facts.outlived import follower
from archiver.storage.facts.places import Kinds, Reading, read
from archiver.storage.facts.steps import NEVER, Step, put, says, steps_of, within
from archiver.storage.schema import ASKED, BY_EVENT, BY_OBSERVATION, INFERRED, NAME, OPEN, PARENT, TARGET, TOLD

KINDS = Kinds(dict(enumerate(["container", "service", "stack", "node", "nodecluster", "action", "volume"])))
HOUR = 3_600_000_000
# Numbers of resources: the type, and one digit.
CONTAINER, OTHER_CONTAINER, SERVICE, OTHER_SERVICE, STACK, OTHER_STACK = 1, 2, 11, 12, 21, 22
NODE, CLUSTER, ACTION, VOLUME, OTHER_VOLUME = 31, 41, 51, 61, 62

STATES = ["", "Running", "running", "Stopped", "Terminated", "removed", "Pending", "In progress", "Success"]
KNOWN = {
    number: State(
        text.lower(), text.lower() in tutum.GONE | docker.GONE, text.lower() not in tutum.UNSETTLED
    )
    for number, text in enumerate(STATES)
}  # fmt: skip


def read_list(members: Sequence[int]) -> Reading:
    return read(tuple(members), tuple([member // 10 for member in members]), KINDS)


class Lists:
    """Every list that is told, by its number."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[int, ...], int] = {}
        self.readings: dict[int, Reading] = {}

    def number(self, members: Sequence[int]) -> int | None:
        if not members:
            return None
        number = self.numbers.setdefault(tuple(members), len(self.numbers) + 1)
        self.readings[number] = read_list(members)
        return number


LISTS = Lists()


def told(
    at: int,
    state: str | None = None,
    parents: Sequence[int] = (),
    name: int | None = None,
    source: int = BY_EVENT,
    number: int | None = None,
) -> Word:
    """A word; its number is its instant, where it does not matter."""
    state_id = None if state is None else STATES.index(state)
    texts = () if name is None else ((NAME, name),)
    return at, source, at if number is None else number, state_id, LISTS.number(parents), texts


def hear(standing: Standing, *words: Word) -> bool:
    return all([standing.hear(word, KNOWN, LISTS.readings, KINDS) for word in words])


def lived(number: int, *words: Word, first_at: int = OPEN) -> Standing:
    """Who has heard all these words, in their order."""
    kind = KINDS.names[number // 10]
    standing = follower(kind)(number, number // 10, kind, first_at)
    assert hear(standing, *sorted(words))
    return standing


def held(standing: Standing, what: int = PARENT) -> list[tuple[int, int, int]]:
    """What was true, and from when until when."""
    return sorted((fact.value, fact.since, fact.until) for fact in facts(standing) if fact.what == what)


def facts(standing: Standing) -> Iterable[Fact]:
    return [fact for fact in dict.fromkeys(standing.touched) if not fact.dropped]


# --- rule 1: life ----------------------------------------------------------------------------------------------------


def test_what_ends_is_gone_until_it_tells_of_a_state_that_is_none() -> None:
    words = [told(1, "Running", [SERVICE]), told(5, "Terminated"), told(7), told(9, "Stopped")]

    assert held(lived(CONTAINER, *words)) == [(SERVICE, 1, 5), (SERVICE, 9, OPEN)]


def test_a_second_end_is_the_same_end() -> None:
    standing = lived(CONTAINER, told(1, "Running", [SERVICE]), told(5, "Terminated"), told(6, "removed"))

    assert held(standing) == [(SERVICE, 1, 5)]
    assert standing.gone_at == 5


def test_it_lives_from_when_others_named_it() -> None:
    assert held(lived(CONTAINER, told(4, "Running", [SERVICE]), first_at=2)) == [(SERVICE, 2, OPEN)]


def test_who_was_named_and_is_gone_with_its_first_word_was_where_that_says() -> None:
    assert held(lived(CONTAINER, told(4, "Terminated", [SERVICE]), first_at=2)) == [(SERVICE, 2, 4)]


def test_who_is_gone_with_its_first_word_was_nowhere() -> None:
    assert held(lived(CONTAINER, told(4, "Terminated", [SERVICE]))) == []


# --- rule 2: places --------------------------------------------------------------------------------------------------


def test_a_list_replaces_the_types_it_names_and_no_others() -> None:
    standing = lived(CONTAINER, told(1, None, [SERVICE, NODE]), told(3, None, [OTHER_SERVICE]), told(5), told(6))

    assert held(standing) == [(SERVICE, 1, 3), (OTHER_SERVICE, 3, OPEN), (NODE, 1, OPEN)]


def test_the_first_list_of_a_type_holds_from_the_first_instant_on() -> None:
    standing = lived(CONTAINER, told(1), told(3, None, [SERVICE]), told(5, None, [NODE]))

    assert held(standing) == [(SERVICE, 1, OPEN), (NODE, 1, OPEN)]


def test_the_first_list_holds_in_every_life_before_it() -> None:
    words = [told(1), told(2, "Terminated"), told(4, "Running"), told(6, None, [SERVICE], name=7)]

    assert held(lived(CONTAINER, *words)) == [(SERVICE, 1, 2), (SERVICE, 4, OPEN)]
    assert held(lived(CONTAINER, *words), NAME) == [(7, 1, 2), (7, 4, OPEN)]


def test_of_a_single_type_the_last_one_counts_of_any_other_all() -> None:
    standing = lived(CONTAINER, told(1, None, [SERVICE, OTHER_SERVICE, VOLUME, OTHER_VOLUME, SERVICE]))

    assert held(standing) == [(SERVICE, 1, OPEN), (VOLUME, 1, OPEN), (OTHER_VOLUME, 1, OPEN)]


def test_what_is_left_out_of_several_has_ended() -> None:
    standing = lived(CONTAINER, told(1, None, [VOLUME, OTHER_VOLUME]), told(3, None, [OTHER_VOLUME]))

    assert held(standing) == [(VOLUME, 1, 3), (OTHER_VOLUME, 1, OPEN)]


def test_nothing_is_its_own_parent() -> None:
    assert held(lived(VOLUME, told(1, None, [VOLUME, OTHER_VOLUME, VOLUME]))) == [(OTHER_VOLUME, 1, OPEN)]
    assert held(lived(VOLUME, told(1, None, [OTHER_VOLUME]), told(2, None, [VOLUME]))) == [(OTHER_VOLUME, 1, OPEN)]


# --- rule 3: direct edges --------------------------------------------------------------------------------------------


def test_a_container_is_directly_under_its_service_and_its_node() -> None:
    standing = lived(CONTAINER, told(1, None, [SERVICE, STACK, NODE, CLUSTER]))

    assert held(standing) == [(SERVICE, 1, OPEN), (NODE, 1, OPEN)]


def test_an_edge_ends_when_its_end_is_named_with_something_nearer() -> None:
    standing = lived(CONTAINER, told(1, None, [STACK]), told(3, None, [SERVICE, STACK]))

    assert held(standing) == [(SERVICE, 1, OPEN), (STACK, 1, 3)]


def test_of_two_services_nobody_knows_which_is_in_the_stack() -> None:
    standing = lived(CONTAINER, told(1, None, [SERVICE, OTHER_SERVICE, STACK]))

    assert held(standing) == [(OTHER_SERVICE, 1, OPEN), (STACK, 1, OPEN)]


def test_the_same_parent_twice_is_one() -> None:
    standing = lived(CONTAINER, told(1, None, [SERVICE, STACK, SERVICE, STACK]))

    assert held(standing) == [(SERVICE, 1, OPEN)]


def test_the_lists_of_others_than_containers_services_and_nodes_prove_nothing() -> None:
    assert held(lived(VOLUME, told(1, None, [SERVICE, STACK]))) == [(SERVICE, 1, OPEN), (STACK, 1, OPEN)]


def test_a_list_proves_what_the_nearer_ones_are_directly_under() -> None:
    members = [SERVICE, STACK, NODE, CLUSTER, CONTAINER]
    proofs = read_list(members).proofs

    assert sorted((low, high) for low, _, high in proofs) == [
        (CONTAINER, SERVICE), (CONTAINER, NODE), (SERVICE, STACK), (NODE, CLUSTER)
    ]  # fmt: skip


def test_a_list_of_one_of_each_type_is_read_as_one_that_names_its_last_twice() -> None:
    lists = [found for size in range(1, 5) for found in permutations([1, 11, 21, 31, 41, 51, 61, 71], size)]

    for members in lists:
        assert read_list(members)[2:] == read_list((*members, members[-1]))[2:]


# --- rule 4: what others say -----------------------------------------------------------------------------------------


def test_what_others_say_counts_as_long_as_it_lives() -> None:
    standing = lived(CONTAINER, told(2, "Running"), told(6, "Terminated"), told(8, "Running"), first_at=1)
    standing.hear_others({1: [Step(3, SERVICE, 1), Step(7, OTHER_SERVICE, 2)]})

    assert held(standing) == [(SERVICE, 1, 6), (OTHER_SERVICE, 8, OPEN)]
    assert {fact.how for fact in facts(standing)} == {INFERRED}


def test_what_others_say_counts_only_where_it_never_spoke_itself() -> None:
    standing = lived(SERVICE, told(5, "Running", [STACK]), first_at=1)
    standing.hear_others({2: [Step(1, OTHER_STACK, 1)], 3: [Step(2, NODE, 1)]})

    assert held(standing) == [(STACK, 1, OPEN), (NODE, 1, OPEN)]


def test_the_next_step_goes_on_from_the_last() -> None:
    standing = lived(SERVICE, first_at=1)
    standing.step(2, Step(3, STACK, 1))
    standing.step(2, Step(5, OTHER_STACK, 2))

    assert held(standing) == [(STACK, 1, 5), (OTHER_STACK, 5, OPEN)]


def test_who_ends_before_what_others_said_already_needs_all_words() -> None:
    standing = lived(CONTAINER, told(1, "Running"))
    standing.step(1, Step(3, SERVICE, 1))
    standing.step(1, Step(8, OTHER_SERVICE, 2))

    assert not hear(standing, told(5, "Terminated"))


def test_two_words_of_one_instant_are_two_whatever_others_said_of_later() -> None:
    standing = lived(SERVICE, told(2, "Running", name=7))
    standing.hear_others({2: [Step(3, STACK, 1), Step(7, OTHER_STACK, 2)]})

    assert hear(standing, told(2, name=7, number=9))
    assert [fact.told_by for fact in facts(standing) if fact.what == NAME] == [9]


@pytest.mark.parametrize(
    ("said", "steps"),
    [
        ([], []),
        ([Step(1, STACK, 1), Step(2, STACK, 2)], [Step(1, STACK, 1)]),
        ([Step(1, STACK, 1), Step(2, OTHER_STACK, 2), Step(2, STACK, 3)], [Step(1, STACK, 1)]),
        ([Step(1, STACK, 1), Step(1, OTHER_STACK, 2)], [Step(NEVER, STACK, 1), Step(1, OTHER_STACK, 2)]),
    ],
)
def test_steps_are_what_changes(said: list[Step], steps: list[Step]) -> None:
    assert steps_of(said) == steps


def test_something_said_late_holds_until_the_next_thing_that_was_said() -> None:
    steps = [Step(1, STACK, 1)]

    assert not says(steps, 3, OTHER_STACK)
    assert put(steps, [Step(3, OTHER_STACK, 9)], Step(5, STACK, 2)) == [
        Step(1, STACK, 1), Step(3, OTHER_STACK, 9), Step(5, STACK, 2)
    ]  # fmt: skip


def test_something_said_before_the_first_thing_holds_before() -> None:
    assert not says([Step(3, STACK, 1)], 1, STACK)
    assert put([Step(3, STACK, 1)], [Step(1, OTHER_STACK, 9)], Step(3, STACK, 1)) == [
        Step(1, OTHER_STACK, 9), Step(3, STACK, 1)
    ]  # fmt: skip


def test_steps_of_one_instant_hold_for_no_time() -> None:
    assert list(within([Step(NEVER, STACK, 1), Step(3, OTHER_STACK, 2)], [(3, 8)])) == [(3, 8, Step(3, OTHER_STACK, 2))]


# --- rule 5: facts ---------------------------------------------------------------------------------------------------


def test_back_again_what_was_told_last_holds_again() -> None:
    words = [told(1, "Running", [SERVICE, NODE]), told(3, "Terminated"), told(4, None, [OTHER_SERVICE], name=7)]
    standing = lived(CONTAINER, *words, told(6, "Running"))

    assert held(standing) == [(SERVICE, 1, 3), (OTHER_SERVICE, 6, OPEN), (NODE, 1, 3), (NODE, 6, OPEN)]
    tellers = {(fact.value, fact.since): fact.told_by for fact in facts(standing) if fact.what == PARENT}
    assert tellers == {(SERVICE, 1): 1, (OTHER_SERVICE, 6): 4, (NODE, 1): 1, (NODE, 6): 1}


def test_back_at_once_it_never_left() -> None:
    words = [told(1, "Running", [SERVICE], name=7), told(3, "Terminated"), told(3, "Running", number=4)]

    assert held(lived(CONTAINER, *words)) == [(SERVICE, 1, OPEN)]
    assert held(lived(CONTAINER, *words), NAME) == [(7, 1, OPEN)]


def test_moved_there_and_back_at_one_instant_it_never_moved() -> None:
    words = [told(1, None, [SERVICE]), told(3, None, [OTHER_SERVICE]), told(3, None, [SERVICE], number=4)]

    assert held(lived(CONTAINER, *words)) == [(SERVICE, 1, OPEN)]


def test_a_fact_says_who_told_it() -> None:
    standing = lived(CONTAINER, told(1, None, [SERVICE]), told(2, None, [OTHER_SERVICE], source=BY_OBSERVATION))

    assert [(fact.how, fact.told_by) for fact in facts(standing)] == [(TOLD, 1), (ASKED, 2)]


def test_of_two_words_of_the_first_instant_the_last_one_told() -> None:
    standing = lived(CONTAINER, told(1, None, [SERVICE]), told(1, None, [SERVICE], source=BY_OBSERVATION, number=8))

    assert [(fact.how, fact.told_by) for fact in facts(standing)] == [(ASKED, 8)]


# --- rule 5a: what outlives ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "parent"), [(SERVICE, STACK), (NODE, CLUSTER), (SERVICE, VOLUME)])
def test_what_others_are_part_of_is_for_an_hour_where_it_was_when_it_ended(number: int, parent: int) -> None:
    standing = lived(number, told(1, "Running", [parent], name=7), told(5, "Terminated"))

    assert held(standing) == [(parent, 1, 5 + HOUR)]
    assert held(standing, NAME) == [(7, 1, 5)]
    assert standing.gone_at == 5


@pytest.mark.parametrize("number", [CONTAINER, STACK, VOLUME])
def test_what_nothing_is_part_of_or_what_is_part_of_nothing_is_nowhere(number: int) -> None:
    assert held(lived(number, told(1, "Running", [CLUSTER]), told(5, "Terminated"))) == [(CLUSTER, 1, 5)]


@pytest.mark.parametrize("back", [6, 5 + HOUR])
def test_back_within_the_hour_in_the_same_place_it_never_left(back: int) -> None:
    standing = lived(SERVICE, told(1, "Running", [STACK]), told(5, "Terminated"), told(back, "Running"))

    assert held(standing) == [(STACK, 1, OPEN)]


def test_back_after_the_hour_it_was_away() -> None:
    standing = lived(SERVICE, told(1, "Running", [STACK]), told(5, "Terminated"), told(6 + HOUR, "Running"))

    assert held(standing) == [(STACK, 1, 5 + HOUR), (STACK, 6 + HOUR, OPEN)]


def test_what_it_tells_while_it_is_gone_counts_when_it_is_back() -> None:
    words = [told(1, "Running", [STACK]), told(5, "Terminated"), told(6, "removed", [OTHER_STACK])]

    assert held(lived(SERVICE, *words)) == [(STACK, 1, 5 + HOUR)]
    assert held(lived(SERVICE, *words, told(8, "Running"))) == [(STACK, 1, 8), (OTHER_STACK, 8, OPEN)]


def test_the_first_list_outlives_every_life_before_it() -> None:
    words = [told(1), told(2, "Terminated"), told(4, "Running"), told(5, "Terminated"), told(9, None, [STACK])]

    assert held(lived(SERVICE, *words)) == [(STACK, 1, 5 + HOUR)]


@pytest.mark.parametrize("later", [9, 9 + 2 * HOUR])
def test_the_first_list_of_who_is_back_joins_what_lies_within_an_hour(later: int) -> None:
    standing = lived(SERVICE, told(1), told(2, "Terminated"), told(later, "Running", [STACK]))

    assert held(standing) == ([(STACK, 1, OPEN)] if later == 9 else [(STACK, 1, 2 + HOUR), (STACK, later, OPEN)])


def test_what_it_came_under_when_it_ended_held_for_no_time() -> None:
    words = [told(1, "Running", [STACK]), told(5, None, [OTHER_STACK]), told(5, "Terminated", number=6)]

    assert held(lived(SERVICE, *words)) == [(STACK, 1, 5 + HOUR)]


def test_back_for_no_time_it_was_not_back() -> None:
    words = [told(1, "Running", [STACK]), told(5, "Terminated"), told(7, "Running", [OTHER_STACK])]
    standing = lived(SERVICE, *words, told(7, "removed", number=8))

    assert held(standing) == [(STACK, 1, 5 + HOUR)]
    assert standing.gone_at == 7


def test_what_others_say_outlives_it_too() -> None:
    standing = lived(SERVICE, told(2, "Running"), told(6, "Terminated"), told(8, "Running"), told(9, "removed"))
    standing.hear_others({2: [Step(2, STACK, 1), Step(7, OTHER_STACK, 2), Step(10, STACK, 3)]})

    assert held(standing) == [(STACK, 2, 8), (OTHER_STACK, 8, 9 + HOUR)]


def test_an_end_at_the_end_of_time_is_outlived_by_nothing() -> None:
    last = to_micros(datetime.max.replace(tzinfo=UTC))

    assert held(lived(SERVICE, told(1, "Running", [STACK]), told(last, "Terminated"))) == [(STACK, 1, last)]


# --- rule 6: names ---------------------------------------------------------------------------------------------------


def test_a_name_holds_until_the_next_one_while_it_lives() -> None:
    words = [told(1), told(2, name=7), told(4, name=8), told(5, name=8), told(6, "removed"), told(8, "Running")]

    assert held(lived(CONTAINER, *words), NAME) == [(7, 1, 4), (8, 4, 6), (8, 8, OPEN)]


def test_an_action_has_no_name_but_its_last() -> None:
    standing = lived(ACTION, told(1, name=7), told(2, name=8))

    assert held(standing, NAME) == []
    assert standing.told(NAME) == 8


# --- rule 7: actions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "run"),
    [
        ([told(1)], (0, 1, OPEN)),
        ([told(1, "Pending", [SERVICE]), told(3, "In progress")], (SERVICE, 1, OPEN)),
        ([told(1, "Pending", [SERVICE]), told(3, "Success"), told(4)], (SERVICE, 1, 3)),
        ([told(1, "Success", [SERVICE])], (SERVICE, 1, 1)),
        ([told(1, "Success"), told(3, "Pending")], (0, 1, OPEN)),
        ([told(1, None, [STACK, SERVICE]), told(3, None, [OTHER_SERVICE])], (SERVICE, 1, OPEN)),
        ([told(1, None, [STACK]), told(3, None, [CONTAINER])], (CONTAINER, 1, OPEN)),
        ([told(1, None, [ACTION, VOLUME])], (VOLUME, 1, OPEN)),
        ([told(1, None, [STACK], source=BY_OBSERVATION), told(2, None, [SERVICE])], (SERVICE, 1, OPEN)),
        ([told(1, "Pending", [SERVICE]), told(2, "Success", [CONTAINER], source=BY_OBSERVATION)], (CONTAINER, 1, 2)),
        ([told(2, "Success", [SERVICE], source=BY_OBSERVATION)], (SERVICE, 2, 2)),
    ],
)
def test_an_action_applies_to_the_most_specific_object_until_it_ends(
    words: list[Word], run: tuple[int, int, int]
) -> None:
    standing = lived(ACTION, *words)

    assert held(standing, TARGET) == [run]
    assert held(standing, PARENT) == []


# --- rule 9: the present ---------------------------------------------------------------------------------------------


def test_the_present_is_what_was_told_last() -> None:
    words = [
        told(1, "Stopped", [SERVICE], name=7),
        told(2, "Running", source=BY_OBSERVATION),
        told(4, "running", [NODE]),
        told(6, source=BY_OBSERVATION),
    ]
    standing = lived(CONTAINER, *words)

    assert (standing.first_at, standing.last_at, standing.last_source) == (1, 6, BY_OBSERVATION)
    assert (standing.state_since, standing.state_at, standing.state_source) == (2, 4, BY_OBSERVATION)
    assert STATES[standing.state_id or 0] == "Running"
    assert (standing.gone_at, standing.told(NAME), standing.list_id) == (None, 7, LISTS.number([NODE]))


# --- what needs more than how a resource stands ----------------------------------------------------------------------


@pytest.mark.parametrize("late", [told(2), told(3, number=8)])
def test_a_late_word_needs_all_words(late: Word) -> None:
    standing = lived(CONTAINER, told(1), told(3, source=BY_OBSERVATION))

    assert not hear(standing, late)


def resumed(list_id: int | None, facts: Sequence[Fact] = (), last_at: int = 5) -> Standing:
    """Who goes on from what the archive has."""
    standing = Standing(CONTAINER, CONTAINER // 10, "container", 1)
    standing.last_at, standing.list_id = last_at, list_id
    standing.resume_texts(((NAME, 7),))
    told_of = {fact.value // 10: (fact.value,) for fact in facts}
    standing.resume(facts, told_of, LISTS.readings[list_id].told if list_id else {})
    return standing


def test_who_goes_on_moves_from_where_it_is() -> None:
    standing = resumed(LISTS.number([SERVICE]), [Fact(PARENT, SERVICE, 1, OPEN, 1, TOLD)])

    assert hear(standing, told(6, None, [OTHER_SERVICE]))
    assert held(standing) == [(SERVICE, 1, 6), (OTHER_SERVICE, 6, OPEN)]


def test_a_type_that_it_may_have_told_of_before_needs_all_words() -> None:
    standing = resumed(LISTS.number([SERVICE]), [Fact(PARENT, SERVICE, 1, OPEN, 1, TOLD)])

    assert not hear(standing, told(6, None, [NODE]))


def test_who_is_back_needs_all_words_where_it_is_not_known_who_told_what() -> None:
    standing = resumed(LISTS.number([SERVICE]))
    standing.gone_at, standing.state_id = 3, STATES.index("removed")

    assert not hear(standing, told(6, "Running"))


def test_what_begins_at_the_instant_of_the_last_word_needs_all_words() -> None:
    standing = resumed(LISTS.number([SERVICE]), [Fact(PARENT, SERVICE, 1, OPEN, 1, TOLD)])

    assert not hear(standing, told(5, None, [OTHER_SERVICE]))
