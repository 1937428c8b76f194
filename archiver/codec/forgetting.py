"""Finds what is to be forgotten, in whatever form it was written, and writes a fixed mark in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote, quote_plus

FORGOTTEN = "__forgotten__"
"""Stands where something was: letters that no JSON, URI, CSV or SQL takes for anything else."""
LEAST = 4
"""Letters of a pattern, besides its stars: less would fit half of an archive."""
MOST = 2000
_OURS = (
    *("/api/v1/", "nodecluster", "container", "service", "stack", "action", "volume", "network", "image", "swarm"),
    *("running", "started", "stopped", "exited", "terminated", "removed", "deployed", "success", "created"),
)
"""Words without which an archive says nothing any more; in small letters, and with a capital as Tutum writes them."""
_SPELLED = r"\\{1,3}(?:u[0-9A-Fa-f]{4}|/)"
"""A letter as JSON may spell it, and JSON within JSON."""
_PLAIN = r"[^\s\"'\\<>]"
# No text fits them in two ways, so that none takes long. A question mark may be one of the secret, in a URL.
_WILD = {"*": f"(?:{_SPELLED}|{_PLAIN}){{0,256}}", "?": f"(?:%3[Ff]|{_SPELLED}|(?!%3[Ff]){_PLAIN})"}
_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*', re.DOTALL)


def _of_go(text: str) -> str:
    """As Go writes JSON, and so every engine."""
    said = json.dumps(text, ensure_ascii=False)[1:-1]
    return said.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


_FORMS: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: json.dumps(text)[1:-1],
    lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    _of_go,
    lambda text: json.dumps(_of_go(text), ensure_ascii=False)[1:-1],
    lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    lambda text: quote(text, safe=""),
    lambda text: quote(text),
    quote_plus,
)
"""As it was said, in JSON, in JSON within JSON, and in a URL or a form."""


class Replaced(NamedTuple):
    """A text without what fitted, and how often that stood in it."""

    text: str
    times: int


class Pattern:
    """What is to be forgotten: a text, in which `*` stands for any letters of one word and `?` for one of them.

    Raises ValueError, in words that do not repeat it, for one that would fit nearly everything.
    """

    def __init__(self, text: str) -> None:
        if len(text.replace("*", "").replace("?", "")) < LEAST:
            raise ValueError(f"a pattern has at least {LEAST} letters besides * and ?")
        if len(text) > MOST or "\0" in text:
            raise ValueError(f"a pattern has at most {MOST:,} letters, and no NUL")
        if any(text in mark for mark in (FORGOTTEN, f"{FORGOTTEN}2")):
            raise ValueError("that is what stands in the place of what was forgotten")
        self._regex = re.compile("|".join(sorted({_regex(text, form) for form in _FORMS}, key=len, reverse=True)))
        if any(self._regex.search(form) for word in _OURS for form in (word, word.capitalize())):
            raise ValueError("it fits a word that stands everywhere in an archive; give more of the secret")

    def in_text(self, text: str, mark: str = FORGOTTEN) -> Replaced:
        """Of any text."""
        return Replaced(*self._regex.subn(mark, text))

    def in_json(self, text: str, mark: str = FORGOTTEN) -> Replaced:
        """Of a JSON text, which stays one: what is in none of its texts, names and numbers is not looked at."""
        times = 0

        def replaced(found: re.Match[str]) -> str:
            nonlocal times
            token = found[0]
            try:
                said = str(json.loads(token)) if token[0] == '"' else token
            except ValueError:
                said = token
            new, number = self._regex.subn(mark, said)
            times += number
            return json.dumps(new) if number else token

        return Replaced(_TOKENS.sub(replaced, text), times)

    def in_value(self, text: str, mark: str = FORGOTTEN) -> Replaced:
        """Of a text that may be JSON."""
        if text[:1] in ("{", "[") and _is_json(text):
            return self.in_json(text, mark)
        return self.in_text(text, mark)

    def in_bytes(self, data: bytes, mark: str = FORGOTTEN) -> tuple[bytes, int]:
        """Of a message, which may be JSON, or anything else."""
        found = self.in_value(data.decode("utf-8", "surrogateescape").lstrip("\ufeff \t\r\n"), mark)
        if not found.times:
            return data, 0
        return found.text.encode("utf-8", "surrogateescape"), found.times

    def is_in(self, data: bytes) -> bool:
        """Whether it stands in some bytes of a file."""
        return self._regex.search(data.decode("utf-8", "surrogateescape")) is not None


def _regex(text: str, form: Callable[[str], str]) -> str:
    parts = (_WILD.get(part) or _literal(form(part)) for part in re.split(r"([*?])", text) if part)
    return "".join(parts)


def _literal(text: str) -> str:
    # %2F and %2f are one, and so are \\u00FC and \\u00fc.
    text = re.sub(r"%([0-9A-F]{2})", lambda found: f"%(?i:{found[1]})", re.escape(text))
    return re.sub(r"(\\\\u)([0-9a-f]{4})", lambda found: f"{found[1]}(?i:{found[2]})", text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
