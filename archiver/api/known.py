"""The archive as it was known at an instant, or to one stream: that is heard anew in an archive of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from archiver.api.archive import Archive
from archiver.model import Resource


@contextmanager
def as_known_at(archive: Archive, known_at: datetime, about: Resource | None = None) -> Iterator[Archive]:
    """An archive of what another had received by an instant; of a resource and what was ever under it, or of all.

    It costs as much as to import that: the words of all these, from the first one on. What nobody had heard of then is
    not in it. Raises as `Archive` does, and `OutOfSpace` where there is no room for it.
    """
    with _heard(archive.export_known(known_at, about), archive.state_kinds()) as known:
        yield known


@contextmanager
def as_told_by(
    archive: Archive,
    stream: str,
    about: Resource | None = None,
    *,
    known_at: datetime | None = None,
    around: bool = False,
) -> Iterator[Archive]:
    """An archive of what the stream of a URL told of another's objects, as if nobody else had told of anything.

    What it told together with others is in it, and what was found in its sessions; not what was imported, nor notes.
    `about` as in `as_known_at`; `around`: also what that was ever under, and was beside it there, which says why. It
    costs as much as to import that. Raises NoSuchStream, and as `as_known_at` does.
    """
    lines = archive.export_known(known_at, about, stream=stream, around=around)
    with _heard(lines, archive.state_kinds()) as told:
        yield told


@contextmanager
def _heard(lines: Iterable[str], kinds: Mapping[str, str]) -> Iterator[Archive]:
    """An archive of some lines, in which states are of such kinds; it is thrown away."""
    from archiver.storage import migrate
    from archiver.transfer.importer import import_lines

    with tempfile.TemporaryDirectory(prefix="archiver-") as folder:
        url = f"sqlite:///{Path(folder) / 'known.db'}"
        migrate.create(url, kinds)
        import_lines(url, (f"{line}\n".encode() for line in lines))
        with Archive.open(url) as known:
            yield known
