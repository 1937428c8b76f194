"""What is kept of a message that is too long: its beginning, its length and its hash."""

from __future__ import annotations

import hashlib

KEPT = 64 * 1024
"""How many bytes of a message that is too long are kept."""


class Oversize:
    """A message over the cap, taken in piece by piece with bounded memory."""

    def __init__(self, beginning: bytes | bytearray = b"") -> None:
        self.kept = bytearray()
        self.size = 0
        self._hash = hashlib.sha256()
        self.add(beginning)

    def add(self, piece: bytes | bytearray) -> None:
        """Count and hash the next piece; keep what still belongs to the beginning."""
        self.size += len(piece)
        self._hash.update(piece)
        if len(self.kept) < KEPT:
            self.kept += piece[: KEPT - len(self.kept)]

    def reason(self, cap: int) -> str:
        """Why the whole message was refused, with its length and hash."""
        return (
            f"message of {self.size} bytes exceeds the cap of {cap}; "
            f"the first {len(self.kept)} bytes are kept, sha256 {self._hash.hexdigest()}"
        )
