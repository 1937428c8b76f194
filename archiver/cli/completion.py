"""What TAB offers: what the archive has, as it can be typed; any failure offers nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from archiver.queries.completion import Known, Vocabulary


def references(ctx: typer.Context, incomplete: str) -> list[str]:
    """Resources whose URI, `type/key`, key or name begins with what is typed so far."""
    from archiver.queries import completion

    try:
        return spelt(completion.resources(_database(ctx), incomplete), incomplete)[: completion.MOST]
    except Exception:  # noqa: BLE001 - a shell that waits for TAB must never see a traceback
        return []


def _words(of: Vocabulary) -> Callable[[typer.Context, str], list[str]]:
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        from archiver.queries import completion

        try:
            mark = "!" if incomplete.startswith("!") else ""
            words = completion.words(_database(ctx), of, incomplete.removeprefix(mark))
            return [mark + word for word in words if _typable(word, within=" ()")]
        except Exception:  # noqa: BLE001 - as above
            return []

    return complete


types, states, actions = _words("event_types"), _words("event_states"), _words("event_actions")


def spelt(known: Iterable[Known], incomplete: str) -> list[str]:
    """Resources in the words in which somebody has begun to type them, each once and in order."""
    words = (word for one in known for word in _spellings(one, incomplete))
    return sorted({word for word in words if word.startswith(incomplete) and _typable(word)})


def _spellings(known: Known, incomplete: str) -> Iterator[str]:
    name = known.name if known.type != "action" else None  # an action is no resource of the name of what it does
    if incomplete.startswith("/"):
        yield known.uri
    elif "/" in incomplete:
        yield f"{known.type}/{known.key}"
        yield from (f"{known.type}/{name}", name) if name else ()
    else:
        yield name or known.key
        yield known.key if incomplete else f"{known.type}/{known.key}"


def _typable(word: str, within: str = "") -> bool:
    """Whether a word can stand on a command line as it is, or quoted where it has characters of `within`.

    A hostile name is not offered, nor one that would be taken for an option.
    """
    return word.isprintable() and not set(word) & set(" '\"\\$`;&|<>()*?[]{}!#~") - set(within) and word[:1] != "-"


def _database(ctx: Any) -> str:
    """The archive's URL: `--database` earlier on the line, after the command or before it, else what is configured."""
    from archiver.config.loading import home_folder, load

    flags: dict[str, str] = {}
    while ctx is not None and not flags:
        flags = {"database": str(ctx.params["database"])} if ctx.params.get("database") else {}
        ctx = ctx.parent
    return str(load(flags, os.environ, home_folder()).database.value)
