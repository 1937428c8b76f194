"""`archiver run`: the daemon."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from archiver.cli.common import Database, chosen, examples, settings
from archiver.cli.once import OnceCommand
from archiver.cli.streams import Api, Auth, Plaintext, Streams, opened, secrets_of, told_where
from archiver.errors import UsageError

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from archiver.codec.prometheus import Family
    from archiver.config.settings import Config
    from archiver.recording.daemon import Daemon
    from archiver.recording.outward.everybody import Wanted

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
On = Annotated[
    list[str] | None,
    typer.Option(
        "--on",
        metavar="WHEN",
        help="Tell the next --exec or --webhook of it: state=exited*, oom, forced, crash, crash-loop, never-came-back, "
        "gap, reject, told, unknown; with | between several. May be given several times (ARCHIVER_ON).",
        show_default=False,
    ),
]
Exec = Annotated[
    list[str] | None,
    typer.Option(
        "--exec",
        metavar="COMMAND",
        help="The program that is told, with its arguments; JSON on its standard input, no shell (ARCHIVER_EXEC).",
        show_default=False,
    ),
]
Webhook = Annotated[
    list[str] | None,
    typer.Option(
        "--webhook",
        metavar="URL",
        help="The server that is told, by POST; @FILE: its URL stands in that file (ARCHIVER_WEBHOOK).",
        show_default=False,
    ),
]
HookLimit = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="So many calls of each hook a minute; what is more is told with one; default: 10 (ARCHIVER_HOOK_LIMIT).",
        show_default=False,
    ),
]
Otlp = Annotated[
    str | None,
    typer.Option(
        "--otlp",
        metavar="URL",
        help="Send every event there as a log record of OpenTelemetry; @FILE: the URL stands in that file "
        "(ARCHIVER_OTLP, and ARCHIVER_OTLP_HEADERS: name=value,...).",
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
            "archiver run --on 'oom|crash-loop|never-came-back' --exec /usr/local/bin/page",
        ),
        cls=RunCommand,
    )(run)


class RunCommand(OnceCommand):
    """Keeps in which order the parts of hooks were given: an option's values come without that."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses them, and remembers the order in `ctx.meta`."""
        if not ctx.resilient_parsing:
            _, _, given = self.make_parser(ctx).parse_args(args=list(args))
            ctx.meta[_ORDER] = [parameter.name for parameter in given if parameter.name in _PARTS]
        return super().parse_args(ctx, args)


_ORDER, _PARTS = "archiver.hooks", {"on": "on", "exec_": "exec", "webhook": "webhook"}


def _hooks(ctx: typer.Context, **values: list[str] | None) -> list[dict[str, list[str]]]:
    """One table for each hook, as the configuration's file has them: who is told stands behind what he is told of."""
    rest = {name: iter(texts or ()) for name, texts in values.items()}
    found: list[dict[str, list[str]]] = []
    for name in ctx.meta.get(_ORDER, ()):
        key = _PARTS[name]
        if not found or (key == "on" and len(found[-1]) > 1):
            found.append({})
        found[-1].setdefault(key, []).append(next(rest[key]))
    return found


def run(
    ctx: typer.Context,
    stream: Streams = None,
    database: Database = None,
    spool: SpoolPath = None,
    spool_limit: SpoolLimit = None,
    limit: Limit = None,
    api: Api = None,
    auth: Auth = None,
    allow_plaintext: Plaintext = False,
    exit_on_auth_failure: ExitOnAuthFailure = False,
    metrics: MetricsAt = None,
    on: On = None,
    exec_: Exec = None,
    webhook: Webhook = None,
    hook_limit: HookLimit = None,
    otlp: Otlp = None,
    log_level: LogLevel = None,
    log_format: LogFormat = "text",
) -> None:
    """The daemon: records everything the streams say, until SIGTERM or Ctrl-C.

    What was received is safe in the spool before anything else happens, and in the archive as soon as that answers.
    Credentials come from ARCHIVER_TOKEN_FILE, from systemd (LoadCredential=token:...), from ARCHIVER_USER and
    ARCHIVER_TOKEN, or from where the clients of Tutum and Docker Cloud kept them; never from an option.
    """
    from archiver.cli import logs
    from archiver.config.loading import require_home

    flags: dict[str, Any] = {
        "database": database if database is not None else chosen(ctx).database,
        "streams": stream,
        "spool": spool,
        "spool_limit": spool_limit,
        "api": api,
        "auth": auth,
        "allow_plaintext": allow_plaintext,
        "exit_on_auth_failure": exit_on_auth_failure,
        "metrics": metrics,
        "hooks": _hooks(ctx, on=on, exec=exec_, webhook=webhook),
        "hook_limit": hook_limit,
        "otlp": otlp,
        "log_level": log_level,
    }
    config = settings(flags)
    if not config.streams.value:
        hint = "archiver run --stream unix:///var/run/docker.sock, or set ARCHIVER_STREAM"
        raise UsageError(reason="there is no stream to record", hint=hint)
    wanted = _wanted(config)
    with told_where(config):
        secrets = secrets_of(config) | (wanted.secrets() if wanted is not None else set())
        logs.set_up(config.log_level.value, os.environ, secrets=secrets, as_json=log_format == "json")
        require_home("spool", config.spool)
        record(ctx, config, limit, wanted)


def record(ctx: typer.Context, config: Config, limit: int | None, wanted: Wanted | None = None) -> None:
    """Runs the daemon as configured until it is told to stop.

    Raises what `Daemon.run` and `Spool` raise, DatabaseUnfit when there can be no archive where one is to be.
    """
    from archiver.recording.daemon import Daemon, closed_in_time, stopped_by_signals
    from archiver.recording.spool.queue import Spool
    from archiver.recording.systemd import Notifier
    from archiver.storage.database.address import shown_url
    from archiver.storage.database.foreign import require_fit

    require_fit(config.database.value)
    spool = Spool(config.spool.value, config.spool_limit.value)
    late: Sequence[str] = ()
    try:
        sources = opened(config, resume_point=spool.resume_point, notes=spool)
        notifier = Notifier.of(os.environ)
        daemon = Daemon(sources, spool, config.database.value, limit=limit, notifier=notifier)
        log.info("recording into %s, by way of %s", shown_url(config.database.value), config.spool.value)
        for hook in config.hooks.value:
            if hook.program and shutil.which(hook.program[0]) is None:
                log.warning("the program of a hook is not there, or may not be run: %s", hook.shown)
        with _beside(config, daemon, wanted), stopped_by_signals(daemon.stop):
            try:
                daemon.run()
            finally:
                late = daemon.late
    finally:
        # Whoever waits for what hangs in a system call, or for the spool that it has locked, waits for ever.
        chosen(ctx).leave_at_once = bool(late) or not closed_in_time(spool)


def _wanted(config: Config) -> Wanted | None:
    """Who is to be told; None: nobody, and what would tell takes no memory. Raises ConfigurationWrong."""
    if not config.hooks.value and config.otlp.value is None:
        return None
    from archiver.recording.outward.everybody import Collector, Wanted

    url, collector = config.otlp.value, None
    if url is not None:
        collector = Collector.of(url, config.otlp_headers.value, config.otlp.origin)
    return Wanted.of(config.hooks.value, config.hook_limit.value, config.hooks.origin, collector)


@contextmanager
def _beside(config: Config, daemon: Daemon, wanted: Wanted | None) -> Iterator[None]:
    """Tells others meanwhile, and serves the daemon's numbers, where that is wished."""
    with ExitStack() as beside:
        numbers = [daemon.metrics]
        if wanted is not None and wanted.is_anybody:
            from archiver.recording.outward.everybody import Outward

            told = Outward(wanted, config.database.value, config.spool.value, daemon.progress)
            numbers.append(beside.enter_context(told).metrics)
            daemon.troubles_beside = told.troubles
        if config.metrics.value is not None:
            from archiver.recording.metrics import Metrics

            metrics = Metrics(config.metrics.value, config.database.value, lambda: _all(numbers))
            beside.enter_context(metrics)
            log.info("metrics at http://%s:%d/metrics", config.metrics.value[0], metrics.port)
        yield


def _all(numbers: Sequence[Callable[[], Iterable[Family]]]) -> Iterator[Family]:
    return (family for of in numbers for family in of())
