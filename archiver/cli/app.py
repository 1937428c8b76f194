"""The `archiver` application: its global options, and in which module each command lives.

A command's module is imported when the command is called, and not for `archiver --help` or TAB.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from archiver.cli.globals import HELP_NAMES, Database, Globals
from archiver.cli.groups import Group
from archiver.cli.misused import in_one_style
from archiver.cli.once import OnceCommand
from archiver.cli.shells import teach_typer

COMMANDS = {
    "history": ("history", "Which states a resource went through, and when nobody was watching."),
    "actions": ("actions", "Which actions ran, or ran on a resource and on all that is under it."),
    "events": ("events", "The events as they came, the last ones, or as they come."),
    "timeline": ("timeline", "All that was under a resource in one picture: a page, a trace, or on the terminal."),
    "tree": ("tree", "A resource and all that is under it, with the present states."),
    "at": ("at", "The tree as it stood at a time: states, names and images of then."),
    "diff": ("diff", "What was otherwise at one time than at another."),
    "gaps": ("gaps", "When nobody was watching, and why."),
    "sql": ("sql", "One SELECT of your own over the views, read-only."),
    "schema": ("schema", "What the views for SQL and their columns mean; for Datasette, too."),
    "why": ("why", "What changed before something stopped, above, below and beside it."),
    "report": ("report", "How available things were, what restarted and why, how well it was watched."),
    "values": ("values", "Which states, types or actions there were, and how often."),
    "note": ("note", "Writes into the archive what happened elsewhere: a deploy, a change of the firewall."),
    "reconcile": ("reconcile", "Asks the platform what is true now, and archives what was missed."),
    "rejects": ("rejects", "Messages that could not become events: list them, show one, try them again."),
    "forget": ("forget", "Takes a leaked secret out of archive, spool and rejects."),
    "status": ("status", "How things stand with the archive and its streams."),
    "run": ("run", "The daemon: records streams into the archive."),
    "listen": ("listen", "What a stream says, to stdout; nothing is kept."),
    "import": ("import_", "Adds events from recordings: JSON, logs, exports."),
    "export": ("export", "The whole archive as JSON Lines."),
    "serve": ("serve", "The archive on a port, read-only: JSON, pictures, a feed, what happens as it happens."),
    "mcp": ("mcp", "The archive as read-only tools for an assistant, on standard input and output."),
    "db": ("db", "The archive's tables: create, upgrade, check; its copies: backup, restore."),
    "config": ("config", "What is set, and where that was found."),
    "simulate": ("simulate", "A living platform to try things with."),
    "demo": ("demo", "All of it in one command, with nothing to configure."),
}
"""Command -> its module, whose `register(app)` adds it, and the line it has in `archiver --help`."""

INSIDE = {
    "report": ("availability", "restarts", "deploys", "flaps", "changes", "coverage", "incident"),
    "db": ("upgrade", "current", "check", "backup", "restore"),
}
"""Commands within one, which are often looked for by their names alone."""

EPILOG = """\b
Examples:
  archiver demo                                  see it work
  archiver run --stream wss://ws.cloud.docker.com/api/audit/v1/events
  archiver history container/0fc9f01d --since yesterday
  archiver actions my-stack -o json | jq .

\b
Exit codes:
  0 ok, also for an empty answer      5 schema not at head
  1 failure                           6 not watched (--strict), or not well
  2 wrong usage                       7 empty answer, with --fail-if-empty
  3 no such or ambiguous resource    77 credentials refused
  4 database or stream unreachable   78 configuration wrong
                                    130 Ctrl-C
"""


class LazyGroup(Group):
    """A group that knows the names of its commands, and imports the one that is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._by_name_only = False
        for name, (_, line) in COMMANDS.items():
            self.add_command(TyperCommand(name, help=line, short_help=line, rich_markup_mode=None))

    def make_context(self, *args: Any, **settings: Any) -> Any:
        """Reads the options before the command."""
        with in_one_style():
            return super().make_context(*args, **settings)

    def invoke(self, ctx: Any) -> Any:
        """Reads what follows, and runs the command."""
        with in_one_style():
            return super().invoke(ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called; `help COMMAND` means its help."""
        if args[0] == "help":
            if len(args) == 1:
                typer.echo(ctx.get_help())
                raise typer.Exit
            args = [*args[1:], "--help"]
        if found := [f"{outer} {args[0]}" for outer, inner in INSIDE.items() if args[0] in inner]:
            from archiver.errors import UsageError

            raise UsageError(reason=f"there is no command {args[0]!r}", hint=f"did you mean 'archiver {found[0]}'?")
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order in which one gets to know them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command itself, or where only names are listed, what stands for it."""
        if self._by_name_only or cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        return load(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list of commands in the help."""
        with self._names():
            super().format_commands(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """The names that TAB offers."""
        with self._names():
            return super().shell_complete(ctx, incomplete)

    @contextmanager
    def _names(self) -> Iterator[None]:
        self._by_name_only = True
        try:
            yield
        finally:
            self._by_name_only = False


class _Part(typer.Typer):
    """Where a module registers its command, which then refuses a second value of a filter."""

    def command(self, name: str | None = None, **settings: Any) -> Any:
        return super().command(name, **{"cls": OnceCommand, **settings})


def load(name: str) -> Any:
    """The command of this name, from its module."""
    part = _Part(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
    import_module(f"archiver.cli.commands.{COMMANDS[name][0]}").register(part)
    built = typer.main.get_command(part)
    command = built.commands[name] if isinstance(built, TyperGroup) and name in built.commands else built
    command.context_settings = {**HELP_NAMES, **command.context_settings}
    command.help = command.help or COMMANDS[name][1]  # where Python was told to leave docstrings out
    for leaf in command.commands.values() if isinstance(command, TyperGroup) else [command]:
        leaf.params += [_after(*QUIET), _after(*DEBUG)]
    return command


QUIET = ("quiet", ["-q", "--quiet"], "No notes on stderr; errors stay.")
DEBUG = ("debug", ["--debug"], "Show the traceback of an error.")
"""Before the command, and after it as well: name, how it is written, what it does."""


def _after(name: str, written: list[str], about: str) -> TyperOption:
    """A global option as it stands after the command."""

    def choose(ctx: Any, _parameter: Any, value: bool) -> None:
        chosen = ctx.find_root().obj
        if value and isinstance(chosen, Globals):
            setattr(chosen, name, True)

    return TyperOption(param_decls=written, is_flag=True, expose_value=False, callback=choose, help=about)


teach_typer()
app = typer.Typer(
    name="archiver",
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=HELP_NAMES,
    epilog=EPILOG,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from archiver.version import __version__

        typer.echo(f"archiver {__version__}")
        raise typer.Exit


@app.callback(help="Records what happens on a container platform and answers for it later.")
def options(
    ctx: typer.Context,
    database: Database = None,
    quiet: Annotated[bool, typer.Option(*QUIET[1], help=QUIET[2])] = False,
    debug: Annotated[bool, typer.Option(*DEBUG[1], help=DEBUG[2])] = False,
    no_pager: Annotated[
        bool, typer.Option("--no-pager", help="Write long answers to the terminal as they are.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Reads the options before the command."""
    if not isinstance(ctx.obj, Globals):
        ctx.obj = Globals()
    ctx.obj.database, ctx.obj.quiet, ctx.obj.debug, ctx.obj.no_pager = database, quiet, debug, no_pager
