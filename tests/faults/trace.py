"""Makes of a trace of writes and syncs what a disk may hold when the power goes at any point of it."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

SECTOR = 512
MARKS = "marks"
"""A file that is no part of an image: what is written to it is what the process has promised by then."""


class Step(NamedTuple):
    """Something that a process did: C made, W wrote, T cut, G made longer, B begins to sync, S has synced, U deleted,
    R renamed, L gave another name beside."""

    kind: str
    path: str
    at: int
    """Where, how long, or which sync."""
    data: bytes


def steps(trace: Path) -> Iterator[Step]:
    """What stands in a trace; its last record may be torn."""
    data, place = trace.read_bytes(), 0
    while place + 3 <= len(data):
        kind, length = data[place : place + 1].decode(), struct.unpack_from("=H", data, place + 1)[0]
        place += 3
        path = data[place : place + length].decode()
        if place + length + 12 > len(data):
            return
        at, size = struct.unpack_from("=qI", data, place + length)
        place += length + 12
        yield Step(kind, path, at, data[place : place + size])
        place += size


class _File:
    """A file: what is safe of it, and what was done since."""

    def __init__(self, safe: bytes = b"") -> None:
        self.safe = bytearray(safe)
        self.pending: list[Step] = []
        self._begun: dict[tuple[bytes, int], int] = {}

    def do(self, step: Step) -> None:
        if step.kind == "B":
            self._begun[step.data, step.at] = len(self.pending)
        elif step.kind == "S":
            count = self._begun.pop((step.data, step.at), 0)
            for done in self.pending[:count]:
                _apply(self.safe, done)
            del self.pending[:count]
            self._begun = {key: max(0, begun - count) for key, begun in self._begun.items()}
        else:
            self.pending.append(step)

    def after_power_loss(self, dice: random.Random, fate: str) -> bytes:
        """What was not synced is there, or not, or partly, as the dice fall."""
        content = bytearray(self.safe)
        for step in self.pending:
            one = fate if fate != "mixed" else dice.choice(("kept", "kept", "lost", "torn"))
            if one == "kept" or (one == "torn" and step.kind in "TG"):
                _apply(content, step)
            elif one == "torn":
                for start in range(0, len(step.data), SECTOR):
                    if dice.random() < 0.5:
                        piece = step.data[start : start + SECTOR]
                        _apply(content, step._replace(at=step.at + start, data=piece))
        return bytes(content)


def _apply(content: bytearray, step: Step) -> None:
    if step.kind == "T":
        del content[step.at :]
        content.extend(bytes(step.at - len(content)))
    elif step.kind == "G":
        content.extend(bytes(max(0, step.at - len(content))))
    elif step.kind == "W":
        content.extend(bytes(max(0, step.at - len(content))))
        content[step.at : step.at + len(step.data)] = step.data


class Disk:
    """What becomes of the files as a trace goes on. Names are safe at once, as on a file system that orders them."""

    def __init__(self, there: Mapping[str, bytes] | None = None) -> None:
        """`there`: what the files hold by their paths when the trace begins."""
        self._files = {path: _File(content) for path, content in (there or {}).items()}
        self.promised = bytearray()

    def do(self, step: Step) -> None:
        """One more step was done."""
        if step.path.endswith(MARKS):
            self.promised += step.data if step.kind == "W" else b""
        elif step.kind == "U":
            self._files.pop(step.path, None)
        elif step.kind == "R":
            self._files[step.data.decode()] = self._files.pop(step.path, _File())
        elif step.kind == "L":
            self._files[step.data.decode()] = deepcopy(self._files.get(step.path) or _File())
        elif step.kind == "C":
            self._files.setdefault(step.path, _File())
        else:
            self._files.setdefault(step.path, _File()).do(step)

    def image(self, folder: Path, dice: random.Random, fate: str) -> None:
        """The files after the power went, in another folder: those of a whole path by their names alone."""
        for path, file in self._files.items():
            target = folder / (Path(path).name if path.startswith("/") else path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.after_power_loss(dice, fate))


def images(
    trace: Path,
    count: int,
    dice: random.Random,
    folder: Path,
    there: Mapping[str, bytes] | None = None,
    within: str = "",
) -> Iterator[tuple[Path, set[int]]]:
    """Folders with what a disk, on which was what is `there`, holds after power losses, and what was promised by then.

    The last one is at the end of the trace, where all is promised; the others are at random points. What begins with
    `within` is the same file without it.
    """
    done: Sequence[Step] = [step._replace(path=step.path.removeprefix(within)) for step in steps(trace)]
    last = len(done) - 1
    points = [*sorted(dice.sample(range(last), min(count - 1, last))), last]
    disk, place = Disk(there), 0
    for number, point in enumerate(points):
        for step in done[place : point + 1]:
            disk.do(step)
        place = point + 1
        target = folder / f"image{number}"
        target.mkdir()
        disk.image(target, dice, ("mixed", "lost", "kept")[number % 3] if number % 4 else "mixed")
        yield target, set(map(int, bytes(disk.promised).split()))
