"""Says which decoder reads a message of which dialect; pure, so that whoever archives needs nothing that connects."""

from __future__ import annotations

from archiver.model import Event, Message, Reject
from archiver.platforms.tutum import decoder as tutum

__all__ = ["decode"]


def decode(message: Message) -> Event | Reject:
    """The event that a message carries, or the message itself with the reason why it carries none. Never raises."""
    if message.refused is not None:
        return Reject.of(message, message.refused)
    if message.dialect == "docker":
        from archiver.platforms.docker import decoder as docker

        return docker.decode(message)
    return tutum.decode(message)
