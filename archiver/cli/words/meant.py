"""Says which word of an archive may be meant by one that it has never heard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from archiver.cli.asking.refs import is_one
from archiver.cli.escape import escape
from archiver.errors import NoSuchResource, NoSuchResourceButNear

if TYPE_CHECKING:
    from archiver.queries.completion import Vocabulary

_PATTERN = frozenset("*?")
_SHOWN = 10
_PATIENCE = 2.0
"""Seconds; nobody waits for a hint as for an answer."""


def unheard(url: str, of: Vocabulary, what: str, texts: Sequence[str]) -> Iterator[str]:
    """What to say of each text that fits no word of a vocabulary of the archive at `url`: that, and what is near.

    Nothing where the archive has more words than can be looked through, or cannot be asked.
    """
    from archiver.queries import completion

    plain = [text.removeprefix("!").strip() for text in texts]
    plain = [text for text in plain if text and not _PATTERN.intersection(text)]
    if not plain:
        return
    try:
        known = completion.words(url, of, "", patience=_PATIENCE)
    except Exception:  # noqa: BLE001 - what went wrong is the business of who asked for the answer
        return
    if len(known) >= completion.MOST:
        return
    for text in plain:
        if not any(_fits(text.lower(), word.lower()) for word in known):
            yield f"the archive has no {what} {text!r}{_near(text, known)}"


@contextmanager
def nearly(url: str, refs: Sequence[str]) -> Iterator[None]:
    """Raises, where one reference means nothing in the archive at `url`, which name may be meant by it instead."""
    try:
        yield
    except NoSuchResource as exc:
        if is_one(refs) and (near := near_name(url, refs[0])):
            raise NoSuchResourceButNear(ref=refs[0], near=near) from exc
        raise


def near_name(url: str, ref: str) -> str | None:
    """The name of a resource of the archive at `url` that may be meant by one that it does not know.

    Looked for among those that begin with the same two characters, in upper or lower case; None: there is none, or too
    many to look through.
    """
    from difflib import get_close_matches  # most names are known

    from archiver.queries import completion

    kind, slash, rest = ref.strip().rpartition("/")
    if len(rest) < 3:
        return None
    begins = rest[:2]
    spelled = dict.fromkeys((begins, begins.lower(), begins.capitalize(), begins.upper()))
    try:
        known = [
            each
            for beginning in spelled
            for each in completion.resources(url, kind + slash + beginning, patience=_PATIENCE)
        ]
    except Exception:  # noqa: BLE001 - what went wrong is the business of who asked for the answer
        return None
    names = {each.name.lower(): each.name for each in known if each.name}
    found = get_close_matches(rest.lower(), names, n=1, cutoff=0.7)
    return kind + slash + names[found[0]] if found else None


def _fits(text: str, word: str) -> bool:
    return text == word or word.startswith(f"{text} (")


def _near(text: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    words = {word.partition(" (")[0].lower(): word.partition(" (")[0] for word in known}
    if found := get_close_matches(text.lower(), words, n=1):
        return f"; did you mean {escape(words[found[0]])}?"
    shown = list(words.values())[:_SHOWN]
    return f"; it has {', '.join(map(escape, shown))}{' ...' if len(words) > _SHOWN else ''}" if shown else ""
