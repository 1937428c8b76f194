"""How long a source waits for an engine, and how often it asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DockerPace:
    """The times of a connection to an engine, in seconds."""

    patience: float = 10.0
    """For a connection to open, and for the stream to begin."""
    hold: float = 1.0
    """The longest that messages wait in memory until it is known where they go on from."""
    quiet: float = 0.25
    """A silence that ends an answer of an engine that does not end it itself, and a stream that is to end."""
    last_words: float = 1.5
    """How long after being told to stop the stream is read on at the most, until such a silence."""
    introduction: float = 5.0
    """For the engine to say who it is."""
    introduce_again: float = 60.0
    """When it did not say so."""
    question: float = 2.0
    """For a question about objects; the next try of the same may take twice as long, up to `patience`."""
    ask_again: float = 5.0
    """After a question that was not answered; the wait doubles from try to try."""
    longest_ask_again: float = 900.0
    stock_after: float = 1.0
    """How long after the opening what is there is asked for: what the engine remembers is archived first."""
    containers_every: float = 60.0
    """How often the list of containers is compared; all that changes what it says should have been told."""
    stock_every: float = 300.0
    """How often all other lists are."""
    settle: float = 1.0
    """How long the stream may take to tell of an end that a list shows already."""
    proof_every: float = 15.0
    """How long a stream may be silent before the engine's memory is asked whether it really told nothing."""
    in_transit: float = 1.0
    """How long a stream may bring nothing of what the engine's memory has already, before it counts as left out."""
    compared_every: float = 60.0
    """How often, at least, what was heard is compared with the engine's memory."""
    alive_every: float = 5.0
    dead_after: float = 20.0
    unwatched: float = 3.0
    """Longer than this without a thread that runs, and nobody listened meanwhile."""
    healthy_after: float = 60.0
    useful_after: float = 2.0
    """A connection that lasted so long and is lost is followed by the next one at once."""
    unbroken: float = 10.0
    """Within so many seconds nobody can stop an engine, start it again and have it forget that it said anything."""
    first_delay: float = 0.5
    longest_delay: float = 60.0
    longest_local_delay: float = 1.0
    """An engine that starts tells more than it remembers within seconds, and to knock at a socket costs nothing."""
    trouble_every: float = 60.0
    """How often a trouble that stays the same is told again."""
    monotonic: Callable[[], float] = time.monotonic
