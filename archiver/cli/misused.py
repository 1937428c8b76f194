"""Says of a command line that cannot be read what is wrong with it, and what to do next, as of every other error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from archiver.cli.groups import nearest

_CHOICE = re.compile(r"(?P<given>'.*') is not one of (?P<known>'.*')\.?", re.DOTALL)
_NUMBER = re.compile(r"(?P<given>'.*') is not a valid (?P<kind>\w+)(?: range)?\.", re.DOTALL)
_RANGE = re.compile(r"(?P<given>.*) is not in the range (?P<bounds>.*)\.", re.DOTALL)
_EXTRA = re.compile(r"Got unexpected extra argument\S* \((?P<given>.*)\)", re.DOTALL)
_KINDS = {"int": "no whole number", "float": "no number"}


@contextmanager
def in_one_style(ctx: Any = None) -> Iterator[None]:
    """Raises `UsageError` for what the library says of a command line; its own help, where nothing is asked, stays.

    `ctx`: whose command line it is, where the library does not say.
    """
    try:
        yield
    except Exception as exc:
        if not hasattr(exc, "format_message") or type(exc).__name__ == "NoArgsIsHelpError":
            raise
        from archiver.errors import UsageError

        reason, hint = _told(exc, type(exc).__name__)
        raise UsageError(reason=reason, hint=hint or _usage(getattr(exc, "ctx", None) or ctx)) from exc


def _told(exc: Any, kind: str) -> tuple[str, str]:
    """What is wrong, and what may be meant."""
    if kind == "NoSuchOption":
        near = nearest(exc.option_name, exc.possibilities or ())
        return f"there is no option {exc.option_name}", f"did you mean {near}?" if near else ""
    if kind == "MissingParameter":
        return f"{_called(exc)} is missing", ""
    if extra := _EXTRA.fullmatch(exc.message):
        return f"there is more than it takes: {extra['given']}", ""
    where = _called(exc)
    reason, hint = _value(exc.message)
    return f"{where}: {reason}" if where else reason, hint


def _value(message: str) -> tuple[str, str]:
    """What is wrong with a value, and what may be meant."""
    if choice := _CHOICE.fullmatch(message):
        known = re.findall(r"'([^']*)'", choice["known"])
        near = nearest(choice["given"].strip("'"), known)
        return f"{choice['given']} is none of {', '.join(known)}", f"did you mean {near}?" if near else ""
    if number := _NUMBER.fullmatch(message):
        kind = number["kind"]
        return f"{number['given']} is {_KINDS.get(kind, f'no {kind}')}", ""
    if bounds := _RANGE.fullmatch(message):
        return f"{bounds['given']} is out of its range, {bounds['bounds']}", ""
    return _uncapitalised(message), ""


def _called(exc: Any) -> str:
    """The option as it is written, or the argument as the help calls it."""
    parameter = getattr(exc, "param", None)
    if parameter is None:
        return ""
    if parameter.param_type_name == "option":
        return str(max(parameter.opts, key=len))
    return str(parameter.make_metavar(exc.ctx)).strip("{}[]")


def _usage(ctx: Any) -> str:
    """How the command is used, and where more is said about it."""
    if ctx is None:
        return "'archiver -h' has the commands, 'archiver COMMAND -h' the options of one"
    usage = " ".join(ctx.get_usage().split()).removeprefix("Usage: ")
    return f"usage: {usage}   ('{ctx.command_path} -h' says more)"


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:].removesuffix(".")
