"""Decodes what a source found by asking the platform."""

from __future__ import annotations

from typing import Any

from archiver.codec.text import MAX_NAME, MAX_PARENTS, MAX_URI, MAX_WORD, fits, keep, parse
from archiver.model import Answers, Listed, Micros, Observation, Observed, Reject

_ODD = (ValueError, AttributeError, TypeError, KeyError, RecursionError)


def observe(observed: Observed) -> Observation | Reject:
    """The observation in a source's JSON: uri, state, name, image, slot, parents, extra. Never raises."""
    try:
        return _observation(parse(observed.payload.decode()), observed, observed.at)
    except _ODD as exc:
        return _reject(observed, exc)


def observe_all(observed: Observed) -> Observation | Answers | Listed | Reject:
    """The observation, or the several, in a source's JSON. Never raises.

    Several are ``{"asked": microseconds, "known_from": microseconds, "objects": [...]}``, each of which may say `at`;
    all that there is ``{"asked": microseconds, "listed": {type: [key, ...]}}``.
    """
    try:
        value = parse(observed.payload.decode())
        if "objects" in value:
            objects = value["objects"]
            found = [_observation(each, observed, _micros(each.get("at", observed.at))) for each in objects]
            return Answers(tuple(found), _micros(value["asked"]), _micros(value["known_from"]))
        if "listed" in value:
            keys = {kind: frozenset(map(_key, named)) for kind, named in value["listed"].items()}
            return Listed(keys, observed.at, _micros(value["asked"]), observed.session)
        return _observation(value, observed, observed.at)
    except _ODD as exc:
        return _reject(observed, exc)


def _reject(observed: Observed, exc: Exception) -> Reject:
    return Reject(observed.payload, f"not an observation: {exc}", observed.at, observed.session)


def _observation(value: Any, observed: Observed, at: Micros) -> Observation:
    uri = _text(value.get("uri"), MAX_URI)
    if uri is None:
        raise ValueError("no uri")
    parents = [_text(parent, MAX_URI) for parent in value.get("parents") or ()]
    extra = value.get("extra")
    return Observation(
        uri,
        _text(value.get("state"), MAX_WORD),
        _text(value.get("name"), MAX_NAME),
        tuple([parent for parent in parents if parent is not None][:MAX_PARENTS]),
        at,
        keep(extra) if extra else None,
        observed.session,
        image=_text(value.get("image"), MAX_NAME),
        slot=_text(value.get("slot"), MAX_NAME),
    )


def _text(value: Any, limit: int) -> str | None:
    return value if type(value) is str and fits(value, limit) else None


def _key(value: Any) -> str:
    if type(value) is not str:
        raise ValueError("a key is a text")
    return value


def _micros(value: Any) -> Micros:
    if type(value) is not int:
        raise ValueError("an instant is a number of microseconds")
    return value
