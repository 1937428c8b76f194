"""What a hook says: one object of JSON for each thing that happened, or for many of them together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from archiver.api.documents import cause, gap, machine_value
from archiver.codec.visible import escape
from archiver.model import Gap, rfc3339
from archiver.model.reports import Remark, Subject
from archiver.queries.never_back import how, said
from archiver.queries.waking import Change, Rejected

_LONGEST_TEXT = 1000
_FIRST = 10
"""So many are named of those that are told together."""


class Fact(NamedTuple):
    """Something that happened, as it is told."""

    id: str
    """The same whenever it is told again."""
    on: tuple[str, ...]
    """The conditions that it fulfils, as they were written."""
    text: str
    at: datetime
    body: Mapping[str, Any] = {}
    times: int = 1
    """How many things it stands for."""

    @property
    def call(self) -> bytes:
        """As the receiver gets it."""
        told = {"id": self.id, "on": list(self.on), "text": self.text, "at": rfc3339(self.at), "count": self.times}
        return json.dumps({**told, **self.body}, ensure_ascii=True).encode()

    @property
    def environment(self) -> dict[str, str]:
        """What a program finds in its environment."""
        about, of = self.body.get("resource") or {}, self.body.get("cause") or {}
        found = {
            "ID": self.id,
            "ON": "|".join(self.on),
            "TEXT": self.text,
            "AT": rfc3339(self.at),
            "COUNT": str(self.times),
            "URI": about.get("uri"),
            "NAME": about.get("name"),
            "STATE": self.body.get("state"),
            "CAUSE": of.get("kind"),
        }
        shown = {name: escape(value)[:_LONGEST_TEXT] for name, value in found.items() if value}
        return {f"ARCHIVER_HOOK_{name}": value for name, value in shown.items()}


class Together:
    """Things that are told with one call: as one of them, or how many, and the first."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[Fact] = []
        self._on: Counter[str] = Counter()
        self._since: datetime | None = None
        self._until: datetime | None = None

    def add(self, fact: Fact) -> None:
        """One more."""
        self.count += fact.times
        for on in fact.on:
            self._on[on] += fact.times
        if len(self._first) < _FIRST:
            self._first.append(fact)
        self._since = min(self._since or fact.at, fact.at)
        self._until = max(self._until or fact.at, fact.at)

    def fact(self) -> Fact:
        """What is told of them."""
        first = self._first[0]
        if self.count == 1 or self.count == first.times:
            return first
        assert self._since is not None
        assert self._until is not None
        each = ", ".join(f"{times:,} {on}" for on, times in self._on.most_common())
        text = _short(f"{self.count:,} more ({each}), the first: {first.text}")
        body = {
            "since": rfc3339(self._since),
            "until": rfc3339(self._until),
            "counts": dict(self._on.most_common()),
            "first": [fact.text for fact in self._first],
        }
        return Fact(f"{first.id}+{self.count}", tuple(self._on), text, self._since, body, self.count)


def of_change(change: Change, on: tuple[str, ...], mark: str) -> Fact:
    """That a state began: a stop, a loop of crashes, or whatever state was asked for."""
    word = change.word
    name = _called(change)
    if change.cause is None:
        text = f"{name} is {word.state} since {_time(word.at)}"
    elif change.loop and any(each.startswith("crash-loop") for each in on):
        text = f"{name} crashes again and again: {len(change.loop)} times since {_time(change.loop[0])} ({word.state})"
    else:
        text = f"{name} {how(change.cause)} at {_time(word.at)} ({word.state})"
    return Fact(f"{mark}-{word.source[0]}{word.id}", on, _short(text), word.at, _body(change))


def of_missing(change: Change, on: tuple[str, ...], mark: str) -> Fact:
    """That something has not come back."""
    word = change.word
    assert change.missing is not None
    place = f" ({change.stack.name})" if change.stack and change.stack.name else ""
    text = f"{Remark(said(change.missing))}{place}"
    return Fact(f"{mark}-{word.source[0]}{word.id}-missing", on, _short(text), word.at, _body(change))


def of_gap(found: Gap, on: tuple[str, ...], mark: str) -> Fact:
    """That nobody watches, or watched."""
    assert found.since is not None
    since = _time(found.since)
    when = f"is watching {found.stream} since {since}"
    if found.until is not None:
        when = f"was watching {found.stream} from {since} to {_time(found.until)}"
    identity = f"{mark}-gap-{found.stream}-{rfc3339(found.since)}"
    return Fact(identity, on, _short(f"nobody {when}: {found.reason}"), found.since, {"gap": gap(found)})


def of_reject(found: Rejected, on: tuple[str, ...], mark: str) -> Fact:
    """That a message could not become an event."""
    text = f"a message of {found.stream} could not become an event: {found.reason}"
    body = {key: machine_value(value) for key, value in found._asdict().items()}
    return Fact(f"{mark}-reject{found.id}", on, _short(text), found.received_at, {"reject": body})


def of_flood(count: int, on: tuple[str, ...], identity: str, at: datetime, *, most: int) -> Fact:
    """That too much happened at once to look at each."""
    number = f"{count:,}{' or more' if count >= most else ''}"
    text = f"{number} ends or changes of state at once, too many to look at one by one"
    return Fact(identity, on, text, at, {}, count)


def _body(change: Change) -> dict[str, Any]:
    about = change.word.resource
    named = {"uri": about.uri, "type": about.type, "name": about.name}
    return {
        "resource": named if about.platform is None else named | {"platform": about.platform},
        "stack": _place(change.stack),
        "service": _place(change.service),
        "slot": change.slot,
        "state": change.word.state,
        "before": change.before,
        "cause": cause(change.cause),
        "certain": change.certain,
        "crashes": [rfc3339(at) for at in change.loop],
    }


def _place(subject: Subject | None) -> dict[str, Any] | None:
    return None if subject is None else {"uri": subject.uri, "name": subject.name}


def _called(change: Change) -> str:
    name = change.word.resource.name or change.word.resource.uri
    return f"{name} ({change.stack.name})" if change.stack and change.stack.name else name


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _short(text: str) -> str:
    shown = escape(text)
    return shown if len(shown) <= _LONGEST_TEXT else f"{shown[: _LONGEST_TEXT - 3]}..."
