"""Decodes the messages of a Docker Engine, one by itself or a stream in its order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from uuid import UUID, uuid5

from archiver.codec.observation import observe
from archiver.codec.text import MAX_NAME, MAX_URI, MAX_WORD, fits, keep, parse_whole
from archiver.model import Event, Message, Observation, Observed, Reject, Together
from archiver.platforms.docker.facts import NEW_IMAGE, text, uri
from archiver.platforms.docker.images import with_texts
from archiver.platforms.docker.lives import Limits, Lives
from archiver.platforms.docker.meanings import digest, meanings
from archiver.platforms.docker.messages import Said, read

M = TypeVar("M")


def decode(message: Message) -> Event | Reject:
    """The event in a message by itself: the engine's own JSON, alone or in the envelope that the source puts round it.

    The envelope is ``{"engine": id, "node": id, "swarm": id, "stack": key, "probe": true, "ahead": microseconds,
    "images": true, "message": {...}}``, each key but the last only where it is known; `ahead` is what the engine's
    clock is ahead of ours, `images` says that the engine is asked about an image when it tells of its tag. The event's
    `extra` keeps it, and with it the engine's JSON, whole.
    """
    return _guarded(message, lambda envelope, said: _events(message, envelope, said)[0])


class StreamDecoder:
    """Decodes what one stream says, in its order, each message as what it is after those before it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._lives = Lives(limits or Limits())

    def decode(self, message: Message) -> Event | Reject | Together:
        """What a message means after all that was decoded before. Never raises."""
        return _guarded(message, lambda envelope, said: self._followed(message, envelope, said))

    def observe(self, observed: Observed) -> Observation | Reject:
        """The observation in a source's JSON; what it says of words to come is remembered. Never raises."""
        found = observe(observed)
        return self._lives.observe(with_texts(found)) if isinstance(found, Observation) else found

    def _followed(self, message: Message, envelope: Mapping[str, Any], said: Said) -> Event | Together:
        said = self._lives.recall(said)
        events = [self._lives.follow(event, said) for event in _events(message, envelope, said)]
        observed = self._lives.knows_images or envelope.get("images") is True
        if said.kind == "image" and said.verb == "pull" and observed and not digest(said):
            # What was pulled is observed by its digest in a moment; a tag by itself is there for ever.
            events[0] = events[0]._replace(state=None, name=None)
        found = list(_of_itself(said, events))
        return events[0] if len(events) == 1 and not found else Together((*events, *found))


def speaks_docker(line: bytes) -> bool:
    """Whether a line of JSON, of which nobody knows the stream, looks like a message of an engine or its envelope."""
    if b'"Type":' in line:
        return b'"Action":' in line
    return b'"status":' in line and b'"id":' in line and b'"time":' in line and b'"type":' not in line


# --- from bytes to events ---------------------------------------------------------------------------------------------


def _guarded(message: Message, made: Callable[[Mapping[str, Any], Said], M]) -> M | Reject:
    """What is made of a message that can be read; else the message with the reason why it cannot."""
    try:
        value = parse_whole(message.payload.decode().strip())
        if type(value) is not dict:
            return Reject.of(message, "not an event: no JSON object")
        envelope = value if type(value.get("message")) is dict else {"message": value}
        said = read(envelope, message.received_at)
        if said is None:
            return Reject.of(message, "not an event of Docker: no Type or no Action")
        return made(envelope, said)
    except UnicodeDecodeError as exc:
        return Reject.of(message, f"not UTF-8: {exc.reason} at byte {exc.start}")
    except RecursionError:
        return Reject.of(message, "not readable: JSON nested too deep")
    except ValueError as exc:
        return Reject.of(message, f"not JSON: {exc}")


def _events(message: Message, envelope: Mapping[str, Any], said: Said) -> list[Event]:
    extra = keep(envelope)
    return [
        Event(
            type=meaning.type,
            action=_fitting(meaning.action, MAX_WORD),
            state=_fitting(meaning.state, MAX_WORD),
            resource_uri=_fitting(meaning.uri, MAX_URI),
            parents=tuple(dict.fromkeys(found for found in meaning.parents if len(found) <= MAX_URI)),
            occurred_at=said.at,
            time_source=said.time_source,
            received_at=message.received_at,
            uuid=_uuid(said, place),
            extra=extra,
            session=message.session,
            name=_fitting(meaning.name, MAX_NAME),
            image=_fitting(meaning.image, MAX_NAME),
            slot=_fitting(meaning.slot, MAX_NAME),
        )
        for place, meaning in enumerate(meanings(said))
    ]


def _uuid(said: Said, place: int) -> str | None:
    """The identity of one of a message's events; a message that could be any other of its words has none."""
    if not said.timed:
        return None
    return said.identity if place == 0 else str(uuid5(UUID(said.identity), str(place)))


def _of_itself(said: Said, events: list[Event]) -> Iterator[Observation]:
    """What an object is called, or made of, from now on, where a message tells only of what was done to it."""
    if not said.id or any(event.type != "action" for event in events):
        return
    at, session = events[0].occurred_at, events[0].session
    name, image = text(said.attributes, "name"), text(said.attributes, NEW_IMAGE)
    if said.kind == "container" and said.verb == "rename" and fits(name, MAX_NAME):
        before = text(said.attributes, "oldName").removeprefix("/")
        extra = keep({"renamed_from": before}) if before else None
        yield Observation(uri("container", said.id), None, name, (), at, extra, session)
    elif said.kind == "service" and fits(image, MAX_NAME):
        yield Observation(uri("service", said.id), None, None, (), at, None, session, image=image)


def _fitting(text: str | None, limit: int) -> str | None:
    """The text if a column can take it as it is; the raw message keeps it anyhow."""
    return text if text and fits(text, limit) else None
