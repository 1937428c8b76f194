"""Adds recorded events to an archive: of whatever somebody recorded, or as `export` wrote them."""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from archiver.errors import UsageError
from archiver.model import Platform, Reject
from archiver.storage import statistics
from archiver.storage.recorder import FINISHED, Recorded, Recorder, Whose
from archiver.transfer.decode_process import decoding
from archiver.transfer.exported import ExportImport
from archiver.transfer.files import is_regular, plain_pieces
from archiver.transfer.lines import NUMBERED
from archiver.transfer.reader import BATCH, How, Part, Reader, plainly_dated, undated

__all__ = ["How", "ImportResult", "import_file", "import_lines"]

_ALLOCATIONS = 500_000
"""So many lists and tuples are made, more than are given up, before it is looked for garbage."""

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of the lines of a file."""

    events: int = 0
    duplicates: int = 0
    """Events that the archive had already: by their uuid, or those of an export by what they say."""
    rejects: int = 0
    first_reject: str | None = field(default=None, compare=False)
    """Why the first of them is none."""
    known_since: datetime | None = field(default=None, compare=False)
    """When this very file was imported before; nothing of it was read now."""
    lacks: str | None = field(default=None, compare=False)
    """What of an export is not there, since the file ends before it does."""


def import_file(
    url: str,
    file: BinaryIO,
    how: How = How(),  # noqa: B008 - immutable
    *,
    stream: str | None = None,
    again: bool = False,
    progress: Progress | None = None,
    batch_lines: int = BATCH,
) -> ImportResult:
    """Archives what a file holds, packed or not.

    A file on a disk is read twice. First for its hash, by which one that was imported before is known (unless `again`),
    and to refuse it, before anything of it is archived, when it has events without a time and `how` does not date them.
    An import that was interrupted goes on where it ended. `stream` is what was recorded, as the archive calls it: an
    object of that stream and one of the recording are the same.
    Raises BadInput for what cannot be read, UsageError for an unknown stream, and what `Recorder.record` raises.
    """
    if stream is not None:
        how = how._replace(engine=_engine(url, stream), platform=stream)
    if not is_regular(file):
        pieces = plain_pieces(file, how.source, pauses=True)
        return import_lines(url, pieces, how, progress=progress, batch_lines=batch_lines)
    size, digest = os.fstat(file.fileno()).st_size, hashlib.sha256()
    file.seek(0)
    dated = plainly_dated(plain_pieces(file, how.source, limit=size, digest=digest))
    receiver = f"file:{digest.hexdigest()}"
    if how.platform is not None and stream is None:  # the same may be of two platforms
        receiver += f" {how.platform}"
    if not again:
        with Recorder(url) as recorder:
            known = recorder.finished_at(receiver)
        if known is not None:
            return ImportResult(known_since=known)
    if not dated and how.dated_by is None:
        _refuse_undated(file, size, how)
    file.seek(0)
    text = plain_pieces(file, how.source, limit=size)
    known_as = None if again else receiver
    return import_lines(url, text, how, receiver=known_as, progress=progress, batch_lines=batch_lines)


def import_lines(
    url: str,
    lines: Iterable[bytes],
    how: How = How(),  # noqa: B008
    *,
    receiver: str | None = None,
    progress: Progress | None = None,
    batch_lines: int = BATCH,
) -> ImportResult:
    """Archives lines, or a text in pieces however they are cut, a batch and a transaction at a time.

    Events without a uuid are never recognised again: the same text imported twice stands there twice, unless a
    `receiver` gives it an identity; those of an export are recognised by what they say.
    Raises BadInput when events without a time are among the first and `how` does not date them, and what
    `Recorder.record` raises; keeps what it cannot read as rejects.
    """
    # The reader first: a process made later would share the archive's lock and connection, and could outlive this one.
    reader = Reader(how, batch_lines=batch_lines)
    with _seldom_collecting(), decoding(reader.batches(lines)) as batches, Recorder(url) as recorder:
        work = _Import(recorder, receiver, how.platform)
        for batch in batches:
            work.record(batch)
            if progress is not None:
                progress(work.lines)
        work.finish()
        return ImportResult(work.events, work.duplicates, work.rejects, work.first_reject, lacks=work.lacks)


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Has the interpreter look for circles of garbage less often: rows come by the million, and form none.

    That is a fifth of what an import takes.
    """
    before = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _engine(url: str, stream: str) -> dict[str, str]:
    """What the archive knows of the engine behind a stream."""
    with Recorder(url) as recorder:
        found = recorder.engine_of(stream)
    if found is None:
        raise UsageError(
            reason=f"the archive does not know whose messages those of {stream} are",
            hint="it learns that from the stream itself: let 'archiver run' record some of it first, into this archive",
        )
    return found


def _refuse_undated(file: BinaryIO, size: int, how: How) -> None:
    """Raises BadInput when some event of the file has no time: every one is looked at."""
    file.seek(0)
    reader = Reader(how, only_counts=True)
    for _ in reader.batches(plain_pieces(file, how.source, limit=size)):
        pass
    if reader.undated:
        raise undated(how.source, reader.undated, reader.events, "in it")


class _Import:
    """One text on its way into the archive."""

    def __init__(self, recorder: Recorder, receiver: str | None, platform: str | None) -> None:
        """`platform`: of which what is no export is, and an export that knows of no platforms."""
        self._recorder = recorder
        self._platform = platform
        self._described: dict[int, list[str]] = {}
        """The platforms of each export."""
        recorder.identity()  # what cannot be written to shows now: the first line may be long in coming
        self._receiver = receiver
        self._export: ExportImport | None = None
        self._recorded = 0
        self.lines = self.events = self.duplicates = self.rejects = 0
        self.first_reject: str | None = None
        self.lacks: str | None = None

    def record(self, part: Part) -> None:
        """Archives some lines; only what was not archived before."""
        self.lines += part.lines
        self.lacks = self.lacks or part.lacks
        if part.kind == "platform":
            described = [platform.key for platform in part.records.of_kind(Platform)]
            self._described.setdefault(part.export, []).extend(described)
        self._recorder.whose = self._whose(part)
        if part.kind in NUMBERED:
            self._count(self._of_export(part).record(part))
            return
        upto = None
        if part.kind == "wire":
            if self._receiver is not None:
                self._recorder.receiver = self._receiver
                self._recorded += len(part.records)
                upto = self._recorded
            if self.first_reject is None:
                self.first_reject = next((reject.reason for reject in part.records.of_kind(Reject)), None)
        self._count(self._recorder.record(part.records, upto))

    def _whose(self, part: Part) -> Whose:
        """Of which platform some lines are, where their sessions do not say it."""
        if part.kind == "wire":
            return Whose(self._platform)
        described = self._described.get(part.export, [])
        if not described:
            return Whose(self._platform or part.platform, together=True)
        if part.platform is not None:
            return Whose(part.platform)
        return Whose(among_others=described[0] if len(described) == 1 else None)

    def _of_export(self, part: Part) -> ExportImport:
        if self._export is None or self._export.number != part.export:
            self._end_export()
            self._export = ExportImport(self._recorder, part.export, part.name)
        return self._export

    def _end_export(self) -> None:
        export, self._export = self._export, None
        if export is not None:
            export.finish()

    def _count(self, done: Recorded) -> None:
        self.events += done.events
        self.duplicates += done.duplicates
        self.rejects += done.rejects

    def finish(self) -> None:
        """Keeps in mind what is archived, and has the database do so where that was much."""
        self._end_export()
        if self._receiver is not None and self._recorded and self.lacks is None:
            self._recorder.receiver = self._receiver
            self._recorder.record((), FINISHED)
        if self.events >= statistics.MANY:
            self._recorder.renew_statistics()
