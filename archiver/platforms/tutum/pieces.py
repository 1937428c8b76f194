"""Takes apart what a frame brought: heartbeats apart from what is to be kept, and several events in one message."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

LONGEST_HEARTBEAT = 200
_BOM = b"\xef\xbb\xbf"
_BETWEEN = re.compile(r"[\s\x1e]*")
"""What may stand between values: white space, and the record separators of RFC 7464 and of SignalR."""
_WORDS = frozenset({"ping", "pong", "h", "hb", "ka", "heartbeat", "keepalive", "keep-alive", "keep_alive"})
"""What servers send as text instead of a ping: SockJS `h`, graphql-ws `ka`, ActionCable and others `ping`."""
_EMPTY = frozenset({"", "{}", "[]"})
"""What says nothing; `{}` is how SignalR keeps a connection open."""
_NAMING = ("type", "event", "op", "action", "msg", "message")
_OF_EVENTS = frozenset({"resource_uri", "parents", "state", "uuid", "Actor", "Type"})
_decode = json.JSONDecoder().raw_decode


def is_heartbeat(payload: bytes) -> bool:
    """Whether a message says nothing but that the server is there."""
    if len(payload) > LONGEST_HEARTBEAT:
        return False
    text = payload.decode("utf-8", "replace").strip(" \t\r\n\x1e\ufeff")
    word = text.strip('"').lower().removeprefix("pusher:")
    if word in _WORDS or text in _EMPTY:
        return True
    return text.startswith("{") and text.endswith("}") and _is_beating_object(text)


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
    """The events in a message, byte for byte: one as it is, several of a line, a list or glued together each alone.

    What cannot be taken apart to its end is handed on whole, so that nothing of it is lost and nothing told twice.
    """
    without_mark = payload.removeprefix(_BOM)
    try:
        text = without_mark.decode()
        whole = sum(1 for _ in _spans(text)) < 2 and not text.lstrip().startswith("[")
    except (ValueError, RecursionError):  # not UTF-8, or not JSON
        whole = True
    if whole:
        yield without_mark
        return
    for start, end in _spans(text):
        yield text[start:end].encode()


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Where the objects of a text begin and end. Raises ValueError when it is not objects only."""
    at = _skip(text, 0)
    listed = text.startswith("[", at)
    at = _skip(text, at + 1) if listed else at
    while at < len(text):
        value, end = _decode(text, at)
        if not isinstance(value, dict):
            raise ValueError("not an object")
        yield at, end
        at = _skip(text, end)
        if listed:
            mark, at = text[at : at + 1], _skip(text, at + 1)
            if mark == "]" and at == len(text):
                return
            if mark != ",":
                raise ValueError("not the end of a list")
    if listed:
        raise ValueError("the list does not end")


def _skip(text: str, at: int) -> int:
    found: Any = _BETWEEN.match(text, at)
    return int(found.end())
