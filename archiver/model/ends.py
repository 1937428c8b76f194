"""Why nobody watches any more."""

from __future__ import annotations

from typing import Literal

EndKind = Literal["stopped", "lost", "refused", "silent", "skipped", "clock", "restored", "imported", "before"]
"""Why nobody watches any more, for programs to compare; the sentence beside it is for people.

stopped: the archiver was told to; lost: the connection ended or could not be had; refused: the credentials;
silent: the platform, or the archiver, gave no sign of life; skipped: the platform left messages out; clock: it was set;
restored: the archive is an older copy; imported: nobody wrote down; before: the first session.
"""


_BY_SENTENCE: dict[str, EndKind] = {
    "stopped": "stopped",
    "the archive was restored from a copy made before": "restored",
}


def kind_of_end(reason: str) -> EndKind:
    """The kind of an end of which the first edition of the archive, the spool and the export kept the sentence only."""
    return _BY_SENTENCE.get(reason, "lost")
