"""Of what kind a state is, looked up in the table that users may extend."""

from __future__ import annotations

from archiver.storage.views.idioms import Idioms, Words, kind_found


def kind_of(say: Idioms, state: str, type: str) -> str:
    """Of what kind a state is; NULL where `state_kinds` says nothing of it."""
    return say.kind(_fits(say, state, type))


def kind_of_one(say: Idioms, state: str, type: str) -> str:
    """The same where it is asked about one state at a time: PostgreSQL expects such a look-up to be dear, as it is."""
    return kind_found(_fits(say, state, type))


def _fits(say: Idioms, state: str, type: str) -> Words:
    word = f"lower({state})"
    family = say.family(word)
    return f"{type} || ' ' || {word}", word, f"{type} || ' ' || {family}", family
