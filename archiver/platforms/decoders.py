"""Says which decoder reads a message of which dialect; pure, so that whoever archives needs nothing that connects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from archiver.codec.observation import observe_all
from archiver.model import Answers, Event, Listed, Message, Observation, Observed, Reject, Together
from archiver.platforms.tutum import decoder as tutum

if TYPE_CHECKING:
    from archiver.platforms.docker.decoder import StreamDecoder

__all__ = ["Decoder", "decode", "essence_of"]


def decode(message: Message) -> Event | Reject:
    """The event that a message by itself carries, or the message with the reason why it carries none. Never raises."""
    if message.refused is not None:
        return Reject.of(message, message.refused)
    if message.dialect == "docker":
        from archiver.platforms.docker import decoder as docker

        return docker.decode(message)
    return tutum.decode(message)


def essence_of(value: Mapping[str, Any]) -> str | None:
    """What makes a message of an engine the one it is, of the JSON value that an event was; None of others."""
    message = value.get("message")
    if type(message) is not dict or not str(value.get("resource_uri") or "/docker/").startswith("/docker/"):
        return None
    from archiver.platforms.docker.facts import essence
    from archiver.platforms.docker.messages import normal

    return essence(normal(message))


class Decoder:
    """Decodes everything that is archived on one way, in its order.

    A message of Tutum or Docker Cloud says all by itself. What one of a Docker Engine means depends on those before it,
    so some of each stream is remembered, within bounds. A new decoder knows nothing until the stream, or what it
    observes when it connects, tells.
    """

    def __init__(self) -> None:
        self._streams: dict[str, StreamDecoder] = {}

    def decode(self, item: Message | Observed) -> Event | Reject | Observation | Answers | Listed | Together:
        """What is to be recorded of a message, or of an answer to a question. Never raises."""
        if item.dialect != "docker":
            return decode(item) if type(item) is Message else observe_all(item)  # type: ignore[arg-type]
        if type(item) is Message:
            return decode(item) if item.refused is not None else self._stream(item.stream).decode(item)
        return self._stream(item.stream).observe(item)  # type: ignore[arg-type]

    def _stream(self, stream: str) -> StreamDecoder:
        found = self._streams.get(stream)
        if found is None:
            from archiver.platforms.docker.decoder import StreamDecoder

            found = self._streams[stream] = StreamDecoder()
        return found
