"""What a source yields, and what the spool keeps, in the order it happened."""

from __future__ import annotations

from typing import Literal, NamedTuple

from archiver.model.ends import EndKind
from archiver.model.moments import Micros

Dialect = Literal["tutum", "docker"]
"""How a message is to be decoded. Tutum and Docker Cloud speak the same JSON."""


class Opened(NamedTuple):
    """A connection to a stream was opened."""

    stream: str
    """The stream's URL without credentials."""
    session: str
    """The session's own identity, a random hex text."""
    dialect: Dialect
    at: Micros
    covered_from: Micros
    """From when on the stream delivers everything: `at`, or earlier when the platform replays its past."""
    authenticated_at: Micros | None = None
    """When the platform showed that it accepts the credentials; known beforehand only of what an export tells."""


class Message(NamedTuple):
    """What a stream delivered: raw bytes and receive time; the unit of the spool."""

    stream: str
    session: str | None
    """None only for what is imported: nobody was connected then."""
    dialect: Dialect
    received_at: Micros
    payload: bytes
    resume: str | None = None
    """Where to read on after this message, in the source's own words; None where a stream cannot replay."""
    refused: str | None = None
    """Why the source itself could not take the message whole; `payload` is then a prefix of it."""


class Observed(NamedTuple):
    """A source asked the platform about one object and got this answer (JSON, see `Observation`)."""

    stream: str
    session: str
    dialect: Dialect
    at: Micros
    payload: bytes


class Alive(NamedTuple):
    """A stream that has nothing to say has shown that it is there."""

    stream: str
    session: str
    at: Micros


class Closed(NamedTuple):
    """A connection to a stream ended."""

    stream: str
    session: str
    at: Micros
    """The last instant at which the stream is known to have been alive."""
    reason: str
    """In words."""
    kind: EndKind
    farewell: bool = False
    """Whether the platform ended it in good order. For whoever listens live: neither spool nor archive keeps it."""


ConditionOf = Literal["trouble", "clock", "identity"]


class Condition(NamedTuple):
    """How things stand with a stream at present, beside what it says; a later one of the same `of` takes its place.

    trouble: why it cannot be reached or was not understood, in words. clock: by how many microseconds the platform's
    clock is ahead of ours. identity: JSON of who the platform says it is.
    """

    stream: str
    dialect: Dialect
    at: Micros
    of: ConditionOf
    value: str | None
    """None: no longer so."""


Item = Opened | Message | Observed | Alive | Closed | Condition
"""Whatever a source yields, in the order it happened."""
