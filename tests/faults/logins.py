"""The login of the stream: in each form in which it may be carried, repeated by the platform, refused by it."""

from __future__ import annotations

from archiver.simulator.service.connection import frame

from .bench import Bench
from .canary import CARRIERS
from .fault import fault

_FEW = 2
"""So many forms are tried where nothing is tried often."""


@fault(
    "the login is given in each form: files, credentials of systemd's, variables, those of the old clients, headers,"
    " URLs; the platform repeats it, and refuses it once",
    "no trace of it in log, traceback, title of a process, program that is called, archive, spool, export, page or"
    " numbers; as after every other fault, in which the dice say how it is carried",
)
def login_carried(bench: Bench) -> str:
    carriers = list(CARRIERS)[: len(CARRIERS) if bench.size.turns > 1 else _FEW]
    for carrier in carriers:
        process = bench.start("--log-level", "debug", carrier=carrier)
        bench.archives(100)
        for text in bench.canary.told():
            bench.platform.send_raw(frame(text, text=True))
        bench.platform.misbehave("handshake_status", times=1, status=401)
        refused = bench.log().count("credentials refused")
        bench.platform.misbehave("drop")
        bench.waits_for_log("credentials refused", refused + 1)
        bench.end(process)
        bench.look()
    return f"{len(carriers)} forms"
