"""Records what happens on a container platform and answers for it later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archiver.version import __version__

if TYPE_CHECKING:
    from archiver.api.archive import Archive
    from archiver.api.stream import Stream
    from archiver.platforms.tutum.credentials import Credentials

__all__ = ["Archive", "Credentials", "Stream", "__version__"]


def __getattr__(name: str) -> Any:
    """`Archive`, `Stream` and `Credentials`, imported when first asked for: the program's start pays for none."""
    if name == "Archive":
        from archiver.api.archive import Archive as found
    elif name == "Stream":
        from archiver.api.stream import Stream as found  # type: ignore[assignment]
    elif name == "Credentials":
        from archiver.platforms.tutum.credentials import Credentials as found  # type: ignore[assignment]
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, found)
