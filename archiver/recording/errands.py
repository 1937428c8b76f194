"""Runs what a daemon was asked for, step by step between its batches, and what a new version has to do once."""

from __future__ import annotations

import logging

from archiver.errors import ArchiverError
from archiver.recording.control.server import Control, Request
from archiver.recording.jobs import Steps, job_of, retry
from archiver.storage.recorder import Recorder
from archiver.version import __version__

log = logging.getLogger(__name__)


class Errands:
    """One job at a time; the next begins when that is done, or has failed."""

    def __init__(self, recorder: Recorder, control: Control) -> None:
        self._recorder = recorder
        self._control = control
        self._request: Request | None = None
        self._steps: Steps | None = None
        self._own: Steps | None = None
        """What nobody asked for; it goes on when nobody asks for anything."""

    def begin(self) -> None:
        """To be called once the archive answers: from now on there are jobs."""
        self._own = _retry_of_version(self._recorder)
        self._control.open()

    def end(self) -> None:
        """Takes no more; whose job is not done is told so."""
        if self._request is not None:
            self._request.refuse(ArchiverError(reason="the daemon ended before it was done; ask again"))
        self._request = self._steps = self._own = None
        self._control.close()

    def are_waiting(self) -> bool:
        """Whether there is anything to do; costs next to nothing."""
        if self._steps is None and (request := self._control.next()) is not None:
            self._request, self._steps = request, job_of(request.wanted)(self._recorder)
        return self._steps is not None or self._own is not None

    def step(self) -> bool:
        """Does a step; whether there is more to do at once. Never raises: no job may end the recording."""
        steps, request = self._steps or self._own, self._request
        assert steps is not None
        try:
            next(steps)
        except StopIteration as end:
            self._forget()
            if request is not None:
                log.info("done for somebody who asked: %s", request.wanted["do"])
                request.answer(end.value)
        except ArchiverError as error:
            log.warning("%s failed: %s", _named(request), error)
            self._refuse(request, error)
        except Exception as error:
            log.exception("%s failed", _named(request))
            self._refuse(request, error)
        else:
            if request is not None:
                request.go_on()
        return self.are_waiting()

    def _refuse(self, request: Request | None, error: Exception) -> None:
        self._forget()
        if request is not None:
            request.refuse(error)

    def _forget(self) -> None:
        """The job at hand is over."""
        if self._steps is None:
            self._own = None
        self._request = self._steps = None


def _named(request: Request | None) -> str:
    return "the retry of rejects" if request is None else f"{request.wanted['do']}, for somebody who asked,"


def _retry_of_version(recorder: Recorder) -> Steps:
    """What a new version does at its first start: it may read what an older one could not."""
    if not recorder.is_retry_due(__version__):
        return {}
    yield
    done = yield from retry(recorder)
    recorder.keep_retried(__version__)
    if done["events"] or done["duplicates"]:
        log.info("%(tried)d rejects of other versions tried again: %(events)d are events now", done)
    return done
