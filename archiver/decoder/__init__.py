"""Turns a message into an event or a reject: pure functions, one module per dialect."""

from __future__ import annotations

from archiver.decoder import tutum
from archiver.model import Event, Message, Reject

__all__ = ["decode"]


def decode(message: Message) -> Event | Reject:
    """The event that a message carries, or the message itself with the reason why it carries none. Never raises."""
    if message.refused is not None:
        return message.reject(message.refused)
    if message.dialect == "docker":
        from archiver.decoder import docker

        return docker.decode(message)
    return tutum.decode(message)
