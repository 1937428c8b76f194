"""Decodes the JSON of Tutum and Docker Cloud."""

from __future__ import annotations

from archiver.codec.events import decode_object
from archiver.codec.text import parse_whole
from archiver.model import Event, Message, Reject


def decode(message: Message) -> Event | Reject:
    """The event in a message.

    What a field of the event cannot take as it is stays in `extra`, verbatim: unknown fields, values of another JSON
    type, null, texts with NUL or lone surrogates, texts and lists beyond their limits. So nothing is lost, and a
    platform may add to its vocabulary at any time.
    """
    payload = message.payload
    try:
        text = payload.decode().strip()
        value = parse_whole(text)
    except UnicodeDecodeError as exc:
        return Reject.of(message, f"not UTF-8: {exc.reason} at byte {exc.start}")
    except RecursionError:
        return Reject.of(message, "not readable: JSON nested too deep")
    except ValueError as exc:
        return Reject.of(message, f"not JSON: {exc}")
    if type(value) is not dict:
        return Reject.of(message, f"not an event: a JSON {_json_type(value)}, not an object")
    # Only an escape can bring a NUL or a lone surrogate into a JSON string; and ASCII has as many bytes as characters.
    return decode_object(value, message, clean="\\u" not in text and text.isascii())


def _json_type(value: object) -> str:
    names = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")
