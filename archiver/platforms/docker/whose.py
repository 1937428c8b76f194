"""Who an engine is, when its own word for it changes, or is that of another engine too."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archiver.platforms.docker import inspect
from archiver.platforms.docker.facts import Engine, text


@dataclass(frozen=True, slots=True)
class Known:
    """An engine as a stream knows it."""

    key: str
    """What its objects' keys are scoped by: the first id it told."""
    id: str
    """The id it told last."""
    host: str


class Engines:
    """Which streams lead to which engines, so that two machines made from one template are told apart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Known] = {}

    def note(self, stream: str, known: Known) -> None:
        """Takes down who is behind a stream."""
        with self._lock:
            self._known[stream] = known

    def introduce(self, stream: str, id: str, host: str) -> tuple[Known, str | None]:
        """A stream's engine, met for the first time, and the stream of its double, if it has one."""
        with self._lock:
            others = [(other, known) for other, known in self._known.items() if other != stream and known.id == id]
            double = next((other for other, known in others if host and known.host not in ("", host)), None)
            same = next((known for _, known in others if known.host == host), None)
            key = same.key if same else f"{id}-{host}" if double else id
            known = Known(key, id, host)
            self._known[stream] = known
            return known, double


ENGINES = Engines()
"""The engines of this process."""


class Whose:
    """Who is behind one stream."""

    def __init__(self, stream: str, engines: Engines = ENGINES) -> None:
        self._stream = stream
        self._engines = engines
        self.known: Known | None = None
        self.engine = Engine()
        self.trouble: str | None = None
        """What is wrong with it, if anything is."""
        self._fickle = False

    def recall(self, known: Known, engine: Engine) -> None:
        """Takes in who was there in an earlier run."""
        self.known, self.engine = known, engine
        self._engines.note(self._stream, known)

    def learn(self, info: Mapping[str, Any]) -> tuple[bool, str | None]:
        """Takes in an engine's answer to who it is; whether that is another engine, and what to say of it."""
        told, host, before = inspect.engine_of(info), text(info, "Name"), self.known
        said, another = None, False
        if told.id and before is not None and before.id != told.id:
            another = bool(host and before.host and host != before.host)
            said = self._say_changed(before, told.id, host, another)
        if told.id and (before is None or another):
            self.known, double = self._engines.introduce(self._stream, told.id, host)
            if double is not None:
                said = self.trouble = (
                    f"the engine at {self._stream} ({host}) has the same ID as that at {double}, which is another host "
                    "(a cloned machine?): each is archived by itself; a new ID comes with a new engine-id file"
                )
        elif before is not None:
            self.known = Known(before.key, told.id or before.id, host or before.host)
            self._engines.note(self._stream, self.known)
        self.engine = told._replace(id=self.known.key if self.known else told.id)
        return another, said

    def _say_changed(self, before: Known, now: str, host: str, another: bool) -> str | None:
        """What to say of a new ID; of an engine that gives a new one at each call, once."""
        if not another and self._fickle:
            return None
        self._fickle = True
        what = "another engine answers" if another else "the engine calls itself by another ID"
        return f"{what} at {self._stream}: {now} on {host or '?'}, before {before.id} on {before.host or '?'}"

    def described(self, info: Mapping[str, Any]) -> str:
        """Who it says it is, as JSON."""
        told = inspect.engine_of(info)._asdict() | {"engine": self.engine.id, "host": text(info, "Name")}
        told |= {"managers": inspect.managers_of(info)}
        names = ("engine", "id", "node", "swarm", "host", "managers")
        return json.dumps({name: told[name] for name in names if told[name]})
