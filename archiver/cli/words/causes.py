"""Why something stopped, in few words for a person."""

from __future__ import annotations

from archiver.codec.visible import short_reference
from archiver.model import Cause

SOME = 3
"""So many candidates are named in a table."""


def cause_words(cause: Cause | None) -> str:
    """A cause in few words; not escaped."""
    if cause is None:
        return ""
    if cause.kind == "crash":
        return "ended by itself" if cause.exit_code == 0 else "crash"
    words = _WORDS[cause.kind]
    return f"{words}: {candidates(cause)}" if cause.actions else words


def called(name: str | None, uri: str) -> str:
    """An action by what it did; where no platform says that, by a reference under which it can be looked up."""
    return name or short_reference(uri)


def candidates(cause: Cause) -> str:
    """What did it; several stand for "one of these"."""
    named = [called(proof.name, proof.uri) + (f" by {proof.by}" if proof.by else "") for proof in cause.actions]
    distinct = list(dict.fromkeys(named))
    return " or ".join(distinct[:SOME]) + (" or ..." if len(distinct) > SOME else "")


_WORDS = {
    "told": "told",
    "forced": "told, then killed",
    "oom": "out of memory",
    "unknown": "not watched: cause unknown",
}
