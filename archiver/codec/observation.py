"""Decodes what a source found by asking the platform."""

from __future__ import annotations

from typing import Any

from archiver.codec.text import MAX_NAME, MAX_PARENTS, MAX_URI, MAX_WORD, fits, keep, parse
from archiver.model import Observation, Observed, Reject


def observe(observed: Observed) -> Observation | Reject:
    """The observation in a source's JSON: uri, state, name, image, slot, parents, extra. Never raises."""
    try:
        value = parse(observed.payload.decode())
        uri = _text(value.get("uri"), MAX_URI)
        parents = [_text(parent, MAX_URI) for parent in value.get("parents") or ()]
        extra = value.get("extra")
        if uri is None:
            return Reject(observed.payload, "not an observation: no uri", observed.at, observed.session)
        return Observation(
            uri,
            _text(value.get("state"), MAX_WORD),
            _text(value.get("name"), MAX_NAME),
            tuple([parent for parent in parents if parent is not None][:MAX_PARENTS]),
            observed.at,
            keep(extra) if extra else None,
            observed.session,
            image=_text(value.get("image"), MAX_NAME),
            slot=_text(value.get("slot"), MAX_NAME),
        )
    except (ValueError, AttributeError, TypeError, RecursionError) as exc:
        return Reject(observed.payload, f"not an observation: {exc}", observed.at, observed.session)


def _text(value: Any, limit: int) -> str | None:
    return value if type(value) is str and fits(value, limit) else None
