"""What numbers and keys in the archive's tables mean, and how gaps are called; importing it costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archiver.model import EndKind, TimeSource

IDENTITY = "identity"
"""Under which property stands what is an archive's own for ever, whatever its name or place."""
GENERATION = "generation"
"""Under which property stands what changes at each restore, so that numbers of before and after are told apart."""
UPGRADE = "upgrade"
"""Under which property stands how far an upgrade from 0.1.0 has come."""

DAMAGE = "damage"
"""Under which property stands what was found damaged when the file was read through last."""
FORGOTTEN_LAST = "forgotten last"
"""Under which property stands what changes whenever something was forgotten, by which other writers notice."""
REJECTS_RETRIED = "rejects retried"
"""Under which property stands how many rejects have become events by a retry."""
REJECTS_TRIED_BY = "rejects tried by"
"""Under which property stands which version has tried all rejects last."""

IMPORTED = "imported"
"""What a platform is called of which there are only recordings that do not say whose they are."""

OPEN = 1 << 62
"""The end of what still holds, in microseconds: later than every instant."""

PARENT, TARGET, NAME, IMAGE, SLOT, TAGS = 1, 2, 3, 4, 5, 6
"""What a fact is about: what the resource is under; what an action applies to, while it ran; what it is called; the
image it is made of; the place in its service that it fills; all the tags it bears, as a JSON list."""
TEXTUAL = (NAME, IMAGE, SLOT, TAGS)
"""What a resource is told as a text, of which the last one told holds."""
TOLD, ASKED, INFERRED = 0, 1, 2
"""How a fact is known: from the resource's own events, from an answer, from what is said of others."""
NO_RESOURCE = 0
"""Stands for the number of a resource where an event is about none."""
BY_EVENT, BY_OBSERVATION = 0, 1
"""Whose word it was; of two at one instant, the observation counts as the later."""
TIME_SOURCES: tuple[TimeSource, ...] = ("received", "datetime", "date", "told", "engine")
"""What `events.time_source` numbers mean."""

INTERRUPTED = "the archiver stopped without a word"
"""Why a session ended that nobody closed."""
RESTORED = "the archive was restored from a copy made before"
"""Why a session ended that was the last of its stream when the copy was made."""
SILENT = "no sign of life from the archiver"
"""Why nobody watches while a session is open: its receiver is dead, or cut off from the archive."""
UNHEARD: EndKind = "silent"
"""How a session stands that is open without a sign of life."""
SILENT_SECONDS = 20
"""What a receiver that is alive never exceeds between two signs of life: a pong every ten seconds, and some slack."""
