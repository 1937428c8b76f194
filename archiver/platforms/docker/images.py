"""Finds the image and the slot of an object in what is kept of an engine's words: for records that do not say them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from archiver.codec.text import MAX_NAME, fits, parse
from archiver.model import Observation
from archiver.platforms.docker.facts import DOCKER, NEW_IMAGE, received_message, slot_of, text
from archiver.platforms.docker.messages import normal
from archiver.platforms.docker.podman import as_dockers, is_podmans

_CONTAINER = f"{DOCKER}container/"
_MADE_OF_IMAGES = (_CONTAINER, f"{DOCKER}service/")


class Made(NamedTuple):
    """What an object is made of, and the place that it fills."""

    image: str | None = None
    slot: str | None = None


_NOT_TOLD = Made()


def made_of(resource_uri: str | None, extra: str | None) -> Made:
    """What an event of a container or a service says, out of the engine's message in what is kept of it as JSON."""
    if extra is None or resource_uri is None or not resource_uri.startswith(_MADE_OF_IMAGES):
        return _NOT_TOLD
    message = received_message(resource_uri, json.loads(extra))
    if message is None:
        return _NOT_TOLD
    told = normal(as_dockers(message) if is_podmans(message) else message)
    actor = told.get("Actor")
    attributes = actor.get("Attributes") if type(actor) is dict else None
    if type(attributes) is not dict:
        return _NOT_TOLD
    if resource_uri.startswith(_CONTAINER):
        return _made(text(attributes, "image"), attributes)
    return _made(text(attributes, NEW_IMAGE), {})


def with_texts(found: Observation) -> Observation:
    """The observation of a container or a service with the image and the slot that stand in what was found."""
    if found.extra is None or not found.uri.startswith(_MADE_OF_IMAGES):
        return found
    extra = parse(found.extra)
    image, labels = text(extra, "image"), extra.get("labels")
    if image.startswith("sha256:"):  # so a list names an image whose tag has moved on; that is no other image
        image = ""
    made = _made(image, labels if type(labels) is dict and found.uri.startswith(_CONTAINER) else {})
    return found._replace(image=made.image, slot=made.slot)


def _made(image: str, labels: Mapping[str, Any]) -> Made:
    return Made(*(found if found and fits(found, MAX_NAME) else None for found in (image, slot_of(labels))))
