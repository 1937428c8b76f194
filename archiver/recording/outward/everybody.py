"""Everybody who is told by one daemon: begun with it, ended with it, counted for its monitor."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Self

from archiver.codec.prometheus import Family, Sample
from archiver.model.hooks import Hook
from archiver.recording.outward.cursors import Cursors, cursors_beside
from archiver.recording.outward.hooks import Caller
from archiver.recording.outward.otlp import Exporter
from archiver.recording.outward.pace import OutwardPace
from archiver.recording.outward.post import Target, target_of
from archiver.recording.outward.sender import Sender
from archiver.recording.outward.settled import Progress

log = logging.getLogger(__name__)

LOGS = "/v1/logs"
_END_SECONDS = 1.0
_COUNTED: tuple[tuple[str, Literal["counter", "gauge"], str, str], ...] = (
    ("archiver_hook_calls_delivered_total", "counter", "Calls that a hook's receiver took.", "delivered"),
    ("archiver_hook_calls_failed_total", "counter", "Tries that a hook's receiver did not take.", "failed"),
    ("archiver_hook_calls_dropped_total", "counter", "Calls given up, since nobody took them for a day.", "dropped"),
    ("archiver_hook_waiting", "gauge", "What a hook is known to have yet to tell.", "waiting"),
)


class Collector(NamedTuple):
    """Where log records are sent, and with which headers, which may be secrets."""

    target: Target
    headers: Mapping[str, str]

    @classmethod
    def of(cls, url: str, headers: Mapping[str, str], origin: str) -> Collector:
        """Of a server alone, its place for logs (OTLP/HTTP). Raises ConfigurationWrong."""
        target = target_of(url, "otlp", origin)
        return cls(target._replace(path=LOGS) if target.path == "/" else target, headers)


class Wanted(NamedTuple):
    """Who is to be told, and where the servers among them are."""

    hooks: tuple[tuple[Hook, Target | None], ...]
    per_minute: int
    collector: Collector | None = None

    @classmethod
    def of(cls, hooks: Sequence[Hook], per_minute: int, origin: str, collector: Collector | None = None) -> Wanted:
        """Raises ConfigurationWrong for a server that cannot be used."""
        found = ((hook, target_of(hook.url, "hooks", origin) if hook.url else None) for hook in hooks)
        return cls(tuple(found), per_minute, collector)

    @property
    def is_anybody(self) -> bool:
        """Whether anybody is."""
        return bool(self.hooks or self.collector)

    def secrets(self) -> set[str]:
        """What must never stand in a log line."""
        targets = [target for _, target in self.hooks] + [self.collector and self.collector.target]
        headers = set(self.collector.headers.values()) if self.collector else set()
        return headers | {form for target in targets if target is not None for form in target.forms() - {LOGS}}


class Outward:
    """All senders of one daemon; a context manager, as long as which they run."""

    def __init__(
        self, wanted: Wanted, url: str, spool: Path, progress: Progress, pace: OutwardPace | None = None
    ) -> None:
        rest = (url, cursors := Cursors(cursors_beside(spool)), progress, pace or OutwardPace())
        self.callers = [
            Caller(hook, number, target, wanted.per_minute, *rest)
            for number, (hook, target) in enumerate(wanted.hooks, 1)
        ]
        self.exporter = Exporter(*wanted.collector, *rest) if wanted.collector else None
        senders: list[Sender] = [*self.callers, *([self.exporter] if self.exporter else [])]
        self._senders = list({sender.key: sender for sender in senders}.values())
        cursors.only({sender.key for sender in self._senders})

    def __enter__(self) -> Self:
        for sender in self._senders:
            log.info("%s", sender.name)
            sender.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()
        deadline = time.monotonic() + _END_SECONDS
        for sender in self._senders:
            sender.join(max(0.0, deadline - time.monotonic()))

    def stop(self) -> None:
        """Asks all to end; from any thread."""
        for sender in self._senders:
            sender.stop()

    def troubles(self) -> list[str]:
        """Who does not take what he is told, and why."""
        return [f"{sender.name}: {trouble}" for sender in self._senders if (trouble := sender.trouble) is not None]

    def metrics(self) -> Iterator[Family]:
        """How they do, in numbers; waits for nothing."""
        for name, kind, about, of in _COUNTED:
            samples = [
                Sample(float(getattr(each, of)), {"hook": str(each.number), "on": each.hook.on})
                for each in self.callers
            ]
            yield Family(name, kind, about, tuple(samples))
        if self.exporter is not None:
            for name, about, number in (
                ("archiver_otlp_events_total", "Events that the collector took.", self.exporter.events),
                ("archiver_otlp_failed_total", "Requests that the collector did not take.", self.exporter.failed),
                ("archiver_otlp_unwanted_total", "Records that the collector refused.", self.exporter.unwanted),
            ):
                yield Family(name, "counter", about, (Sample(float(number)),))
