"""The settings of who is told when something happens; each way raises ValueError with words for the reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from archiver.config.values import kind_of, text_of, texts_of
from archiver.model import hooks
from archiver.model.hooks import Hook

MOST_HOOKS = 20


def hooks_of(raw: Any) -> tuple[Hook, ...]:
    """Hooks from tables that say in `on` when, and in `exec` or `webhook` (a text, or a list of them) who is told."""
    tables = raw if isinstance(raw, (list, tuple)) else [raw]
    found = [hook for table in tables for hook in _hooks_of(table)]
    if len(found) > MOST_HOOKS:
        raise ValueError(f"there are {len(found)}, and {MOST_HOOKS} are the most")
    return tuple(found)


def _hooks_of(table: Any) -> Iterator[Hook]:
    if not isinstance(table, Mapping):
        raise ValueError(f"each must be a table with 'on' and 'exec' or 'webhook', not {kind_of(table)}")
    if unknown := sorted(table.keys() - {"on", "exec", "webhook"}):
        raise ValueError(f"{unknown[0]!r} is nothing that a hook has; it has on, exec and webhook")
    wishes = tuple(wish for text in _several(table.get("on", ())) for wish in hooks.wishes(text))
    programs, urls = (_several(table.get(name, ())) for name in ("exec", "webhook"))
    if not wishes:
        raise ValueError("nothing says when somebody is to be told: --on, ARCHIVER_ON, or 'on' in the file")
    if not programs and not urls:
        raise ValueError(f"nobody is to be told of {'|'.join(wish.text for wish in wishes)}: give --exec or --webhook")
    yield from (Hook(wishes, program=hooks.program(text)) for text in programs)
    yield from (Hook(wishes, url=hooks.webhook(text)) for text in urls)


def _several(raw: Any) -> tuple[str, ...]:
    """A text, or a list of them."""
    return tuple(text_of(item) for item in ([raw] if isinstance(raw, str) else texts_of(raw)))
