"""How states look to a person, whatever the platform: good, bad, on their way, or gone."""

from __future__ import annotations

from functools import cache

GREEN, YELLOW, RED, DIM = "32", "33", "31", "2"
"""Parameters of the terminal's sequence "select graphic rendition"."""


@cache
def _gone() -> frozenset[str]:
    from archiver.platforms.docker import facts as docker  # only when a state is shown, and not for help or TAB
    from archiver.platforms.tutum import facts as tutum

    return tutum.GONE | docker.GONE


@cache
def _styles() -> dict[str, str]:
    return {
        **dict.fromkeys(("running", "success", "deployed", "started", "healthy"), GREEN),
        **dict.fromkeys(("failed", "unhealthy", "unreachable", "error", "partly running", "dead"), RED),
        **dict.fromkeys(("stopped", "not running", "exited", *_gone()), DIM),
    }


def state_style(state: str | None) -> str:
    """The style of a state or of an action's outcome; states on their way somewhere are yellow."""
    word = (state or "").lower()
    return _styles().get(word) or (YELLOW if word.endswith("ing") else "")


def is_gone(state: str | None) -> bool:
    """Whether a resource in this state is no more."""
    return (state or "").lower() in _gone()
