"""A filter that takes one value refuses a second, where the last one would win in silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand

from archiver.cli.misused import in_one_style

FILTERS = frozenset({"since", "until", "id"})
"""Of options that say how something is done the last one wins, as people expect who have an alias: not of these."""


class OnceCommand(TyperCommand):
    """A command to which each end of a range, and a number, is given once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Raises `UsageError` for a second value of a filter, and for whatever else cannot be read."""
        with in_one_style(ctx):
            if not ctx.resilient_parsing:
                _, _, given = self.make_parser(ctx).parse_args(args=list(args))
                _refuse_twice([parameter.name for parameter in given if parameter.name in FILTERS])
            return super().parse_args(ctx, args)


def _refuse_twice(names: Sequence[str | None]) -> None:
    if len(names) > len(set(names)):
        from archiver.errors import UsageError

        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(reason=f"--{twice} is given twice", hint="it takes one value; leave one out")
