"""Of what kind a state is, looked up in the table that users may extend."""

from __future__ import annotations

from archiver.storage.views.idioms import Idioms


def kind_of(say: Idioms, state: str, type: str) -> str:
    """Of what kind a state is; NULL where `state_kinds` says nothing of it."""
    fits = [
        fit for word in (f"lower({state})", say.family(f"lower({state})")) for fit in (word, f"{type} || ' ' || {word}")
    ]
    return f"""(SELECT k.kind FROM state_kinds k WHERE k.state IN ({", ".join(fits)})
    ORDER BY length(k.state) DESC LIMIT 1)"""
