"""`archiver run`: the daemon."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from archiver.cli.common import Database, chosen, examples
from archiver.cli.streams import Auth, Plaintext, Streams, secrets_of, told_where
from archiver.errors import UsageError

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from archiver.config import Config
    from archiver.platforms.protocol import Source
    from archiver.recording.daemon import Daemon
    from archiver.recording.spool.queue import Spool

SpoolPath = Annotated[
    str | None,
    typer.Option(
        "--spool",
        metavar="FILE",
        help="The queue between receiving and archiving; default: beside the archive (ARCHIVER_SPOOL).",
        show_default=False,
    ),
]
SpoolLimit = Annotated[
    str | None,
    typer.Option(metavar="SIZE", help="How much may wait in it: 500MB (ARCHIVER_SPOOL_LIMIT).", show_default=False),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="Stop after N archived events.", show_default=False)
]
ExitOnAuthFailure = Annotated[
    bool, typer.Option("--exit-on-auth-failure", help="End with code 77 when the credentials are refused.")
]
MetricsAt = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS:PORT",
        help="Serve numbers for Prometheus there: 127.0.0.1:9464 (ARCHIVER_METRICS).",
        show_default=False,
    ),
]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"] | None,
    typer.Option("--log-level", help="What is logged; default: info (ARCHIVER_LOG_LEVEL).", show_default=False),
]
LogFormat = Annotated[Literal["text", "json"], typer.Option("--log-format", help="How the log lines look.")]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        "run",
        epilog=examples(
            "archiver run --stream unix:///var/run/docker.sock",
            "ARCHIVER_TOKEN_FILE=/etc/archiver/token archiver run --stream wss://stream.tutum.co/v1/events",
            "archiver run --stream wss://a.example/v1/events --database postgresql://archiver@db/archive",
        ),
    )(run)


def run(
    ctx: typer.Context,
    stream: Streams = None,
    database: Database = None,
    spool: SpoolPath = None,
    spool_limit: SpoolLimit = None,
    limit: Limit = None,
    auth: Auth = None,
    allow_plaintext: Plaintext = False,
    exit_on_auth_failure: ExitOnAuthFailure = False,
    metrics: MetricsAt = None,
    log_level: LogLevel = None,
    log_format: LogFormat = "text",
) -> None:
    """The daemon: records everything the streams say, until SIGTERM or Ctrl-C.

    What was received is safe in the spool before anything else happens, and in the archive as soon as that answers.
    Credentials come from ARCHIVER_TOKEN_FILE, from systemd (LoadCredential=token:...), from ARCHIVER_USER and
    ARCHIVER_TOKEN, or from where the clients of Tutum and Docker Cloud kept them; never from an option.
    """
    from archiver.cli import logs
    from archiver.config import home_folder, load, require_home
    from archiver.storage.address import shown_url

    flags: dict[str, Any] = {
        "database": database if database is not None else chosen(ctx).database,
        "streams": stream,
        "spool": spool,
        "spool_limit": spool_limit,
        "auth": auth,
        "allow_plaintext": allow_plaintext,
        "exit_on_auth_failure": exit_on_auth_failure,
        "metrics": metrics,
        "log_level": log_level,
    }
    config = load(flags, os.environ, home_folder())
    if not config.streams.value:
        hint = "archiver run --stream unix:///var/run/docker.sock, or set ARCHIVER_STREAM"
        raise UsageError(reason="there is no stream to record", hint=hint)
    with told_where(config):
        logs.set_up(config.log_level.value, os.environ, secrets=secrets_of(config), as_json=log_format == "json")
        require_home("spool", config.spool)
        log.info("recording into %s, by way of %s", shown_url(config.database.value), config.spool.value)
        record(ctx, config, limit)


def record(ctx: typer.Context, config: Config, limit: int | None) -> None:
    """Runs the daemon as configured until it is told to stop.

    Raises what `Daemon.run` and `Spool` raise, DatabaseUnfit when there can be no archive where one is to be.
    """
    from archiver.recording.daemon import Daemon, closed_in_time, stopped_by_signals
    from archiver.recording.spool.queue import Spool
    from archiver.recording.systemd import Notifier
    from archiver.storage.foreign import require_fit

    require_fit(config.database.value)
    spool = Spool(config.spool.value, config.spool_limit.value)
    late: Sequence[str] = ()
    try:
        sources = _sources(config, spool)
        notifier = Notifier.of(os.environ)
        daemon = Daemon(sources, spool, config.database.value, limit=limit, notifier=notifier)
        with _served(config, daemon), stopped_by_signals(daemon.stop):
            try:
                daemon.run()
            finally:
                late = daemon.late
    finally:
        # Whoever waits for what hangs in a system call, or for the spool that it has locked, waits for ever.
        chosen(ctx).leave_at_once = bool(late) or not closed_in_time(spool)


@contextmanager
def _served(config: Config, daemon: Daemon) -> Iterator[None]:
    """Serves the daemon's numbers meanwhile, where that is wished."""
    if config.metrics.value is None:
        yield
        return
    from archiver.recording.metrics import Metrics

    with Metrics(config.metrics.value, config.database.value, daemon.metrics) as metrics:
        log.info("metrics at http://%s:%d/metrics", config.metrics.value[0], metrics.port)
        yield


def _sources(config: Config, spool: Spool) -> list[Source]:
    from archiver.config import home_folder
    from archiver.platforms.open import open_source

    return [
        open_source(
            url,
            os.environ,
            home_folder(),
            auth=config.auth.value,  # type: ignore[arg-type]
            allow_plaintext=config.allow_plaintext.value,
            give_up_on_refusal=config.exit_on_auth_failure.value,
            client_cert=config.client_cert.value,
            client_key=config.client_key.value,
            resume_point=spool.resume_point,
            notes=spool,
        )
        for url in config.streams.value
    ]
