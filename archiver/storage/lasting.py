"""For how long each object lived, in classes: what lived at an instant, or within a range, at the price of the answer.

Each present row has the class of its life from first to gone: it lasted less than 2^class microseconds. What lived at T
and lasted less than that began within that time before T: a look at each of some forty classes, on a plain B-tree of
(type, class, first_at). What is looked at in vain had ended for less long than its class lasts. An interval tree would
take a larger number of each object, and two indexes. Who was gone in between counts from first to last.
"""

from __future__ import annotations

from archiver.storage.words import OPEN

LIVES = 63
"""The class of what lives."""
SHORTEST, _LONGEST = 20, 59
"""What lasted less than about a second is one class; and no two instants that can be dated lie farther apart."""


CLASS, BEGAN = "lasted + 0", "first_at + 0"
"""How the index of classes has them: so no planner takes another index, or makes one, by which it would find all that
began before."""


def lasted(first_at: int, gone_at: int | None) -> int:
    """The class of a life."""
    return LIVES if gone_at is None else max((gone_at - first_at).bit_length(), SHORTEST)


def _classes() -> str:
    most = {number: 1 << number for number in range(SHORTEST, _LONGEST + 1)} | {LIVES: OPEN}
    return ", ".join(f"({number}, {length})" for number, length in most.items())


CLASSES = f"(VALUES {_classes()})"
"""All classes, as a source of rows to join with: `column1` is the class, `column2` for how long a life of it lasts."""
OF_CLASS = f"p.{CLASS} = l.column1"
"""The condition that a present row `p` is of a class `l`."""
FEW = "l.column1 = l.column1 + 0"
"""A condition that every class `l` fulfils, for planners: they believe that all are equally full, and of this one that
one class fulfils it (or as few as they are told); in truth most are empty."""


def lived(since: str, until: str) -> str:
    """The condition that a present row `p`, joined with its class `l`, lived within a range.

    From `since` to `until` (exclusive), expressions in microseconds; what ended at `since` lived until then. The index
    takes the class and `first_at`; `gone_at` tells those that had ended before.
    """
    return f"p.{BEGAN} > ({since}) - l.column2 AND p.{BEGAN} < {until} AND (p.gone_at IS NULL OR p.gone_at >= {since})"
