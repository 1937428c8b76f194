"""A command that has commands of its own: who asks for one that it has not is told which there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from typer.core import TyperGroup

_MANY = 10
"""Of more words all are listed only where none of them may be meant."""


class Group(TyperGroup):
    """A group that says of a wrong name which names it has, and which of them may be meant."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called. Raises UsageError where there is none of that name."""
        names = self.list_commands(ctx)
        if args and args[0] not in names and not args[0].startswith("-") and not ctx.resilient_parsing:
            from archiver.errors import UsageError

            reason = f"there is no command {f'{ctx.command_path} {args[0]}'[:100]!r}"
            raise UsageError(reason=reason, hint=there_are(args[0], names, before=f"{ctx.command_path} "))
        return super().resolve_command(ctx, args)


def there_are(word: str, known: Iterable[str], before: str = "") -> str:
    """Which words there are, and which of them may be meant by a wrong one; `before`: what is written before it."""
    words = list(known)
    near = nearest(word, words)
    listed = f"there are: {', '.join(words)}"
    if near is None:
        return listed
    meant = f"did you mean '{before}{near}'?"
    return meant if len(words) > _MANY else f"{meant} {listed[0].upper()}{listed[1:]}"


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The word that may be meant by a wrong one; None: there is none near enough."""
    from difflib import get_close_matches  # most words are right

    begun = [each for each in known if len(word) > 1 and each.startswith(word.lower())]
    return next(iter(begun or get_close_matches(word.lower(), known, n=1)), None)
