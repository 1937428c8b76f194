"""An option that takes one value refuses a second, where the last one would win in silence."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class OnceCommand(TyperCommand):
    """A command whose options are given once, but for those that take several values."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Raises `UsageError` for a second value."""
        if not ctx.resilient_parsing:
            refuse_repeated(self, ctx, args)
        return super().parse_args(ctx, args)


def refuse_repeated(command: Any, ctx: Any, args: list[str]) -> None:
    """Raises `UsageError` for an option with one value that is given twice."""
    _, _, given = command.make_parser(ctx).parse_args(args=list(args))
    taken = [each for each in given if each.param_type_name == "option" and not (each.is_flag or each.multiple)]
    for option in taken:
        if sum(other is option for other in taken) > 1:
            from archiver.errors import UsageError

            raise UsageError(reason=f"{option.opts[-1]} is given twice", hint="it takes one value; leave one out")
