"""What is fuzzed: each target takes any bytes, and raises when what holds of all bytes does not hold of these."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise

from archiver.codec.events import rebuild
from archiver.codec.framing import JsonObjects
from archiver.codec.text import parse
from archiver.model import Answers, Event, Listed, Message, Observation, Observed, Reject, Together
from archiver.platforms.decoders import Decoder, decode
from tests.differential import ours

_AT = 1_454_328_000_000_000
_CAP = 300
"""Bytes of an object: what is longer is met soon."""


class Wrong(Exception):
    """What must hold of all inputs does not hold of this one."""


def frames(data: bytes) -> None:
    """Frames are the same messages, pongs and end in whatever pieces they come."""
    cuts, data = _cuts(data)
    whole = ours([data] if data else [])
    for interrupted in (False, True):
        _same(whole, ours(_pieces(data, cuts), interrupted=interrupted))


def objects(data: bytes) -> None:
    """JSON objects are the same in whatever pieces they come, and no more is held than may be."""
    cuts, data = _cuts(data)
    whole = _framed([data])
    _same(whole, _framed(_pieces(data, cuts)))
    for payload, refused in whole:
        if refused is None and len(payload) > _CAP:
            raise Wrong(f"an object of {len(payload)} bytes")


def messages(data: bytes) -> None:
    """A message becomes an event that says all that it said, or a reject that is it; so what a decoder remembers."""
    for dialect in ("tutum", "docker"):
        found = decode(Message("s", None, dialect, _AT, data))  # type: ignore[arg-type]
        if type(found) is Reject:
            _same(found.payload, data)
        elif type(found) is not Event:
            raise Wrong(f"decoded to {found!r}")
        elif dialect == "tutum":
            _same(_plain(parse(data.decode().strip())), _plain(_rebuilt(found)))


def engines(data: bytes) -> None:
    """What an engine tells, line by line, and what it answers in between: each line is something."""
    decoder = Decoder()
    for number, line in enumerate(data.split(b"\n")):
        at = _AT + number * 1_000_000
        if line.startswith(b"?"):
            found = decoder.decode(Observed("s", None, "docker", at, line[1:]))
        else:
            found = decoder.decode(Message("s", None, "docker", at, line))
        if not isinstance(found, (Event, Reject, Observation, Answers, Listed, Together)):
            raise Wrong(f"decoded to {found!r}")


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (frames, objects, messages, engines)
}


def _cuts(data: bytes) -> tuple[list[int], bytes]:
    """The first byte says into how many pieces the rest is cut, and the next ones where."""
    count = data[0] % 8 if data else 0
    return sorted(data[1 : 1 + count]), data[1 + count :]


def _pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges) if start < end]


def _framed(pieces: list[bytes]) -> list[tuple[bytes, str | None]]:
    reader = JsonObjects(_CAP)
    found = [item for piece in pieces for item in reader.feed(piece)]
    if reader.held > max(_CAP, 1024) + max(map(len, pieces), default=0):
        raise Wrong(f"{reader.held} bytes are held")
    return [*found, *reader.end()]


def _rebuilt(event: Event) -> object:
    return rebuild(
        event.type, event.action, event.state, event.resource_uri, event.parents,
        event.occurred_at, event.time_source, event.uuid, event.extra,
    )  # fmt: skip


def _plain(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def _same(one: object, other: object) -> None:
    if one != other:
        raise Wrong(f"{str(one)[:500]} is not {str(other)[:500]}")
