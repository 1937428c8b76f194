"""Of what kind a state is, looked up in the table that users may extend."""

from __future__ import annotations

from archiver.storage.views.idioms import Idioms


def kind_of(say: Idioms, state: str, type: str) -> str:
    """Of what kind a state is; NULL where `state_kinds` says nothing of it."""
    word = f"lower({state})"
    family = say.family(word)
    of_type, of_family = f"{type} || ' ' || {word}", f"{type} || ' ' || {family}"
    # Of what fits the longest counts.
    is_longer = f"length({word}) > length({of_family})"
    then = [f"CASE WHEN {is_longer} THEN {one} ELSE {other} END" for one, other in ((word, of_family), (of_family, word))]
    return f"coalesce({', '.join(map(say.kind, (of_type, *then, family)))})"
