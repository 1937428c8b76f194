"""Packs the uuids of events into as few bytes as they need, and unpacks them as they were spelled."""

from __future__ import annotations

import re
from collections.abc import Iterable

_canonical = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII).fullmatch
_PACKED = 16
_TEXT = b"\0"
"""Before a text of 16 bytes, which would look like a packed uuid; no clean text begins so."""


def pack(uuid: str) -> bytes:
    """The 16 bytes of a uuid in its canonical form, in lower case; of any other clean text its bytes in UTF-8."""
    if _canonical(uuid):
        return bytes.fromhex(uuid.replace("-", ""))
    text = uuid.encode()
    return _TEXT + text if len(text) == _PACKED else text


def pack_all(uuids: Iterable[str | None]) -> list[bytes | None]:
    """A column of uuids, packed; what has none keeps none."""
    # Every event passes here: in line, and the usual form first.
    return [
        None if uuid is None else bytes.fromhex(uuid.replace("-", "")) if _canonical(uuid) else pack(uuid)
        for uuid in uuids
    ]


def unpack(packed: bytes) -> str:
    """The text that was packed."""
    if len(packed) == _PACKED:
        digits = packed.hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return packed.removeprefix(_TEXT).decode()
