"""What somebody wants to be told of while it happens, and who is told: the values of the settings of hooks."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import NamedTuple

STATE = "state"
CAUSES = ("oom", "forced", "crash", "told", "unknown")
LOOP, MISSING, GAP, REJECT = "crash-loop", "never-came-back", "gap", "reject"
CONDITIONS = (f"{STATE}=WORD", *CAUSES, LOOP, MISSING, GAP, REJECT)
"""As they are written; behind the last ones but `reject` a length may stand: never-came-back=30m, gap=1m."""
MISSING_AFTER = timedelta(minutes=10)
"""What has not come back by then never came back, where nothing else is said."""
_LONG = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Wish(NamedTuple):
    """One condition."""

    kind: str
    """`state`, one of the causes of a stop, or one of the others."""
    word: str = ""
    """Which state, as `archiver events --state` takes it."""
    after: timedelta = timedelta(0)
    """How long it must last."""
    text: str = ""
    """As it was written."""


class Hook(NamedTuple):
    """Some conditions, of which any is enough, and the one who is told: a program, or a server."""

    wishes: tuple[Wish, ...]
    program: tuple[str, ...] = ()
    """The program and its arguments; no shell sees them."""
    url: str = ""
    """Where a webhook is; it may hold secrets. `@FILE`: it stands in that file."""

    @property
    def on(self) -> str:
        """The conditions as they were written."""
        return "|".join(wish.text for wish in self.wishes)

    @property
    def shown(self) -> str:
        """What it does, without anything that may be secret."""
        return f"{self.on}: {self.program[0]}" if self.program else f"{self.on}: {shown_place(self.url)}"


def wishes(text: str) -> tuple[Wish, ...]:
    """The conditions in a text, with `|` between them. Raises ValueError."""
    return tuple(_wish(part.strip()) for part in text.split("|"))


def _wish(text: str) -> Wish:
    kind, equals, more = (part.strip() for part in text.partition("="))
    if kind == STATE and more:
        return Wish(STATE, more, text=text)
    if not equals and kind in (*CAUSES, LOOP, GAP, REJECT):
        return Wish(kind, text=text)
    if kind == MISSING:
        return Wish(kind, after=_length(more, text) if equals else MISSING_AFTER, text=text)
    if kind == GAP:
        return Wish(kind, after=_length(more, text), text=text)
    raise ValueError(f"{text[:100]!r} is no condition; there are {', '.join(CONDITIONS)}, with | between several")


def _length(text: str, whole: str) -> timedelta:
    found = _LONG.fullmatch(text)
    if found is None:
        raise ValueError(f"{whole[:100]!r} ends in no length of time, such as 30s, 10m or 2h")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def program(text: str) -> tuple[str, ...]:
    """The program and its arguments in a text, split as a shell would, which sees none of it. Raises ValueError."""
    import shlex  # which a question never needs

    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(f"the program is not written as a shell would take it: {str(error).lower()}") from None
    if not words or not words[0] or "\0" in text:
        raise ValueError("the program is empty")
    return words


def webhook(text: str) -> str:
    """The URL of a server, or the file in which it stands (`@FILE`). Raises ValueError."""
    if text.startswith("@"):
        if not text[1:]:
            raise ValueError("behind @ belongs the name of a file")
        return text
    require_url(text)
    return text


def require_url(text: str) -> None:
    """Raises ValueError for what is no URL of a server that speaks HTTP; its words do not repeat it."""
    from urllib.parse import urlsplit  # which a question never needs

    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("it must be a URL that begins with https:// or http://")


def shown_place(url: str) -> str:
    """Where a URL leads, and no more: of a webhook the path is as secret as a password."""
    from urllib.parse import urlsplit

    if url.startswith("@"):
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not a URL)"
    rest = "/***" if len(parts.path) > 1 or parts.query else "/"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{rest}"
