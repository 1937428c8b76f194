"""The archive as it was known at an instant: what had been received by then, heard anew in an archive of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
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
    from archiver.storage import migrate
    from archiver.transfer.importer import import_lines

    with tempfile.TemporaryDirectory(prefix="archiver-") as folder:
        url = f"sqlite:///{Path(folder) / 'known.db'}"
        migrate.create(url)
        import_lines(url, (f"{line}\n".encode() for line in archive.export_known(known_at, about)))
        with Archive.open(url) as known:
            yield known
