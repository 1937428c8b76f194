"""Takes apart what a frame brought: heartbeats apart from what is to be kept, and several events in one message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain

from archiver.codec.framing import JsonObjects

LONGEST_HEARTBEAT = 200
_BOM = b"\xef\xbb\xbf"
_WORDS = frozenset({"ping", "pong", "h", "hb", "ka", "heartbeat", "keepalive", "keep-alive", "keep_alive"})
"""What servers send as text instead of a ping: SockJS `h`, graphql-ws `ka`, ActionCable and others `ping`."""
_EMPTY = frozenset({"", "{}", "[]"})
"""What says nothing; `{}` is how SignalR keeps a connection open."""
_NAMING = ("type", "event", "op", "action", "msg", "message")
_OF_EVENTS = frozenset({"resource_uri", "parents", "state", "uuid", "Actor", "Type"})


def is_heartbeat(payload: bytes) -> bool:
    """Whether a message says nothing but that the server is there."""
    if len(payload) > LONGEST_HEARTBEAT:
        return False
    text = payload.decode("utf-8", "replace").strip(" \t\r\n\x1e\ufeff")
    word = text.strip('"').lower().removeprefix("pusher:")
    if word in _WORDS or text in _EMPTY:
        return True
    return text.startswith("{") and text.endswith("}") and _is_beating_object(text)


def is_greeting(payload: bytes) -> bool:
    """Whether a message is what both services said when a client was let in (docker/docs, dockercloud-events)."""
    if len(payload) > LONGEST_HEARTBEAT or b'"auth"' not in payload:
        return False
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("type") == "auth"


def _is_beating_object(text: str) -> bool:
    """Whether a JSON object has the word in the field that names what it is, and nothing of an event."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict) or not _OF_EVENTS.isdisjoint(value):
        return False
    names = [value[name] for name in _NAMING if name in value][:1]
    word = names[0] if names else next(iter(value), "") if len(value) == 1 else ""
    return isinstance(word, str) and word.lower().removeprefix("pusher:") in _WORDS


def is_ordinary(payload: bytes) -> bool:
    """A quick look: whether a message is nothing but one flat object. May say no to what is one after all."""
    return payload[:1] == b"{" and payload.rfind(b"{") == 0


def pieces(payload: bytes) -> Iterator[bytes]:
    """The events in a message: one byte for byte as it came, several of a line, a list or glued together each alone.

    What is no text holds no events, whatever bytes are in it: it stays whole.
    """
    if not _is_text(payload):
        yield payload
        return
    objects = JsonObjects(len(payload) + 1)
    found = (piece for piece, _ in chain(objects.feed(payload), objects.end()))
    first, second = next(found, None), next(found, None)
    if second is None and (first is None or not payload.startswith((_BOM, b"["))):
        yield payload
        return
    yield from (piece for piece in chain((first, second), found) if piece is not None)


def _is_text(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True
