"""`archiver simulate`: a living platform to try things with."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from archiver.cli.common import examples
from archiver.cli.extras import simulator_server
from archiver.errors import UsageError

if TYPE_CHECKING:
    from archiver.simulator.service.server import Simulator

Port = Annotated[int, typer.Option(min=0, max=65535, help="On loopback; 0: any that is free.")]
Speed = Annotated[str, typer.Option(metavar="X", help="Virtual seconds per second, or max.")]
Flavour = Annotated[
    Literal["tutum", "dockercloud"], typer.Option("--flavour", "--dialect", help="Which service it is.")
]
Namespace = Annotated[str | None, typer.Option(help="Organisation in Docker Cloud's URIs.", show_default=False)]
Limit = Annotated[int | None, typer.Option(min=1, metavar="N", help="Fall silent after N events.", show_default=False)]
User = Annotated[
    str | None,
    typer.Option(help="Ask for credentials: this user, and the key in ARCHIVER_SIMULATOR_KEY.", show_default=False),
]
Refuse = Annotated[Literal["status", "message"], typer.Option(help="Refuse by HTTP 401, or by a message as old Tutum.")]
Plan = Annotated[
    list[str] | None,
    typer.Option(
        "--misbehave",
        metavar="KIND@N",
        help="After N events: close, drop, reset, half_frame, silence, garbage, bad_utf8, binary, duplicate, huge, "
        "accept_close, handshake_status. May be given several times.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "simulate",
        epilog=examples(
            "archiver simulate --port 8765 --speed 60",
            "archiver simulate --flavour dockercloud --misbehave drop@100 --misbehave garbage@200",
            "archiver listen --stream ws://127.0.0.1:8765/v1/events      (in another terminal)",
        ),
    )(simulate)


def simulate(
    port: Port = 8765,
    seed: Annotated[int, typer.Option(help="The same seed, the same platform.")] = 1,
    speed: Speed = "10",
    flavour: Flavour = "tutum",
    namespace: Namespace = None,
    stacks: Annotated[int, typer.Option(min=0, help="How many stacks live at a time.")] = 3,
    nodes: Annotated[int, typer.Option(min=1, help="How many nodes there are.")] = 3,
    limit: Limit = None,
    user: User = None,
    refuse: Refuse = "status",
    misbehave: Plan = None,
) -> None:
    """A living platform to try things with, on loopback: stream and REST API of Tutum or Docker Cloud.

    Stacks deploy, services scale, containers crash and come back, nodes go away; until Ctrl-C.
    """
    server = simulator_server()
    simulator = server.Simulator(
        world=server.World(seed=seed, flavour=flavour, namespace=namespace, stacks=stacks, nodes=nodes, settled=120.0),
        pacing=server.Pacing(speed=_speed(speed), limit=limit, plan=dict(_fault(text) for text in misbehave or ())),
        admission=server.Admission(credentials=_credentials(user), refuse=refuse),
        listening=server.Listening(port=port),
    )
    serve_until_stopped(server, simulator, port)


def serve_until_stopped(server: Any, simulator: Simulator, port: int) -> None:
    """Serves until SIGTERM or Ctrl-C. Raises UsageError when the port is taken."""
    import signal
    import threading

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    try:
        server.serve(simulator, stop, _announce)
    except OSError as error:
        raise UsageError(reason=f"port {port}: {error.strerror}", hint="choose another --port") from error


def _announce(simulator: Simulator) -> None:
    print(f"stream  {simulator.stream_url}\nREST    {simulator.rest_url}", flush=True)


_SPEEDS = "1 is as fast as a real platform, 60 shows an hour in a minute, and max waits for nothing"


def _speed(text: str) -> float:
    if text == "max":
        return 0.0
    try:
        speed = float(text)
    except ValueError as error:
        raise UsageError(reason=f"--speed {text} is neither a number nor max", hint=_SPEEDS) from error
    if not 0 < speed < 1e6:
        raise UsageError(reason=f"--speed {text} is not between 0 and 1000000", hint=_SPEEDS)
    return speed


def _credentials(user: str | None) -> tuple[str, str] | None:
    if user is None:
        return None
    key = os.environ.get("ARCHIVER_SIMULATOR_KEY")
    if not key:
        raise UsageError(reason="--user needs a key", hint="set ARCHIVER_SIMULATOR_KEY")
    return user, key


def _fault(text: str) -> tuple[int, str]:
    from archiver.simulator.service.misbehaviour import DOORSTEPS, ENDINGS, NOISES

    kind, _, number = text.partition("@")
    known = ENDINGS | NOISES | DOORSTEPS
    if kind not in known or not number.isdecimal() or int(number) < 1:
        raise UsageError(reason=f"--misbehave {text}", hint=f"KIND@N, with one of: {' '.join(sorted(known))}")
    return int(number), kind
