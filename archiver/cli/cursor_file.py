"""The file in which an incremental export keeps how far it has come."""

from __future__ import annotations

from pathlib import Path

from archiver.cli.files import begun, destination, in_place_of
from archiver.cli.writing import writing
from archiver.errors import BadInput

_LONGEST = 1_000


def read_cursor(path: Path) -> str | None:
    """The cursor in a file; None: there is no file yet, or nothing in it. Raises BadInput."""
    if path.exists() and not path.is_file():  # a device or a pipe, whose place the file would take
        raise BadInput(source=str(path), reason="it is no file", hint="name a file, which need not be there yet")
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST).decode("ascii").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it holds no cursor"
        hint = "remove it to begin anew: then what was written already is written again"
        raise BadInput(source=str(path), reason=reason, hint=hint) from error


def require_place(path: Path) -> None:
    """Raises CannotWrite when the file could not be written, which is better known before an answer is."""
    path = destination(path)
    with writing(str(path)):
        unfinished, file = begun(path, 0o600)
        file.close()
        unfinished.unlink()


def keep_cursor(path: Path, cursor: str) -> None:
    """Puts a cursor into the file: the new one or, whatever happens, the old one. Raises CannotWrite."""
    with in_place_of(destination(path), 0o600) as file:
        file.write(cursor + "\n")
