"""Takes off the marks that a stream of server-sent events puts around its messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_TYPE = "text/event-stream"
_DATA = re.compile(rb"data: ?(?=\{)")
_OTHER = re.compile(rb"(?:event|id|retry)(?::|$)|:")
"""What stands on the other lines of such a stream, and as a comment keeps it alive."""


class ServerSent:
    """Knows a stream by its type, or by its first message."""

    def __init__(self, content_type: str = "") -> None:
        self._is_one = content_type == _TYPE

    def off(self, lines: Iterable[tuple[bytes, str | None]]) -> Iterator[tuple[bytes, str | None]]:
        """The messages without their marks; what is neither message nor mark, as it came."""
        for line, refused in lines:
            if line.startswith(b"{"):
                yield line, refused
            elif (mark := _DATA.match(line)) is not None:
                self._is_one = True
                yield line[mark.end() :], refused
            elif not (self._is_one and _OTHER.match(line)):
                yield line, refused
