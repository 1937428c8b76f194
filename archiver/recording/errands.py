"""Runs what a daemon was asked for, step by step between its batches, and what a new version has to do once."""

from __future__ import annotations

import logging
from collections import deque

from archiver.errors import ArchiverError
from archiver.recording.control.server import MOST_WAITING, Control, Request
from archiver.recording.jobs import job_of, nobody
from archiver.recording.reconcile import Askers
from archiver.recording.retrying import retry
from archiver.recording.spool.queue import Spool
from archiver.recording.steps import IDLE, Steps
from archiver.storage.recorder import Recorder
from archiver.version import __version__

log = logging.getLogger(__name__)


class Errands:
    """Jobs that take turns, a step each: a note does not wait until a million rejects are tried."""

    def __init__(
        self, recorder: Recorder, control: Control, spool: Spool | None = None, askers: Askers = nobody
    ) -> None:
        self._recorder = recorder
        self._spool = spool
        self._control = control
        self._askers = askers
        self._jobs: deque[tuple[Request, Steps | None]] = deque()
        """Who asked, and the steps that are left; None: it is not begun."""
        self._idle: set[Request] = set()
        """Those whose jobs wait for somebody else."""
        self._own: Steps | None = None
        """What nobody asked for; it goes on when nobody asks for anything."""

    def begin(self) -> None:
        """To be called once the archive answers: from now on there are jobs."""
        self._own = _retry_of_version(self._recorder)
        self._control.open()

    def end(self) -> None:
        """Takes no more; whose job is not done is hung up on, and does the rest himself."""
        for request, _ in self._jobs:
            request.leave()
        self._jobs.clear()
        self._idle.clear()
        self._own = None
        self._control.close()

    def are_waiting(self) -> bool:
        """Whether there is anything to do; costs next to nothing."""
        while len(self._jobs) < MOST_WAITING and (request := self._control.next()) is not None:
            self._jobs.append((request, None))
        return bool(self._jobs) or self._own is not None

    def step(self) -> bool:
        """Does a step; whether there is more to do at once. Never raises: no job may end the recording."""
        if self._jobs:
            request, begun = self._jobs.popleft()
            if begun is None and not request.is_wanted:  # he was told that nothing was done
                request.leave()
                return self.are_waiting()
            self._idle.discard(request)
            if begun is None:
                begun = job_of(request.wanted, self._askers)(self._recorder, self._spool)
            steps = begun
            if self._goes_on(request, steps):
                request.go_on()
                self._jobs.append((request, steps))
        elif self._own is not None and not self._goes_on(None, self._own):
            self._own = None
        return self.are_waiting() and len(self._idle) < len(self._jobs) + (self._own is not None)

    def _goes_on(self, request: Request | None, steps: Steps) -> bool:
        """Whether a job has more steps after this one; else whoever asked for it has his answer."""
        try:
            if next(steps) is IDLE and request is not None:
                self._idle.add(request)
        except StopIteration as end:
            if request is not None:
                log.info("done for somebody who asked: %s", request.wanted["do"])
                request.answer(end.value)
            return False
        except Exception as error:
            log.warning("%s failed: %s", _named(request), error, exc_info=not isinstance(error, ArchiverError))
            if request is not None:
                request.refuse(error)
            return False
        return True


def _named(request: Request | None) -> str:
    return "the retry of rejects" if request is None else f"{request.wanted['do']}, for somebody who asked,"


def _retry_of_version(recorder: Recorder) -> Steps:
    """What a new version does at its first start: it may read what an older one could not."""
    if not recorder.is_retry_due(__version__):
        return {}
    yield None
    done = yield from retry(recorder)
    recorder.keep_retried(__version__)
    if done["events"] or done["duplicates"]:
        log.info("%(tried)d rejects of other versions tried again: %(events)d are events now", done)
    return done
