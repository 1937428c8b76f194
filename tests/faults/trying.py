"""Does one fault on one database, and looks whether the promises hold."""

from __future__ import annotations

import importlib
import random
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .bench import Bench, Broken
from .fault import Fault, Impossible, Size
from .server import Server
from .table import Outcome

FAMILIES = (
    "kills",
    "postgres",
    "disks",
    "files",
    "copies",
    "network",
    "hostile",
    "clocks",
    "power",
    "server_power",
    "logins",
)
"""The modules that hold faults, in the order of the table."""


def load_all() -> None:
    """Fills the list of faults."""
    for family in FAMILIES:
        importlib.import_module(f".{family}", __package__)


def tried(
    fault: Fault, database: str, seed: int, size: Size, server: Server | None = None, portion: int = 0
) -> Outcome:
    """What becomes of a fault, or of a portion of it; the dice of each fall the same whichever others are tried."""
    began, events = time.monotonic(), 0
    sizes = fault.portions(size)
    size = sizes[portion]
    dice = random.Random(f"{seed} {fault.name} {database}" + f" {portion}" * (len(sizes) > 1))
    try:
        with tempfile.TemporaryDirectory(prefix="archiver-faults-") as name, _url(database, Path(name), server) as url:
            bench = Bench(url, Path(name), dice, size)
            bench.server = server
            with bench.alive():
                said = fault.run(bench)
                events = bench.proven or bench.prove()
        verdict = "holds"
    except Impossible as error:
        verdict, said = "not tried", str(error)
    except Broken as error:
        verdict, said = "BROKEN", str(error)
    except Exception:  # noqa: BLE001 - one that fails to be done must not keep the others from it
        verdict, said = "BROKEN", f"the fault itself failed: {traceback.format_exc()[-1500:]}"
    return Outcome(fault.name, database, verdict, said, events, time.monotonic() - began, portion, len(sizes))


@contextmanager
def _url(database: str, folder: Path, server: Server | None) -> Iterator[str]:
    if database == "sqlite":
        yield f"sqlite:///{folder / 'archive.db'}"
        return
    assert server is not None
    with server.database() as url:
        yield url
