"""Says why an answer has nothing in it: nothing happened, or nobody can know."""

from __future__ import annotations

from typing import Literal

Empty = Literal["nothing_happened", "before_archive", "after_archive", "never_recorded", "gap"]
"""Why nothing was found, for programs."""

IN_WORDS: dict[Empty, str] = {
    "nothing_happened": "it was watched, and nothing of the kind happened",
    "before_archive": "that was before the archive begins",
    "after_archive": "nothing has been heard since then: it is yet to come, or the archiver is behind",
    "never_recorded": "no stream was recorded that could have told",
    "gap": "nobody was watching for a part of that time",
}
"""The same for people."""
