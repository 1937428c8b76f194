"""Records what happens on a container platform and answers for it later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archiver.api.archive import Archive
    from archiver.api.stream import Stream

__version__ = "0.1.0"
__all__ = ["Archive", "Stream", "__version__"]


def __getattr__(name: str) -> Any:
    """`Archive` and `Stream`, imported when first asked for: the program's start pays for neither."""
    if name == "Archive":
        from archiver.api.archive import Archive as found
    elif name == "Stream":
        from archiver.api.stream import Stream as found  # type: ignore[assignment]
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals().setdefault(name, found)
